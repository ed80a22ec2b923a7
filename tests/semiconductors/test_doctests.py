"""Every example in a docstring of the package runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import coursekit.data.tables as tables
import coursekit.semiconductors as package

MODULES = [
    f"{p.__name__}.{m.name}" for p in (package, tables) for m in pkgutil.iter_modules(p.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0
    assert result.attempted > 0
