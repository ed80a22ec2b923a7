"""`make test`: the fast gate, the book, the whole suite and every notebook, in that order.

    python tools/run_tests.py [--workers N]

With the pinned versions (constraints.txt) notebooks are compared strictly, output by output; with
any other set (the oldest or the newest dependencies) every cell must run and every assert hold.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from rich.console import Console

import notebooks
import verified

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
NOTEBOOK_BUDGET_S = 60  # on two cores
PINNED = os.environ.get("CONSTRAINTS", "constraints.txt") == "constraints.txt"


def gate() -> list[tuple[str, list[str]]]:
    """The fast checks, by name."""
    python = sys.executable
    return [
        ("lint", [str(BIN / "ruff"), "check", "."]),
        ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
        ("types", [str(BIN / "mypy")]),
        ("pairing", [python, "tools/notebooks.py", "check"]),
        ("exercises", [str(BIN / "coursekit"), "exercises", "check"]),
        ("book", [python, "tools/build_book.py"]),
    ]


def pytest_command(workers: int) -> list[str]:
    """The suite and the notebooks in one run, a notebook never split between workers."""
    return [
        *(sys.executable, "-m", "pytest", "tests", "notebooks", "exercises"),
        *("-n", str(workers), "--dist", "loadscope", "-q"),
        *("--nbval" if PINNED else "--nbval-lax", "--nbval-cell-timeout", "120"),
        *("--nbval-kernel-name", "python3"),
        *("--nbval-sanitize-with", "tests/nbval-sanitize.cfg"),
    ]


def run(name: str, command: list[str]) -> bool:
    """Run one stage with its output shown; say how long it took."""
    print(f"== {name}", flush=True)
    start = time.perf_counter()
    kept = {**os.environ, **notebooks.ENVIRONMENT}
    good = subprocess.run(command, cwd=ROOT, env=kept, check=False).returncode == 0
    print(
        f"== {name}: {'ok' if good else 'FAILED'} ({time.perf_counter() - start:.1f} s)", flush=True
    )
    return good


def alone(name: str) -> float:
    """Seconds that a notebook takes with the machine to itself."""
    nb = nbformat.read(ROOT / name, as_version=4)
    start = time.perf_counter()
    notebooks.execute(nb, (ROOT / name).parent, Console(stderr=True), name)
    return time.perf_counter() - start


def within_budget() -> bool:
    """Whether each notebook keeps its budget; one that exceeds it is timed once more, alone."""
    spent = json.loads((ROOT / "_build" / "notebook-seconds.json").read_text(encoding="utf-8"))
    good = True
    for name, seconds in sorted(spent.items()):
        if seconds > NOTEBOOK_BUDGET_S:
            again = alone(name)
            print(f"{name}: {seconds:.0f} s beside the tests, {again:.0f} s alone")
            good &= again <= NOTEBOOK_BUDGET_S
    return good


def main() -> int:
    """Run every stage, even after one failed, so that one run shows all that is wrong."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    workers = parser.parse_args().workers
    stages = gate() if PINNED else [("book", [sys.executable, "tools/build_book.py"])]
    results = {name: run(name, command) for name, command in stages}
    results["tests"] = run("tests", pytest_command(workers))
    results["notebook budget"] = results["tests"] and within_budget()
    failed = [name for name, good in results.items() if not good]
    if failed:
        print(f"failed: {', '.join(failed)}")
        return 1
    print(f"verified: {verified.write(ROOT / '_build' / 'verified.json')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
