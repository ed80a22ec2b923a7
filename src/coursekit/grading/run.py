"""Try an answer on one set of inputs and record what happened, whatever happened."""

import io
import linecache
import re
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from coursekit.grading import wire
from coursekit.grading.limit import TimeLimit, time_limit

ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    ``error`` is the exception's type, empty when the call returned ``value``. ``line`` is the place
    in the answer where it was raised. ``changed`` says whether the call altered its inputs.
    """

    value: Any = None
    error: str = ""
    message: str = ""
    line: str = ""
    changed: bool = False
    warning: str = ""


class _Nowhere(io.TextIOBase):
    """Takes what an answer prints: a check shows one report, not a page of lines per input."""

    def write(self, text: str) -> int:
        return len(text)


def make_driver(source: str) -> Callable:
    """Compile a driver from its text; without one the answer is called with the inputs."""
    if not source:
        return lambda answer, *inputs: answer(*inputs)
    room: dict[str, Any] = {}
    exec(compile(source, "<driver>", "exec"), room)
    return room["driver"]


def attempt(answer: Any, inputs: Any, driver: Callable, seconds: float) -> Outcome:
    """Call ``driver(answer, *inputs)`` on fresh copies, for at most ``seconds``.

    ``inputs`` is in wire form, so that no call can spoil the inputs of the next. Everything that
    the answer raises is caught, but for the interrupt by which a person stops a cell.
    """
    fresh = wire.decode(inputs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = _call(answer, fresh, driver, seconds)
    warning = str(caught[0].message) if caught else ""
    return Outcome(**found, changed=_changed(fresh, inputs), warning=warning)


def _call(answer: Any, inputs: tuple, driver: Callable, seconds: float) -> dict[str, Any]:
    try:
        with redirect_stdout(_Nowhere()), time_limit(seconds):
            return {"value": driver(answer, *inputs)}
    except KeyboardInterrupt:
        raise
    except TimeLimit:
        return {"error": "TimeLimit"}
    except BaseException as error:  # SystemExit too: an answer must not end the notebook
        message = ADDRESS.sub("", str(error))[:300]
        line = _place(error.__traceback__, answer)
        return {"error": type(error).__name__, "message": message, "line": line}


def _changed(inputs: tuple, before: Any) -> bool:
    try:
        return wire.encode(inputs) != before
    except wire.WireError:
        return True


def _place(trace: TracebackType | None, answer: Any) -> str:
    """Find the last line of the answer's own module in a traceback, and quote it."""
    home = getattr(answer, "__module__", None)
    found = ""
    while trace is not None:
        frame = trace.tb_frame
        if home is not None and frame.f_globals.get("__name__") == home:
            text = linecache.getline(frame.f_code.co_filename, trace.tb_lineno).strip()
            found = f"line {trace.tb_lineno}" + (f": {text}" if text else "")
        trace = trace.tb_next
    return found
