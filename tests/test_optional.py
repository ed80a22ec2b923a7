"""What a reader sees where an optional package is absent."""

from __future__ import annotations

import doctest
import subprocess
import sys

import pytest

from coursekit import optional


@pytest.mark.parametrize("name", ["torch", "jupyterlab"])
def test_an_absent_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f"needs {name}.*Install it with: pip install {name}"):
        optional.require(name)


def test_a_present_package_is_returned() -> None:
    import math

    assert optional.require("math") is math


def test_the_example_runs() -> None:
    assert doctest.testmod(optional).failed == 0


def test_a_package_that_needs_torch_says_so_when_it_is_imported() -> None:
    code = "import sys; sys.modules['torch'] = None; import coursekit.seq2seq"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "This part of the course needs torch" in done.stderr
