"""``from-notebook``: a figure as a chapter's notebook drew it, shown on another page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from .pictures import colours, inline


def outputs(notebook: Path, mime: str) -> Iterator[str]:
    """Yield the cells' outputs of one MIME type, in order."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            if mime in output.get("data", {}):
                yield output["data"][mime]


class FromNotebook(SphinxDirective):
    """Show the first figure of the notebook (the argument) whose text contains `:text:`."""

    required_arguments = 1
    option_spec = {"text": directives.unchanged_required, "live": directives.flag}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Copy the figure into this page."""
        root = Path(self.env.srcdir)
        notebook = root / "notebooks" / f"{self.arguments[0]}.ipynb"
        self.env.note_dependency(str(notebook))
        mime = "text/html" if "live" in self.options else "image/svg+xml"
        wanted = self.options["text"]
        figure = next((f for f in outputs(notebook, mime) if wanted in f), None)
        if figure is None:
            raise self.error(f"{notebook.name} has no {mime} output that contains {wanted!r}.")
        if mime == "image/svg+xml":
            prefix = f"s{self.env.new_serialno('showcase')}"
            figure = inline(figure, colours(root), prefix=prefix)
        return [nodes.raw("", f'<div class="ck-picture">{figure}</div>', format="html")]


def setup(app: Any) -> None:
    """Register the directive."""
    app.add_directive("from-notebook", FromNotebook)
