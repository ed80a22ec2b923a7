"""Every example in a docstring of the package runs and prints what it says."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
import torch

import coursekit.landscape as package

MODULES = [f"{package.__name__}.{m.name}" for m in pkgutil.iter_modules(package.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs={"torch": torch, "np": np}, optionflags=flags)
    assert result.failed == 0
    assert result.attempted > 0
