"""Every example in a docstring of the grader is true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import coursekit.grading.grader as package

NAMES = [m.name for m in pkgutil.iter_modules(package.__path__)]


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_true(name: str) -> None:
    module = importlib.import_module(f"{package.__name__}.{name}")
    assert doctest.testmod(module).failed == 0
    assert module.__doc__
