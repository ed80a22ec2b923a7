"""The gradebook is whole at every moment, and keeps what a dispute may ask for."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tinyclass import NAME, answers, hand_in

from coursekit.grading.grader.bank import Bank, opened
from coursekit.grading.grader.batch import publish_all
from coursekit.grading.grader.gradebook import (
    NAME as FILE,
)
from coursekit.grading.grader.gradebook import (
    VERSION,
    GradebookError,
    contents,
    open_gradebook,
)
from coursekit.grading.grader.seeds import secret_of
from coursekit.grading.grader.submissions import scan
from coursekit.grading.grader.verdict import Result, Verdict, from_json


@pytest.fixture
def practice(bank: Bank) -> list[dict]:
    with opened(bank) as questions:
        return publish_all(NAME, questions)


@pytest.fixture
def book(tmp_path: Path, bank: Bank, practice: list[dict]):
    """A gradebook with the questions and one submission of anna's."""
    with open_gradebook(tmp_path, create=True) as opened_book:
        with opened_book.transaction():
            opened_book.set_meta(assignment=NAME, bank=bank.digest, generation=0)
            opened_book.add_bank(bank, practice, {"double"})
            opened_book.add_submissions(scan(hand_in(tmp_path / "in", anna=answers()), NAME), {})
            opened_book.db.execute(
                "INSERT INTO runs (started, options, versions) VALUES ('', '{}', '{}')"
            )
        yield opened_book


def result(book, points: float = 2.0) -> Result:
    """A result for anna's code."""
    code = book.pending()[0] if book.pending() else book.rows("SELECT hash FROM codes")[0]["hash"]
    verdict = Verdict("double", 2, points, "passed", evidence=[{"inputs": "fresh", "seed": 2**62}])
    return Result(code, [verdict], events=["stopped: time limit"])


def test_what_is_recorded_is_read_back(book, bank: Bank) -> None:
    found = result(book)
    book.record(found, 1, bank.digest, "now")
    assert book.pending() == []
    assert book.rows("SELECT points, status FROM scores") == [{"points": 2.0, "status": "passed"}]
    assert book.rows("SELECT seed FROM evidence") == [{"seed": 2**62}]
    assert book.bank(bank.digest)[0] == bank
    assert from_json(found.to_json()) == found


def test_recording_again_replaces_and_never_doubles(book, bank: Bank) -> None:
    found = result(book)
    for points in (2.0, 0.0):
        found.verdicts[0].points = points
        book.record(found, 1, bank.digest, "now")
    assert book.rows("SELECT points FROM scores") == [{"points": 0.0}]
    assert len(book.rows("SELECT * FROM evidence")) == 1


def test_a_result_that_fails_half_way_leaves_nothing(book, bank: Bank) -> None:
    found = result(book)
    found.verdicts.append(Verdict("no-such-question", 1))
    with pytest.raises(sqlite3.IntegrityError):
        book.record(found, 1, bank.digest, "now")
    assert book.rows("SELECT * FROM scores") == []
    assert book.pending() == [found.code]


def test_a_question_that_is_dropped_is_retired_and_keeps_its_points(book, bank, practice) -> None:
    book.record(result(book), 1, bank.digest, "now")
    with book.transaction() as db:
        book.add_bank(Bank(NAME, {"private/questions.py": "other"}), practice[1:], set())
        retired = db.execute("SELECT id FROM questions WHERE retired").fetchall()
    assert [row[0] for row in retired] == ["double"]
    assert book.rows("SELECT points FROM scores") == [{"points": 2.0}]


def test_the_same_code_twice_is_one_piece_of_work(book, tmp_path: Path) -> None:
    again = scan(hand_in(tmp_path / "in", anna=answers(), ben=answers()), NAME)
    with book.transaction():
        book.add_submissions(again, {})
    assert len(book.rows("SELECT * FROM submissions")) == 2
    assert len(book.pending()) == 1


def test_a_withdrawn_file_is_kept_and_not_counted(book) -> None:
    with book.transaction():
        book.add_submissions([], {})
    assert book.rows("SELECT present FROM submissions") == [{"present": 0}]
    assert book.pending() == []


def test_a_gradebook_of_the_future_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / FILE)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    with (
        pytest.raises(GradebookError, match="knows 1"),
        open_gradebook(tmp_path),
    ):
        pass


def test_a_folder_without_one_says_how_to_make_one(tmp_path: Path) -> None:
    with (
        pytest.raises(GradebookError, match="coursekit grade"),
        open_gradebook(tmp_path),
    ):
        pass


MAKE = """
import sys, time
from pathlib import Path
from coursekit.grading.grader.gradebook import open_gradebook
from coursekit.grading.grader.seeds import secret_of
print("ready", flush=True)
sys.stdin.readline()
for i in range(10_000):
    out = Path(sys.argv[1], str(i))
    out.mkdir()
    secret_of(out)
    with open_gradebook(out, create=True):
        pass
"""


def test_a_kill_while_it_is_made_leaves_a_gradebook_or_none(tmp_path: Path) -> None:
    """Made over and over until SIGKILL: whatever lies there can be used or be made again."""
    for pause in (0.01, 0.04, 0.09):
        room = tmp_path / str(pause)
        room.mkdir()
        command = [sys.executable, "-c", MAKE, str(room)]
        with subprocess.Popen(command, stdin=-1, stdout=-1) as process:
            assert process.stdout
            assert process.stdin
            process.stdout.readline()
            process.stdin.write(b"\n")
            process.stdin.flush()
            time.sleep(pause)
            os.kill(process.pid, signal.SIGKILL)
        made = sorted(room.iterdir(), key=lambda p: int(p.name))
        for out in made:
            assert len(secret_of(out)) == 32
            with open_gradebook(out, create=True) as book:
                assert book.rows("SELECT * FROM students") == []
            assert (out / "secret.key").stat().st_mode & 0o777 == 0o600


def test_contents_hold_no_time(book, bank: Bank, tmp_path: Path) -> None:
    book.record(result(book), 1, bank.digest, "2026-01-01T00:00:00")
    before = contents(tmp_path / FILE)
    book.record(result(book), 1, bank.digest, "2027-01-01T00:00:00")
    assert contents(tmp_path / FILE) == before
    book.record(result(book, points=1.0), 1, bank.digest, "2027-01-01T00:00:00")
    assert contents(tmp_path / FILE) != before
