"""Students' kernels: run where they are written, watched at the edges, explained at a stop."""

import sys
import types
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from coursekit.grading.cells import execute
from coursekit.grading.drivers import AnswerError
from coursekit.grading.kernels import run_kernel

need_triton = pytest.mark.skipif(
    find_spec("triton") is None,
    reason="Triton is not installed here",
)

CELL = """
import os
os.environ["TRITON_INTERPRET"] = "1"
import triton
import triton.language as tl

@triton.jit
def kernel(X, Y, columns, stride, WIDTH: tl.constexpr):
    places = tl.arange(0, WIDTH)
    row = tl.program_id(0) * stride
    x = tl.load(X + row + places, mask=places < columns, other=float("-inf"))
    e = tl.exp(x - tl.max(x, 0))
    tl.store(Y + row + places, e / tl.sum(e, 0), mask=places < columns)
"""


def written(text, monkeypatch):
    """The kernel of a cell that was run as the grader runs it."""
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    execute(text, "<cell 1>")
    return main.kernel


def launched(kernel, x, gap=0, width=8):
    columns = x.shape[1]
    return run_kernel(kernel, (len(x),), [x], x.shape, columns, columns + gap, gap=gap, WIDTH=width)


@need_triton
def test_a_kernel_of_a_cell_runs_and_writes_nothing_outside(monkeypatch):
    x = np.random.default_rng(0).normal(size=(3, 5))
    found = launched(written(CELL, monkeypatch), x, gap=2)
    wanted = torch.tensor(x, dtype=torch.float32).softmax(1).numpy()
    np.testing.assert_allclose(found["output"], wanted, rtol=1e-6)
    assert found["elements written outside of it"] == 0


@need_triton
@pytest.mark.parametrize(
    ("old", "new", "outside"),
    [
        ("tl.sum(e, 0), mask=places < columns", "tl.sum(e, 0)", 3),
        ("tl.store(Y + row", "tl.store(Y + 10 + row", 5),
        ("tl.store(Y", "tl.store(X", 5),
    ],
    ids=["beyond the row", "elsewhere", "into the input"],
)
def test_what_is_written_outside_of_the_output_is_counted(monkeypatch, old, new, outside):
    x = np.random.default_rng(0).normal(size=(1, 5))
    assert old in CELL
    found = launched(written(CELL.replace(old, new), monkeypatch), x, gap=3)
    assert found["elements written outside of it"] == outside


@need_triton
def test_what_is_left_out_of_the_output_is_nan(monkeypatch):
    x = np.zeros((2, 4))
    kernel = written(CELL.replace("* stride", "* 0"), monkeypatch)
    output = launched(kernel, x)["output"]
    assert np.isfinite(output[0]).all()
    assert np.isnan(output[1]).all()


@need_triton
def test_a_kernel_that_stops_names_its_line(monkeypatch):
    kernel = written(CELL.replace("tl.max(x, 0)", "peak"), monkeypatch)
    with pytest.raises(AnswerError, match=r"'peak' is not defined, in line 12: e = tl\.exp\(x"):
        launched(kernel, np.zeros((1, 4)))


def test_a_starter_and_a_kernel_that_writes_nothing_are_unfinished():
    def starter(X, Y, columns, stride, WIDTH): ...

    assert launched(starter, np.zeros((1, 4))) is None


@pytest.mark.parametrize("answer", [3, str, "kernel"])
def test_what_is_no_kernel_is_refused(answer):
    with pytest.raises(AnswerError, match="a kernel was wanted"):
        launched(answer, np.zeros((1, 4)))


def test_without_triton_the_check_says_for_which_system_it_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "triton.language", None)

    def kernel(X, Y, columns, stride, WIDTH):
        X.load()

    with pytest.raises(AnswerError, match="Triton is for Linux"):
        launched(kernel, np.zeros((1, 4)))
