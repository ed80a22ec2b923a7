"""`make test` itself: a notebook's budget, and what a slow moment of the machine does to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import run_tests


@pytest.fixture
def timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Pretend that a notebook took so long beside the tests, and so long alone."""
    asked: list[str] = []

    def pretend(beside: float, alone: float) -> list[str]:
        (tmp_path / "_build").mkdir()
        record = json.dumps({"notebooks/a.ipynb": beside, "notebooks/b.ipynb": 1.0})
        (tmp_path / "_build" / "notebook-seconds.json").write_text(record)
        monkeypatch.setattr(run_tests, "ROOT", tmp_path)
        monkeypatch.setattr(run_tests, "alone", lambda name: asked.append(name) or alone)
        return asked

    return pretend


def test_a_notebook_within_its_budget_is_not_run_again(timed) -> None:
    asked = timed(beside=59.0, alone=999.0)
    assert run_tests.within_budget()
    assert asked == []


def test_one_that_was_only_disturbed_passes(timed) -> None:
    asked = timed(beside=80.0, alone=45.0)
    assert run_tests.within_budget()
    assert asked == ["notebooks/a.ipynb"]


def test_one_that_is_too_slow_alone_fails(timed) -> None:
    timed(beside=80.0, alone=61.0)
    assert not run_tests.within_budget()
