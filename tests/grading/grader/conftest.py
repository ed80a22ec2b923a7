"""What the grader's tests share: a teacher's own assignment, and a judge without a sandbox."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tinyclass import HEAD, NAME, QUESTIONS, opener

if sys.platform != "linux":  # grading is for Linux; elsewhere the library and its checks are tested
    collect_ignore_glob = ["test_*"]


@pytest.fixture(scope="session")
def own_questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher's own folder of questions."""
    folder = tmp_path_factory.mktemp("own") / "questions"
    (folder / NAME).mkdir(parents=True)
    (folder / NAME / "questions.py").write_text(textwrap.dedent(QUESTIONS), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def bank(own_questions: Path):
    """The questions as the grader holds them."""
    from coursekit.grading.grader.bank import collect

    return collect(NAME, None, own_questions)


@pytest.fixture
def grade_cells(bank) -> Iterator[Callable]:
    """Judge code cells against the small assignment; ``seeds`` decide the fresh inputs."""
    from coursekit.grading.grader.bank import opened
    from coursekit.grading.grader.batch import publish_all
    from coursekit.grading.grader.seeds import drawn
    from coursekit.grading.grader.work import Grader, Job, Setup

    with opened(bank) as questions:
        practice = publish_all(NAME, questions)

        def judge(*cells: str, key: bytes = b"k" * 32, open_one: Callable | None = None):
            setup = Setup(NAME, bank.files, practice, "unsafe", call_s=2.0)
            job = Job("code", [HEAD, *cells], drawn(key, NAME, "code", questions))
            with Grader(setup, open_one or opener()) as grader:
                result = grader.grade(job)
            return result, {v.question: v for v in result.verdicts}

        yield judge
