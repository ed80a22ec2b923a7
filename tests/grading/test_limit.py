import signal
import threading
import time

import pytest

from coursekit.grading.limit import TimeLimit, time_limit

LIMIT_S = 0.2


def forever() -> None:
    while True:
        try:
            sum(range(100))
        except Exception:  # what a student may write
            continue


def stopped() -> float:
    start = time.monotonic()
    with pytest.raises(TimeLimit), time_limit(LIMIT_S):
        forever()
    return time.monotonic() - start


def test_an_endless_loop_stops_on_the_main_thread():
    assert LIMIT_S * 0.9 < stopped() < LIMIT_S + 1


def test_an_endless_loop_stops_on_another_thread():
    took: list[float] = []
    thread = threading.Thread(target=lambda: took.append(stopped()))
    thread.start()
    thread.join(10)
    assert took
    assert LIMIT_S * 0.9 < took[0] < LIMIT_S + 2


def test_an_endless_loop_stops_where_there_is_no_alarm(monkeypatch):
    monkeypatch.delattr(signal, "setitimer")
    assert LIMIT_S * 0.9 < stopped() < LIMIT_S + 2


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
