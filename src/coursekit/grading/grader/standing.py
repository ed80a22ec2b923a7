"""Where every student stands: the attempt that counts, points by question, lateness, the total."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coursekit.grading.grader import policy as policies
from coursekit.grading.grader.gradebook import Gradebook
from coursekit.grading.grader.policy import Policy


@dataclass(frozen=True)
class Line:
    """One question of one student: what the grader gave, and what a person did.

    ``points`` is None where a person has yet to read the answer.
    """

    question: dict[str, Any]
    score: dict[str, Any]
    manual: dict[str, Any] | None

    @property
    def points(self) -> float | None:
        """The points that count: a person's where there are some."""
        if self.manual and self.manual["points"] is not None:
            return self.manual["points"]
        if self.question["kind"] == "manual" and self.score.get("status") == "for your teacher":
            return None
        return self.score.get("points", 0.0)


@dataclass(frozen=True)
class Standing:
    """One student: ``attempt`` is the row of the submission that counts, None without one."""

    student: str
    name: str
    roster: dict[str, Any]
    attempts: list[dict[str, Any]]
    attempt: dict[str, Any] | None
    result: dict[str, Any] | None
    lines: list[Line] = field(default_factory=list)
    factor: float = 1.0

    @property
    def possible(self) -> float:
        """Points that could be had."""
        return sum(line.question["points"] for line in self.lines)

    @property
    def raw(self) -> float:
        """Points so far, before lateness."""
        return sum(line.points or 0.0 for line in self.lines)

    @property
    def total(self) -> float:
        """Points so far, in hundredths, lateness taken off."""
        return round(self.raw * self.factor, 2)

    @property
    def waiting(self) -> list[str]:
        """Questions that a person has yet to read."""
        return [line.question["id"] for line in self.lines if line.points is None]

    @property
    def unsure(self) -> list[str]:
        """Reasons for which a person should look at this student's result."""
        found = [f"{a['file']}: {a['problem']}" for a in self.attempts if a["problem"]]
        if self.attempt and not self.result and not self.attempt["problem"]:
            found.append("not graded yet")
        if self.result and self.result["failed"]:
            found.append("the grader itself failed on this submission")
        moved = [
            line.question["id"]
            for line in self.lines
            if line.manual
            and self.attempt
            and line.manual["code"] not in (None, self.attempt["code"])
        ]
        return found + [f"{q}: graded by hand on another attempt" for q in moved]


def standings(book: Gradebook, policy: Policy | None = None) -> list[Standing]:
    """Every student of the gradebook or the roster, sorted by id."""
    policy = policy or policies.from_json(book.meta("policy"))
    questions = book.rows("SELECT * FROM questions WHERE NOT retired ORDER BY position")
    scores = _grouped(book.rows("SELECT * FROM scores"), "code")
    results = {row["code"]: _opened(row) for row in book.rows("SELECT * FROM results")}
    manual = _grouped(book.rows("SELECT * FROM manual"), "student")
    handed_in = _grouped(book.rows("SELECT * FROM submissions WHERE present"), "student")
    return [
        _standing(student, handed_in, questions, scores, results, manual, policy)
        for student in book.rows("SELECT * FROM students ORDER BY id")
        if student["roster"] != "{}" or student["id"] in handed_in
    ]


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    lists = {name: json.loads(row[name]) for name in ("events", "cell_errors", "versions")}
    return {**row, **lists}


def _grouped(rows: list[dict], key: str) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def _standing(
    student: dict,
    handed_in: dict[str, list[dict]],
    questions: list[dict],
    scores: dict[str, list[dict]],
    results: dict[str, dict],
    manual: dict[str, list[dict]],
    policy: Policy,
) -> Standing:
    by_hand = {row["question"]: row for row in manual.get(student["id"], [])}
    attempts = [
        _attempt(row, scores.get(row["code"], []), policy)
        for row in sorted(handed_in.get(student["id"], []), key=lambda r: r["attempt"])
    ]
    chosen = policies.counted(attempts, policy)
    code = chosen["code"] or "" if chosen else ""
    found = {row["question"]: row for row in scores.get(code, [])}
    return Standing(
        student["id"],
        student["name"],
        json.loads(student["roster"]),
        attempts,
        chosen,
        results.get(code),
        [Line(q, found.get(q["id"], {}), by_hand.get(q["id"])) for q in questions],
        policy.factor(chosen["days"]) if chosen else 1.0,
    )


def _attempt(row: dict, scores: list[dict], policy: Policy) -> dict[str, Any]:
    when = datetime.fromisoformat(row["submitted"]) if row["submitted"] else None
    days = policy.days(when, bool(row["marked_late"]))
    return {**row, "days": days, "points": sum(s["points"] for s in scores)}
