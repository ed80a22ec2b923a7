"""What the grader's tests share: a teacher's own assignment, and a judge without a sandbox."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tinyclass import (
    HEAD,
    NAME,
    QUESTIONS,
    RIGHT,
    answers,
    command,
    hand_in,
    opener,
    with_key,
)

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


@pytest.fixture(scope="session")
def class_(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight students: right, wrong, half, the same, unreadable."""
    files = {f"s{i}": answers(double=RIGHT["double"] + f"\n# {i}") for i in range(3)}
    files |= {"copy": files["s0"], "starter": answers(double="def double(x):\n    ...")}
    files |= {"wrong": answers(double="def double(x):\n    return x ** 2")}
    files |= {"half": answers(both="def both(v):\n    return sum(v), min(v)")}
    files |= {"broken": b"not a notebook"}
    return hand_in(tmp_path_factory.mktemp("class") / "in", **files)


@pytest.fixture(scope="session")
def graded(class_: Path, own_questions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one undisturbed grading."""
    out = with_key(tmp_path_factory.mktemp("graded") / "out")
    from typer.testing import CliRunner

    from coursekit import cli

    found = CliRunner().invoke(cli.app, command(class_, out, own_questions, "--json"))
    assert found.exit_code == 1, found.output  # one file needs a person
    told = json.loads(found.stdout)
    assert told["graded now"] == 6  # eight files, two alike, one unreadable
    assert list(told["needs a person"]) == ["broken"]
    return out


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
