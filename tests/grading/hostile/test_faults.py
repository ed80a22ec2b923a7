"""A grader that is killed at any moment loses nothing, and grades nothing twice or differently.

`make test` kills a grading of 24 submissions 4 times; `make test-all` one of 300 submissions 20
times. Every kill hits the whole process group, as a power cut would, at a random moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.grading.hostile.attack import HERE, notebook
from tests.grading.hostile.batch import ASSIGNMENT, RIGHT

ALL = os.environ.get("COURSEKIT_TEST_ALL") == "1"
SUBMISSIONS, KILLS = (300, 20) if ALL else (24, 4)
KEY = bytes(range(32))  # the same inputs in both gradings


def submissions(folder: Path, number: int, rng: random.Random) -> None:
    """Notebooks that answer some questions rightly, some wrongly, some not, and one that ends."""
    folder.mkdir()
    for n in range(number):
        kinds = {q: rng.choice(("right", "wrong", "missing")) for q in RIGHT}
        cells = [f"essay = 'student {n}'"]
        for question, kind in kinds.items():
            name = question.replace("-", "_") if question != "account" else "Account"
            wrong = f"{name} = lambda *inputs: {n}"
            cells += {"right": [RIGHT[question]], "wrong": [wrong], "missing": []}[kind]
        if n % 10 == 7:
            cells.append("import os\ndef counts(words):\n    os._exit(0)")
        if n % 10 == 8:
            cells = ["not Python at all ("]
        (folder / f"s{n:03d}.ipynb").write_text(json.dumps(notebook(cells)))
    (folder / "broken.ipynb").write_text("{")


def command(work: Path, out: Path) -> list[str]:
    """The grader on both cores, in the quickest sandbox that is there."""
    tier = ["--sandbox", "unsafe"] if "bubblewrap" in unusable() else []
    return [
        *(sys.executable, "-m", "coursekit", "grade", str(work), "--out", str(out), "--jobs", "2"),
        *("--assignment", ASSIGNMENT, "--questions", str(HERE / "questions"), *tier),
    ]


def unusable() -> set[str]:
    """Sandboxes that this machine lacks."""
    from coursekit.grading.sandbox import available

    return {tier for tier, why in available().items() if why}


def prepared(folder: Path) -> Path:
    """A folder for a gradebook, with the key that both gradings use."""
    folder.mkdir()
    (folder / "secret.key").write_bytes(KEY)
    (folder / "secret.key").chmod(0o600)
    return folder


# What may differ between two gradings: clocks, measured use, and the number of the run.
CHANGING = {"graded", "started", "ended", "at", "seconds", "peak_mb", "run"}


def contents(out: Path) -> dict[str, list]:
    """Every row of every table of a gradebook, without its times."""
    book = sqlite3.connect(f"file:{out / 'gradebook.sqlite'}?mode=ro", uri=True)
    try:
        tables = [r[0] for r in book.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {}
        for table in set(tables) - {"runs"}:
            columns = [row[1] for row in book.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(f'"{name}"' for name in columns if name not in CHANGING)
            found[table] = sorted(map(repr, book.execute(f"SELECT {kept} FROM {table}")))
        assert book.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert book.execute("PRAGMA foreign_key_check").fetchall() == []
        return found
    finally:
        book.close()


def graded_codes(out: Path) -> int:
    """How many submissions have a result by now."""
    try:
        book = sqlite3.connect(f"file:{out / 'gradebook.sqlite'}?mode=ro", uri=True)
        try:
            return int(book.execute("SELECT count(*) FROM results").fetchone()[0])
        finally:
            book.close()
    except sqlite3.Error:
        return 0


def descendants(pid: int) -> set[tuple[int, str]]:
    """All processes below one, each with the time of its start."""
    parents, starts = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                parents[int(name)], starts[int(name)] = int(fields[1]), fields[19]
    below, new = set(), {pid}
    while new:
        below |= new
        new = {child for child, parent in parents.items() if parent in new}
    return {(child, starts[child]) for child in below if child in starts}


def survivors(processes: set[tuple[int, str]], seconds: float = 10.0) -> set[tuple[int, str]]:
    """Those that have not ended after a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        left = {found for pid, _ in processes for found in descendants(pid)} & processes
        if not left:
            return set()
        time.sleep(0.2)
    return left


def run_and_kill(work: Path, out: Path, *, seconds: float, results: int) -> bool:
    """Grade, then kill everything; whether there was something to kill.

    The kill comes after so many new results of this run, or after the seconds, whichever is first:
    however quick the machine is, it finds the grading at work.

    The sandboxes are groups of their own, which the kill does not reach: they must end by
    themselves.
    """
    process = subprocess.Popen(
        command(work, out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    goal, end = graded_codes(out) + results, time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end and graded_codes(out) < goal:
        time.sleep(0.01)
    if process.poll() is not None:
        return False
    below = descendants(process.pid)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert survivors(below) == set()
    return True


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The submissions of this module's tests."""
    folder = tmp_path_factory.mktemp("faults") / "work"
    submissions(folder, SUBMISSIONS, random.Random(7))
    return folder


@pytest.fixture(scope="module")
def undisturbed(work: Path) -> tuple[dict, float]:
    """The gradebook of a grading that nobody disturbed, and the seconds it took."""
    out, start = prepared(work.parent / "undisturbed"), time.monotonic()
    done = subprocess.run(command(work, out), capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return contents(out), time.monotonic() - start


def test_a_killed_grading_ends_like_an_undisturbed_one(
    work: Path, undisturbed: tuple[dict, float], tmp_path: Path
) -> None:
    wanted, seconds = undisturbed
    out, rng = prepared(tmp_path / "out"), random.Random(11)
    kills, progress = 0, []
    most = SUBMISSIONS // (2 * KILLS)  # new results before a kill: half of them are left at the end
    while kills < KILLS:  # every other one while it starts, the rest while it grades
        starting = rng.uniform(0.2, 3.0) if kills % 2 == 0 else 60.0
        kills += run_and_kill(work, out, seconds=starting, results=rng.randint(1, most))
        progress.append(graded_codes(out))
        if progress[-1] == len(wanted["results"]):
            break
    done = subprocess.run(command(work, out), capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    print(f"{kills} kills; results after each: {progress}; undisturbed {seconds:.0f} s")
    assert progress == sorted(progress), "a kill lost results that were there"
    found = contents(out)
    for table, rows in wanted.items():
        assert found[table] == rows, table
    assert kills == KILLS, "the grading ended before it was killed often enough"


def test_a_second_run_grades_nothing(work: Path, undisturbed: tuple[dict, float]) -> None:
    out = work.parent / "undisturbed"
    done = subprocess.run(command(work, out), capture_output=True, text=True, check=False)
    assert "0 graded now" in done.stdout, done.stdout + done.stderr
    assert contents(out) == undisturbed[0]
