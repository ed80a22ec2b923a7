"""The lectures' errata: a number on their page leads to the box that stands beside the cell.

A box in a chapter names its errata in its title, ``Errata E046 to E048 and E061: dates``. On the
page of errata a row's numbers become links to their boxes; a row without one has its section.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

PAGE = "book/errata"
BOX = re.compile(r"^:::+\{admonition\} (Errat(?:um|a) [^\n:]*)", re.MULTILINE)
NUMBERS = re.compile(r"E(\d{3})(?: to E(\d{3}))?")


def numbers_in(title: str) -> list[str]:
    """Return the numbers that a title names, those between two as well.

    Examples
    --------
    >>> numbers_in("Errata E046 to E048 and E061: dates")
    ['E046', 'E047', 'E048', 'E061']
    """
    return [
        f"E{number:03}"
        for first, last in NUMBERS.findall(title)
        for number in range(int(first), int(last or first) + 1)
    ]


def anchor(number: str) -> str:
    """Return the name of a number's place on its page.

    Examples
    --------
    >>> anchor("E046")
    'erratum-e046'
    """
    return f"erratum-{number.lower()}"


def read_boxes(root: Path) -> dict[str, str]:
    """Number -> stem of the first chapter with its box."""
    found: dict[str, str] = {}
    for path in sorted((root / "book").glob("[01]*.md")):
        for title in BOX.findall(path.read_text(encoding="utf-8")):
            for number in numbers_in(title):
                found.setdefault(number, path.stem)
    return found


class LinkErrata(SphinxPostTransform):
    """Name the boxes in the chapters, and link to them from the page of errata."""

    default_priority = 861
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Treat one page."""
        if self.env.docname == PAGE:
            boxes = read_boxes(Path(self.app.srcdir))
            for row in (r for body in self.document.findall(nodes.tbody) for r in body):
                self.link(row[0], boxes)
        elif self.env.docname.startswith("notebooks/"):
            for box in self.document.findall(nodes.Admonition):
                if "erratum" in box.get("classes", ()):
                    name_box(box, self.document)

    def link(self, cell: nodes.Element, boxes: dict[str, str]) -> None:
        """Turn the numbers of a cell into links."""
        for text in list(cell.findall(nodes.Text)):
            parts: list[nodes.Node] = []
            for piece in re.split(r"(E\d{3})", text.astext()):
                stem = boxes.get(piece)
                parts.append(self.reference(piece, stem) if stem else nodes.Text(piece))
            text.parent.replace(text, parts)

    def reference(self, number: str, stem: str) -> nodes.reference:
        """Return the link to a box."""
        page = self.app.builder.get_relative_uri(PAGE, f"notebooks/{stem}")
        return nodes.reference("", number, refuri=f"{page}#{anchor(number)}", internal=True)


def name_box(box: nodes.Element, document: nodes.document) -> None:
    """Give a box the anchors of its numbers; the first box of a number has it."""
    for number in numbers_in(box[0].astext()):
        name = anchor(number)
        if not any(name in other.get("ids", ()) for other in document.findall(nodes.Admonition)):
            box["ids"].append(name)


def setup(app: Any) -> None:
    """Register the transform, and write the page anew when a box came, went or moved."""
    app.add_post_transform(LinkErrata)
    app.connect("env-get-outdated", _page_when_changed)


def _page_when_changed(
    app: Any, env: Any, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    boxes = read_boxes(Path(app.srcdir))
    before, env.course_errata = getattr(env, "course_errata", None), boxes
    return [PAGE] if before not in (None, boxes) and PAGE in env.found_docs else []
