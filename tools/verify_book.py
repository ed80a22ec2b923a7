"""Prove that a built site is whole, so that a green build cannot publish nothing."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import yaml
from bs4 import BeautifulSoup

from editions import glued_values, is_glue

# What the downloads folder holds, and what each file must hold.
PACKED = {
    "*.whl": "*.ipynb",
    "from-loss-to-silicon.zip": "*.ipynb",
    "from-loss-to-silicon-slides.zip": "slides/*.html",
    "from-loss-to-silicon.epub": "book/*.xhtml",
}
FEWEST_WORDS = 60  # a page with less text than this is an empty shell


class BrokenBookError(RuntimeError):
    """The built site lacks something; the message lists all that was found."""


def pages_of_toc(root: Path) -> list[str]:
    """Every page that the table of contents names, without suffix."""

    def walk(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (
                str(Path(node[key]).with_suffix("")) for key in ("root", "file") if key in node
            )
            for value in node.values():
                yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    return list(walk(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))))


def missing_pages(pages: list[str], site: Path) -> Iterator[str]:
    """Pages that were not written, or hold next to nothing."""
    for page in [*pages, "index"]:
        file = site / f"{page}.html"
        if not file.is_file():
            yield f"{page}.html was not written"
        elif page != "index" and len(words_of(file)) < FEWEST_WORDS:
            yield f"{page}.html holds fewer than {FEWEST_WORDS} words"


def words_of(file: Path) -> list[str]:
    """Words of the page's main part."""
    page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
    main = page.find("main") or page.find("body")
    return main.get_text(" ").split() if main else []


def shown_outputs(cell: dict) -> bool:
    """Whether the page should show outputs of this cell."""
    hidden = {"remove-cell", "remove-output"} & set(cell["metadata"].get("tags", []))
    return not hidden and any(not is_glue(output) for output in cell["outputs"])


def empty_outputs(root: Path, site: Path) -> Iterator[str]:
    """Notebooks with cells that never ran, or whose page lost outputs on the way."""
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        nb = json.loads(path.read_text(encoding="utf-8"))
        cells = [
            c for c in nb["cells"] if c["cell_type"] == "code" and "".join(c["source"]).strip()
        ]
        if any(cell["execution_count"] is None for cell in cells):
            yield f"notebooks/{path.name} has cells that never ran: run `make notebooks`"
        text = (site / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        boxes = BeautifulSoup(text, "html.parser").select("div.cell_output")
        filled = [box for box in boxes if box.get_text().strip() or box.find(True)]
        wanted = sum(shown_outputs(cell) for cell in cells)
        if len(filled) < wanted or len(boxes) != len(filled):
            yield f"{path.stem}.html shows {len(filled)} filled outputs of {wanted} in the notebook"
        if not glued_values(nb) and "{glue:" in path.read_text(encoding="utf-8"):
            yield f"notebooks/{path.name} refers to glued values and stores none"


def missing_downloads(root: Path, site: Path) -> Iterator[str]:
    """Editions, exercises, wheel or zip that are absent or unreadable."""
    folder = site / "downloads"
    for room in ("notebooks", "exercises"):
        for path in sorted((root / room).glob("*.ipynb")):
            if not (folder / room / path.name).is_file():
                yield f"downloads/{room}/{path.name} is missing"
    for pattern, member in PACKED.items():
        found = list(folder.glob(pattern))
        if len(found) != 1:
            yield f"downloads/ holds {len(found)} files {pattern}; wanted: one"
        for file in found:
            with zipfile.ZipFile(file) as archive:
                names, broken = archive.namelist(), archive.testzip()
            if broken or not any(fnmatch(name, member) for name in names):
                yield f"downloads/{file.name} holds no {member} or is damaged"


def missing_decks(root: Path, site: Path) -> Iterator[str]:
    """Chapters without their slides."""
    for page in pages_of_toc(root):
        stem = page.removeprefix("notebooks/")
        if stem[:2].isdigit() and not (site / "slides" / f"{stem}.html").is_file():
            yield f"slides/{stem}.html was not written"


def verify(root: Path, site: Path) -> int:
    """Number of pages, after every check passed."""
    pages = pages_of_toc(root)
    problems = list(missing_pages(pages, site))
    if not problems:
        problems = [*empty_outputs(root, site), *missing_downloads(root, site)]
        problems += missing_decks(root, site)
    if problems:
        raise BrokenBookError("The site is not whole:\n" + "\n".join(f"  {p}" for p in problems))
    return len(pages)
