"""Grade a folder of submissions into a gradebook; the same command again goes on where it ended."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coursekit.grading import public
from coursekit.grading.grader import seeds
from coursekit.grading.grader.bank import Bank, opened, private_ids
from coursekit.grading.grader.gradebook import Gradebook, GradebookError, open_gradebook
from coursekit.grading.grader.policy import Policy
from coursekit.grading.grader.preload import modules
from coursekit.grading.grader.processes import grade_locally
from coursekit.grading.grader.submissions import Submission, scan
from coursekit.grading.grader.verdict import Result
from coursekit.grading.grader.versions import versions
from coursekit.grading.grader.work import Job, Setup
from coursekit.grading.question import Question

Engine = Callable[[list[Job], Setup], Iterator[Result]]
MEMORY_ABOVE_QUESTION_MB = 1024


@dataclass(frozen=True)
class Order:
    """What the teacher asked for."""

    submissions: Path
    out: Path
    bank: Bank
    tier: str
    policy: Policy = field(default_factory=Policy)
    roster: dict[str, dict[str, Any]] = field(default_factory=dict)
    call_s: float = 10.0
    submission_s: float = 300.0
    warm: bool = True
    again: bool = False
    mtime: bool = False
    student: str = ""
    limits: dict[str, Any] = field(default_factory=dict)


@dataclass
class Progress:
    """What a progress display is told."""

    total: int = 0
    done: int = 0


def grade(
    order: Order, engine: Engine | None = None, tell: Callable[[Progress], None] = lambda _: None
) -> Progress:
    """Grade all submissions that have no result yet.

    It may be killed at any moment and started again: every submission is recorded in one
    transaction, and none is graded twice.

    Parameters
    ----------
    engine
        How the jobs are done; by default one process on this machine.
    tell
        Called before the first and after every submission.

    Raises
    ------
    GradebookError
        If another run is at work in the folder, or the gradebook belongs to another assignment or
        to other questions.
    """
    order.out.mkdir(parents=True, exist_ok=True)
    order.out.chmod(0o700)  # not even a submission that sees this machine's files may look in
    with _alone(order.out), open_gradebook(order.out, create=True) as book:
        found = scan(
            order.submissions,
            order.bank.assignment,
            zone=order.policy.due.tzinfo or UTC if order.policy.due else UTC,
            mtime=order.mtime,
            student=order.student,
        )
        secret = seeds.secret_of(order.out)
        with opened(order.bank) as questions:
            practice = publish_all(order.bank.assignment, questions)
            setup = _setup(order, questions, practice, found)
            run = _begin(book, order, setup, found)
            jobs = [_job(book, code, questions, order, secret) for code in book.pending()]
        return _run(book, order, jobs, setup, run, engine or _one_process, tell)


def _one_process(jobs: list[Job], setup: Setup) -> Iterator[Result]:
    return grade_locally(jobs, setup, 1)


def _run(
    book: Gradebook,
    order: Order,
    jobs: list[Job],
    setup: Setup,
    run: int,
    engine: Engine,
    tell: Callable[[Progress], None],
) -> Progress:
    progress = Progress(len(jobs))
    tell(progress)
    if jobs:
        for result in engine(jobs, setup):
            book.record(result, run, order.bank.digest, _now())
            progress.done += 1
            tell(progress)
    with book.transaction() as db:
        db.execute("UPDATE runs SET ended = ? WHERE id = ?", (_now(), run))
    return progress


def publish_all(assignment: str, questions: list[Question]) -> list[dict[str, Any]]:
    """The public side of every question, as the notebook's check has it."""
    titles: dict[str, str] = {}
    if assignment in public.available():
        known = public.load(assignment).questions.values()
        titles = {q.section: q.section_title for q in known}
    return [public.publish(q, titles.get(q.section, "")) for q in questions]


def _setup(
    order: Order,
    questions: list[Question],
    practice: list[dict[str, Any]],
    found: list[Submission],
) -> Setup:
    sources = [*order.bank.files.values(), *(cell for s in found for cell in s.cells)]
    memory = max(q.memory_mb for q in questions) + MEMORY_ABOVE_QUESTION_MB
    return Setup(
        assignment=order.bank.assignment,
        files=order.bank.files,
        practice=practice,
        tier=order.tier,
        call_s=order.call_s,
        submission_s=order.submission_s,
        warm=order.warm,
        preload=modules(sources),
        limits={"memory_mb": memory, "total_s": order.submission_s, **order.limits},
    )


def _job(book: Gradebook, code: str, questions: list[Question], order: Order, secret: bytes) -> Job:
    drawn = seeds.drawn(secret, order.bank.assignment, code, questions)
    return Job(code, book.cells(code), drawn)


def _begin(book: Gradebook, order: Order, setup: Setup, found: list[Submission]) -> int:
    """Write down what is to be done, in one transaction; return the number of the run."""
    _fits(book, order)
    private = private_ids(order.bank)
    with book.transaction() as db:
        again = order.again and book.meta("bank") is not None
        book.set_meta(
            assignment=order.bank.assignment,
            bank=order.bank.digest,
            policy=order.policy.to_json(),
            generation=book.meta("generation", 0) + int(again),
        )
        book.add_bank(order.bank, setup.practice, private)
        book.add_submissions(found, order.roster)
        options = {k: v for k, v in setup.to_json().items() if k not in ("files", "practice")}
        options["submissions"] = str(order.submissions)
        row = (_now(), json.dumps(options), json.dumps(versions()))
        cursor = db.execute("INSERT INTO runs (started, options, versions) VALUES (?, ?, ?)", row)
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _fits(book: Gradebook, order: Order) -> None:
    name, digest = book.meta("assignment"), book.meta("bank")
    if name not in (None, order.bank.assignment):
        raise GradebookError(
            f"{order.out} is the gradebook of {name}, not of {order.bank.assignment}. "
            "Give every assignment a folder of its own with --out."
        )
    if digest not in (None, order.bank.digest) and not order.again:
        raise GradebookError(
            f"The questions of {name} have changed since {order.out} was made. Grade everything "
            "again with --again (points given by hand stay), or give a new folder with --out."
        )


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it when the process ends in whatever way."""
    handle = os.open(out / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise GradebookError(
            f"Another grader is at work in {out}. Wait for it, or give another folder with --out."
        ) from error
    else:
        yield
    finally:
        os.close(handle)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
