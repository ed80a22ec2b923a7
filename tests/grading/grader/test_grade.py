"""`coursekit grade` as a teacher runs it: kill it, run it again, change the questions, grade."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tinyclass import KEY, NAME, answers, command, hand_in, with_key
from typer.testing import CliRunner

from coursekit import cli
from coursekit.grading.grader.bank import collect
from coursekit.grading.grader.batch import Order, grade
from coursekit.grading.grader.gradebook import contents, open_gradebook
from coursekit.grading.grader.manual import Mark, give
from coursekit.grading.grader.policy import Policy
from coursekit.grading.grader.processes import MAX_TRIES, grade_locally
from coursekit.grading.grader.standing import standings
from coursekit.grading.sandbox import available

run = CliRunner().invoke


def totals(out: Path) -> dict[str, float]:
    with open_gradebook(out) as book:
        return {s.student: s.total for s in standings(book)}


def test_everybody_gets_what_they_earned(graded: Path) -> None:
    right = dict.fromkeys(("s0", "s1", "s2", "copy"), 7.0)
    assert totals(graded) == right | {"starter": 5.0, "wrong": 5.0, "half": 4.0, "broken": 0.0}


def test_equal_work_is_graded_once_and_shown_for_both(graded: Path) -> None:
    with open_gradebook(graded) as book:
        codes = {s.student: s.attempt["code"] for s in standings(book) if s.attempt}
    assert codes["copy"] == codes["s0"] != codes["s1"]
    assert (graded / "feedback" / "copy.html").is_file()


def test_running_it_again_grades_nothing_and_changes_nothing(graded, class_, own_questions) -> None:
    before = contents(graded / "gradebook.sqlite")
    found = run(cli.app, command(class_, graded, own_questions, "--json"))
    assert json.loads(found.stdout)["graded now"] == 0
    assert contents(graded / "gradebook.sqlite") == before


def test_a_new_submission_is_the_only_one_graded(graded, class_, own_questions, tmp_path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(class_, source)
    shutil.copytree(graded, out)
    hand_in(source, late=answers(double="def double(x):\n    return x + x"))
    found = run(cli.app, command(source, out, own_questions, "--json"))
    assert json.loads(found.stdout)["graded now"] == 1
    assert totals(out)["late"] == 7.0


def test_killed_at_any_moment_it_ends_like_an_undisturbed_run(
    graded: Path, class_: Path, own_questions: Path, tmp_path: Path, thorough: bool
) -> None:
    out = with_key(tmp_path / "out")
    whole = [sys.executable, "-m", "coursekit", *command(class_, out, own_questions, "--jobs", "2")]
    rng = random.Random(7)
    for _ in range(12 if thorough else 3):
        process = subprocess.Popen(whole, stdout=-3, stderr=-3, start_new_session=True)
        time.sleep(rng.uniform(0.4, 2.5))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert subprocess.run(whole, capture_output=True, check=False).returncode == 1
    assert contents(out / "gradebook.sqlite") == contents(graded / "gradebook.sqlite")


def children(pid: int) -> list[int]:
    """Ids of the processes that a process started."""
    texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for text in texts for child in text.split()]


def test_a_grading_process_ends_soon_after_its_parent_is_killed(
    class_: Path, own_questions: Path, tmp_path: Path
) -> None:
    source = hand_in(tmp_path / "in", slow=answers(double="import time\ntime.sleep(20)"))
    whole = [sys.executable, "-m", "coursekit", *command(source, tmp_path / "o", own_questions)]
    process = subprocess.Popen(whole, stdout=-3, stderr=-3)
    end = time.monotonic() + 30
    workers: list[int] = []
    while not workers and time.monotonic() < end:
        time.sleep(0.05)
        workers = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while any(alive(w) for w in workers) and time.monotonic() < end:
        time.sleep(0.1)
    assert workers
    assert not [w for w in workers if alive(w)]


def alive(pid: int) -> bool:
    """Whether a process runs (one that has ended and waits to be collected does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def order(source: Path, out: Path, bank, **more) -> Order:
    return Order(source, out, bank, "unsafe", **more)


def test_a_grading_process_that_is_killed_gives_its_submission_back(
    class_: Path, bank, graded: Path, tmp_path: Path
) -> None:
    killed: list[int] = []

    def engine(jobs, setup):
        for result in grade_locally(jobs, setup, 1):
            if len(killed) < 2:
                killed.append(children(os.getpid())[-1])
                os.kill(killed[-1], signal.SIGKILL)
            yield result

    out = with_key(tmp_path / "out")
    assert grade(order(class_, out, bank), engine).done == 6
    assert len(killed) == 2
    assert contents(out / "gradebook.sqlite") == contents(graded / "gradebook.sqlite")


def test_a_submission_that_always_ends_the_grader_is_left_to_a_person(
    own_questions: Path, tmp_path: Path
) -> None:
    """A reference that crashes: whoever gets that far is left over, the others are graded."""
    own = tmp_path / "own"
    shutil.copytree(own_questions, own)
    file = own / NAME / "questions.py"
    crash = 'import os, sys\nif "work.py" in sys.argv[0]: os._exit(3)\nreturn 2.0 * x'
    text = file.read_text().replace("return 2.0 * x", crash.replace("\n", "\n        "), 1)
    file.write_text(text)
    source = hand_in(tmp_path / "in", anna=answers(), ben=answers(double="def double(x): ..."))
    out = tmp_path / "out"
    assert grade(order(source, out, collect(NAME, None, own))).done == 2
    with open_gradebook(out) as book:
        found = {s.student: s for s in standings(book)}
    assert found["anna"].unsure == ["the grader itself failed on this submission"]
    assert found["anna"].result
    assert f"{MAX_TRIES} times" in found["anna"].result["events"][0]
    assert (found["ben"].unsure, found["ben"].total) == ([], 5.0)


def test_two_graders_do_not_work_in_one_folder(class_: Path, bank, tmp_path: Path) -> None:
    out = with_key(tmp_path / "out")
    said = []

    def engine(jobs, setup):
        with pytest.raises(ValueError, match="Another grader is at work") as error:
            grade(order(class_, out, bank))
        said.append(str(error.value))
        yield from ()

    grade(order(class_, out, bank), engine)
    assert said


def test_changed_questions_need_again_and_points_by_hand_stay(
    graded: Path, class_: Path, own_questions: Path, tmp_path: Path
) -> None:
    out, own = tmp_path / "out", tmp_path / "own"
    shutil.copytree(graded, out)
    shutil.copytree(own_questions, own)
    with open_gradebook(out) as book:
        give(book, [Mark("s0", "essay", 2.5, "well argued")], "T")
    file = own / NAME / "questions.py"
    file.write_text(file.read_text().replace("points=2", "points=4"))
    refused = run(cli.app, command(class_, out, own))
    assert refused.exit_code == 2
    assert "--again" in refused.output
    again = run(cli.app, command(class_, out, own, "--again", "--json"))
    assert json.loads(again.stdout)["graded now"] == 6
    assert totals(out)["s0"] == 4 + 5 + 2.5
    assert "well argued" in (out / "feedback" / "s0.html").read_text()


def test_a_folder_belongs_to_one_assignment(graded: Path, class_: Path) -> None:
    args = ["grade", str(class_), "-a", "01-basics", "-o", str(graded), "--unsafe"]
    found = run(cli.app, args)
    assert found.exit_code == 2
    assert "gradebook of 90-tiny" in found.output


def test_without_a_sandbox_it_refuses_and_says_what_unsafe_means(
    class_: Path, own_questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coursekit.grading.sandbox import tiers

    monkeypatch.setattr(tiers, "available", lambda: dict.fromkeys(tiers.TIERS, "not here"))
    args = command(class_, tmp_path / "out", own_questions)
    found = run(cli.app, args[: args.index("--sandbox")])
    assert found.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_unsafe_says_what_it_means(graded: Path, class_: Path, own_questions: Path) -> None:
    found = run(cli.app, command(class_, graded, own_questions))
    assert "with your rights" in found.output


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--attempts", "worst"], "last, best, last-on-time"),
        (["--engine", "cloud"], "local or dask"),
        (["--engine", "dask"], "--scheduler"),
        (["--due", "soon"], "soon"),
        (["--roster", "/no/such/file.csv"], "/no/such/file.csv"),
        (["--sandbox", "castle"], "castle"),
    ],
)
def test_an_option_that_cannot_be_is_a_sentence(
    class_: Path, own_questions: Path, tmp_path: Path, more: list[str], says: str
) -> None:
    found = run(cli.app, command(class_, tmp_path / "out", own_questions, *more))
    assert found.exit_code == 2
    assert says in re.sub(r"\s+", " ", found.output)
    assert "Traceback" not in found.output


