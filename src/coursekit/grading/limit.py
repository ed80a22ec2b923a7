"""Stop a piece of code that runs too long, in the same thread and on every system."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class TimeLimit(BaseException):
    """The time is over. Not an ``Exception``, so that ``except Exception`` does not swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise :class:`TimeLimit` inside the block after ``seconds`` of wall time.

    On the main thread of Linux and macOS an alarm signal does it and costs nothing. Elsewhere
    (Windows, a worker thread) a trace function looks at the clock on every line, which slows
    Python down but still ends an endless loop.
    """
    alarm = hasattr(signal, "setitimer")
    if alarm and threading.current_thread() is threading.main_thread():
        with _by_alarm(seconds):
            yield
    else:
        with _by_trace(seconds):
            yield


@contextmanager
def _by_alarm(seconds: float) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeLimit

    before = signal.signal(signal.SIGALRM, stop)
    # Repeats, because code under test may catch the first one.
    start = time.monotonic()
    left, every = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), 0.1)
    try:
        yield
    finally:
        # Whoever had set an alarm gets it back, less the time spent here.
        left = max(left - (time.monotonic() - start), 1e-3) if left else 0.0
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left, every)


@contextmanager
def _by_trace(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds

    def look(frame: FrameType, event: str, arg: object) -> Any:
        if time.monotonic() > end:
            raise TimeLimit
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)
