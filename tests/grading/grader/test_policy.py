"""Late days and attempts: small arithmetic that grades depend on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coursekit.grading.grader.policy import Policy, counted, from_json, parse_due

DUE = datetime(2026, 5, 1, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("late", "days"),
    [(-1, 0), (0, 0), (1, 1), (24 * 60, 1), (24 * 60 + 1, 2), (72 * 60, 3)],
)
def test_a_day_counts_from_its_first_minute(late: int, days: int) -> None:
    assert Policy(due=DUE).days(DUE + timedelta(minutes=late), False) == days


def test_canvas_mark_without_a_time_is_one_day() -> None:
    assert Policy(due=DUE).days(None, True) == 1
    assert Policy(due=DUE).days(None, False) == 0


@pytest.mark.parametrize(
    ("days", "left"), [(0, 1.0), (2, 1.0), (3, 0.75), (4, 0.5), (6, 0.0), (60, 0.0)]
)
def test_days_after_the_free_ones_cost_their_share(days: int, left: float) -> None:
    assert Policy(due=DUE, late_days=2, penalty=0.25).factor(days) == left


def test_without_a_due_date_nothing_is_late() -> None:
    assert Policy().factor(Policy().days(DUE, True)) == 1.0


def test_a_policy_survives_the_gradebook() -> None:
    policy = Policy("best", DUE, 2, 0.1)
    assert from_json(policy.to_json()) == policy


def test_a_date_alone_is_the_end_of_that_day() -> None:
    assert parse_due("2026-05-01 18:00+00:00") == DUE
    assert parse_due("2026-05-01") == datetime(2026, 5, 1, 23, 59, 59, tzinfo=UTC)


def attempt(number: int, points: float, days: int, problem: str = "") -> dict[str, Any]:
    return {"attempt": number, "points": points, "days": days, "problem": problem}


ATTEMPTS = [attempt(1, 3.0, 0), attempt(2, 9.0, 0), attempt(3, 8.0, 0), attempt(4, 10.0, 2)]


@pytest.mark.parametrize(("rule", "number"), [("last", 4), ("best", 2), ("last-on-time", 3)])
def test_which_attempt_counts(rule: str, number: int) -> None:
    found = counted(ATTEMPTS, Policy(rule, DUE, 0, 0.5))
    assert found
    assert found["attempt"] == number


def test_the_best_is_the_best_after_lateness() -> None:
    found = counted(ATTEMPTS, Policy("best", DUE, 0, 0.02))
    assert found
    assert found["attempt"] == 4  # 10 less 4 % is more than 9


def test_if_all_are_late_the_first_counts() -> None:
    found = counted([attempt(1, 1.0, 3), attempt(2, 9.0, 4)], Policy("last-on-time", DUE))
    assert found
    assert found["attempt"] == 1


def test_a_file_that_cannot_be_read_never_hides_one_that_can() -> None:
    found = counted([attempt(1, 5.0, 0), attempt(2, 0.0, 0, "no notebook")], Policy("last"))
    assert found
    assert found["attempt"] == 1
    assert counted([], Policy()) is None
