"""Run a notebook's code cells where there is no notebook (inside the sandbox)."""

import ast
import asyncio
import builtins
import inspect
import linecache
import sys
import time
import types
from typing import Any

from coursekit.grading.limit import TimeLimit, time_limit
from coursekit.grading.run import message
from coursekit.grading.wire import type_name

MAX_ERRORS = 20
# The share of the time left that one cell may use: an endless cell leaves some to the next.
SHARE = 0.5


class _Silent:
    """Stands in for IPython's shell and for practice checks: whatever is asked, nothing happens.

    ``%time``, ``%%time`` and ``%%capture`` hold Python that belongs to the notebook; it is run.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self

    def getoutput(self, *args: Any, **options: Any) -> list[str]:
        return []

    def run_line_magic(self, name: str, line: str, *args: Any, **options: Any) -> Any:
        return execute(line, f"<%{name}>") if name == "time" else self

    def run_cell_magic(self, name: str, line: str, cell: str) -> Any:
        return execute(cell, f"<%%{name}>") if name in ("time", "capture") else self


def make_main(cells: list[str]) -> dict[str, Any]:
    """Make the module ``__main__`` in which the cells run; return its names."""
    import coursekit.grading
    import coursekit.grading.check

    shell = _Silent()
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    main.__dict__.update(get_ipython=lambda: shell, display=lambda *values, **options: None)
    builtins.get_ipython = main.get_ipython  # type: ignore[attr-defined]
    # The practice checks of the notebook itself would only cost time: nobody reads what they say.
    coursekit.grading.Check = coursekit.grading.check.Check = _Silent  # type: ignore[assignment,misc]
    if "IPython" in sys.modules or any("IPython" in text for text in cells):
        import IPython

        IPython.get_ipython = main.get_ipython
    return vars(main)


def run_cells(cells: list[str], seconds: float) -> list[list]:
    """Run the cells in order; return ``[number, "NameError: …"]`` for those that stop."""
    errors: list[list] = []
    end = time.monotonic() + seconds
    for number, text in enumerate(cells, 1):
        allowed = SHARE * max(end - time.monotonic(), 0.0)
        try:
            with time_limit(allowed):
                execute(text, f"<cell {number}>")
        except TimeLimit:
            errors.append([number, f"TimeLimit: stopped after {allowed:.1f} seconds"])
        except BaseException as error:  # SystemExit too: the next cells are still to run
            errors.append([number, f"{type_name(error)}: {message(error)}"])
    return errors[:MAX_ERRORS]


def execute(source: str, name: str) -> None:
    """Run a cell as IPython would: with its syntax for magics, and ``await`` at the top level."""
    text, code = _compile(source, name)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    running = eval(code, vars(sys.modules["__main__"]))
    if inspect.iscoroutine(running):
        asyncio.run(running)


def _compile(source: str, name: str) -> tuple[str, types.CodeType]:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        return source, compile(source, name, "exec", flags=flags, dont_inherit=True)
    except SyntaxError:  # plain Python needs no IPython, whose import takes a while
        from IPython.core.inputtransformer2 import TransformerManager

        text = TransformerManager().transform_cell(source)
        return text, compile(text, name, "exec", flags=flags, dont_inherit=True)
