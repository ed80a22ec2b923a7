"""``download-list`` and ``download``: links to the files that the build puts beside the pages."""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .sheets import sheet_of

FOLDER = "downloads"
ZIP = "from-loss-to-silicon.zip"
SLIDES = "from-loss-to-silicon-slides.zip"
EPUB = "from-loss-to-silicon.epub"


def wheel(root: Path) -> str:
    """Name of the library's wheel."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf8"))["project"]
    return f"{project['name']}-{project['version']}-py3-none-any.whl"


def title(notebook: Path) -> str:
    """Return the notebook's first heading."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        for line in cell.source.splitlines():
            if cell.cell_type == "markdown" and line.startswith("# "):
                return line[2:].strip()
    return notebook.stem


class DownloadList(SphinxDirective):
    """Every notebook of the book, with its exercises, and what holds all of it."""

    def run(self) -> list[nodes.Node]:
        """Write the table."""
        root = Path(self.env.srcdir)
        up = "../" * self.env.docname.count("/") + FOLDER
        docs = [d for d in self.env.found_docs if d.startswith("notebooks/")]
        rows = ""
        for path in sorted((root / f"{doc}.ipynb" for doc in docs), key=_order):
            self.env.note_dependency(str(path))
            links = [_link(f"{up}/notebooks/{path.name}", path.name)]
            if (root / "exercises" / path.name).is_file():
                links.append(_link(f"{up}/exercises/{path.name}", "exercises"))
            if path.name[0].isdigit():
                url = f"{up.removesuffix(FOLDER)}slides/{path.stem}.html"
                links.append(f'<a href="{url}">slides</a>')
            if sheet := sheet_of(self.env.app, path.stem):
                url = self.env.app.builder.get_relative_uri(self.env.docname, sheet)
                links.append(f'<a href="{url}">on one page</a>')
            rows += f"<tr><td>{escape(title(path))}</td><td>{' '.join(links)}</td></tr>"
        table = f"<table><thead><tr><th>notebook</th><th>file</th></tr></thead>{rows}</table>"
        archive = _link(f"{up}/{ZIP}", "All notebooks, exercises and the library")
        book = _link(f"{up}/{EPUB}", "The book as an EPUB")
        slides = _link(f"{up}/{SLIDES}", "All slides")
        library = _link(f"{up}/{wheel(root)}", "The library alone")
        whole = f'<div class="ck-start"><p>{archive}{book}{slides}{library}</p></div>'
        return [nodes.raw("", f'{whole}<div class="ck-table">{table}</div>', format="html")]


def _order(path: Path) -> tuple[bool, str]:
    return (not path.name[0].isdigit(), path.name)


def _link(url: str, text: str) -> str:
    return f'<a href="{url}" download>{escape(text)}</a>'


def setup(app: Any) -> None:
    """Register the directive."""
    app.add_directive("download-list", DownloadList)
