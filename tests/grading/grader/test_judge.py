"""The verdict: what earns points, what does not, and what a student may learn from it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from tinyclass import RIGHT, STARTER, Session, opener

from coursekit.grading import wire
from coursekit.grading.grader import seeds
from coursekit.grading.grader.bank import opened
from coursekit.grading.public import draw
from coursekit.grading.run import Outcome
from coursekit.grading.sandbox import SandboxDied


def test_right_answers_earn_everything_that_code_can_give(grade_cells) -> None:
    _, verdicts = grade_cells(*RIGHT.values())
    assert {q: (v.points, v.status) for q, v in verdicts.items()} == {
        "double": (2.0, "passed"),
        "both": (5.0, "passed"),
        "essay": (0.0, "for your teacher"),
    }
    assert verdicts["essay"].text == "Because adding is commutative."


def test_a_starter_earns_nothing_and_is_told_what_to_do(grade_cells) -> None:
    _, verdicts = grade_cells(*STARTER.values())
    assert [v.points for v in verdicts.values()] == [0.0, 0.0, 0.0]
    assert "gives nothing yet" in verdicts["double"].says


def test_a_mistake_on_the_public_inputs_is_explained_as_in_the_notebook(grade_cells) -> None:
    _, verdicts = grade_cells("def double(x):\n    return x / 2")
    found = verdicts["double"]
    assert (found.points, found.status, found.hint) == (0.0, "wrong", "You halved it.")
    assert found.tried.startswith("double(x=")
    assert found.wanted
    assert "not defined" in verdicts["both"].says or "does not exist" in verdicts["both"].says


def test_the_public_answers_learned_by_heart_earn_nothing(grade_cells, bank) -> None:
    """An answer that knows every public input, and nothing else."""
    from coursekit.grading.public import publish, read_question

    with opened(bank) as questions:
        public = {q.id: read_question(publish(q)) for q in questions}["double"]
    known = [(wire.decode(c.inputs)[0].tolist(), c.wanted.tolist()) for c in public.cases]
    cell = (
        f"import numpy as np\nKNOWN = {known!r}\ndef double(x):\n"
        "    for a, b in KNOWN:\n        if np.array_equal(a, x):\n            return np.array(b)\n"
        "    return x * 1.0\n"
    )
    _, verdicts = grade_cells(cell)
    found = verdicts["double"]
    assert (found.points, found.status) == (0.0, "wrong")
    assert found.says.startswith("Right on the public inputs, but not on fresh ones")
    assert found.hint == "Nothing was doubled."


def test_a_case_that_is_never_shown_counts(grade_cells) -> None:
    """Far below zero only the hidden case goes."""
    _, verdicts = grade_cells("import numpy as np\ndef double(x): return np.maximum(2.0 * x, -60)")
    assert verdicts["double"].points == 0.0
    assert verdicts["double"].case == "long"


def test_a_part_earns_alone(grade_cells) -> None:
    _, verdicts = grade_cells("def both(v):\n    return sum(v), min(v)")
    assert (verdicts["both"].points, verdicts["both"].status) == (2.0, "partly right")
    assert verdicts["both"].hint == "That is the smallest."


def test_a_part_that_is_wrong_only_on_fresh_inputs_does_not_earn(grade_cells) -> None:
    """Starting from 0, the largest of negative numbers is missed: hidden cases are all negative."""
    cell = "def both(v):\n    best = 0\n    best = max([best, *v])\n    return sum(v), best"
    _, verdicts = grade_cells(cell)
    assert verdicts["both"].points == 2.0
    assert "below zero, largest" in verdicts["both"].says


LEAK = """
import numpy as np
SEEN = []
def double(x):
    SEEN.append(x.tolist())
    if len(SEEN) > 9:
        class Carrier(Exception): pass
        Carrier.__name__ = "E" + repr(SEEN)
        raise Carrier(repr(SEEN))
    return 2.0 * x
def both(values):
    global essay
    essay = repr(SEEN)
    print(SEEN)
    raise ValueError(repr(SEEN) + repr(values))
