"""Points and comments that a person gives: the student keeps them through every regrading."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from coursekit.grading.grader.gradebook import Gradebook, GradebookError
from coursekit.grading.grader.notebooks import one_text
from coursekit.grading.grader.pages import number
from coursekit.grading.grader.standing import standings
from coursekit.grading.grader.tables import csv_text, read_csv

LONGEST_COMMENT = 10_000
COLUMNS = ["student", "question", "possible", "rubric", "answer", "points", "comment"]


@dataclass(frozen=True)
class Mark:
    """What a person gives one answer; ``points`` None leaves the grader's."""

    student: str
    question: str
    points: float | None
    comment: str = ""


def give(book: Gradebook, marks: list[Mark], by: str = "") -> None:
    """Record marks, all of them or, where one is wrong, none.

    Raises
    ------
    GradebookError
        For an unknown student or question, or points outside 0 to the question's.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for mark in marks:
        _valid(book, mark)
    codes = {s.student: s.attempt["code"] if s.attempt else None for s in standings(book)}
    with book.transaction() as db:
        for m in marks:
            row = (m.student, m.question, m.points, one_text(m.comment)[:LONGEST_COMMENT])
            db.execute(
                "INSERT OR REPLACE INTO manual VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row, by, now, codes.get(m.student)),
            )


def _valid(book: Gradebook, mark: Mark) -> None:
    if not book.rows("SELECT id FROM students WHERE id = ?", mark.student):
        raise GradebookError(f"No student {mark.student!r} is in this gradebook.")
    found = book.rows("SELECT points FROM questions WHERE id = ? AND NOT retired", mark.question)
    if not found:
        ids = [r["id"] for r in book.rows("SELECT id FROM questions WHERE NOT retired")]
        raise GradebookError(f"No question {mark.question!r}; there are {', '.join(ids)}.")
    most = found[0]["points"]
    if mark.points is not None and not 0 <= mark.points <= most:
        raise GradebookError(
            f"{mark.student}, {mark.question}: {mark.points:g} points came; "
            f"0 to {number(most)} are possible."
        )


def sheet(book: Gradebook) -> str:
    """A CSV to fill in: every free answer that counts, with its rubric and the marks so far."""
    rows = []
    for s in standings(book):
        for line in s.lines:
            if line.question["kind"] == "manual" and line.score.get("text"):
                rubric = line.question["rubric"]
                given = line.manual or {"points": None, "comment": ""}
                points = "" if given["points"] is None else given["points"]
                row = [s.student, line.question["id"], line.question["points"], rubric]
                rows.append([*row, line.score["text"], points, given["comment"]])
    return csv_text(COLUMNS, rows)


def read_sheet(path: Path) -> list[Mark]:
    """Marks from a CSV with ``student``, ``question``, ``points`` and ``comment``.

    Lines without points and without a comment are left out.

    Raises
    ------
    GradebookError
        If a column is missing or points are not a number.
    """
    rows = read_csv(path)
    missing = [c for c in ("student", "question", "points") if rows and c not in rows[0]]
    if missing:
        named = ", ".join(missing)
        raise GradebookError(f"{path} has no column {named}; --sheet writes one that has.")
    return [_mark(path, row) for row in rows if row["points"] or row.get("comment")]


def _mark(path: Path, row: dict[str, str]) -> Mark:
    student, text = row["student"].removeprefix("'"), row["points"].replace(",", ".")
    try:
        points = float(text) if text else None
    except ValueError as error:
        raise GradebookError(
            f"{path}: {student}, {row['question']} has {row['points']!r} where points are wanted."
        ) from error
    return Mark(student, row["question"], points, row.get("comment", "").removeprefix("'"))
