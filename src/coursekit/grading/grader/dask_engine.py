"""The same work on an existing Dask cluster: one JSON text goes out per submission, one comes back.

A Dask worker does not grade in its own process. It keeps grading processes beside itself, one for
each of its threads, as the local engine does, and hands them the text. When a worker is lost, Dask
gives its unanswered submissions to another; a submission that was answered is not sent again, and
the gradebook takes one result per submission.
"""

import json
import threading
from collections.abc import Iterator
from typing import Any

from coursekit.grading.grader.processes import GradingProcessError, Process, failed
from coursekit.grading.grader.verdict import Result, from_json
from coursekit.grading.grader.work import Job, Setup
from coursekit.optional import require

RETRIES = 3
CONNECT = "20s"
_processes: dict[tuple[int, str], Process] = {}


def grade_text(setup: str, job: str) -> str:
    """What runs on a Dask worker: JSON in, JSON out.

    ``setup`` is the same text for all submissions of a run; a process that was started with
    another one is ended.
    """
    here = threading.get_ident()
    for key in [k for k in _processes if k[0] == here and k[1] != setup]:
        _processes.pop(key).close()
    if (here, setup) not in _processes:
        _processes[here, setup] = Process(Setup(**json.loads(setup)))
    return json.dumps(_processes[here, setup].ask(Job(**json.loads(job))).to_json())


def grade_on_dask(jobs: list[Job], setup: Setup, scheduler: str) -> Iterator[Result]:
    """Grade the jobs on the cluster behind ``scheduler``; yield results as they come.

    Raises
    ------
    ImportError
        If Dask is not installed here.
    OSError
        If no scheduler answers.
    """
    distributed: Any = require("distributed")
    text = json.dumps(setup.to_json())
    connection = distributed.Client(scheduler, timeout=CONNECT, set_as_default=False)
    with connection as client, client.as_current():
        shared = client.scatter(text, broadcast=True)
        sent = {
            client.submit(
                grade_text, shared, json.dumps(job.to_json()), retries=RETRIES, pure=False
            ): job
            for job in jobs
        }
        for future in distributed.as_completed(sent):
            yield _result(future, sent[future], setup)


def _result(future: Any, job: Job, setup: Setup) -> Result:
    error = future.exception()
    if error is None:
        return from_json(json.loads(future.result()))
    if isinstance(error, GradingProcessError) or type(error).__name__ == "KilledWorker":
        return failed(job, setup, f"{error}, on Dask, {RETRIES} times")
    raise RuntimeError(f"Dask could not grade: {error}") from error
