"""Every example in a docstring of the package runs, and every public name says what it needs."""

import doctest
import importlib
import inspect
import pkgutil

import pytest
import torch

import coursekit.generative as package

MODULES = [f"{package.__name__}.{m.name}" for m in pkgutil.iter_modules(package.__path__)]
FUNCTIONS = [
    n for n in package.__all__ if callable(f := getattr(package, n)) and not isinstance(f, type)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs={"torch": torch})
    assert result.failed == 0
    assert result.attempted > 0 or name.endswith("build_checkpoints")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_says_what_goes_in_and_comes_out(name):
    function = getattr(package, name)
    wanted = [("Examples",)]
    if inspect.signature(function).parameters:
        wanted.append(("Parameters",))
    if inspect.signature(function).return_annotation not in (None, "None"):
        wanted.append(("Returns", "Yields"))
    for headings in wanted:
        assert any(f"{h}\n" in function.__doc__ for h in headings), f"{name} lacks {headings}"
