"""Under the heading of each section: how long it takes to read, and how steep it is."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from .furniture import edit_source, stem_of
from .reading import CLOSING, Effort, section_efforts


def line(label: str, effort: Effort) -> str:
    """Words for the line: minutes, and the step where the section is read through."""
    step = "" if label.rpartition("-")[2] in CLOSING else f" · {effort.step}"
    return f"{effort.minutes} min{step}"


class Pace(SphinxPostTransform):
    """Put the line under the headings of a chapter's labelled sections."""

    default_priority = 850
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Find the sections by their labels."""
        root, docname = Path(self.app.srcdir), self.env.docname
        source = edit_source(root, docname)
        if not stem_of(docname) or not source:
            return
        efforts = section_efforts((root / source).read_text(encoding="utf8"))
        for section in self.document.findall(nodes.section):
            label = next((name for name in section["names"] if name in efforts), None)
            if label:
                text = escape(line(label, efforts[label]))
                html = f'<p class="ck-pace">{text}</p>'
                section.insert(1, nodes.raw("", html, format="html"))


def setup(app: Any) -> None:
    """Register the transform."""
    app.add_post_transform(Pace)
