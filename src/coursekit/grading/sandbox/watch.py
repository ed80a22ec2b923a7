"""Watch a submission's processes from outside: their memory, their number, what they print."""

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable

INTERVAL_S = 0.02
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def tree(root: int) -> list[int]:
    """Process ``root`` and all that descend from it."""
    found, new = [], [root]
    while new:
        pid = new.pop()
        found.append(pid)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                    new += map(int, file.read().split())
    return found


def of_uid(uid: int) -> list[int]:
    """All processes of one user.

    The owner is read from ``status``: who owns the entry in ``/proc`` a process can change.
    """
    found, mark = [], f"\nUid:\t{uid}\t".encode()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/status", "rb") as file:
            if mark in file.read(600):
                found.append(int(name))
    return found


def usage(root: int) -> tuple[int, int]:
    """Resident bytes, and threads, of all processes that descend from ``root``."""
    resident = threads = 0
    for pid in tree(root)[1:]:
        with contextlib.suppress(OSError, IndexError, ValueError):
            with open(f"/proc/{pid}/statm", "rb") as file:
                resident += int(file.read().split()[1]) * PAGE
            threads += len(os.listdir(f"/proc/{pid}/task"))
    return resident, threads


class Watch:
    """A thread that looks every 20 ms, keeps what is printed, and calls ``kill`` at a limit."""

    def __init__(self, root: int, output: int, limits, kill: Callable[[], None]) -> None:
        self.root, self.limits, self.kill = root, limits, kill
        self.reason = self.detail = ""
        self.printed, self.printed_bytes, self.peak = bytearray(), 0, 0
        self._output, self._ended = output, threading.Event()
        os.set_blocking(output, False)
        self._thread = threading.Thread(target=self._run, daemon=True, name="sandbox-watch")
        self._thread.start()

    def stop(self) -> None:
        """End the thread, once what was printed until now has been read."""
        self._ended.set()
        self._thread.join()
        self._read()

    def trip(self, reason: str, detail: str) -> None:
        """End the submission for ``reason``; the first reason counts."""
        if not self.reason:
            self.detail = detail  # before the reason, which others look at
            self.reason = reason
        self.kill()

    def _run(self) -> None:
        while not (self._ended.is_set() or self.reason):
            open_ = self._read()
            self._measure()
            if open_:
                select.select([self._output], [], [], INTERVAL_S)
            self._ended.wait(INTERVAL_S / 2)

    def _read(self) -> bool:
        """Take what is there, but not for ever: a submission may print faster than this reads."""
        for _ in range(16):
            try:
                part = os.read(self._output, 1 << 16)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not part:
                return False
            self.printed_bytes += len(part)
            room = self.limits.output_bytes - len(self.printed)
            self.printed += part[: max(room, 0)]
            if self.printed_bytes > self.limits.output_bytes:
                kept = f"more than {self.limits.output_bytes} bytes were printed"
                self.trip("output limit", kept)
                return False
        return True

    def _measure(self) -> None:
        resident, threads = usage(self.root)
        self.peak = max(self.peak, resident)
        if resident > self.limits.memory_mb << 20:
            used = f"{resident >> 20} MiB were used, {self.limits.memory_mb} are allowed"
            self.trip("memory limit", used)
        elif threads > self.limits.processes:
            self.trip("process limit", f"{threads} processes and threads were running")


def wait_for_none(processes: Callable[[], list[int]], seconds: float = 5.0) -> list[int]:
    """Kill what ``processes`` lists until it lists nothing; return what is left in the end."""
    end = time.monotonic() + seconds
    while (left := processes()) and time.monotonic() < end:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, 9)
        time.sleep(0.002)
    return left