essay = "honest"
"""


def test_nothing_shown_holds_a_hidden_input(grade_cells, bank) -> None:
    """A submission that puts every input that it sees into all it can send."""
    key = b"z" * 32
    result, verdicts = grade_cells(LEAK, key=key)
    with opened(bank) as questions:
        double = {q.id: q for q in questions}["double"]
        drawn = seeds.drawn(key, "90-tiny", "code", questions)["double"]
        hidden = [c.inputs[0] for seed in drawn for c in draw(double, seed)]
    told = " ".join(
        " ".join([v.says, v.case, v.tried, v.came, v.wanted, v.hint, v.text])
        for v in verdicts.values()
    )
    told += " ".join(result.events) + json.dumps(result.cell_errors)
    shown = {float(t) for t in re.findall(r"-?\d+\.\d+", told)}
    for value in np.concatenate([np.ravel(h) for h in hidden]):
        assert not any(abs(value - s) < 1e-3 for s in shown), value
    assert verdicts["double"].points == 0.0
    assert "an exception of its own" in verdicts["double"].says
    assert verdicts["essay"].text == "honest"


def test_every_public_call_comes_before_the_first_fresh_one(grade_cells) -> None:
    kept: list[Session] = []
    grade_cells(*RIGHT.values(), open_one=opener(kept))
    calls = kept[0].calls
    # two public cases of each, then three fresh drawings of three and four cases
    assert calls == ["defined"] + ["double"] * 2 + ["both"] * 2 + ["double"] * 9 + ["both"] * 12


def test_the_same_seeds_give_the_same_result(grade_cells) -> None:
    once, again = (grade_cells(*RIGHT.values())[0] for _ in range(2))
    assert [v.evidence for v in once.verdicts] == [v.evidence for v in again.verdicts]
    other = grade_cells(*RIGHT.values(), key=b"o" * 32)[0]
    assert [v.evidence for v in once.verdicts] != [v.evidence for v in other.verdicts]


def dying(reason: str, where: str):
    """Sessions that die when ``where`` is called, or at the start."""

    class Dying(Session):
        def __init__(self, cells: list[str]) -> None:
            if where == "start":
                raise SandboxDied(reason, "at once")
            super().__init__(cells)

        def call(self, asks, inputs, driver, seconds):
            if asks == where:
                raise SandboxDied(reason, "in a call")
            return super().call(asks, inputs, driver, seconds)

    return Dying


@pytest.mark.parametrize("reason", ["time limit", "memory limit", "ended", "malformed reply"])
def test_a_question_that_ends_its_process_costs_no_other_its_points(grade_cells, reason) -> None:
    kept: list[Session] = []
    result, verdicts = grade_cells(*RIGHT.values(), open_one=opener(kept, dying(reason, "double")))
    assert (verdicts["double"].points, verdicts["double"].status) == (0.0, "stopped")
    assert verdicts["both"].points == 5.0
    assert result.events == [f"stopped: {reason} (in a call)"]
    assert len(kept) == 2


def test_a_notebook_that_cannot_start_is_tried_once_and_said(grade_cells) -> None:
    result, verdicts = grade_cells(open_one=opener([], dying("memory limit", "start")))
    assert {v.points for v in verdicts.values()} == {0.0}
    assert all("memory limit" in v.says for v in verdicts.values())
    assert result.events == ["stopped: memory limit (at once)"]


def test_an_endless_call_is_made_once(grade_cells) -> None:
    kept: list[Session] = []
    cell = "def double(x):\n    while True:\n        pass"
    _, verdicts = grade_cells(cell, open_one=opener(kept))
    assert kept[0].calls.count("double") == 1
    assert "Does a loop never end?" in verdicts["double"].says


def test_values_that_agree_with_everything_do_not_count(grade_cells) -> None:
    cell = (
        "class Any(float):\n    def __eq__(self, other): return True\ndef double(x): return Any()"
    )
    _, verdicts = grade_cells(cell)
    assert verdicts["double"].points == 0.0


def test_a_reference_that_fails_is_not_the_students_fault(grade_cells, bank, monkeypatch) -> None:
    """Where every drawing fails, nobody gets points for nothing: a person is told."""
    from coursekit.grading.grader import judge

    monkeypatch.setattr(judge, "wanted_of", lambda a, inputs: [Outcome(error="ValueError")])
    _, verdicts = grade_cells(*RIGHT.values())
    assert verdicts["double"].status == "not run"
    assert "reference failed" in verdicts["double"].says
