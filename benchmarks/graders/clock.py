"""Wall time and processor time of a command that keeps to one core."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Spent:
    """Seconds on the wall clock, and of processor time with all child processes."""

    wall: float
    cpu: float

    def __add__(self, other: Spent) -> Spent:
        """One after the other."""
        return Spent(round(self.wall + other.wall, 2), round(self.cpu + other.cpu, 2))


def timed(command: list[str], folder: Path, *, path: Path | None = None) -> Spent:
    """Run a command that must succeed on one core, and time it."""
    bin = f"{path}{os.pathsep}" if path else ""
    env = {**os.environ, "PATH": bin + os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    env["JUPYTER_PLATFORM_DIRS"] = "1"
    core = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    keep = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    before, start = _children(), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, preexec_fn=keep
    )
    spent = Spent(round(time.perf_counter() - start, 2), round(_children() - before, 2))
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return spent


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
