"""What a training shows: in memory, and line by line in a file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OF_EVERY_RUN = {"step", "loss", "norm", "lr", "tokens_per_second", "mfu"}
"""What the metrics of a step have in any training."""


@dataclass
class Run:
    """What a training has shown so far.

    Attributes
    ----------
    losses : list of float
        Of each step's batch before its update, nats a token.
    norms : list of float
        Of the gradients, before clipping.
    validation : list of (int, float)
        Steps done, and the loss on validation tokens.
    tokens_per_second, mfu : float
        Since the last log.
    measured : dict of str to list of float
        What else the loss tells of each batch: rewards, a divergence.
    """

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    tokens_per_second: float = math.nan
    mfu: float = math.nan
    measured: dict[str, list[float]] = field(default_factory=dict)

    def add(self, line: dict[str, Any]) -> None:
        """Take in a line of the metrics file."""
        if "validation" in line:
            self.validation.append((line["step"], line["validation"]))
            return
        self.losses.append(line["loss"])
        self.norms.append(line["norm"])
        for name in line.keys() - OF_EVERY_RUN:
            self.measured.setdefault(name, []).append(line[name])


def append_text(path: Path, text: str) -> None:
    """Add a text to a file's end.

    Parameters
    ----------
    path : pathlib.Path
        The file; made where it is missing.
    text : str
        What to add.

    Raises
    ------
    OSError
        If the disk is full or cannot be written; says what that means for the run.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "samples.txt"
    >>> append_text(path, "one ")
    >>> append_text(path, "two")
    >>> path.read_text()
    'one two'
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{path} could not be written: {error.strerror}. The state saved last is unharmed; "
            "make room and run the same command again to go on from it",
        ) from error


def read_metrics(path: Path | str) -> list[dict[str, Any]]:
    """Return the lines of a run's metrics file.

    Parameters
    ----------
    path : path
        ``metrics.jsonl`` of a run's folder. None there, no lines; a last line that a kill has cut
        off is left out.

    Returns
    -------
    list of dict
        Of every step ``step``, ``loss``, ``norm``, ``lr`` and what else the loss tells, now and
        then ``tokens_per_second`` and ``mfu``; of validations ``step`` and ``validation``.

    Examples
    --------
    >>> read_metrics("nowhere.jsonl")
    []
    """
    path = Path(path)
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
