"""Grading processes on this machine: one line of JSON goes in, one comes out.

A process that ends while it grades (killed, out of memory, a crash in a reference) gives its job
back; after ``MAX_TRIES`` the job is recorded as one that a person must look at.
"""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from coursekit.grading.grader.verdict import NOT_RUN, Result, Verdict, from_json
from coursekit.grading.grader.versions import versions
from coursekit.grading.grader.work import READY, Job, Setup

MAX_TRIES = 3


class GradingProcessError(RuntimeError):
    """A grading process ended before it had answered."""


class Process:
    """One ``python -m coursekit.grading.grader.work``, started when the first job comes."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.killed = setup, False
        self._running: subprocess.Popen[str] | None = None

    def ask(self, job: Job) -> Result:
        """Have one job graded; ``GradingProcessError`` where the process ended instead."""
        process = self._running or self._start()
        try:
            _send(process, job.to_json())
            assert process.stdout is not None
            line = process.stdout.readline()
        except (BrokenPipeError, ConnectionError):
            line = ""
        if not line.endswith("\n"):
            self.close()
            raise GradingProcessError(f"a grading process ended (status {process.returncode})")
        return from_json(json.loads(line))

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "coursekit.grading.grader.work"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._running = subprocess.Popen(command, text=True, encoding="utf-8", **pipes)
        try:
            _send(self._running, self.setup.to_json())
            assert self._running.stdout is not None
            ready = self._running.stdout.readline()
        except (BrokenPipeError, ConnectionError):
            ready = ""
        if ready.strip() != READY and not self.killed:
            raise RuntimeError("The grading process does not start; what it says stands above.")
        return self._running

    def kill(self) -> None:
        """End the process, from any thread; whoever waits for its answer gets none."""
        self.killed = True
        if self._running is not None:
            self._running.kill()

    def close(self) -> None:
        """End the process and forget it; the next job starts another."""
        if self._running is not None:
            self._running.kill()
            self._running.communicate()
            self._running = None


def _send(process: subprocess.Popen[str], message: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()


def failed(job: Job, setup: Setup, why: str) -> Result:
    """The result of a job that the grader could not do: no points, and a person must look."""
    says = "The grader could not do this; your teacher has been told."
    verdicts = [
        Verdict(item["id"], item["points"], status=NOT_RUN, says=says) for item in setup.practice
    ]
    return Result(job.code, verdicts, [why], sandbox=setup.tier, versions=versions(), failed=True)


def grade_locally(jobs: list[Job], setup: Setup, workers: int) -> Iterator[Result]:
    """Grade the jobs in ``workers`` processes; yield each result as soon as it is there."""
    todo: queue.SimpleQueue[tuple[Job, int] | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
    for job in jobs:
        todo.put((job, 1))
    own = [Process(setup) for _ in range(max(1, min(workers, len(jobs))))]
    over = threading.Event()
    threads = [
        threading.Thread(target=_serve, args=(process, todo, done, over), daemon=True)
        for process in own
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in jobs:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        over.set()
        for process in own:  # what is still being graded is graded by the next run
            process.kill()
            todo.put(None)
        for thread in threads:
            thread.join()


def _serve(
    process: Process, todo: queue.SimpleQueue, done: queue.SimpleQueue, over: threading.Event
) -> None:
    """One thread's work: hand jobs to its own process until all is over."""
    try:
        while (item := todo.get()) is not None and not over.is_set():
            job, tries = item
            try:
                done.put(process.ask(job))
            except GradingProcessError as error:
                if tries < MAX_TRIES:
                    todo.put((job, tries + 1))
                else:
                    done.put(failed(job, process.setup, f"{error}, {tries} times"))
    except BaseException as error:  # raised again where the results are read
        done.put(error)
    finally:
        process.close()
