"""Every question of every chapter: right answers pass, each known mistake earns its own hint."""

import time
from importlib.util import find_spec
from pathlib import Path

import matplotlib.figure  # noqa: F401 - a notebook's first cell imports it, not its first check
import pytest

from coursekit.grading.diagnose import PASSED, WRONG, Diagnosis, diagnose
from coursekit.grading.public import all_agree, draw, outcomes, publish, read_question
from coursekit.grading.question import Question, chapter_folders, load_questions

ROOT = Path(__file__).resolve().parents[2]
FEW_SEEDS, ALL_SEEDS = 2, 20
FOLDERS = chapter_folders(ROOT)


def left_out(q: Question) -> list:
    """A mark where a package that the question needs does not exist."""
    missing = q.needs and find_spec(q.needs) is None
    return [pytest.mark.skip(reason=f"{q.needs} is not installed here")] if missing else []


QUESTIONS = [
    pytest.param(q, id=f"{folder.name}-{q.id}", marks=left_out(q))
    for folder in FOLDERS
    for q in load_questions(folder)
    if q.kind == "code"
]
ANSWERED_S = 1.0  # what a student waits for a check, at most


@pytest.fixture(scope="module")
def seeds(thorough) -> range:
    return range(ALL_SEEDS if thorough else FEW_SEEDS)


def right_answers(q: Question) -> list:
    return [q.reference, *q.variants]


def checked(public, answer) -> tuple[Diagnosis, float]:
    """The diagnosis and its seconds (of this process: other work here is not the check's)."""
    start = time.process_time()
    found = diagnose(public, {public.asks: answer})
    return found, time.process_time() - start


@pytest.mark.parametrize("q", QUESTIONS)
def test_right_answers_pass_and_each_mistake_earns_its_own_hint(q, seeds, record_property):
    spent = []
    for seed in seeds:
        public = read_question(publish(q, seed=seed))
        for answer in right_answers(q):
            found, seconds = checked(public, answer)
            assert found.status == PASSED, found.says
            assert found.points == q.points
            spent.append(seconds)
        for hint, answer in q.mistakes.items():
            found, seconds = checked(public, answer)
            assert (found.status, found.hint) == (WRONG, hint)
            assert found.points < q.points
            spent.append(seconds)
    assert max(spent) < ANSWERED_S
    record_property("questions", 1)
    record_property("right answers accepted", len(seeds) * len(right_answers(q)))
    record_property("mistakes named", len(seeds) * len(q.mistakes))
    record_property("slowest check, s", max(spent))


@pytest.mark.parametrize("q", QUESTIONS)
def test_cases_kept_back_accept_every_right_answer(q, seeds):
    for seed in seeds:
        cases = [c for c in draw(q, seed) if not c.shown]
        assert cases, "a grader needs a case that the practice check does not show"
        wanted = outcomes(q, q.reference, cases)
        assert not any(o.error or o.changed for o in wanted)
        for answer in q.variants:
            assert all_agree(q.compare, outcomes(q, answer, cases), wanted)


@pytest.mark.parametrize("q", QUESTIONS)
def test_inputs_differ_from_seed_to_seed(q):
    """Else an answer that returns the public values would be worth points."""
    first, second = (outcomes(q, q.reference, draw(q, seed)) for seed in (1, 2))
    assert not all_agree(q.compare, first, second)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_a_chapter_has_enough_questions_of_both_kinds(folder):
    questions = load_questions(folder)
    kinds = [q.kind for q in questions]
    assert kinds.count("code") >= 8
    assert kinds.count("manual") >= 1
    assert all(q.explain for q in questions if q.kind == "code")
