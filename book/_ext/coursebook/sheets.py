"""One sheet a chapter, made from the chapter's own page: no text of it is written twice.

``<!-- sheet: 01-basics -->`` on a page becomes the chapter's question, its summary, what its boxes
say to take away, its numbered equations, its symbols, its mistakes, and its sections with the
minutes they take. ``<!-- sheet-list -->`` becomes links to all sheets, ``<!-- course-load -->``
a table of what each chapter asks: minutes, exercises, points.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursekit.chapters import planned

from .equations import FENCE, LABEL
from .glued import glued_values
from .reading import CLOSING, Effort, effort, minutes, section_texts

LIST, LOAD = "<!-- sheet-list -->", "<!-- course-load -->"
MARKER = re.compile(r"^<!-- sheet: ([\w-]+) -->$", re.MULTILINE)
FOLDER = "book/sheets"
TAKEAWAY = re.compile(
    r"^(:{3,})\{admonition\}[^\n]*\n:class: takeaway\n(?P<body>.*?)^\1$", re.MULTILINE | re.DOTALL
)
EQUATION = re.compile(r"\$\$(?P<body>[^$]+?)\$\$[ \t]*\((?P<label>[\w-]+)\)")
ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
LEAD = re.compile(r"^(?:\*\*(?P<bold>[^*]+)\*\*|### (?P<heading>.+))", re.MULTILINE)
BULLET = re.compile(r"^- .+?(?=^- |^\S|\Z)", re.MULTILINE | re.DOTALL)
GLUE = re.compile(r"\{glue:text\}`([^`]+)`")
DOC = re.compile(r"(\{doc\}`(?:[^`<]*<)?)([0-9a-z][\w-]*)(>?`)")


@dataclass(frozen=True)
class Sheet:
    """What a chapter's sheet shows, in the Markdown of its page."""

    stem: str
    question: str
    minutes: int
    summary: list[str]
    takeaways: list[str]
    equations: dict[str, str]  # label -> TeX
    symbols: list[str]  # the table's lines
    mistakes: list[str]
    sections: dict[str, Effort]


def read_sheet(root: Path, stem: str) -> Sheet:
    """Read a chapter's page; ValueError where a part of the sheet is not on it."""
    page = (root / "book" / f"{stem}.md").read_text(encoding="utf8")
    package = stem.partition("-")[2]
    texts = section_texts(page)
    prose = FENCE.sub("", page)

    def closing(name: str) -> str:
        return FENCE.sub("", texts.get(f"sec-{package}-{name}", ("", ""))[1])

    sheet = Sheet(
        stem=stem,
        question=next(chapter.question for chapter in planned() if chapter.stem == stem),
        minutes=minutes(page),
        summary=[_one_line(found) for found in BULLET.findall(closing("summary"))],
        takeaways=[_one_line(found["body"]) for found in TAKEAWAY.finditer(prose)],
        equations={f["label"]: f["body"].strip() for f in EQUATION.finditer(prose)},
        symbols=ROW.findall(closing("symbols")),
        mistakes=[_title(found) for found in LEAD.finditer(closing("mistakes"))],
        sections={
            label: effort(text)
            for label, (_, text) in texts.items()
            if label.rpartition("-")[2] not in CLOSING
        },
    )
    missing = [name for name, part in vars(sheet).items() if not part]
    if lost := set(LABEL.findall(prose)) - set(sheet.equations):
        missing.append(f"equations {', '.join(sorted(lost))}")
    if missing:
        raise ValueError(f"book/{stem}.md: its sheet has no {', '.join(missing)}.")
    return sheet


def _one_line(text: str) -> str:
    return " ".join(text.removeprefix("- ").split())


def _title(found: re.Match[str]) -> str:
    return (found["bold"] or found["heading"]).strip()


