"""The gradebook in the forms that the usual systems read back."""

import json
from collections.abc import Callable
from typing import Any

from coursekit.grading.grader import classroom
from coursekit.grading.grader.gradebook import Gradebook
from coursekit.grading.grader.standing import Standing, standings
from coursekit.grading.grader.tables import csv_text

ATTEMPT = ("file", "attempt", "submitted", "days", "points", "problem")
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
MOODLE = ("Identifier", "Full name", "Email address", "Status")
BLACKBOARD = ("Last Name", "First Name", "Username", "Student ID")


def export(book: Gradebook, form: str, column: str = "") -> str:
    """The text of one export.

    Parameters
    ----------
    form
        One of :data:`FORMS`.
    column
        The name of the assignment's column in the LMS, for Canvas and Blackboard with the number
        that its own export shows, as in ``Homework 2 (12345)``. Without one, the assignment's name.

    Raises
    ------
    ValueError
        For another form.
    """
    if form not in FORMS:
        raise ValueError(f"The form is {form!r}; one of {', '.join(FORMS)} is wanted.")
    return FORMS[form](standings(book), column or book.meta("assignment"))


def plain(class_: list[Standing], column: str) -> str:
    """Every student with every question, lateness, total and what waits for a person."""
    questions = [line.question["id"] for line in class_[0].lines] if class_ else []
    headings = ["student", "name", "file", "attempts", "days late", *questions]
    rows = [
        [
            *(s.student, s.name, s.attempt["file"] if s.attempt else "", len(s.attempts)),
            s.attempt["days"] if s.attempt else 0,
            *("" if line.points is None else line.points for line in s.lines),
            *(s.total, s.possible, " ".join(s.waiting), "; ".join(s.unsure)),
        ]
        for s in class_
    ]
    return csv_text([*headings, "total", "possible", "to read", "look at"], rows)


def canvas(class_: list[Standing], column: str) -> str:
    """Canvas's gradebook import: its own five columns, the points, and the points possible."""
    possible = ["Points Possible", "", "", "", "", class_[0].possible if class_ else 0]
    rows = [[*_own(s, CANVAS), _points(s)] for s in class_]
    return csv_text([*CANVAS, column], [possible, *rows])


def moodle(class_: list[Standing], column: str) -> str:
    """Moodle's offline grading worksheet, with a line of feedback."""
    rows = [[*_own(s, MOODLE), _points(s), s.possible, _in_a_line(s)] for s in class_]
    return csv_text([*MOODLE, "Grade", "Maximum Grade", "Feedback comments"], rows)


def blackboard(class_: list[Standing], column: str) -> str:
    """Blackboard's work-offline file, comma separated."""
    return csv_text([*BLACKBOARD, column], [[*_own(s, BLACKBOARD), _points(s)] for s in class_])


def _own(s: Standing, columns: tuple[str, ...]) -> list[Any]:
    """The LMS's own columns from the roster; without one, what the file's name told."""
    known = s.roster.get("columns", {})
    fallback = {
        **{"Student": s.name, "ID": s.student, "Full name": s.name, "Username": s.student},
        "Identifier": f"Participant {s.student}",
    }
    return [known.get(c) or fallback.get(c, "") for c in columns]


def _points(s: Standing) -> float | str:
    """The total; nothing yet while a person has to read an answer or look at the submission."""
    return "" if s.waiting or s.unsure else s.total


def _in_a_line(s: Standing) -> str:
    if not s.attempt:
        return "No submission."
    missed = [
        f"{line.question['id']}: {line.score.get('hint') or line.score.get('status', 'not graded')}"
        for line in s.lines
        if line.points is not None and line.points < line.question["points"]
    ]
    return "; ".join(missed) or "All points."


def machine(class_: list[Standing], column: str) -> str:
    """Everything of :func:`plain` and the reasons, as JSON."""
    found = [
        {
            "student": s.student,
            "name": s.name,
            "file": s.attempt["file"] if s.attempt else None,
            "code": s.attempt["code"] if s.attempt else None,
            "attempts": [{key: a[key] for key in ATTEMPT} for a in s.attempts],
            "days late": s.attempt["days"] if s.attempt else 0,
            "total": s.total,
            "possible": s.possible,
            "to read": s.waiting,
            "look at": s.unsure,
            "events": s.result["events"] if s.result else [],
            "questions": {
                line.question["id"]: {
                    "points": line.points,
                    "possible": line.question["points"],
                    "status": line.score.get("status", "not graded"),
                    "hint": line.score.get("hint", ""),
                    "by hand": bool(line.manual),
                }
                for line in s.lines
            },
        }
        for s in class_
    ]
    return json.dumps({"assignment": column, "students": found}, indent=1) + "\n"


FORMS: dict[str, Callable[[list[Standing], str], str]] = {
    "plain": plain,
    "canvas": canvas,
    "moodle": moodle,
    "blackboard": blackboard,
    "json": machine,
    "summary": classroom.summary,
    "classroom": classroom.outcome,
}
