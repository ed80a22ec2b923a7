"""Numbers of equations: ``3.7`` is the seventh of chapter 03, whatever else the book holds.

Sphinx would count chapters by their place in the table of contents; here the stem decides, so that
a number never changes because another chapter was published.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .equations import labels_in_book, numbers


def renumber(app: Any, env: Any) -> list[str]:
    """Put our numbers in the place of Sphinx's, after Sphinx has counted."""
    ours = numbers(labels_in_book(Path(app.srcdir)))
    for label, (docname, _) in env.get_domain("math").equations.items():
        if label in ours:
            counted = env.toc_fignumbers.setdefault(docname, {}).setdefault("displaymath", {})
            counted[f"equation-{label}"] = tuple(ours[label].split("."))
    return []


def setup(app: Any) -> None:
    """Renumber once all pages are read, before the environment is kept for the next build."""
    app.connect("env-get-updated", renumber, priority=900)
