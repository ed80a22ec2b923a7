"""What a teacher and a student get to see of a hostile batch, searched for what must not be."""

import csv
import io
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from bs4 import BeautifulSoup

from coursekit.grading.public import draw
from coursekit.grading.question import load_questions
from tests.grading.hostile.attack import HERE
from tests.grading.hostile.batch import ASSIGNMENT

FORMATS = ("plain", "canvas", "moodle", "blackboard")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
ACTIVE = {"script", "iframe", "object", "embed", "img", "base", "form", "link"}
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
# C0 and C1 controls but line ends and tabs; characters that turn the direction of text; separators.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]"
)


def html_pages(out: Path) -> dict[str, str]:
    """Every page that the grader wrote."""
    return {p.name: p.read_bytes().decode("utf-8") for p in sorted(out.rglob("*.html"))}


def active(page: str) -> list[str]:
    """What in a page could run, load or hide something."""
    found = []
    for tag in BeautifulSoup(page, "html.parser").find_all(True):
        if tag.name in ACTIVE:
            found.append(str(tag)[:200])
        for name, value in tag.attrs.items():
            if name.startswith("on") or "javascript:" in str(value).lower():
                found.append(f"{tag.name} {name}={value}"[:200])
    return found


def styles(page: str) -> set[str]:
    """The style sheets of a page: one of its own, and none of a student's."""
    return {tag.get_text() for tag in BeautifulSoup(page, "html.parser").find_all("style")}


def tables(out: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Every table that `coursekit gradebook export` makes, read as a spreadsheet would."""
    for name in FORMATS:
        yield name, parsed(export(out, name))


def parsed(text: str) -> list[list[str]]:
    """Rows and cells of a CSV table."""
    return list(csv.reader(io.StringIO(text, newline="")))


def export(out: Path, name: str) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "coursekit", "gradebook", "export", str(out), "--format", name]
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stdout.decode("utf-8")


def formulas(rows: list[list[str]]) -> list[str]:
    """Cells that a spreadsheet would compute."""
    cells = [cell for row in rows for cell in row]
    return [c for c in cells if c.lstrip(" ").startswith(FORMULA) and not NUMBER.fullmatch(c)]


def hidden_values(out: Path, file: str) -> set[str]:
    """Numbers of the fresh inputs that a submission met, as a page would write them."""
    book = sqlite3.connect(f"file:{out / 'gradebook.sqlite'}?mode=ro", uri=True)
    try:
        query = "SELECT question, seed FROM evidence JOIN submissions USING (code) WHERE file = ?"
        seeds = [row for row in book.execute(query, (file,)) if row[1] is not None]
    finally:
        book.close()
    questions = {q.id: q for q in load_questions(HERE / "questions" / ASSIGNMENT)}
    drawn = [case.inputs[0] for question, seed in seeds for case in draw(questions[question], seed)]
    numbers = [v for x in drawn if not isinstance(x[0], str) for v in np.ravel(x)]
    return {f"{abs(v):.5f}" for v in numbers if abs(v) > 1e-3}
