"""The page for teachers says what was measured, and every grader was asked the same."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def benchmark(root: Path):
    """The script ``benchmarks/grading.py``."""
    sys.path.insert(0, str(root / "benchmarks"))
    try:
        spec = importlib.util.spec_from_file_location(
            "grading_benchmark", root / "benchmarks" / "grading.py"
        )
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(root / "benchmarks"))


def test_the_page_states_the_figures_that_were_measured(root: Path, benchmark: ModuleType) -> None:
    page = (root / "book" / "grade.md").read_text(encoding="utf-8")
    assert benchmark.fill(page, benchmark.measured()) == page


def test_a_page_without_its_marks_is_an_error(benchmark: ModuleType) -> None:
    with pytest.raises(ValueError, match="lost its measured:begin"):
        benchmark.fill("no marks", {})


def test_cold_is_three_times_as_fast_and_warm_twenty_times(benchmark: ModuleType) -> None:
    """Than the commands of the others, nbgrader's pages included: ours are too."""
    found = benchmark.measured()
    for kind, heat, bar in (("numpy", "cold", 3), ("numpy", "warm", 20), ("torch", "warm", 10)):
        faster = benchmark.times(found[kind], heat)
        for name in ("otter-grader", "nbgrader with its feedback pages"):
            assert faster[name] > bar, (kind, heat, faster)
    assert benchmark.times(found["numpy"], "cold")["nbgrader"] > 3


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the wrong answers
def test_the_other_graders_are_asked_what_ours_asks(root: Path, benchmark: ModuleType) -> None:
    """A right answer passes the translated tests, a wrong one does not."""
    from graders.submissions import AGREE, asserts, exercises

    made = exercises(root)
    assert len(made) >= 8
    for exercise in made:
        names: dict = {"np": np, "math": math}
        exec(AGREE + exercise.right, names)
        exec(asserts(exercise), names)
        for wrong in exercise.wrong:
            exec(wrong, names)
            with pytest.raises(AssertionError):
                exec(asserts(exercise), names)


def test_literals_are_the_values(benchmark: ModuleType) -> None:
    from graders.submissions import literal

    values = [(1, -2.5), {"a": [True, None]}, np.arange(6.0).reshape(2, 3), float("nan"), "x\n"]
    for value in values:
        again = eval(literal(value), {"np": np})
        np.testing.assert_equal(again, value)
