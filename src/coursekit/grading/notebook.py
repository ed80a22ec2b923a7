"""Check a notebook file from the command line: run its cells in a process of their own."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from coursekit.grading.cells import Silent, execute
from coursekit.grading.check import Check
from coursekit.grading.diagnose import WRONG
from coursekit.grading.public import available
from coursekit.grading.report import Report
from coursekit.grading.run import message
from coursekit.grading.wire import type_name

MAX_BYTES = 20 << 20
MAX_OUTPUT = 1 << 20
TAIL = 2000
COMPLETE, INCOMPLETE, UNREADABLE = 0, 1, 2
START = "import sys; from coursekit.grading import notebook; notebook.child(*sys.argv[1:])"


class NotebookError(ValueError):
    """The file cannot be checked; the message says why and what to do."""


def check_notebook(path: str | Path, *, seconds: float = 120, full: bool = False) -> int:
    """Run the notebook's code cells, print the table of its checks, and return an exit status.

    The notebook's code runs on this machine with your rights: it can read, change and send what you
    can. Check only notebooks that you trust.

    Parameters
    ----------
    path
        An exercise notebook. Its cells run in its folder, in a new process, without a screen;
        magics and shell lines (``%``, ``!``) do nothing, and processes that cells leave running are
        ended.
    seconds
        How long all cells together may take.
    full
        Whether to print, above the table, what ``check("…")`` says of every wrong answer.

    Returns
    -------
    int
        0 when every question that code can grade is right, 1 when not, 2 when the file cannot be
        checked (the reason is printed).
    """
    try:
        result = run_notebook(Path(path), seconds)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    reports = [report + "\n" for report in result["reports"]] if full else []
    print("\n".join([*result["problems"], *reports, result["table"]]))
    return COMPLETE if result["complete"] else INCOMPLETE


def run_notebook(path: Path, seconds: float) -> dict[str, Any]:
    """Run a notebook in a child process: its ``table``, ``reports``, ``complete``, ``problems``."""
    cells, assignment = read(path)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as room:
        source, result = Path(room, "cells.json"), Path(room, "result.json")
        said = Path(room, "stderr.txt")
        source.write_text(json.dumps(cells), encoding="utf-8")
        command = [sys.executable, "-c", START, assignment, str(source), str(result)]
        status = _wait(command, path.resolve().parent, said, seconds)
        report = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
        last = _last_line(said)
    if "table" in report:
        return report
    cell = report.get("cell", 1)
    if status is None:
        raise NotebookError(
            f"{path} was stopped after {seconds:g} seconds, in code cell {cell}. "
            "Does a loop never end?"
        )
    raise NotebookError(
        f"Python ended in code cell {cell} of {path} (exit status {status}){last}. "
        "Remove what ends it, such as exit()."
    )


def _wait(command: list[str], folder: Path, said: Path, seconds: float) -> int | None:
    """Run ``command`` and return its exit status, or None where it had to be stopped.

    What it writes to its error stream goes to the file ``said`` (a pipe would be held open by
    processes that it leaves behind), of which only the end is kept whenever it grows beyond
    ``MAX_OUTPUT``.
    """
    end = time.monotonic() + seconds
    with said.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            start_new_session=True,
        )
    try:
        while (left := end - time.monotonic()) > 0:
            try:
                return process.wait(min(left, 0.1))
            except subprocess.TimeoutExpired:
                if said.stat().st_size > MAX_OUTPUT:
                    _keep_end(said)
        return None
    finally:
        _end(process)


def _end(process: subprocess.Popen) -> None:
    """End a process and, where the system has process groups, all that it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _keep_end(said: Path) -> None:
    """Shorten a file to its end, where the last words are if its writer has just ended."""
    with said.open("r+b") as file:
        file.seek(-TAIL, os.SEEK_END)
        end = file.read()
        file.seek(0)
        file.write(end)
    os.truncate(said, len(end))


def _last_line(said: Path) -> str:
    """The last line that was written, as the end of a sentence."""
    with said.open("rb") as file:
        file.seek(max(0, said.stat().st_size - TAIL))
        lines = file.read().decode("utf-8", errors="replace").strip().splitlines()
    return f": {lines[-1][-300:]}" if lines else ""


def read(path: Path) -> tuple[list[str], str]:
    """Parse a notebook as data: the sources of its code cells, and its assignment's name."""
    if not path.is_file():
        raise NotebookError(f"{path} is not a file. Give the path of an exercise notebook (.ipynb)")
    if path.stat().st_size > MAX_BYTES:
        raise NotebookError(f"{path} is larger than {MAX_BYTES >> 20} MB. Clear its outputs first.")
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotebookError(
            f"{path} is not a notebook: {type(error).__name__}. Save it again as .ipynb."
        ) from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise NotebookError(f"{path} has no cells. A notebook in format 4 (.ipynb) is wanted.")
    sources = [_source(c) for c in cells if isinstance(c, dict) and c.get("cell_type") == "code"]
    if not sources:
        raise NotebookError(f"{path} has no code cell, so there is nothing to check.")
    return sources, _assignment(sources, path)


def _source(cell: dict) -> str:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _assignment(sources: list[str], path: Path) -> str:
    """The assignment: the name given to ``Check(…)`` in the notebook."""
    found = re.search(r"""\bCheck\(\s*(?:assignment\s*=\s*)?["']([\w-]+)["']""", "\n".join(sources))
    if found and found[1] in available():
        return found[1]
    named = f"names {found[1]!r}" if found else 'holds no Check("…")'
    raise NotebookError(
        f"{path} {named}, so its questions are not known. Assignments: {', '.join(available())}."
    )


def child(assignment: str, source: str, result: str) -> None:
    """Run the cells (in the child process) and write the table where the parent reads it."""
    import IPython

    shell = Silent()
    names = {"__name__": "__main__", "display": lambda *values, **options: None}
    names["get_ipython"] = IPython.get_ipython = lambda: shell
    sys.modules["__main__"].__dict__.update(names)
    problems = []
    for number, text in enumerate(json.loads(Path(source).read_text(encoding="utf-8")), 1):
        _write(result, {"cell": number})
        try:
            execute(text, f"<cell {number}>")
        except Exception as error:
            what = f"{type_name(error)}: {message(error)[:200]}"
            problems.append(f"Code cell {number} stopped: {what}")
    _write(result, {**_checked(assignment), "problems": problems})


def _checked(assignment: str) -> dict[str, Any]:
    """The table of all checks as text, and the report of every wrong answer."""
    check = Check(assignment)
    table = check.all(vars(sys.modules["__main__"]))
    wrong = [Report(q, d, check.assignment.page, "") for q, d in table.rows if d.status == WRONG]
    reports = [repr(report) for report in wrong]
    return {"table": repr(table), "reports": reports, "complete": table.complete}


def _write(result: str, report: dict[str, Any]) -> None:
    """Write in one step: the parent may end this process at any time."""
    part = Path(f"{result}.part")
    part.write_text(json.dumps(report), encoding="utf-8")
    part.replace(result)
