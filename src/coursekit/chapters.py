"""The course's chapters: one stem names a topic in every room of the repository."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable


@dataclass(frozen=True)
class Chapter:
    """One chapter: ``stem`` is its name in every folder; the rest is how pages speak of it."""

    stem: str
    short: str
    question: str
    build: str

    @property
    def package(self) -> str:
        """Name of the sub-package, as in ``coursekit.basics``."""
        return self.stem.split("-", 1)[1]


def planned() -> tuple[Chapter, ...]:
    """All eleven chapters in their order, published or not.

    >>> planned()[0].package
    'basics'
    """
    text = (files("coursekit") / "chapters.json").read_text(encoding="utf-8")
    return tuple(Chapter(**fields) for fields in json.loads(text))


def shelf() -> Traversable:
    """Folder of the notebooks that travel inside the installed package."""
    return files("coursekit") / "_book"


def available() -> list[str]:
    """Stems of the notebooks that this installation carries.

    >>> all("ipynb" not in stem for stem in available())
    True
    """
    folder = shelf() / "notebooks"
    if not folder.is_dir():
        return []
    return sorted(
        f.name.removesuffix(".ipynb") for f in folder.iterdir() if f.name[-6:] == ".ipynb"
    )


def resolve(name: str) -> str:
    """Stem of the available notebook that ``name`` means: a stem, a number or a topic.

    Raises
    ------
    LookupError
        If no notebook has this name; the message lists those that exist, or says that the chapter
        is planned and not yet published.
    """
    have, wanted = available(), name.strip().lower()
    for stem in have:
        number, _, topic = stem.partition("-")
        if wanted in {stem, topic or stem, number, number.lstrip("0")}:
            return stem
    number = wanted.zfill(2)
    coming = next(
        (c for c in planned() if wanted in {c.stem, c.package} or number == c.stem[:2]), None
    )
    if coming:
        reason = f"chapter {coming.stem} is planned and not in this version"
    else:
        near = difflib.get_close_matches(wanted, have, n=1)
        reason = f"unknown chapter {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    raise LookupError(f"{reason}. Available: {', '.join(have) or 'none'}.")
