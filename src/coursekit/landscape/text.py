"""What the agent searches: the sections of this book, and text as words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from coursekit.pretraining import book_corpus

LIBRARY = "book-2"
"""The version of the book's text that the agent reads."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_TITLE = re.compile(r"^#+ +(.+)$", re.M)
_LABEL = re.compile(r"\n?\((sec-[\w-]+)\)=\s*\Z")
_TERM = re.compile(r"^([^\W`#].*)\n((?:  \S.*\n)+)", re.M)
_PLURAL = re.compile(r"(?<=[a-z]{3})(?<!s)s$")

_COMMON = """a about all an and are as at be been being but by can did do does for from had has have
how i if in into is it its me more most my no not of on one or our please so some tell than that
the their them then there these they this to was we were what when where which who why will with
you your"""
STOP_WORDS = frozenset(_COMMON.split())
"""Words too common to search for."""


@dataclass(frozen=True)
class Section:
    """A piece of the book.

    Attributes
    ----------
    page : str
        Its file's stem, such as ``"03-seq2seq"``.
    label : str
        The target that links point to, ``"sec-…"``, or ``"term-…"`` of the glossary; may be "".
    title, text : str
        Heading, and all that stands below it.

    Examples
    --------
    >>> Section("04-transformer", "sec-transformer-masks", "Masks", "…").place
    '04-transformer#sec-transformer-masks'
    """

    page: str
    label: str
    title: str
    text: str

    @property
    def place(self) -> str:
        """Where it is: the page, and the label in it."""
        return f"{self.page}#{self.label}" if self.label else self.page


def words_of(text: str, *, stop: bool = True) -> list[str]:
    """Split text into words in lower case, plurals cut, the commonest left out.

    Parameters
    ----------
    text : str
        Any.
    stop : bool, default True
        Whether to leave out :data:`STOP_WORDS`.

    Examples
    --------
    >>> words_of("What are the Gradients of a softmax?")
    ['gradient', 'softmax']
    """
    found = (_PLURAL.sub("", word) for word in _WORD.findall(text.lower()))
    return [w for w in found if not (stop and w in STOP_WORDS)]


@cache
def book_sections(version: str = LIBRARY) -> tuple[Section, ...]:
    """Return the book's sections and the glossary's entries, as they were when frozen.

    Exercises and their answers are not among them.

    Parameters
    ----------
    version : str
        As :func:`coursekit.pretraining.book_corpus` takes it.

    Returns
    -------
    tuple of Section

    Examples
    --------
    >>> sections = book_sections()
    >>> any(s.page == "04-transformer" and s.label.startswith("sec-") for s in sections)
    True
    """
    found: list[Section] = []
    label = ""
    for name, text in book_corpus(version):
        path = PurePosixPath(name.split("#")[0])
        if path.parts[0] != "book":
            continue
        here = "" if name.endswith("#0") else label
        body, label = _cut_label(text)
        if path.stem == "glossary":
            found += _terms(body)
        else:
            title = _TITLE.search(body)
            found.append(Section(path.stem, here, title[1] if title else "", body))
    return tuple(found)


def _cut_label(text: str) -> tuple[str, str]:
    """Take the target off the end of a section: it belongs to the heading that follows."""
    mark = _LABEL.search(text)
    return (text[: mark.start()].strip(), mark[1]) if mark else (text.strip(), "")


def _terms(text: str) -> list[Section]:
    return [
        Section("glossary", "term-" + re.sub(r"\W+", "-", term).strip("-"), term, told.strip())
        for term, told in _TERM.findall(text + "\n")
    ]
