"""The examples in the docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from coursekit.grading import sandbox

# These run inside; importing `contained` or `launcher` is harmless, and they hold no examples.
MODULES = [f"{sandbox.__name__}.{m.name}" for m in pkgutil.iter_modules(sandbox.__path__)]


@pytest.mark.parametrize("name", [sandbox.__name__, *MODULES])
def test_the_examples_of_the_sandbox_hold(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    assert doctest.testmod(module).failed == 0
