"""One page for every student: points, what happened, and what to read again.

What came from the submission is shown as text. Values are those of the public inputs only; of the
hidden ones the page knows nothing but the kind of difference and the hint.
"""

from pathlib import Path
from typing import Any

from coursekit.grading.diagnose import PASSED
from coursekit.grading.exercises import page as chapter_page
from coursekit.grading.grader.gradebook import Gradebook
from coursekit.grading.grader.pages import Html, file_name, number, page, table, tag, write
from coursekit.grading.grader.standing import Line, Standing, standings
from coursekit.grading.report import link

FOOT = (
    "Your code ran on inputs that were drawn for your submission and are not shown. Examples on "
    "this page use the public inputs of the practice checks. Something looks wrong? Ask your "
    "teacher: every point can be replayed."
)


def write_feedback(book: Gradebook, out: Path, only: str = "") -> list[Path]:
    """Write ``feedback/STUDENT.html`` for every student who handed something in."""
    assignment, written = book.meta("assignment"), []
    for standing in standings(book):
        if standing.attempt and only in ("", standing.student):
            path = out / "feedback" / f"{file_name(standing.student)}.html"
            write(path, feedback(standing, assignment))
            written.append(path)
    return written


def feedback(standing: Standing, assignment: str) -> str:
    """The page of one student."""
    name = standing.name or standing.student
    return page(
        f"{assignment}: {name}",
        tag("h1", f"{assignment}: {name}"),
        tag("p", _total(standing), cls="total"),
        *_attempts(standing),
        *_troubles(standing),
        *(_question(line, assignment) for line in standing.lines if standing.result),
        tag("p", FOOT, cls="muted"),
    )


def _total(s: Standing) -> str:
    text = f"{number(s.total)} of {number(s.possible)} points"
    if s.factor < 1.0:
        text += f" ({number(s.raw)} before the days late, which leave {100 * s.factor:.0f} %)"
    if s.waiting:
        text += f"; {', '.join(s.waiting)} still to be read by your teacher"
    return text + "."


def _attempts(s: Standing) -> list[Html]:
    assert s.attempt is not None
    if len(s.attempts) == 1:
        return [tag("p", _when(s.attempt), cls="muted")]
    rows = [
        [
            str(a["attempt"]),
            a["file"],
            _when(a) + (" Counts." if a is s.attempt else ""),
            number(a["points"]),
        ]
        for a in s.attempts
    ]
    return [table("Your attempts", ["", "file", "handed in", "points by code"], rows, numbers=1)]


def _when(attempt: dict[str, Any]) -> str:
    if attempt["submitted"]:
        text = f"{attempt['file']}, {attempt['submitted'].replace('T', ' ')[:16]} UTC."
    else:
        text = f"{attempt['file']}."
    days = attempt["days"]
    return text + (f" {days} {'day' if days == 1 else 'days'} late." if days else "")


def _troubles(s: Standing) -> list[Html]:
    assert s.attempt is not None
    if s.attempt["problem"]:
        return [tag("p", f"This file could not be graded. {s.attempt['problem']}")]
    if not s.result:
        return [tag("p", "Not graded yet.")]
    cells = s.result["cell_errors"]
    if not cells:
        return []
    items = [tag("li", f"code cell {n}: {text}") for n, text in cells]
    said = "These cells stopped when the notebook ran from top to bottom:"
    return [tag("p", said), tag("ul", *items)]


def _question(line: Line, assignment: str) -> Html:
    q, score = line.question, line.score
    points = "to be read" if line.points is None else number(line.points)
    css = "open" if line.points is None else "full" if line.points >= q["points"] else ""
    heading = tag("h2", tag("span", q["title"]), tag("span", f"{points} / {number(q['points'])}"))
    rows = [(label, part) for label, part in _parts(line, assignment) if part]
    body = [piece for label, part in rows for piece in (tag("dt", label), tag("dd", part))]
    status = tag("p", f"{score.get('status', 'not graded')}", cls="muted")
    return tag("section", heading, status, tag("dl", *body), cls=f"q {css}".strip())


def _parts(line: Line, assignment: str) -> list[tuple[str, str]]:
    q, s = line.question, line.score
    shown = [
        (f"tried{_case(s)}", _pre(s.get("tried", ""))),
        ("came back", _pre(s.get("came", ""))),
        ("wanted", _pre(s.get("wanted", ""))),
        ("so", s.get("says", "")),
        ("hint", s.get("hint", "")),
        ("your answer", _pre(s.get("text", ""))),
    ]
    if line.manual:
        shown += [
            ("your teacher", _pre(line.manual["comment"])),
            ("points by hand", "" if line.manual["points"] is None else "yes"),
        ]
    if s.get("status") not in (PASSED, None) and (title := q["section_title"]):
        address = link(chapter_page(assignment), q["section"])
        shown.append(("read again", tag("a", title, href=address)))
    return shown


def _case(score: dict[str, Any]) -> str:
    return f" ({score['case']})" if score.get("case") and score.get("tried") else ""


def _pre(text: str) -> str:
    return tag("pre", text) if text else ""
