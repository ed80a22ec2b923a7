"""Watch a submission's processes from outside: their memory, their number, what they print."""

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from coursekit.grading.sandbox.limits import Limits
from coursekit.grading.sandbox.parent import Box

INTERVAL_S, DISK_INTERVAL_S = 0.02, 0.1
FILES_OF_ALL = 4
# A kernel may be built without it; then all processes have to be looked at.
KERNEL_LISTS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def tree(root: int) -> list[int]:
    """Process ``root`` and all that descend from it."""
    found, new, parents = [], [root], None if KERNEL_LISTS_CHILDREN else _parents()
    while new:
        pid = new.pop()
        found.append(pid)
        if parents is not None:
            new += [child for child, parent in parents.items() if parent == pid]
            continue
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                    new += map(int, file.read().split())
    return found


def _parents() -> dict[int, int]:
    """Every process and its parent."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            found[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
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


@dataclass(frozen=True)
class Usage:
    """What the processes below one process use: bytes, threads, CPU seconds, descriptors."""

    resident: int = 0
    threads: int = 0
    cpu: float = 0.0
    files: int = 0


def usage(root: int) -> Usage:
    """Measure all processes that descend from ``root``; the CPU time of those that ended counts."""
    resident = threads = ticks = files = 0
    for pid in tree(root):
        with contextlib.suppress(OSError, IndexError, ValueError):
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()  # from field 3 of proc(5) on
            ticks += int(fields[13]) + int(fields[14])
            if pid == root:
                continue
            ticks += int(fields[11]) + int(fields[12])
            threads += int(fields[17])
            resident += _memory(pid)
            files += len(os.listdir(f"/proc/{pid}/fd"))
    return Usage(resident, threads, ticks / TICKS, files)


def _memory(pid: int) -> int:
    """Bytes of a process in memory and in swap, and of the tables that map them."""
    return _sizes(f"/proc/{pid}/status", b"VmRSS:", b"VmSwap:", b"VmPTE:")


def proportional(root: int) -> int | None:
    """Bytes used below ``root``, where a page that n processes share counts 1/n for each.

    The kernel walks all pages for it, so it is asked only where the quick sum is above the limit.
    None where the kernel does not say.
    """
    total = 0
    for pid in tree(root)[1:]:
        try:
            total += _sizes(f"/proc/{pid}/smaps_rollup", b"Pss:", b"SwapPss:")
            total += _sizes(f"/proc/{pid}/status", b"VmPTE:")
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
        except OSError:
            return None
    return total


def _sizes(path: str, *words: bytes) -> int:
    """Sum of the lines of a file in ``/proc`` that begin with these words, in bytes."""
    with open(path, "rb") as file:
        return sum(int(line.split()[1]) << 10 for line in file if line.startswith(words))


class Watch:
    """A thread that looks every 20 ms, keeps what is printed, and calls ``kill`` at a limit."""

    def __init__(self, box: Box, limits: Limits) -> None:
        self.box, self.limits = box, limits
        self.reason = self.detail = ""
        self.printed, self.printed_bytes, self.peak = bytearray(), 0, 0
        self._output, self._ended = box.output, threading.Event()
        self._disk_at = 0.0
        os.set_blocking(box.output, False)
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
        self.box.kill()

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
        used, most = usage(self.box.root), self.limits
        resident = used.resident
        if resident > most.memory_mb << 20:
            resident = min(resident, proportional(self.box.root) or resident)
        self.peak = max(self.peak, resident)
        if resident > most.memory_mb << 20:
            self.trip("memory limit", f"{resident >> 20} MiB used, {most.memory_mb} allowed")
        elif used.files > FILES_OF_ALL * most.files:  # their buffers are memory of the kernel
            self.trip("memory limit", f"{used.files} files and pipes were open")
        elif used.threads > most.processes:
            self.trip("process limit", f"{used.threads} processes and threads were running")
        elif used.cpu > most.cpu_s:
            self.trip("time limit", f"{most.cpu_s} CPU seconds were used")
        elif self.box.disk_use and time.monotonic() > self._disk_at:
            self._disk_at = time.monotonic() + DISK_INTERVAL_S
            if (written := self.box.disk_use()) > most.tmp_mb << 20:
                self.trip("disk limit", f"{written >> 20} MiB written, {most.tmp_mb} allowed")


def wait_for_none(processes: Callable[[], list[int]], seconds: float = 5.0) -> list[int]:
    """Kill what ``processes`` lists until it lists nothing; return what is left in the end."""
    end = time.monotonic() + seconds
    while (left := processes()) and time.monotonic() < end:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, 9)
        time.sleep(0.002)
    return left
