"""What this machine has, and what of the course will run on it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from typing import Any

from coursekit.optional import require

# What each package is needed for, in the words of a reader.
PACKAGES = {
    "numpy": "every notebook",
    "matplotlib": "every notebook",
    "scikit-learn": "the data sets",
    "anywidget": "live figures in Jupyter",
    "torch": "every chapter from 03-seq2seq on",
    "triton": "the kernels of 05-attention, on Linux",
    "jupyterlab": "opening notebooks in a browser",
}


def version_of(package: str) -> str | None:
    """Installed version, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def accelerator() -> str | None:
    """Name of the GPU that torch sees; None without one, a sentence when torch does not load."""
    try:
        torch = require("torch")
    except ImportError:
        return None
    except OSError as error:  # a library that torch needs is missing or broken
        return f"torch does not load: {error}"
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name(0))
    return "Apple GPU (mps)" if torch.backends.mps.is_available() else None


def missing() -> list[str]:
    """Packages that every reader needs, by the metadata, and that are not installed."""
    lines = importlib.metadata.requires("coursekit") or []
    names = [re.split(r"[^\w.-]", line)[0] for line in lines if "extra ==" not in line]
    return [name for name in names if version_of(name) is None]


def report() -> dict[str, Any]:
    """Environment as plain values, for people (a table) and for machines (``--json``).

    >>> report()["python"].count(".")
    2
    """
    return {
        "coursekit": version_of("coursekit"),
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": {name: version_of(name) for name in PACKAGES},
        "missing": missing(),
        "gpu": accelerator(),
        "bubblewrap": shutil.which("bwrap") is not None,
    }
