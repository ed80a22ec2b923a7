"""The tier "unsafe": an ordinary child process with limits on its resources, and no isolation.

It keeps an endless loop or a memory leak from stopping a batch. It does not keep a submission from
anything that the person who grades may do: read, change and delete files, and use the network.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from coursekit.grading.sandbox.limits import Limits
from coursekit.grading.sandbox.watch import tree, wait_for_none

WORKER = "coursekit.grading.sandbox.worker"
# One thread per library, no screen, the same order of sets every time.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}


@dataclass
class Box:
    """A started worker: three descriptors to it, its first process, and how to end it.

    ``close`` ends every process and returns the ids of those that it could not end.
    """

    requests: int
    replies: int
    output: int
    root: int
    kill: Callable[[], None]
    close: Callable[[], list[int]]
    descriptors: list[int] = field(default_factory=list)


def start(limits: Limits, slot: int) -> Box:
    """Start a worker as a child process of this one."""
    (inside_in, requests), (replies, inside_out), (output, inside_print) = (
        os.pipe() for _ in range(3)
    )
    process = subprocess.Popen(
        [sys.executable, "-m", WORKER, str(inside_in), str(inside_out)],
        stdin=subprocess.DEVNULL,
        stdout=inside_print,
        stderr=inside_print,
        pass_fds=(inside_in, inside_out),
        start_new_session=True,
        env={**os.environ, **ENVIRONMENT},
        preexec_fn=lambda: set_limits(limits),
    )
    for fd in (inside_in, inside_out, inside_print):
        os.close(fd)

    def kill() -> None:
        for pid in tree(process.pid):
            _end(pid)

    def close() -> list[int]:
        kill()
        process.wait()
        return wait_for_none(lambda: _of_session(process.pid))

    return Box(requests, replies, output, process.pid, kill, close)


def set_limits(limits: Limits) -> None:
    """Set this process's own resource limits, which it cannot raise again."""
    import resource

    for name, value in (
        ("RLIMIT_CPU", limits.cpu_s),
        ("RLIMIT_FSIZE", limits.file_mb << 20),
        ("RLIMIT_NOFILE", limits.files),
        ("RLIMIT_CORE", 0),
    ):
        resource.setrlimit(getattr(resource, name), (value, value))


def _end(pid: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def _of_session(session: int) -> list[int]:
    """The processes of one session (in the sense of setsid), which a daemon has left."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != b"Z":
            found.append(int(name))
    return found
