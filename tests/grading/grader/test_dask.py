"""A Dask cluster of two worker processes over TCP; one of them is killed in mid-run."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from tinyclass import answers, command, hand_in, with_key
from typer.testing import CliRunner

from coursekit import cli
from coursekit.grading.grader.batch import Order, grade
from coursekit.grading.grader.dask_engine import grade_on_dask
from coursekit.grading.grader.gradebook import Gradebook, contents

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers, processes of their own, on this machine's loopback."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        protocol="tcp://",
        dashboard_address=None,
        silence_logs=50,
    ) as made:
        yield made


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve submissions, each of which takes a moment."""
    cell = "import time\ndef double(x):\n    time.sleep(0.02)\n    return 2.0 * x  # {}"
    files = {f"s{i:02d}": answers(double=cell.format(i)) for i in range(12)}
    return hand_in(tmp_path_factory.mktemp("many") / "in", **files)


def test_a_killed_worker_loses_nothing_and_nothing_is_graded_twice(
    cluster, many: Path, bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: Counter[str] = Counter()
    really = Gradebook.record

    def counting(self, result, *more):
        recorded[result.code] += 1
        return really(self, result, *more)

    monkeypatch.setattr(Gradebook, "record", counting)
    killed: list[int] = []

    def kill_one() -> None:
        while sum(recorded.values()) < 2:
            time.sleep(0.02)
        with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
            pids = client.run(os.getpid)
        victim = sorted(pids.values())[0]
        killed.append(victim)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    address = cluster.scheduler_address
    assert address.startswith("tcp://127.0.0.1:")
    spread, alone = with_key(tmp_path / "spread"), with_key(tmp_path / "alone")
    done = grade(
        Order(many, spread, bank, "unsafe"), lambda jobs, setup: grade_on_dask(jobs, setup, address)
    )
    killer.join()
    assert done.done == 12
    assert killed
    assert max(recorded.values()) == 1
    monkeypatch.undo()
    grade(Order(many, alone, bank, "unsafe"))
    assert contents(spread / "gradebook.sqlite") == contents(alone / "gradebook.sqlite")


def test_the_command_line_reaches_the_cluster(cluster, own_questions, tmp_path: Path) -> None:
    source = hand_in(tmp_path / "in", anna=answers())
    more = ["--engine", "dask", "--scheduler", cluster.scheduler_address]
    found = CliRunner().invoke(cli.app, command(source, tmp_path / "out", own_questions, *more))
    assert found.exit_code == 0, found.output


def test_a_cluster_that_does_not_answer_is_a_sentence(own_questions, tmp_path, monkeypatch) -> None:
    from coursekit.grading.grader import dask_engine

    monkeypatch.setattr(dask_engine, "CONNECT", "1s")
    source = hand_in(tmp_path / "in", anna=answers())
    more = ["--engine", "dask", "--scheduler", "tcp://127.0.0.1:9"]
    found = CliRunner().invoke(cli.app, command(source, tmp_path / "out", own_questions, *more))
    assert found.exit_code == 2
    assert "127.0.0.1:9" in found.output
