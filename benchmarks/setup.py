"""Measure what the set-up costs on a fresh machine, and say so in the README.

    python benchmarks/setup.py measure    clone, `make book`, `make test`, in both orders (an hour)
    python benchmarks/setup.py readme     write the figures into the README

Each order starts from a fresh clone of HEAD without `.venv`; pip's download cache is as found, so
the network is left out of the comparison. The reader's environment holds the wheel and a kernel.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "setup.json"
ORDERS = (("book", "test"), ("test", "book"))
BLOCK = re.compile(r"(<!-- measured:begin -->\n).*?(<!-- measured:end -->)", re.DOTALL)


def seconds(command: list[str], folder: Path) -> float:
    """Wall time of a command that must succeed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return round(time.perf_counter() - start, 1)


def megabytes(folder: Path) -> int:
    """Size of a folder on disk, links not followed."""
    files = (f for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
    return round(sum(f.stat().st_size for f in files) / 1e6)


def measure_order(order: tuple[str, ...], work: Path) -> dict[str, float]:
    """Seconds of each command, then of `make book` again.

    After the tests it puts their date on every page; after itself it finds nothing changed.
    """
    clone = work / "-".join(order)
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    found = {f"make {target}": seconds(["make", target], clone) for target in order}
    found["make book again"] = seconds(["make", "book"], clone)
    found["environment_mb"] = megabytes(clone / ".venv")
    return found


def measure_reader(work: Path) -> dict[str, float]:
    """Seconds and size of what a reader installs to run notebooks."""
    (wheel,) = (work / "-".join(ORDERS[0]) / "_build" / "wheel").glob("*.whl")
    env = work / "reader"
    python = str(env / "bin" / "python")
    spent = seconds([sys.executable, "-m", "venv", str(env)], work)
    empty = megabytes(env)
    command = [python, "-m", "pip", "install", "--quiet", str(wheel), "ipykernel"]
    spent += seconds([*command, "-c", str(ROOT / "constraints.txt")], work)
    return {
        "seconds": round(spent, 1),
        "environment_mb": megabytes(env),
        "of_which_pip_mb": empty,
        "wheel_mb": round(wheel.stat().st_size / 1e6, 2),
    }


def measure() -> None:
    """Measure everything and keep it."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        record = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "orders": {" then ".join(o): measure_order(o, work) for o in ORDERS},
            "reader": measure_reader(work),
        }
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def sentences(record: dict) -> str:
    """The README's words for the figures."""
    first, second = (record["orders"][" then ".join(order)] for order in ORDERS)
    reader = record["reader"]
    return (
        f"Measured on {record['machine']}, Python {record['python']}, {record['date']} "
        f"(`benchmarks/results/setup.json`): from a fresh clone `make book` takes "
        f"{first['make book']:.0f} s and `make test` after it {first['make test']:.0f} s; in the "
        f"other order `make test` takes {second['make test']:.0f} s and `make book` after it "
        f"{second['make book']:.0f} s. A second `make book` with nothing changed takes "
        f"{second['make book again']:.0f} s. The environment that builds and tests the "
        f"book takes {first['environment_mb'] / 1000:.1f} GB. A reader who only runs notebooks "
        f"installs the wheel and what it needs: {reader['environment_mb']} MB in "
        f"{reader['seconds']:.0f} s.\n"
    )


def measured() -> dict | None:
    """The committed figures; None where nothing was measured yet."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else None


def fill(readme: str, record: dict | None) -> str:
    """The README with the figures in their place; with none, the place is empty."""
    if not BLOCK.search(readme):
        raise ValueError("README.md has lost its measured:begin and measured:end marks")
    words = sentences(record) if record else ""
    return BLOCK.sub(lambda found: found[1] + words + found[2], readme)


def main() -> None:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("command", choices=["measure", "readme"])
    if parser.parse_args().command == "measure":
        measure()
    readme = ROOT / "README.md"
    readme.write_text(fill(readme.read_text(encoding="utf-8"), measured()), encoding="utf-8")


if __name__ == "__main__":
    main()
