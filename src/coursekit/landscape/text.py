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
_ENDING = re.compile(r"(?<=[a-z]{4})(?:ing|ed)$")
_DOUBLE = re.compile(r"([bdgmnprt])\1$")
_PLURAL = re.compile(r"(?<=[a-z]{3})(?<!s)s$")
_SKIP = ("Exercises", "Symbols to code", "The next step")
_PAGES = re.compile(r"\d\d-|refresher$|glossary$|errata$")

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
        The target that links point to: ``"sec-…"``, ``"term-…"`` of the glossary, or what the
        heading itself gives.
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
        return f"{self.page}#{self.label}"


def words_of(text: str, *, stop: bool = True) -> list[str]:
    """Split text into words in lower case, common endings cut, the commonest words left out.

    The cutting is rough: it shall make "divides", "divided" and "dividing" the same, and the
    result need not be a word.

    Parameters
    ----------
    text : str
        Any.
    stop : bool, default True
        Whether to leave out :data:`STOP_WORDS`.

    Examples
    --------
    >>> words_of("What are the Gradients of a softmax, and who clipped them?")
    ['gradient', 'softmax', 'clip']
    """
    found = _WORD.findall(text.lower())
    return [_cut(w) for w in found if not (stop and w in STOP_WORDS)]


def _cut(word: str) -> str:
    """Take the endings off a word: plural, -ing, -ed, a last e, a doubled consonant."""
    bare = _ENDING.sub("", _PLURAL.sub("", word))
    bare = _DOUBLE.sub(r"\1", bare) if bare != word else bare
    return bare[:-1] if len(bare) > 4 and bare.endswith("e") else bare


@cache
def book_sections(version: str = LIBRARY) -> tuple[Section, ...]:
    """Return the book's sections and the glossary's entries, as they were when frozen.

    Of the chapters, the refresher, the glossary and the errata; exercises are not among them.

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
        if path.parts[0] != "book" or not _PAGES.match(path.stem):
            continue
        here = "" if name.endswith("#0") else label
        body, label = _cut_label(text)
        if path.stem == "glossary":
            found += _terms(body)
        else:
            mark = _TITLE.search(body)
            title = mark[1] if mark else ""
            if title not in _SKIP:
                found.append(Section(path.stem, here or anchor(title), title, body))
    return tuple(found)


def anchor(title: str) -> str:
    """Return the target that a heading without a label gets on the published page.

    Examples
    --------
    >>> anchor("Further reading, and where the field is now")
    'further-reading-and-where-the-field-is-now'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-").lstrip("0123456789-")


def _cut_label(text: str) -> tuple[str, str]:
    """Take the target off the end of a section: it belongs to the heading that follows."""
    mark = _LABEL.search(text)
    return (text[: mark.start()].strip(), mark[1]) if mark else (text.strip(), "")


def _terms(text: str) -> list[Section]:
    return [
        Section("glossary", "term-" + re.sub(r"\W+", "-", term).strip("-"), term, told.strip())
        for term, told in _TERM.findall(text + "\n")
    ]
