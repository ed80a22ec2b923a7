"""The course's contents: the side bar's rooms, the eleven chapters, and the landing page's map."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


def chapters(app: Any, pagename: str) -> list[dict[str, Any]]:
    """List all eleven chapters; those in the book have an address, seen from `pagename`."""
    found = json.loads((Path(__file__).parent / "chapters.json").read_text(encoding="utf8"))
    for chapter in found:
        docname = f"notebooks/{chapter['stem']}"
        published = docname in app.env.found_docs
        chapter["url"] = _address(app, pagename, docname) if published else ""
        chapter["here"] = docname == pagename
    return found


def rooms(app: Any, pagename: str) -> list[dict[str, Any]]:
    """Return the parts of _toc.yml with their pages."""
    site = app.config.external_site_map
    return [
        {"caption": part.caption, "pages": [_page(app, site, str(i), pagename) for i in part.items]}
        for part in site.root.subtrees
    ]


def _address(app: Any, pagename: str, docname: str) -> str:
    return app.builder.get_relative_uri(pagename, docname) or "#"


def _page(app: Any, site: Any, docname: str, pagename: str) -> dict[str, Any]:
    below = [str(item) for tree in site[docname].subtrees for item in tree.items]
    return {
        "title": app.env.titles[docname].astext(),
        "url": _address(app, pagename, docname),
        "here": docname == pagename,
        "open": pagename in (docname, *below),
        "pages": [_page(app, site, child, pagename) for child in below],
    }


class chapter_map(nodes.General, nodes.Element):  # noqa: N801  (docutils names nodes in lower case)
    """Where the map of chapters will stand."""


class ChapterMap(SphinxDirective):
    """``chapter-map``: every chapter with its question and what the reader builds."""

    def run(self) -> list[nodes.Node]:
        """Leave a placeholder; which chapters exist is known after reading."""
        return [chapter_map()]


def visit_chapter_map(translator: Any, node: chapter_map) -> None:
    """Write the map."""
    builder = translator.builder
    items = "".join(_item(chapter) for chapter in chapters(builder.app, builder.current_docname))
    translator.body.append(f'<ol class="ck-map">{items}</ol>')
    raise nodes.SkipNode


def _item(chapter: dict[str, Any]) -> str:
    state = "published" if chapter["url"] else "planned"
    question = escape(chapter["question"])
    if chapter["url"]:
        question = f'<a href="{chapter["url"]}">{question}</a>'
    return (
        f'<li class="{state}"><span class="via" aria-hidden="true">{chapter["stem"][:2]}</span>'
        f'<h3>{question} <span class="state">{state}</span></h3>'
        f"<p>You build {escape(chapter['build'])}.</p></li>"
    )


FRONT_DOOR = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="refresh" content="0; url={page}"><link rel="canonical" href="{page}"></head>
<body><p><a href="{page}">{title}</a></p></body></html>
"""


def front_door(app: Any, exception: Exception | None) -> None:
    """Let the site's bare address lead to the landing page."""
    if app.builder.format == "html" and exception is None:
        text = FRONT_DOOR.format(title=app.config.html_title, page=f"{app.config.root_doc}.html")
        Path(app.outdir, "index.html").write_text(text, encoding="utf8")


def setup(app: Any) -> None:
    """Register the map and the front door."""
    app.connect("build-finished", front_door, priority=400)
    app.add_node(chapter_map, html=(visit_chapter_map, None))
    app.add_directive("chapter-map", ChapterMap)
