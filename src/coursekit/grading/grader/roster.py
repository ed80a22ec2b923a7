"""The class list as the LMS exports it: who should hand in, and the columns it wants back."""

from pathlib import Path
from typing import Any

from coursekit.grading.grader.names import clean
from coursekit.grading.grader.tables import read_csv

# Headings of the systems' own exports, the best id first: it is the one in the files' names.
IDS = {
    "canvas": ("ID", "SIS User ID"),
    "moodle": ("Identifier", "ID number", "Email address", "Username"),
    "blackboard": ("Username", "Student ID"),
    "plain": ("student", "id", "username", "email"),
}
NAMES = ("Student", "Full name", "name", "Name")
MARKS = {"canvas": "SIS Login ID", "moodle": "Full name", "blackboard": "Last Access"}


def read_roster(path: Path) -> dict[str, dict[str, Any]]:
    """Students by id, each with ``name``, ``system`` and the LMS's own ``columns``.

    Moodle's ``Participant 123`` becomes ``123``, the number in its files' names. Canvas's lines
    without an id (``Points Possible``) are left out.

    Raises
    ------
    ValueError
        If no column holds an id, or two students share one.
    """
    rows = read_csv(path)
    headings = list(rows[0]) if rows else []
    system = _system(headings)
    column = next((c for c in IDS[system] if c in headings), None)
    if column is None:
        came, wanted = ", ".join(headings) or "no columns", " or ".join(IDS[system])
        raise ValueError(f"{path} has {came}; a column {wanted} is wanted.")
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if not row[column]:
            continue
        student = clean(row[column].removeprefix("Participant ").lstrip("'"))
        if student in found:
            raise ValueError(f"{path} has {student!r} twice in the column {column!r}.")
        found[student] = {"name": _name(row), "system": system, "columns": row}
    return found


def _system(headings: list[str]) -> str:
    return next((name for name, mark in MARKS.items() if mark in headings), "plain")


def _name(row: dict[str, str]) -> str:
    named = next((row[c] for c in NAMES if row.get(c)), "")
    parts = [row[c] for c in ("First Name", "First name", "Last Name", "Surname") if row.get(c)]
    return clean(named or " ".join(parts)) if named or parts else ""
