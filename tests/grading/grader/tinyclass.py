"""A small assignment of a teacher's own, notebooks that answer it, a session without a sandbox.

What is right and wrong about the answers is known from how they were written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coursekit.grading.run import attempt, make_driver

NAME = "90-tiny"
QUESTIONS = """
import numpy as np
from coursekit.grading import case, question


@question(id="double", title="Twice as much", asks="double", points=2, section="sec-a")
class Double:
    def reference(x):
        return 2.0 * x

    def cases(rng):
        yield case("three values", rng.normal(size=3))
        yield case("a table", rng.normal(size=(2, 2)) + 3.0)
        yield case("long", rng.normal(size=12) - 40.0, shown=False)

    variants = [lambda x: x + x, lambda x: np.multiply(x, 2)]
    mistakes = {
        "Twice, not squared.": lambda x: x**2,
        "You halved it.": lambda x: x / 2,
        "Nothing was doubled.": lambda x: x * 1.0,
        "Three times is too much.": lambda x: 3 * x,
    }
    explain = "Add the number to itself."


@question(id="both", title="Sum and largest", asks="both", points=5, section="sec-b")
class Both:
    parts = {"sum": 2, "largest": 3}

    def driver(answer, what, values):
        return answer(values)[0 if what == "sum" else 1]

    def reference(values):
        return sum(values), max(values)

    def cases(rng):
        for part in ("sum", "largest"):
            values = [int(v) for v in rng.integers(-50, 50, size=6)]
            yield case(f"six, {part}", part, values, part=part)
            more = [int(v) for v in rng.integers(-99, 0, size=9)]
            yield case(f"below zero, {part}", part, more, part=part, shown=False)

    variants = [
        lambda v: (sum(sorted(v)), sorted(v)[-1]),
        lambda v: [sum(v), max(v)],
    ]
    mistakes = {
        "The largest comes second.": lambda v: (max(v), sum(v)),
        "That is the smallest.": lambda v: (sum(v), min(v)),
        "That is the mean.": lambda v: (sum(v) / len(v), max(v)),
        "The sum of squares was not asked.": lambda v: (sum(x * x for x in v), max(v)),
    }
    explain = "Python has sum and max."


@question(id="essay", title="Why?", asks="essay", points=3, section="sec-c", kind="manual")
class Essay:
    rubric = [(1, "gives a reason"), (2, "the right one")]
"""
RIGHT = {
    "double": "import numpy as np\ndef double(x):\n    return 2.0 * x",
    "both": "def both(values):\n    return sum(values), max(values)",
    "essay": 'essay = "Because adding is commutative."',
}
STARTER = {
    "double": "import numpy as np\ndef double(x):\n    ...",
    "both": "def both(values):\n    ...",
    "essay": 'essay = ""',
}
KEY = b"a key for these tests, 32 bytes."
HEAD = 'from coursekit.grading import Check\ncheck = Check("90-tiny")'


def notebook(*cells: str) -> bytes:
    """A notebook of these code cells, as Jupyter writes it."""
    made = [
        {"cell_type": "code", "source": c, "metadata": {}, "outputs": [], "execution_count": None}
        for c in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def answers(**changed: str) -> bytes:
    """A solved notebook with some answers replaced."""
    return notebook(HEAD, *{**RIGHT, **changed}.values())


def hand_in(folder: Path, **files: bytes) -> Path:
    """Write ``anna=…`` to ``folder/anna.ipynb`` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for student, data in files.items():
        (folder / f"{student}.ipynb").write_bytes(data)
    return folder


class Session:
    """A submission that runs in this very process: for what has nothing to do with isolation."""

    def __init__(self, cells: list[str]) -> None:
        self.names: dict[str, Any] = {"__name__": "submission"}
        self.cell_errors: list[tuple[int, str]] = []
        self.output, self.peak_mb = "", 1.0
        self.calls: list[str] = []
        for number, cell in enumerate(cells, 1):
            try:
                exec(cell, self.names)
            except Exception as error:
                self.cell_errors.append((number, f"{type(error).__name__}: {error}"))

    def defined(self, names: list[str]) -> dict[str, str]:
        """What each name is."""
        found = {n: type(self.names[n]).__name__ if n in self.names else "missing" for n in names}
        self.calls.append("defined")
        return found

    def text(self, name: str) -> str | None:
        """A string of the submission."""
        value = self.names.get(name)
        return value if isinstance(value, str) else None

    def call(self, asks: str, inputs: Any, driver: str, seconds: float) -> Any:
        """One call, as the sandbox's worker makes it."""
        self.calls.append(asks)
        return attempt(self.names[asks], inputs, make_driver(driver), seconds)


def opener(kept: list | None = None, make: Callable[[list[str]], Session] = Session) -> Callable:
    """What opens such sessions; each is appended to ``kept``."""

    @contextmanager
    def open_one(cells: list[str], left: float) -> Iterator[Session]:
        session = make(cells)
        if kept is not None:
            kept.append(session)
        yield session

    return open_one


def command(source: Path, out: Path, own: Path, *more: str) -> list[str]:
    """The command line of a grading without a sandbox."""
    options = ["--assignment", NAME, "--out", str(out), "--questions", str(own)]
    return ["grade", str(source), *options, "--sandbox", "unsafe", *more]


def with_key(out: Path) -> Path:
    """A folder whose inputs are drawn from a known secret, to compare two gradings."""
    out.mkdir(parents=True)
    (out / "secret.key").write_bytes(KEY)
    return out
