"""Every task's own answer passes its verifier, wrong ones do not, and test phrasings are apart."""

import itertools

import numpy as np
import pytest

from coursekit.data.tables import load_table
from coursekit.posttraining import TASKS, Problem, draw_problems, is_right, parse_answer


def problems(n=400, **options):
    return draw_problems(n, np.random.default_rng(0), **options)


@pytest.mark.parametrize("held_out", [False, True])
def test_the_given_answer_is_right(held_out):
    found = problems(held_out=held_out)
    assert all(is_right(p, p.answer) for p in found)
    assert {p.task for p in found} == set(TASKS)


def test_the_answer_to_another_problem_is_wrong_unless_it_happens_to_be_the_same():
    found = problems()
    for one, other in itertools.pairwise(found):
        if one.task == other.task:
            assert is_right(one, other.answer) == (one.answer == other.answer)
        else:
            assert is_right(one, "") is False


@pytest.mark.parametrize(
    ("task", "given", "right", "wrong"),
    [
        ("add", (17, 5), ["22", "22.", " 22 "], ["23", "2 2", "17 5", "22 22"]),
        ("sort", ((3, 1, 3),), ["1 3 3", "1, 3, 3"], ["1 3", "3 1 3", "1 3 3 3"]),
        ("reverse", (("a", "b", "b"),), ["b b a"], ["a b b", "b a", "bba"]),
        ("last", (("a", "b"),), ["b", "b."], ["a", "a b"]),
        ("largest", ((3, 9, 4),), ["9"], ["3 9", "4"]),
        ("maker", ("TPU v4", "Google"), ["Google", "google."], ["AMD", "Google AMD"]),
    ],
)
def test_answers_are_judged_by_their_property(task, given, right, wrong):
    problem = Problem(task, "?", right[0], given)
    assert all(is_right(problem, text) for text in right)
    assert not any(is_right(problem, text) for text in wrong)


def test_the_phrasings_kept_for_testing_are_never_trained_on():
    for name, task in TASKS.items():
        assert len(task.phrasings) >= 6, name
        assert not set(task.phrasings) & set(task.held_out)
    trained = {p.instruction for p in problems(2000)}
    assert not trained & {p.instruction for p in problems(2000, held_out=True)}


def test_the_makers_are_those_of_the_table():
    rows = {row["name"]: row["vendor"] for row in load_table("accelerators").rows}
    for p in problems(tasks=["maker"]):
        assert rows[p.given[0]] == p.answer


def test_the_same_seed_draws_the_same_problems():
    assert problems() == problems()
    assert problems(50) != draw_problems(50, np.random.default_rng(1))


def test_an_answer_is_found_after_a_chain_of_thought():
    assert parse_answer("10 + 7 is 17. 17 + 5 is 22. Answer: 22") == "22"
    assert parse_answer("22\nsome more") == "22"
    assert parse_answer("  ") == ""


def test_an_unknown_task_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="some of add, sort"):
        problems(tasks=["divide"])
    with pytest.raises(TypeError, match="random generator"):
        draw_problems(1, 0)
