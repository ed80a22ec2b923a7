"""Check a notebook file from the command line: run its cells in a process of their own."""

import json
import linecache
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from coursekit.grading.check import Check
from coursekit.grading.public import available

MAX_BYTES = 20 << 20
COMPLETE, INCOMPLETE, UNREADABLE = 0, 1, 2
START = "import sys; from coursekit.grading import notebook; notebook.child(*sys.argv[1:])"


class NotebookError(ValueError):
    """The file cannot be checked; the message says why and what to do."""


def check_notebook(path: str | Path, *, seconds: float = 120) -> int:
    """Run the notebook's code cells, print the table of its checks, and return an exit status.

    Parameters
    ----------
    path
        An exercise notebook. Its cells run in its folder, in a new process; magics and shell lines
        (``%``, ``!``) are left out.
    seconds
        How long all cells together may take.

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
    print("\n".join([*result["problems"], result["table"]]))
    return COMPLETE if result["complete"] else INCOMPLETE


def run_notebook(path: Path, seconds: float) -> dict[str, Any]:
    """Run a notebook in a child process and return ``table``, ``complete`` and ``problems``."""
    cells, assignment = read(path)
    with tempfile.TemporaryDirectory() as room:
        source, result = Path(room, "cells.json"), Path(room, "result.json")
        source.write_text(json.dumps(cells), encoding="utf-8")
        command = [sys.executable, "-c", START, assignment, str(source), str(result)]
        try:
            done = subprocess.run(
                command,
                cwd=path.resolve().parent,
                timeout=seconds,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        except subprocess.TimeoutExpired as error:
            at = json.loads(result.read_text()) if result.exists() else {}
            raise NotebookError(
                f"{path} was stopped after {seconds:g} seconds, in code cell {at.get('cell', 1)}. "
                "Does a loop never end?"
            ) from error
        report = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    if "table" not in report:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        why = f": {last[0]}" if last else ""
        raise NotebookError(
            f"Python ended in code cell {report.get('cell', 1)} of {path} "
            f"(exit status {done.returncode}){why}. Remove what ends it, such as exit()."
        )
    return report


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
    return sources, _assignment(notebook, sources, path)


def _source(cell: dict) -> str:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _assignment(notebook: dict, sources: list[str], path: Path) -> str:
    """The assignment: the name given to ``Check(…)`` in the notebook."""
    found = re.search(r"""\bCheck\(\s*["']([\w-]+)["']""", "\n".join(sources))
    if found and found[1] in available():
        return found[1]
    named = f"names {found[1]!r}" if found else 'holds no Check("…")'
    raise NotebookError(
        f"{path} {named}, so its questions are not known. Assignments: {', '.join(available())}."
    )


def child(assignment: str, source: str, result: str) -> None:
    """Run the cells (in the child process) and write the table where the parent reads it."""
    names: dict[str, Any] = {"__name__": "__main__", "display": lambda *values: None}
    sys.modules["__main__"].__dict__.update(names)
    problems = []
    for number, text in enumerate(json.loads(Path(source).read_text(encoding="utf-8")), 1):
        Path(result).write_text(json.dumps({"cell": number}), encoding="utf-8")
        problem = _run(without_magics(text), f"<cell {number}>")
        if problem:
            problems.append(f"Code cell {number} stopped: {problem}")
    table = Check(assignment).all(vars(sys.modules["__main__"]))
    report = {"table": repr(table), "complete": table.complete, "problems": problems}
    Path(result).write_text(json.dumps(report), encoding="utf-8")


def without_magics(source: str) -> str:
    """Replace IPython's own lines by ``pass``, indented alike."""
    return re.sub(r"^(\s*)[%!?].*$", r"\1pass", source, flags=re.MULTILINE)


def _run(source: str, name: str) -> str:
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        exec(compile(source, name, "exec"), vars(sys.modules["__main__"]))
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    return ""
