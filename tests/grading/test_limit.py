import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable

import pytest

from coursekit.grading import limit
from coursekit.grading.limit import TimeLimit, time_limit

LIMIT_S = 0.2


def forever() -> None:
    while True:
        try:
            sum(range(100))
        except Exception:  # what a student may write
            continue


def swallowing() -> None:
    while True:
        try:
            sum(range(100))
        except:  # noqa: E722
            continue


def swallowing_in_three_loops() -> None:
    while True:
        try:
            while True:
                try:
                    while True:
                        try:
                            while True: pass  # fmt: skip # noqa: E701
                        except:  # noqa: E722
                            pass
                except:  # noqa: E722
                    pass
        except:  # noqa: E722
            pass


def suppressing() -> None:
    def inner() -> None:
        try:
            while True:
                sum(range(50))
        except BaseException as error:
            str(error)

    while True:
        with contextlib.suppress(BaseException):
            inner()


def leaving_finally() -> None:
    while True:
        try:
            while True:
                sum(range(50))
        finally:
            continue  # noqa: B012


def keeping() -> None:
    kept = []
    while True:
        try:
            sum(range(100))
        except BaseException as error:
            kept.append(error)


def retrying(attempt: int = 0) -> None:
    try:
        while True:
            sum(range(50))
    except:  # noqa: E722
        if attempt < 20:
            retrying(attempt + 1)


ENDLESS = [
    *(forever, swallowing, swallowing_in_three_loops, suppressing, leaving_finally),
    *(keeping, retrying),
]


def stopped(endless: Callable[[], None]) -> float:
    traced = sys.gettrace(), sys.getprofile()
    start = time.monotonic()
    with pytest.raises(TimeLimit), time_limit(LIMIT_S):
        endless()
    took = time.monotonic() - start
    assert (sys.gettrace(), sys.getprofile()) == traced
    return took


needs_alarm = pytest.mark.skipif(
    not hasattr(signal, "SIGALRM"), reason="this system has no alarm signal; the trace is used"
)


@needs_alarm
@pytest.mark.parametrize("endless", ENDLESS)
def test_an_endless_loop_stops_on_the_main_thread(endless):
    handler = signal.getsignal(signal.SIGALRM)
    assert LIMIT_S * 0.9 < stopped(endless) < LIMIT_S + 1
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL)[1] == 0.0


@pytest.mark.parametrize("endless", ENDLESS)
def test_an_endless_loop_stops_on_another_thread(endless):
    took: list[float] = []
    thread = threading.Thread(target=lambda: took.append(stopped(endless)), daemon=True)
    thread.start()
    thread.join(10)
    assert took
    assert LIMIT_S * 0.9 < took[0] < LIMIT_S + 2


def test_an_endless_loop_stops_where_there_is_no_alarm(monkeypatch):
    monkeypatch.delattr(signal, "setitimer", raising=False)
    assert LIMIT_S * 0.9 < stopped(forever) < LIMIT_S + 2


def test_nothing_is_raised_after_the_block():
    with pytest.raises(TimeLimit) as caught, time_limit(0.05):
        forever()
    del caught
    assert sum(1 for _ in range(100_000)) == 100_000
    with time_limit(0.05):
        pass
    time.sleep(0.2)


@needs_alarm
@pytest.mark.parametrize("outer", [0.0, 30.0])
def test_an_earlier_alarm_and_its_handler_come_back(outer):
    handler = signal.getsignal(signal.SIGALRM)
    earlier = signal.setitimer(signal.ITIMER_REAL, outer)
    try:
        with time_limit(0.05):
            pass
        assert signal.getsignal(signal.SIGALRM) is handler
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert max(outer - 5, 0) <= left <= outer
    finally:
        signal.setitimer(signal.ITIMER_REAL, *earlier)


@needs_alarm
def test_an_alarm_that_rings_while_the_limit_is_taken_back_leaves_nothing_behind():
    """An exception there would skip the rest of it, and the alarm would go on ringing."""
    room = {}
    exec(compile("import sys; frame = sys._getframe()", limit.__file__, "exec"), room)
    before = signal.getsignal(signal.SIGALRM)
    with time_limit(60):
        ring = signal.getsignal(signal.SIGALRM)
        ring(signal.SIGALRM, room["frame"])
        with pytest.raises(TimeLimit):
            ring(signal.SIGALRM, sys._getframe())
    assert signal.getsignal(signal.SIGALRM) is before


@needs_alarm
def test_the_handler_goes_only_when_no_alarm_can_ring(monkeypatch):
    timers = []

    def spied(*arguments, real=signal.signal):
        timers.append(signal.getitimer(signal.ITIMER_REAL))
        return real(*arguments)

    with time_limit(60):
        monkeypatch.setattr(signal, "signal", spied)
    assert timers == [(0.0, 0.0)]