def markdown(sheet: Sheet) -> str:
    """Write the sheet as MyST Markdown."""
    parts = [
        f"**{sheet.question}** {{doc}}`Read the chapter </notebooks/{sheet.stem}>`, about "
        f"{sheet.minutes} minutes.",
        "## In short\n\n" + _list(sheet.summary),
        "## To take away\n\n" + _list(sheet.takeaways),
        "## Equations\n\n" + "\n\n".join(_equation(*pair) for pair in sheet.equations.items()),
        "## Symbols\n\n" + "\n".join(sheet.symbols),
        "## Mistakes that are shown\n\n" + _list(sheet.mistakes),
        "## Sections\n\n" + _list([_section(*pair) for pair in sheet.sections.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def _list(items: list[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _equation(label: str, tex: str) -> str:
    name = " ".join(label.split("-")[2:])
    return f"{{eq}}`{label}` {name}\n\n$$\n{tex}\n$$"


def _section(label: str, found: Effort) -> str:
    return f"{{ref}}`{label}`: {found.minutes} min, {found.step}"


def elsewhere(text: str, glued: dict[str, str]) -> str:
    """Make a chapter's Markdown hold on another page: glued values as words, pages in full."""
    text = GLUE.sub(lambda found: glued[found[1]], text)
    return DOC.sub(r"\1/notebooks/\2\3", text)


def page(root: Path, stem: str) -> str:
    """Write the whole sheet for a page of its own."""
    notebook = root / "notebooks" / f"{stem}.ipynb"
    glued = glued_values(json.loads(notebook.read_text(encoding="utf8")))
    return elsewhere(markdown(read_sheet(root, stem)), glued)


def sheet_of(app: Any, stem: str) -> str:
    """Name of the page that holds a chapter's sheet, or nothing."""
    docname = f"{FOLDER}/sheet-{stem}"
    return docname if docname in app.env.found_docs else ""


def fill(app: Any, docname: str, source: list[str]) -> None:
    """Replace the marker by the sheet, and read it anew when the chapter changes."""
    root = Path(app.srcdir)
    for stem in MARKER.findall(source[0]):
        for file in (f"book/{stem}.md", f"notebooks/{stem}.ipynb"):
            app.env.note_dependency(str(root / file))
    source[0] = MARKER.sub(lambda found: page(root, found[1]), source[0])
    if LIST in source[0]:
        source[0] = source[0].replace(LIST, _links(app))
    if LOAD in source[0]:
        source[0] = source[0].replace(LOAD, _load(app))


def _links(app: Any) -> str:
    """One line a chapter that has a sheet: its question, with the link."""
    found = [(chapter, sheet_of(app, chapter.stem)) for chapter in planned()]
    return _list([f"{{doc}}`{c.short} </{doc}>`: {c.question}" for c, doc in found if doc])


def load_table(root: Path, published: list[str]) -> str:
    """Write a row a chapter: minutes of reading, checked exercises and points, open ones."""
    rows = ["| chapter | minutes | checked | points | open | points |", "|---|--:|--:|--:|--:|--:|"]
    for stem in published:
        checks = root / "src" / "coursekit" / "grading" / "checks" / f"{stem}.json"
        questions = json.loads(checks.read_text(encoding="utf8"))["questions"]
        kinds = [[q["points"] for q in questions if q["kind"] == k] for k in ("code", "manual")]
        counts = " | ".join(f"{len(points)} | {sum(points)}" for points in kinds)
        read = minutes((root / "book" / f"{stem}.md").read_text(encoding="utf8"))
        rows.append(f"| {{doc}}`/notebooks/{stem}` | {read} | {counts} |")
    return "\n".join(rows)


def _load(app: Any) -> str:
    """Write the table, and read it anew when a chapter or its exercises change."""
    root = Path(app.srcdir)
    found = [c.stem for c in planned() if f"notebooks/{c.stem}" in app.env.found_docs]
    for stem in found:
        for file in (f"book/{stem}.md", f"src/coursekit/grading/checks/{stem}.json"):
            app.env.note_dependency(str(root / file))
    return load_table(root, found)


def setup(app: Any) -> None:
    """Register the hook."""
    app.connect("source-read", fill)
