"""A run's state on disk: written whole or not at all, and refused when a byte has changed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
from pathlib import Path
from typing import Any

import torch

MAGIC = b"coursekit run state 1\n"


class StateError(ValueError):
    """A state file that cannot be used; the message says which, why, and what to do."""


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a run's state so that a crash leaves either the old file or the new one.

    The bytes go to a file beside it, reach the disk, and take its name in one step. In front of
    them stands their SHA-256.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    state : dict
        Tensors, numbers, strings, and lists and dictionaries of them.

    Raises
    ------
    OSError
        If the disk is full or cannot be written; what was at `path` is still there.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "state.pt"
    >>> write_state(path, {"step": 3, "w": torch.ones(2)})
    >>> read_state(path)
    {'step': 3, 'w': tensor([1., 1.])}
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getvalue()
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(MAGIC + hashlib.sha256(payload).digest() + payload)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise _explained(error, path, len(payload)) from error


def read_state(path: Path) -> dict[str, Any]:
    """Return what :func:`write_state` wrote.

    Only tensors and plain containers are read: a file cannot run code.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    FileNotFoundError
        If it is missing.
    StateError
        If it is no state file, or not all of one, or was changed.
    """
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        raise StateError(
            f"{path} is no state of a run: it begins with {data[:12]!r}. Give another file, or "
            "start the run in a new folder."
        )
    start = len(MAGIC) + hashlib.sha256().digest_size
    digest, payload = data[len(MAGIC) : start], data[start:]
    if hashlib.sha256(payload).digest() != digest:
        raise StateError(
            f"{path} is damaged: its {len(payload):,} bytes do not have the hash that stands in "
            "front of them. Take a copy, or delete it and start the run again."
        )
    state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    return state


def check_same(path: Path, stored: dict[str, Any], wanted: dict[str, Any], what: str) -> None:
    """Refuse to go on with a state that was made under other settings.

    Parameters
    ----------
    path : pathlib.Path
        The file, for the message.
    stored, wanted : dict
        Settings in the file and of this run.
    what : str
        What they are of.

    Raises
    ------
    StateError
        If they differ; the message names each difference.

    Examples
    --------
    >>> check_same(Path("state.pt"), {"vocab_size": 512}, {"vocab_size": 1024}, "model")
    Traceback (most recent call last):
    coursekit.pretraining.state.StateError: state.pt holds another model: vocab_size is 512 there \
and 1024 here. Use the settings it was made with, or start in a new folder.
    """
    keys = sorted(k for k in {*stored, *wanted} if stored.get(k) != wanted.get(k))
    if keys:
        said = ", ".join(f"{k} is {stored.get(k)} there and {wanted.get(k)} here" for k in keys)
        raise StateError(
            f"{path} holds another {what}: {said}. "
            "Use the settings it was made with, or start in a new folder."
        )


def _explained(error: OSError, path: Path, size: int) -> OSError:
    """Return the error with what it means for the run."""
    why = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
    kept = "The state written before is unharmed" if path.exists() else "No state was there before"
    return OSError(
        error.errno,
        f"{path} could not be written ({size:,} bytes): {why}. {kept}; make room and run the same "
        "command again to go on from it",
    )
