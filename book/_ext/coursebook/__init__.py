"""The book's own Sphinx extension: one module, one idea.

``equations``  finds which test proves which equation, and which function computes it (no Sphinx needed)
``numbers``    gives an equation the number of its chapter and its place
``badges``     shows it beside the equation's number and in a table; fails the build where it is missing
``pictures``   puts SVG figures into the page, in the page's colours
``furniture``  what stands around a chapter: downloads, edit link, reading time, when it was verified
``exercises``  the table of a chapter's exercises
``contents``   the side bar, and the map of the eleven chapters
``showcase``   a figure of a chapter, shown on another page
``palette``    the colours, from coursekit's palette to the style sheet
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def setup(app: Any) -> dict[str, Any]:
    """Register the theme, then every module."""
    from . import badges, contents, exercises, furniture, numbers, palette, pictures, showcase

    app.add_html_theme("silicon", str(Path(__file__).parent / "theme"))
    app.add_config_value("course_repository", "", "html")
    app.add_config_value("course_branch", "main", "html")
    app.add_config_value(
        "comments_config", {}, "html"
    )  # Jupyter Book sets it, sphinx-comments or not
    for module in (palette, pictures, numbers, badges, contents, exercises, showcase, furniture):
        module.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
