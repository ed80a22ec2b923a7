"""The book's own Sphinx extension: one module, one idea.

``equations``  finds which test checks which equation, and which function computes it
``numbers``    gives an equation the number of its chapter and its place
``badges``     shows the test beside the number and in a table; fails the build without one
``pictures``   puts SVG figures into the page, in the page's colours
``furniture``  what stands around a page: downloads, edit link, versions
``reading``    how long a page and its sections take to read, and how steep they are
``pace``       that line under each heading
``sheets``     a chapter on one page, drawn from the chapter
``glued``      values that a notebook stored
``symbols``    a chapter's symbols, linked to the page of notation
``errata``     the numbers of the lectures' errata, linked to their boxes
``contents``   the side bar, and the map of the eleven chapters
``downloads``  the list of files that the build puts beside the pages
``exercises``  the table of a chapter's exercises
``showcase``   a figure of a chapter, shown on another page
``library``    the API pages, module by module
``palette``    the colours, from coursekit's palette to the style sheet

``equations``, ``glued``, ``reading`` and ``sheets`` need no Sphinx, so that tests and tools can use
them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def furnished(app: Any, config: Any) -> None:
    """Let Sphinx read every page anew when the theme or this extension has changed."""
    files = sorted(p for p in HERE.rglob("*") if p.is_file() and p.suffix != ".pyc")
    contents = b"".join(path.read_bytes() for path in files)
    config.course_furniture = hashlib.sha256(contents).hexdigest()


def setup(app: Any) -> dict[str, Any]:
    """Register the theme, then every module."""
    from . import (
        badges,
        contents,
        downloads,
        errata,
        exercises,
        furniture,
        library,
        numbers,
        pace,
        palette,
        pictures,
        sheets,
        showcase,
        symbols,
    )

    app.add_html_theme("silicon", str(HERE / "theme"))
    app.add_config_value("course_repository", "", "html")
    app.add_config_value("course_branch", "main", "html")
    app.add_config_value("course_furniture", "", "env")
    app.connect("config-inited", furnished)
    app.add_config_value("comments_config", {}, "html")  # Jupyter Book sets it in any case
    text = (palette, pictures, numbers, pace, symbols, errata, badges, library, sheets)
    for module in (*text, contents, downloads, exercises, showcase, furniture):
        module.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
