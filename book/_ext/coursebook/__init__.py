"""The book's own Sphinx extension: one module, one idea.

``equations``  finds which test proves which equation, and which function computes it
``numbers``    gives an equation the number of its chapter and its place
``badges``     shows the test beside the number and in a table; fails the build without one
``pictures``   puts SVG figures into the page, in the page's colours
``furniture``  what stands around a page: downloads, edit link, reading time, versions
``contents``   the side bar, and the map of the eleven chapters
``downloads``  the list of files that the build puts beside the pages
``exercises``  the table of a chapter's exercises
``showcase``   a figure of a chapter, shown on another page
``library``    the API pages, module by module
``palette``    the colours, from coursekit's palette to the style sheet

``equations`` needs no Sphinx, so that the tests can use it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def setup(app: Any) -> dict[str, Any]:
    """Register the theme, then every module."""
    from . import (
        badges,
        contents,
        downloads,
        exercises,
        furniture,
        library,
        numbers,
        palette,
        pictures,
        showcase,
    )

    app.add_html_theme("silicon", str(Path(__file__).parent / "theme"))
    app.add_config_value("course_repository", "", "html")
    app.add_config_value("course_branch", "main", "html")
    app.add_config_value("comments_config", {}, "html")  # Jupyter Book sets it in any case
    text = (palette, pictures, numbers, badges, library)
    for module in (*text, contents, downloads, exercises, showcase, furniture):
        module.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