def test_an_unknown_assignment_says_where_it_looked(class_: Path, tmp_path: Path) -> None:
    args = ["grade", str(class_), "-a", "77-none", "-o", str(tmp_path / "o"), "--unsafe"]
    found = run(cli.app, args)
    assert found.exit_code == 2
    assert "no questions for '77-none'" in found.output


def test_lateness_and_attempts_reach_the_total(own_questions: Path, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for stamp, cell in (("2026-05-01-10-00-00", "def double(x): ..."), ("2026-05-04-10-00-00", "")):
        data = answers(double=cell) if cell else answers()
        (source / f"HW_anna_attempt_{stamp}_w.ipynb").write_bytes(data)
    rule = ["--due", "2026-05-02", "--late-days", "1", "--late-penalty", "10"]
    out = tmp_path / "out"
    run(cli.app, command(source, out, own_questions, *rule))
    assert totals(out) == {"anna": 6.3}  # two days late, one free, ten percent of 7
    run(cli.app, command(source, out, own_questions, *rule, "--attempts", "last-on-time"))
    assert totals(out) == {"anna": 5.0}


def test_a_roster_lists_those_who_handed_in_nothing(own_questions: Path, tmp_path: Path) -> None:
    source = hand_in(tmp_path / "in", anna=answers())
    roster = tmp_path / "class.csv"
    roster.write_text("student;name\nanna;Anna Q\nzoe;Zoe\n", encoding="utf-8")
    out = tmp_path / "out"
    run(cli.app, command(source, out, own_questions, "--roster", str(roster)))
    assert totals(out) == {"anna": 7.0, "zoe": 0.0}
    assert "Anna Q" in (out / "feedback" / "anna.html").read_text()
    assert not (out / "feedback" / "zoe.html").exists()


def test_the_secret_is_the_teachers_alone(graded: Path) -> None:
    hexed = KEY.hex()
    for path in graded.rglob("*"):
        if path.is_file() and path.name != "secret.key":
            data = path.read_bytes()
            assert KEY not in data, path
            assert hexed.encode() not in data, path


def test_best_sandbox_of_this_machine_gives_the_same(
    graded: Path, class_: Path, bank, tmp_path: Path
) -> None:
    tiers = [t for t, why in available().items() if not why and t != "unsafe"]
    if not tiers:
        pytest.skip("no sandbox on this machine")
    out = with_key(tmp_path / "out")
    grade(Order(class_, out, bank, tiers[0], Policy()))
    mine, theirs = (contents(o / "gradebook.sqlite") for o in (out, graded))
    assert mine["scores"] == theirs["scores"]
    assert mine["evidence"] == theirs["evidence"]


def test_a_name_cannot_become_a_query_or_a_path(own_questions: Path, tmp_path: Path) -> None:
    source = tmp_path / "in"
    room = source / "'; DROP TABLE students; --"
    room.mkdir(parents=True)
    (room / "w.ipynb").write_bytes(answers())
    out = tmp_path / "out"
    run(cli.app, command(source, out, own_questions))
    assert totals(out) == {"'; DROP TABLE students; --": 7.0}
    pages = list((out / "feedback").iterdir())
    assert len(pages) == 1
    assert re.fullmatch(r"[A-Za-z0-9._-]+\.html", pages[0].name)
    db = sqlite3.connect(out / "gradebook.sqlite")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
