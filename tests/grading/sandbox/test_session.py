"""A session with a submission: what it answers, and every way in which it can end."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from coursekit.grading import wire
from coursekit.grading.sandbox import Limits, SandboxDied, open_session

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the grader runs on Linux")
TIER = "unsafe"


def ask(code: str, *inputs: object, asks: str = "f", seconds: float = 5.0, **limits: object):
    """The reply of a submission of one cell to one call."""
    with open_session([code], tier=TIER, limits=Limits(**limits)) as session:
        return session.call(asks, wire.encode(inputs), "", seconds)


def test_a_call_returns_the_value() -> None:
    reply = ask("import numpy as np\ndef f(x, n): return np.sum(x) * n", np.arange(3.0), 2)
    assert reply.value == 6.0
    assert reply.value.dtype == np.float64
    assert (reply.error, reply.changed) == ("", False)


def test_cells_share_names_and_a_failed_cell_does_not_stop_the_next() -> None:
    cells = ["a = 1", "b = a / 0", "%matplotlib inline\nc = a + 1", "def f(): return c", "exit()"]
    with open_session(cells, tier=TIER) as session:
        assert [n for n, _ in session.cell_errors] == [2, 5]
        assert session.cell_errors[0][1] == "ZeroDivisionError: division by zero"
        assert session.call("f", wire.encode(()), "", 5).value == 2
        kinds = session.defined(["f", "a", "nothing"])
    assert kinds == {"f": "function", "a": "int", "nothing": "missing"}


def test_an_exception_comes_back_with_its_line() -> None:
    reply = ask("def f(x):\n    return x / 0", 1)
    assert (reply.error, reply.line) == ("ZeroDivisionError", "line 2: return x / 0")


def test_an_endless_call_that_can_be_interrupted_leaves_the_session_alive() -> None:
    code = "def f():\n    while True: pass\ndef g(): return 1"
    with open_session([code], tier=TIER) as session:
        assert session.call("f", wire.encode(()), "", 0.3).error == "TimeLimit"
        assert session.call("g", wire.encode(()), "", 5).value == 1


def test_an_endless_cell_leaves_time_for_the_others() -> None:
    cells = ["while True: pass", "def f(): return 1"]
    with open_session(cells, tier=TIER, limits=Limits(start_s=1.0)) as session:
        assert session.cell_errors[0] == (1, "TimeLimit: stopped after 0.5 seconds")
        assert session.call("f", wire.encode(()), "", 5).value == 1


def test_a_call_that_cannot_be_interrupted_is_ended() -> None:
    code = "def f():\n    import signal; signal.setitimer = None\n    signal.alarm(0)\n"
    code += "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n    while True: pass"
    began = time.monotonic()
    with pytest.raises(SandboxDied, match="time limit"):
        ask(code, seconds=0.3)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "os.abort()"])
def test_a_submission_that_ends_its_process_is_told_apart(end: str) -> None:
    with pytest.raises(SandboxDied) as died:
        ask(f"import os\ndef f(): {end}")
    assert died.value.reason == "ended"


def test_a_string_is_read_for_the_teacher() -> None:
    with open_session(["why = 'because'; n = 3"], tier=TIER) as session:
        assert session.text("why") == "because"
        assert session.text("n") is None


def test_what_is_printed_is_kept() -> None:
    with open_session(["print('hello')"], tier=TIER) as session:
        session.defined([])
    assert session.output == "hello\n"
    assert session.output_bytes == 6
    assert session.peak_mb > 5


def test_printing_without_end_trips_the_output_limit() -> None:
    with pytest.raises(SandboxDied) as died:
        ask("while True: print('x' * 1000)", output_bytes=100_000)
    assert died.value.reason == "output limit"
    assert len(died.value.output) <= 100_000
