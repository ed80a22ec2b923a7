"""The class at a glance: how the points fall, what is hard, which mistakes are common."""

from collections import Counter
from pathlib import Path
from typing import Any

from coursekit.grading.diagnose import MISSING, PASSED, UNFINISHED
from coursekit.grading.grader.gradebook import Gradebook
from coursekit.grading.grader.pages import Html, number, page, table, tag, write
from coursekit.grading.grader.standing import Standing, standings

BINS = 10
WIDTH, HEIGHT, LEFT, BOTTOM = 640, 200, 36, 24
COMMON = 20


def write_report(book: Gradebook, out: Path) -> Path:
    """Write ``report.html`` for the teacher."""
    path = out / "report.html"
    write(path, report(standings(book), book.meta("assignment")))
    return path


def report(class_: list[Standing], assignment: str) -> str:
    """The page."""
    graded = [s for s in class_ if s.result]
    return page(
        f"{assignment}: the class",
        tag("h1", f"{assignment}: the class"),
        tag("p", _counts(class_, graded), cls="total"),
        tag("h2", "How the points fall"),
        histogram([s.total for s in graded], max((s.possible for s in class_), default=0.0)),
        tag("h2", "Questions, hardest first"),
        _questions(graded),
        tag("h2", "Commonest known mistakes"),
        _mistakes(graded),
        *_attention(class_),
        tag("h2", "Everybody"),
        _everybody(class_),
    )


def _counts(class_: list[Standing], graded: list[Standing]) -> str:
    missing = sum(s.attempt is None for s in class_)
    text = f"{len(class_)} students, {len(graded)} graded, {missing} without a submission."
    if graded:
        totals = sorted(s.total for s in graded)
        mean, middle = sum(totals) / len(totals), totals[len(totals) // 2]
        if len(totals) % 2 == 0:
            middle = (middle + totals[len(totals) // 2 - 1]) / 2
        text += f" Mean {number(mean)}, median {number(middle)} of {number(graded[0].possible)}."
    return text


def histogram(totals: list[float], possible: float) -> Html:
    """Bars of how many totals lie in each tenth of the points, with the counts written on them."""
    counts = [0] * BINS
    for total in totals:
        counts[min(BINS - 1, max(0, int(BINS * total / possible)))] += 1 if possible else 0
    tallest, wide = max([*counts, 1]), (WIDTH - LEFT) / BINS
    parts: list[Html] = []
    for i, count in enumerate(counts):
        high = (HEIGHT - BOTTOM - 20) * count / tallest
        x, y = LEFT + i * wide, HEIGHT - BOTTOM - high
        size = {"width": f"{wide - 4:.1f}", "height": f"{high:.1f}"}
        parts.append(tag("rect", x=f"{x + 2:.1f}", y=f"{y:.1f}", cls="bar", **size))
        if count:
            parts.append(_label(str(count), x + wide / 2, y - 5))
        parts.append(_label(number(possible * i / BINS), x, HEIGHT - 6))
    parts.append(_label(number(possible), WIDTH - 12, HEIGHT - 6))
    words = ", ".join(
        f"{count} between {number(possible * i / BINS)} and {number(possible * (i + 1) / BINS)}"
        for i, count in enumerate(counts)
        if count
    )
    label = f"Histogram of totals: {words or 'nobody yet'}."
    return tag("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", **{"aria-label": label})


def _label(text: str, x: float, y: float) -> Html:
    return tag("text", text, x=f"{x:.1f}", y=f"{y:.1f}", **{"text-anchor": "middle"})


def _questions(graded: list[Standing]) -> Html:
    rows = []
    for i, line in enumerate(graded[0].lines if graded else []):
        lines = [s.lines[i] for s in graded]
        read = [each.points for each in lines if each.points is not None]
        done = bool(read) and len(read) == len(lines)
        share = sum(read) / (len(read) * line.question["points"]) if done else None
        statuses = Counter(each.score.get("status") for each in lines)
        untouched = statuses[UNFINISHED] + statuses[MISSING]
        rows.append((share, [*_named(line.question), str(statuses[PASSED]), str(untouched)]))
    rows.sort(key=lambda row: (row[0] is None, row[0] or 0.0))
    shown = [
        [*cells[:2], "to be read" if share is None else f"{100 * share:.0f} %", *cells[2:]]
        for share, cells in rows
    ]
    headings = ["question", "title", "points earned", "right", "not started"]
    return table("Share of the points that the class earned", headings, shown, numbers=3)


def _named(question: dict[str, Any]) -> list[str]:
    return [question["id"], question["title"]]


def _mistakes(graded: list[Standing]) -> Html:
    hints = Counter(
        (line.question["id"], line.score["hint"].removeprefix("Judging by this input alone: "))
        for s in graded
        for line in s.lines
        if line.score.get("hint")
    )
    rows = [[q, hint, str(count)] for (q, hint), count in hints.most_common(COMMON)]
    if not rows:
        return tag("p", "No answer matched a known mistake.")
    return table("Hints that answers earned", ["question", "hint", "students"], rows, numbers=1)


def _attention(class_: list[Standing]) -> list[Html]:
    """What a person should look at: files that could not be read, processes that were stopped."""
    rows = [[s.student, text] for s in class_ for text in [*s.unsure, *_events(s)]]
    if not rows:
        return []
    return [
        tag("h2", "Look at these"),
        table("Submissions that did not go as they should", ["student", "what"], rows),
    ]


def _events(s: Standing) -> list[str]:
    return list(s.result["events"]) if s.result else []


def _everybody(class_: list[Standing]) -> Html:
    rows = [
        [
            s.student,
            s.name,
            str(len(s.attempts)),
            str(s.attempt["days"]) if s.attempt else "",
            ", ".join(s.waiting),
            number(s.total) if s.attempt else "none",
        ]
        for s in class_
    ]
    headings = ["student", "name", "attempts", "days late", "to read", "points"]
    return table("All students", headings, rows, numbers=1)
