"""Grade one submission in a process of its own: JSON comes in, JSON goes out.

``python -m coursekit.grading.grader.work`` reads one JSON object a line. The first is the setup
(questions, sandbox, limits); each further one is a job, and is answered by one line. The process
holds the references and so is trusted; the submission's code runs in the sandbox below it.
"""

import json
import os
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from coursekit.grading.grader.bank import Bank, opened
from coursekit.grading.grader.desk import Desk, Opener
from coursekit.grading.grader.judge import Asked, judge
from coursekit.grading.grader.verdict import Result
from coursekit.grading.grader.versions import versions
from coursekit.grading.public import read_question
from coursekit.grading.sandbox import Limits, Pool, open_session

ORPHAN_CHECK_S = 0.5
READY = "ready"


@dataclass(frozen=True)
class Setup:
    """What is the same for all submissions of a run."""

    assignment: str
    files: dict[str, str]
    practice: list[dict[str, Any]]
    tier: str
    call_s: float = 10.0  # at most, for one call; never less than the question's own time
    submission_s: float = 300.0
    warm: bool = False
    preload: tuple[str, ...] = ("numpy",)
    limits: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON can write it."""
        return asdict(self)


@dataclass(frozen=True)
class Job:
    """One submission's code, and the seeds of its fresh inputs by question."""

    code: str
    cells: list[str]
    seeds: dict[str, list[int]]

    def to_json(self) -> dict[str, Any]:
        """As JSON can write it."""
        return asdict(self)


class Grader:
    """The questions loaded once, ready to judge one job after the other. A context manager."""

    def __init__(self, setup: Setup, opener: Opener | None = None) -> None:
        self.setup, self._opener, self._stack = setup, opener, ExitStack()

    def __enter__(self) -> "Grader":
        bank = Bank(self.setup.assignment, self.setup.files)
        self.questions = self._stack.enter_context(opened(bank))
        self.public = {item["id"]: read_question(item) for item in self.setup.practice}
        if self._opener is None:
            self._opener = self._sandbox()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _sandbox(self) -> Opener:
        tier = self.setup.tier
        pool = (
            self._stack.enter_context(Pool(tier, tuple(self.setup.preload)))
            if self.setup.warm
            else None
        )
        limits = Limits(**self.setup.limits)

        def open_one(cells: list[str], left: float) -> Any:
            total = replace(limits, total_s=min(limits.total_s, left))
            return open_session(cells, tier=tier, limits=total, pool=pool)

        return open_one

    def grade(self, job: Job) -> Result:
        """Judge one submission."""
        assert self._opener is not None
        start = time.monotonic()
        with Desk(job.cells, self._opener, self.setup.submission_s) as desk:
            verdicts = judge(desk, [self._asked(q, job) for q in self.questions])
        return Result(
            code=job.code,
            verdicts=verdicts,
            events=desk.events,
            cell_errors=desk.cell_errors,
            output=desk.output,
            sandbox=self.setup.tier,
            seconds=round(time.monotonic() - start, 3),
            peak_mb=round(desk.peak_mb, 1),
            versions=versions(),
        )

    def _asked(self, q: Any, job: Job) -> Asked:
        seconds = max(q.seconds, self.setup.call_s)
        return Asked(q, self.public[q.id], job.seeds.get(q.id, []), seconds)


def main() -> None:
    """Answer jobs until there are no more, or until the process that asks is gone."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a question prints is no answer
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    lines = iter(sys.stdin.readline, "")
    with Grader(Setup(**json.loads(next(lines)))) as grader:
        answers.write(READY + "\n")
        answers.flush()
        for line in lines:
            result = grader.grade(Job(**json.loads(line)))
            answers.write(json.dumps(result.to_json()) + "\n")
            answers.flush()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: nobody reads its answers then."""
    while os.getppid() == parent:
        time.sleep(ORPHAN_CHECK_S)
    os._exit(1)


if __name__ == "__main__":
    main()
