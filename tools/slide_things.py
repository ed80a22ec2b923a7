"""What of a chapter is shown on a slide, and what is said: the page's article as one stream.

Headings, equations, code and its outputs, pictures, tables, lists and takeaways are shown. Prose is
for the speaker's notes. Heights are estimates in pixels of a slide 1280 wide and 720 high; they
decide what shares a slide, and the presenter shrinks what does not fit.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from bs4 import Tag

from built_page import TAG, BuiltPage

SHOWN_BOXES = {"takeaway", "mistake"}
CODE_LINE, SMALL_CODE_LINE, TEXT_LINE, TABLE_ROW, GAP = 35, 30, 38, 50, 42
CODE_WIDTH = 80  # characters; wider code is set smaller
TEXT_WIDTH = 92  # characters of a line of text
LINES_OF_OUTPUT, ROWS_OF_TABLE, LINES_OF_LIST = 14, 8, 12
PICTURE_WIDTH, PICTURE_HEIGHT = 1180, 520
SIZE = re.compile(r'viewBox="[\d.\s-]*?([\d.]+)\s+([\d.]+)"')
QUOTING = re.compile(r"glue\(.*\)(?:\s*#.*)?")
HOUSEKEEPING = re.compile(
    r"\s*(?:import |from \S+ import |style\.use\(|glue\(|torch\.set_num_threads|seeded = |[)#]|$)"
)


@dataclass
class Heading:
    """A heading of a section: it opens a slide."""

    level: int
    title: str
    anchors: list[str]


@dataclass
class Prose:
    """Text for the notes; `tag` may be a paragraph or a box."""

    tag: Tag


@dataclass
class Thing:
    """Something that a slide shows."""

    kind: str  # equation, code, small-code, output, picture, live, list, table or box
    html: str
    height: int


Part = Heading | Prose | Thing


def parts(page: BuiltPage) -> Iterator[Part]:
    """The article in reading order."""
    for section in page.article.find_all("section", recursive=False):
        yield from _section(section, page)


def _section(section: Tag, page: BuiltPage) -> Iterator[Part]:
    anchors = [str(section.get("id", ""))]
    for child in section.find_all(True, recursive=False):
        if child.name == "section":
            yield from _section(child, page)
        elif child.name == "span" and child.get("id"):
            anchors.append(str(child["id"]))
        elif re.fullmatch("h[1-4]", child.name):
            yield Heading(int(child.name[1]), child.decode_contents().strip(), anchors)
        else:
            yield from _block(child, page)


def _block(tag: Tag, page: BuiltPage) -> Iterator[Part]:
    classes = set(tag.get("class") or [])
    if "ck-pace" in classes:
        return
    if "cell" in classes:
        yield from _cell(tag, page)
    elif "ck-equation" in classes:
        yield equation(tag)
    elif "ck-table" in classes:
        yield from tables(tag)
    elif tag.name in ("ul", "ol"):
        yield from lists(tag)
    elif classes & SHOWN_BOXES:
        yield Thing("box", str(tag), 90 + TEXT_LINE * lines_of(tag))
    else:
        yield Prose(tag)


def lines_of(tag: Tag) -> int:
    """Lines that the element's text takes on a slide; a formula's TeX is longer than it looks."""
    text = " ".join(tag.get_text().split())
    return max(1, round(len(re.sub(r"\\[A-Za-z]+", "m", text)) / TEXT_WIDTH + 0.4))


def equation(tag: Tag) -> Thing:
    """A displayed equation with its number; the links to test and code stay on the page."""
    shown = copy.copy(tag)
    for link in shown.select(".ck-checked, .ck-code"):
        link.decompose()
    tex = tag.get_text()
    rows = tex.count(r"\\") + 1
    return Thing("equation", str(shown), 64 * rows + 40)


def tables(tag: Tag) -> Iterator[Thing]:
    """A table, in pieces that fit a slide, each with the head."""
    rows = tag.select("tbody > tr")
    pieces = max(1, -(-len(rows) // ROWS_OF_TABLE))
    size = -(-len(rows) // pieces)
    for start in range(0, max(1, len(rows)), max(1, size)):
        piece = copy.copy(tag)
        for number, row in enumerate(piece.select("tbody > tr")):
            if not start <= number < start + size:
                row.decompose()
        lines = sum(map(lines_of_row, rows[start : start + size]))
        yield Thing("table", str(piece), round(TABLE_ROW * (lines + 1)))


def lines_of_row(row: Tag) -> float:
    """Height of a table's row in rows of one line."""
    cells = row.select("td")
    return max(1.0, sum(len(cell.get_text()) for cell in cells) / 110)


