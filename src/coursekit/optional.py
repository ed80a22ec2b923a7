"""Packages that only some chapters need: a clear sentence where one is absent."""

from __future__ import annotations

import importlib
from types import ModuleType

HOW = {
    "torch": "pip install torch (on a machine without a GPU, PyTorch's CPU build is smaller: see "
    "https://pytorch.org/get-started/locally/)",
    "triton": "pip install triton (on Linux only; torch's builds for CUDA bring it along)",
    "distributed": "pip install 'coursekit[grade]' (or: pip install dask distributed)",
}


def require(name: str) -> ModuleType:
    """Import an optional package, or say what it is for and how to get it.

    Parameters
    ----------
    name : str
        The package's import name, such as ``"torch"``.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If the package is not installed; the message says how to install it.

    Examples
    --------
    >>> require("math").sqrt(4.0)
    2.0
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        how = HOW.get(name, f"pip install {name}")
        raise ImportError(
            f"This part of the course needs {name}, which is not installed here. "
            f"Install it with: {how}. `coursekit doctor` shows what else is missing."
        ) from error
