"""How much a submission may use, what it may answer, and how it may die."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Limits:
    """What one session may use. Seconds are wall-clock seconds unless they say CPU.

    Attributes
    ----------
    start_s
        For the interpreter to start, and again for all cells together.
    total_s
        For everything that the session is asked, waiting for its caller not counted.
    cpu_s
        CPU seconds of all processes together.
    memory_mb
        Resident memory of all processes together, in MiB.
    processes
        Processes and threads alive at one time.
    files
        Open file descriptors of one process; four times as many of all processes together.
    file_mb
        Largest file that may be written, in MiB.
    tmp_mb
        What ``/tmp`` and ``/dev/shm`` hold, each, in MiB (together in the tier "user"). They are
        kept in memory, beside ``memory_mb``.
    output_bytes
        What the submission may print before it is ended.
    reply_bytes
        Length of one reply.
    """

    start_s: float = 30.0
    total_s: float = 120.0
    cpu_s: int = 120
    memory_mb: int = 2048
    processes: int = 64
    files: int = 256
    file_mb: int = 64
    tmp_mb: int = 64
    output_bytes: int = 1 << 20
    reply_bytes: int = 16 << 20


@dataclass(frozen=True)
class Reply:
    """What the submission says that a call did: a claim, to be compared outside.

    ``error`` is an exception's type, empty where ``value`` was returned; ``line`` is the place in
    the submission where it was raised. ``changed`` says whether the inputs were altered.
    """

    value: Any = None
    error: str = ""
    message: str = ""
    line: str = ""
    changed: bool = False
    warning: str = ""


class SandboxDied(Exception):  # noqa: N818 - it is the submission's end, not the caller's error
    """The session is over: ``reason`` is one of a few fixed phrases, ``detail`` a sentence.

    The reasons are "time limit", "total time limit", "memory limit", "process limit", "disk
    limit", "output limit", "reply limit", "ended", "malformed reply", "reply before it was asked
    for" and "start failed". ``output`` is what the submission had printed, as far as it was kept.
    """

    def __init__(self, reason: str, detail: str = "", output: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail, self.output = reason, detail, output


class NoSandboxError(RuntimeError):
    """No way to run a submission safely is usable here; the message says what to install."""
