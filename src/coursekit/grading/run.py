"""Try an answer on one set of inputs and record what happened, whatever happened."""

import io
import linecache
import re
import sys
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
    warning = message(caught[0].message) if caught else ""
    return Outcome(**found, changed=_changed(fresh, inputs), warning=warning)


def _call(answer: Any, inputs: tuple, driver: Callable, seconds: float) -> dict[str, Any]:
    try:
        with redirect_stdout(_Nowhere()), time_limit(seconds):
            try:
                return {"value": driver(answer, *inputs)}
            except (KeyboardInterrupt, TimeLimit):
                raise
            except BaseException as error:  # SystemExit too: an answer must not end the notebook
                line = _place(sys.exc_info()[2], answer)
                return {"error": wire.type_name(error), "message": message(error), "line": line}
    except TimeLimit:
        return {"error": "TimeLimit"}


def message(error: object) -> str:
    """Text of an exception or a warning, short and printable; nothing where it cannot say."""
    try:
        text = str.encode(str(error), "utf-8", "backslashreplace").decode("utf-8")
    except (KeyboardInterrupt, TimeLimit):
        raise
    except BaseException:
        return ""
    return ADDRESS.sub("", text[:1000])[:300]


def _changed(inputs: tuple, before: Any) -> bool:
    try:
        return wire.encode(inputs) != before
    except wire.WireError:
        return True


def _place(trace: TracebackType | None, answer: Any) -> str:
    """Find the last line of the answer's own module in a traceback, and quote it."""
    try:
        home = getattr(answer, "__module__", None)
    except Exception:  # an object may compute it
        home = None
    found = ""
    while trace is not None:
        frame = trace.tb_frame
        if type(home) is str and frame.f_globals.get("__name__") == home:
            number = trace.tb_lineno or frame.f_code.co_firstlineno  # None where no line is named
            text = linecache.getline(frame.f_code.co_filename, number).strip()
            found = f"line {number}" + (f": {text}" if text else "")
        trace = trace.tb_next
    return found
