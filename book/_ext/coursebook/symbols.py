"""A chapter's symbols lead to the page of notation: each where the chapter first uses it.

The sections of ``book/notation.md`` carry the names of chapters. The first formula within a line
of a chapter that is exactly a symbol of its section becomes a link to the symbol's row, with the
meaning as its title.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

PAGE = "book/notation"
SECTION = re.compile(r"^\(sec-notation-(?P<name>[\w-]+)\)=$", re.MULTILINE)
ROLE = re.compile(r"\{[a-z:]+\}`([^`<]+?)(?:\s*<[^>]+>)?`")
SHARED = {"basics": ("basics", "probability", "objectives")}  # chapter 1 fills three sections
# Uses of a letter to pass over, since the chapter means something else by it there.
NEVER = 99
OTHERWISE = {
    "basics": {"q": NEVER},  # the distribution
    "backprop": {"m": NEVER, "s": NEVER},  # quantities on the way, a stride
    "transformer": {"P": NEVER, "H": NEVER, "V": NEVER},  # a permutation, gaps, the vocabulary
    "generative": {"w": 3},  # a style
    "hardware": {"m": 1, "M": 1, "s": NEVER},  # rows, keys, a sign
    "semiconductors": {"c": NEVER},  # corners
    "landscape": {"v": NEVER},  # a share
}
APART = (nodes.title, nodes.table, nodes.reference)


@dataclass(frozen=True)
class Symbol:
    """A row of the page of notation: where it is, and what it says."""

    anchor: str
    meaning: str


def read_symbols(root: Path) -> dict[str, dict[str, Symbol]]:
    """Section -> TeX -> row, from the tables of the page."""
    parts = SECTION.split((root / f"{PAGE}.md").read_text(encoding="utf8"))[1:]
    return {name: _rows(name, text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def _rows(section: str, text: str) -> dict[str, Symbol]:
    found: dict[str, Symbol] = {}
    rows = [line for line in text.splitlines() if line.startswith("| $")]
    for place, row in enumerate(rows):
        cells = re.split(r"(?<!\\)\|", row.strip("|"))
        symbol = Symbol(f"symbol-{section}-{place + 1}", ROLE.sub(r"\1", cells[1]).strip())
        for tex in re.findall(r"\$([^$]+)\$", cells[0]):
            found.setdefault(tex, symbol)
    return found


def sections_of(package: str) -> tuple[str, ...]:
    """Sections of the page that a chapter's letters are looked up in."""
    return SHARED.get(package, (package,))


class LinkSymbols(SphinxPostTransform):
    """Name the rows on the page of notation, and link to them from the chapters."""

    default_priority = 860
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Treat one page."""
        root, docname = Path(self.app.srcdir), self.env.docname
        if docname == PAGE:
            self.name_rows()
        elif docname.startswith("notebooks/"):
            known = read_symbols(root)
            package = docname.partition("-")[2]
            own = [known[name] for name in sections_of(package) if name in known]
            symbols = {tex: symbol for table in own for tex, symbol in table.items()}
            self.link(symbols, dict(OTHERWISE.get(package, {})))

    def name_rows(self) -> None:
        """Give each row of a section its anchor."""
        for section in self.document.findall(nodes.section):
            name = next((n for n in section["names"] if n.startswith("sec-notation-")), "")
            bodies = [body for body in section.findall(nodes.tbody) if name]
            for place, row in enumerate(row for body in bodies for row in body):
                row["ids"].append(f"symbol-{name.removeprefix('sec-notation-')}-{place + 1}")

    def link(self, waiting: dict[str, Symbol], passing: dict[str, int]) -> None:
        """Link the first use of each symbol, after those to pass over."""
        page = self.app.builder.get_relative_uri(self.env.docname, PAGE)
        for formula in list(self.document.findall(nodes.math)):
            tex = formula.astext()
            if tex not in waiting or _within(formula, APART):
                continue
            if passing.get(tex, 0):
                passing[tex] -= 1
                continue
            symbol = waiting.pop(tex)
            link = nodes.reference(
                refuri=f"{page}#{symbol.anchor}",
                reftitle=symbol.meaning,
                classes=["ck-symbol"],
                internal=True,
            )
            formula.replace_self(link)
            link += formula


def _within(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def setup(app: Any) -> None:
    """Register the transform, and read the chapters anew when the page of notation changes."""
    app.add_post_transform(LinkSymbols)
    app.connect("env-get-outdated", _chapters_when_changed)


def _chapters_when_changed(
    app: Any, env: Any, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Chapters to write again, since their links carry the page's words."""
    return [d for d in env.found_docs if d.startswith("notebooks/")] if PAGE in changed else []
