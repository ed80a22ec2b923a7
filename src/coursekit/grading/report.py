"""What a check shows: plain text in a terminal, a small labelled block in a notebook.

Neither relies on colour, and neither holds a time, an address or anything else that differs from
one run to the next.
"""

import json
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files

from coursekit.grading.diagnose import PASSED, Diagnosis
from coursekit.grading.public import PublicQuestion

PRACTICE = "A practice check on public inputs, not a grade."


@cache
def colour(name: str) -> str:
    """One light value of the course's palette."""
    text = (files("coursekit.viz") / "palette.json").read_text(encoding="utf-8")
    return json.loads(text)[name]["light"]


def link(page: str, section: str) -> str:
    """Address of a section of the published chapter."""
    return f"{page}#{section}"


def counted(points: int) -> str:
    """Points in words."""
    return f"{points} point" if points == 1 else f"{points} points"


@dataclass(frozen=True, repr=False)
class Report:
    """The result of ``check("id")``; ``total`` is empty where a table says it below."""

    question: PublicQuestion
    diagnosis: Diagnosis
    page: str
    total: str

    @property
    def headline(self) -> str:
        """One line: which question, how it stands, and its points."""
        points = counted(self.question.points)
        return (
            f"{self.question.title}: {self.diagnosis.status} ({self.diagnosis.points} of {points})"
        )

    def lines(self) -> list[tuple[str, str]]:
        """Label and text of each part that has something to say."""
        d, q = self.diagnosis, self.question
        case = f" ({d.case})" if d.case else ""
        parts = [("tried" + case, d.tried), ("came back", d.came), ("wanted", d.wanted)]
        parts += [("so", d.says), ("hint", d.hint)]
        if d.status != PASSED:
            parts.append(("read again", f"{q.section_title} {link(self.page, q.section)}".strip()))
        return [(label, text) for label, text in parts if text]

    def __repr__(self) -> str:
        body = [f"  {label}: {_indent(text)}" for label, text in self.lines()]
        last = [f"{self.total} {PRACTICE}"] if self.total else []
        return "\n".join([self.headline, *body, *last])

    def _repr_html_(self) -> str:
        rows = "".join(f"<dt>{_html(a)}</dt><dd>{self._part(a, b)}</dd>" for a, b in self.lines())
        edge = colour("teal" if self.diagnosis.status == PASSED else "copper")
        return (
            f'<section aria-label="Check of {escape(self.question.id)}" '
            f'style="border-left:4px solid {edge};padding:0.2em 1em;margin:0.5em 0">'
            f"<p><strong>{_html(self.headline)}</strong></p><dl>{rows}</dl>"
            f"<p><small>{_html(self.total)} {_html(PRACTICE)}</small></p></section>"
        )

    def _part(self, label: str, text: str) -> str:
        if label == "read again":
            address = escape(link(self.page, self.question.section), quote=True)
            name = self.question.section_title or "the section that this trains"
            return f'<a href="{address}">{_html(name)}</a>'
        if label in ("so", "hint"):
            return _html(text)
        style = "margin:0;white-space:pre-wrap;background:none;color:inherit"
        return f'<pre style="{style}">{escape(text)}</pre>'


@dataclass(frozen=True, repr=False)
class Table:
    """The result of ``check.all()``: every question and how it stands."""

    assignment: str
    rows: list[tuple[PublicQuestion, Diagnosis]]
    total: str

    @property
    def complete(self) -> bool:
        """Whether every question that code can grade is right."""
        return all(d.status == PASSED for q, d in self.rows if q.kind == "code")

    def cells(self) -> list[tuple[str, str, str, str]]:
        """Question, status, points and what to do next, as text."""
        return [
            (q.id, d.status, f"{d.points}/{q.points}", d.hint or _brief(d)) for q, d in self.rows
        ]

    def __repr__(self) -> str:
        rows = [("question", "status", "points", "next"), *self.cells()]
        wide = [max(len(row[i]) for row in rows) for i in range(3)]
        body = [
            "  ".join([*(row[i].ljust(wide[i]) for i in range(3)), row[3]]).rstrip() for row in rows
        ]
        return "\n".join([f"Checks of {self.assignment}", *body, f"{self.total} {PRACTICE}"])

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col" style="text-align:left">{name}</th>'
            for name in ("question", "status", "points", "next")
        )
        body = "".join(
            f'<tr><th scope="row" style="text-align:left">{_html(first)}</th>'
            + "".join(f'<td style="text-align:left">{_html(text)}</td>' for text in rest)
            + "</tr>"
            for first, *rest in self.cells()
        )
        return (
            f"<table><caption>Checks of {_html(self.assignment)}</caption><thead><tr>{head}</tr>"
            f"</thead><tbody>{body}</tbody></table>"
            f"<p><small>{_html(self.total)} {_html(PRACTICE)}</small></p>"
        )


@dataclass(frozen=True, repr=False)
class Note:
    """A few paragraphs of Markdown: the explanation of a question, or why it is still closed."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def _brief(diagnosis: Diagnosis) -> str:
    return "" if diagnosis.status == PASSED else diagnosis.says.split(". ")[0].rstrip(".") + "."


def _indent(text: str) -> str:
    return text.replace("\n", "\n    ")


def _html(text: str) -> str:
    """Escape; `name` becomes code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))
