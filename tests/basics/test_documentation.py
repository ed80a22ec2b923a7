"""Every public name is documented, its example runs, and bad arguments are explained."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import coursekit.basics
import coursekit.data
from coursekit import _validate

MODULES = ["coursekit._validate"] + [
    f"{package.__name__}.{module.name}"
    for package in (coursekit.basics, coursekit.data)
    for module in pkgutil.iter_modules(package.__path__)
]
PUBLIC = [(p, name) for p in (coursekit.basics, coursekit.data) for name in p.__all__]
FUNCTIONS = [
    (p, n) for p, n in PUBLIC if callable(getattr(p, n)) and not isinstance(getattr(p, n), type)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs={"np": np})
    assert result.failed == 0
    assert result.attempted > 0


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_every_public_name_exists(package, name):
    assert hasattr(package, name)


@pytest.mark.parametrize(("package", "name"), FUNCTIONS)
def test_every_function_says_what_goes_in_comes_out_and_fails(package, name):
    text = getattr(package, name).__doc__
    for heading in ("Parameters", "Returns", "Raises", "Examples"):
        assert f"{heading}\n" in text, f"{name} lacks {heading}"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: _validate.array("abc", "x"), TypeError, "x is not an array of float64"),
        (lambda: _validate.array([[1], [1, 2]], "x"), TypeError, "rows of equal length"),
        (lambda: _validate.array([[np.nan, np.inf]], "x"), ValueError, r"2 values .*\(0, 0\)"),
        (lambda: _validate.array([1, 2], "x", shape=(None, 3)), ValueError, r"\(any, 3\) wanted"),
        (lambda: _validate.array([1, 2], "x", ndim=(2, 3)), ValueError, "2 or 3 wanted"),
        (lambda: _validate.count(True, "m"), TypeError, "m is True"),
        (lambda: _validate.positive([1.0, np.nan], "v"), ValueError, "index 1"),
        (lambda: _validate.labels([0.0, -1.0], "y", m=2), ValueError, "labels start at 0"),
    ],
)
def test_arguments_are_explained(call, error, words):
    with pytest.raises(error, match=words):
        call()
