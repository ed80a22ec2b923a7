"""Wall time of a command that keeps to one core."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path


def timed(command: list[str], folder: Path, *, path: Path | None = None) -> float:
    """Run a command that must succeed on one core; return its seconds on the wall clock.

    Processor time would leave out the sandboxed processes, which nobody waits for.
    """
    bin = f"{path}{os.pathsep}" if path else ""
    env = {**os.environ, "PATH": bin + os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    env["JUPYTER_PLATFORM_DIRS"] = "1"
    core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    keep = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, preexec_fn=keep
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return seconds
