"""What stands around a page's text: downloads, edit link, reading time, last verification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from .contents import chapters, rooms
from .reading import minutes
from .sheets import FOLDER as SHEETS
from .sheets import sheet_of

UNUSED = ("mystnb", "pygments.css", "basic.css", "design-tabs")
# What docutils and MyST-NB write that a screen reader cannot follow.
MENDED = {
    ' role="doc-biblioentry"': ' role="listitem"',
    '<summary aria-label="Toggle hidden content">': "<summary>",
}


def stem_of(pagename: str) -> str:
    """Name of the notebook behind a page, or nothing."""
    return pagename.removeprefix("notebooks/") if pagename.startswith("notebooks/") else ""


def edit_source(root: Path, pagename: str) -> str:
    """Path of the Markdown that people edit; a page's notebook is made from it."""
    stem = stem_of(pagename)
    source = f"book/{stem}.md" if stem else f"{pagename}.md"
    return source if (root / source).is_file() else ""


def verified(root: Path) -> dict[str, Any]:
    """Read the record of the last complete run of the tests; empty when there is none."""
    for name in ("_build/verified.json", "book/verified.json"):
        if (root / name).is_file():
            return json.loads((root / name).read_text(encoding="utf8"))
    return {}


def description(doctree: nodes.document) -> str:
    """Return the first real paragraph, as the page's description."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 60:
            return text if len(text) < 200 else text[:197].rsplit(" ", 1)[0] + " …"
    return ""


def dress(app: Any, pagename: str, templatename: str, context: dict, doctree: Any) -> None:
    """Give the template what it shows, and load only what the page uses."""
    root = Path(app.srcdir)
    stem = stem_of(pagename)
    repository, branch = app.config.course_repository, app.config.course_branch
    source = edit_source(root, pagename)
    notebook = quote(f"downloads/notebooks/{stem}.ipynb")
    owner_and_name = repository.removeprefix("https://github.com/")
    context |= {
        "repository": repository,
        "edit_url": f"{repository}/edit/{branch}/{source}" if source else "",
        "stem": stem,
        "has_exercises": bool(stem) and (root / f"exercises/{stem}.ipynb").is_file(),
        "sheet": sheet_of(app, stem),
        "is_sheet": pagename.startswith(f"{SHEETS}/"),
        "colab_url": f"https://colab.research.google.com/github/{owner_and_name}/blob/gh-pages/{notebook}",
        "verified": verified(root),
        "minutes": minutes((root / source).read_text(encoding="utf8")) if source else 0,
        "description": description(doctree) if doctree is not None else "",
        "is_landing": pagename == app.config.root_doc,
        "chapter_map": chapters(app, pagename),
        "rooms": rooms(app, pagename),
    }
    body = context.get("body", "")
    for wrong, right in MENDED.items():
        body = body.replace(wrong, right)
    context["body"] = body
    if 'class="ck-live"' in body:
        app.add_js_file("live-host.js", priority=800, defer="defer")
    for kind in ("css_files", "script_files"):
        files = context[kind]
        files[:] = [f for f in files if not any(word in str(f.filename) for word in UNUSED)]


class WrapTables(SphinxPostTransform):
    """Let a wide table scroll inside its own box."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Put a box around each table."""
        for table in list(self.document.findall(nodes.table)):
            index = table.parent.index(table)
            table.parent.insert(index + 1, nodes.raw("", "</div>", format="html"))
            table.parent.insert(
                index,
                nodes.raw("", '<div class="ck-table" data-scroll-label="Table">', format="html"),
            )


def setup(app: Any) -> None:
    """Register the page hook."""
    app.add_post_transform(WrapTables)
    app.connect("html-page-context", dress, priority=900)
