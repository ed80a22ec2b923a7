"""Stop a piece of code that runs too long, in the same thread and on every system."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

OWN = (__file__, contextlib.__file__)
INSTALLED = (sys.prefix, sys.base_prefix, "<frozen")


class TimeLimit(BaseException):
    """The time is over. Not an ``Exception``, so that ``except Exception`` does not swallow it.

    A bare ``except:`` does swallow it. Python then drops the exception, which calls ``dropped``.
    """

    def __init__(self, dropped: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._dropped = dropped

    def __del__(self) -> None:
        self._dropped()


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise :class:`TimeLimit` inside the block after ``seconds`` of wall time.

    On the main thread of Linux and macOS an alarm signal does it and costs nothing. Elsewhere
    (Windows, a worker thread) a trace function looks at the clock on every line, which slows
    Python down but still ends an endless loop. What the block calls may catch the exception; then
    its next line raises it again, until the block ends.
    """
    stop = _Stop(time.monotonic() + seconds)
    before = sys.gettrace(), sys.getprofile()
    alarm = hasattr(signal, "setitimer")
    main = threading.current_thread() is threading.main_thread()
    take_back = _set_alarm(seconds, stop) if alarm and main else None
    if take_back is None:
        sys.settrace(stop.look)
    try:
        yield
    finally:
        stop.ended = True  # first: from here on nothing is stopped
        sys.setprofile(before[1])
        if take_back is not None:
            take_back()
        sys.settrace(before[0])


class _Stop:
    """Raises :class:`TimeLimit` on every line that the block's calls run after ``end``."""

    def __init__(self, end: float) -> None:
        self.end, self.ended = end, False
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_code.co_filename in OWN:
            frame = frame.f_back
        self.home = frame

    def look(self, frame: FrameType, event: str, arg: object) -> Any:
        """Trace function; Python takes it out whenever it raises."""
        if self.ended or frame.f_code.co_filename in OWN:
            return None
        if event in ("call", "line", "opcode") and time.monotonic() > self.end:
            sys.setprofile(self.on_call)
            raise TimeLimit(self.watch)
        if event == "call" and not frame.f_code.co_filename.startswith(INSTALLED):
            frame.f_trace_opcodes = True  # `while True: pass` in one line is one event otherwise
        return self.look

    def on_call(self, *_: object) -> None:
        """Profile function, for code that goes on inside its ``except:`` and drops nothing."""
        if sys.gettrace() is None:
            self.watch()

    def watch(self) -> None:
        """Put the trace function (back) in, for every call under way inside the block."""
        frame: FrameType | None = sys._getframe()
        inside = []
        while frame is not None and frame is not self.home:
            inside.append(frame)
            frame = frame.f_back
        if self.ended or frame is None:  # over, or dropped on another thread
            return
        for each in inside:
            # Instruction by instruction: a loop of one try may run no new line outside of it.
            each.f_trace, each.f_trace_opcodes = self.look, True
        sys.settrace(self.look)


def _set_alarm(seconds: float, stop: _Stop) -> Callable[[], None]:
    """Ring after ``seconds``; return what puts an earlier alarm and its handler back."""

    def ring(_: int, frame: FrameType | None) -> None:
        # Not in the midst of setting up or taking back, which would stay half done: it rings again.
        own = frame is not None and frame.f_code.co_filename in OWN
        if not stop.ended and not own:
            stop.watch()
            raise TimeLimit(stop.watch)

    def take_back() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)  # first: without a handler an alarm ends Python
        # Whoever had set an alarm gets it back, less the time spent here.
        rest = max(left - (time.monotonic() - start), 1e-3) if left else 0.0
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, rest, every)

    before = signal.signal(signal.SIGALRM, ring)
    start = time.monotonic()
    # Repeats, for code that keeps the exception which it caught.
    left, every = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), 0.1)
    return take_back
