"""Every example in a docstring of the package runs and prints what it says."""

import doctest
import importlib.util
import pkgutil

import pytest
import torch

import coursekit.attention as package

KERNELS = ["kernels", "decode_kernels", "hopper"]  # called by a GPU's programs, not from Python
if importlib.util.find_spec("triton") is None:
    KERNELS += ["launch", "planted"]
MODULES = [
    f"{package.__name__}.{m.name}"
    for m in pkgutil.iter_modules(package.__path__)
    if m.name not in KERNELS
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs={"torch": torch})
    assert result.failed == 0
    assert result.attempted > 0
