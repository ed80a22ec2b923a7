"""The record of the last complete run of the tests, which every page shows.

python tools/verified.py OUT      write the record (after `make test` passed)
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("coursekit", "numpy", "matplotlib", "scikit-learn", "torch", "anywidget")


def commit() -> str | None:
    """Short name of the commit that was tested, or None outside a repository."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def write(target: Path) -> Path:
    """Write the record and return its path."""
    record = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "commit": commit(),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return target


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
