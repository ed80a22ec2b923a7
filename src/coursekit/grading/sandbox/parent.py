"""The grader's side of the launcher: start it, order submissions from it, end it."""

import contextlib
import dataclasses
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from coursekit.grading.sandbox.limits import Limits, SandboxDied

MODULE = "coursekit.grading.sandbox.launcher"
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
START_S, ORDER_S, END_S = 60.0, 10.0, 10.0


@dataclass
class Box:
    """A confined worker: three descriptors, the process that watches over it, how to end it.

    ``root`` is the reaper, as the grader's own process namespace numbers it; the submission's
    processes descend from it. ``close`` returns once none of them is left.
    ``disk_use`` measures what they have written, where no file system of their own limits that.
    """

    requests: int
    replies: int
    output: int
    root: int
    kill: Callable[[], None]
    close: Callable[[], None]
    disk_use: Callable[[], int] | None = None


class Parent:
    """A running launcher.

    Parameters
    ----------
    command
        What to run before ``python -m …launcher``'s arguments: a way into the sandbox, then Python.
    isolation
        "namespaces", "user" or "none": what the launcher does for each submission.
    preload
        Modules that are imported once and shared by all submissions.
    environment
        The launcher's whole environment.
    """

    def __init__(
        self,
        command: list[str],
        isolation: str,
        preload: tuple[str, ...],
        environment: dict[str, str],
    ) -> None:
        self.isolation, self.owner = isolation, os.getpid()
        self._orders, inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        with inside:
            arguments = [str(inside.fileno()), isolation, json.dumps(preload)]
            self._process = subprocess.Popen(
                [*command, "-m", MODULE, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=(inside.fileno(),),
                start_new_session=True,
                env=environment,
            )
        try:
            self._await_ready()
        except BaseException:
            self.close()
            raise

    def _await_ready(self) -> None:
        self._orders.settimeout(START_S)
        try:
            ready = self._orders.recv(1 << 16)
        except TimeoutError:
            ready = b""
        if not ready:
            self._process.kill()
            raise SandboxDied("start failed", self._last_words())
        told = json.loads(ready)
        if told["failed"]:
            raise SandboxDied("start failed", f"imports failed: {told['failed']}")
        if told["threads"] != 1:
            raise SandboxDied("start failed", f"{told['threads']} threads run; forking needs one")

    def alive(self) -> bool:
        """Whether the launcher's process still runs."""
        return self._process.poll() is None

    def _last_words(self) -> str:
        self._said.seek(0)
        words = self._said.read(10_000).decode("utf-8", "replace").strip()
        return words[-600:] or "the launcher did not start"

    def open(self, limits: Limits, uid: int | None, folder: str) -> Box:
        """Fork a confined worker, as user ``uid``, in ``folder``.

        Raises :class:`SandboxDied` ("start failed") where a layer could not be put in place.
        """
        (inside_in, requests), (replies, inside_out), (output, print_) = (
            os.pipe() for _ in range(3)
        )
        status, inside_status = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        order = {"limits": dataclasses.asdict(limits), "uid": uid, "folder": folder}
        ends = [inside_in, inside_out, print_, inside_status.fileno()]
        with status, inside_status:
            try:
                socket.send_fds(self._orders, [json.dumps(order).encode()], ends)
                inside_status.close()
                pidfd = _await_worker(status)
            except BaseException as error:
                for fd in (requests, replies, output):
                    os.close(fd)
                if isinstance(error, OSError):
                    raise SandboxDied("start failed", "the launcher has ended") from error
                raise
            finally:
                for fd in (inside_in, inside_out, print_):
                    os.close(fd)
        # Without namespaces the reaper is asked, because it has others to end first.
        signum = signal.SIGKILL if self.isolation == "namespaces" else signal.SIGTERM
        return Box(
            requests,
            replies,
            output,
            root=_pid_of(pidfd),
            kill=lambda: _signal(pidfd, signum),
            close=lambda: _end(pidfd, signum),
        )

    def close(self) -> None:
        """End the launcher; inside bubblewrap everything else ends with it."""
        self._orders.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()


def _await_worker(status: socket.socket) -> int:
    """Wait until reaper and worker both say that they are confined; return the reaper's pidfd."""
    status.settimeout(ORDER_S)
    pidfd, missing = -1, {b"reaper", b"worker"}
    while missing:
        try:
            said, fds, _, _ = socket.recv_fds(status, 2000, 1)
        except TimeoutError:
            said, fds = b"no worker started in time", []
        if fds:
            pidfd = fds[0]
        if said not in missing:
            if pidfd >= 0:
                _end(pidfd, signal.SIGKILL)
            raise SandboxDied("start failed", said.decode("utf-8", "replace") or "no worker")
        missing.remove(said)
    return pidfd


def _pid_of(pidfd: int) -> int:
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pid:"))


def _signal(pidfd: int, signum: int) -> None:
    with contextlib.suppress(ProcessLookupError, OSError):
        signal.pidfd_send_signal(pidfd, signum)


def _end(pidfd: int, signum: int) -> None:
    """End the reaper and wait for it: the last process of a namespace to go is its first."""
    _signal(pidfd, signum)
    if not select.select([pidfd], [], [], END_S)[0]:
        _signal(pidfd, signal.SIGKILL)
        select.select([pidfd], [], [], END_S)
    os.close(pidfd)