def lists(tag: Tag) -> Iterator[Thing]:
    """A list, in pieces that fit a slide."""
    items = tag.find_all("li", recursive=False)
    lines = sum(map(lines_of, items))
    share = lines / max(1, -(-lines // LINES_OF_LIST))
    piece: list[Tag] = []
    for item in items:
        if piece and sum(map(lines_of, [*piece, item])) > share + 1:
            yield _list(tag.name, piece)
            piece = []
        piece.append(item)
    yield _list(tag.name, piece)


def _list(name: str, items: list[Tag]) -> Thing:
    height = sum(TEXT_LINE * lines_of(item) + 10 for item in items)
    return Thing("list", f"<{name}>{''.join(map(str, items))}</{name}>", height)


# --- a cell ---------------------------------------------------------------------------------------


def _cell(cell: Tag, page: BuiltPage) -> Iterator[Thing]:
    """Code, if the page shows it unfolded and it does more than prepare; then what came out."""
    outputs = [output(tag, page) for tag in cell.select(".cell_output > *")]
    source = None if cell.select_one("details.hide") else cell.select_one(".cell_input")
    drawn = [thing for thing in outputs if thing.kind in ("live", "picture")]
    if source is not None and prepares(page.code_in(source)):
        yield from drawn
        return
    if source is not None and not any(thing.kind == "live" for thing in drawn):
        yield code(source, page)
    yield from outputs


def code(source: Tag, page: BuiltPage) -> Thing:
    """The code of a cell without the lines that only hand a number to the text."""
    lines = page.kept_in(source).split("\n")
    shown = [line for line in lines if not QUOTING.fullmatch(TAG.sub("", line))]
    html = f'<div class="highlight">{page.keep(chr(10).join(shown))}</div>'
    if max(len(unescape(TAG.sub("", line))) for line in shown) > CODE_WIDTH:
        return Thing("small-code", html, SMALL_CODE_LINE * (len(shown) - 1) + GAP)
    return Thing("code", html, CODE_LINE * (len(shown) - 1) + GAP)


def prepares(source: str) -> bool:
    """Whether a cell only imports, sets up and quotes: nothing that a lecture shows."""
    if "print(" in source:
        return False
    lines = source.strip().splitlines()
    idle = sum(bool(HOUSEKEEPING.match(line)) for line in lines)
    return idle * 2 > len(lines) or lines[0].startswith(("import ", "from "))


def output(tag: Tag, page: BuiltPage) -> Thing:
    """One output of a cell: a live figure, a drawing, or text."""
    if tag.select_one("figure.ck-live"):
        return Thing("live", str(tag), 600)
    if "ck-picture" in (tag.get("class") or []):
        return Thing("picture", str(tag), picture_height(page.kept_in(tag)))
    lines = page.code_in(tag).strip().splitlines()
    return Thing("output", str(tag), SMALL_CODE_LINE * min(len(lines), LINES_OF_OUTPUT) + GAP)


def picture_height(svg: str) -> int:
    """Height of a drawing that takes the slide's width, at most the slide's height."""
    size = SIZE.search(svg)
    if not size:
        return PICTURE_HEIGHT
    width, height = float(size[1]), float(size[2])
    return min(PICTURE_HEIGHT, round(PICTURE_WIDTH * height / width))
