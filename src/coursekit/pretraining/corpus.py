"""Text to train on that every reader has: the book's own, frozen, and Python's documentation."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from coursekit import data

FOLDER = Path(data.__file__).parent / "corpora"
BOOK = "book-1"
"""The version of the book's text that the course's models are trained on."""


class Document(NamedTuple):
    """A text, and where it is from: ``page#number`` for a section of the book."""

    name: str
    text: str


def book_corpus(version: str = BOOK, folder: Path = FOLDER) -> list[Document]:
    """Return the book's own text as it was at one commit, section by section.

    The text is frozen, so that editing the book changes no result. It holds the prose, the
    formulas and the code of the chapters of that time, of the exercises with their answers and of
    the other pages. `tools/freeze_corpus.py` makes a version, and the manifest beside the file
    says from which commit.

    Parameters
    ----------
    version : str
        Name of a version, ``"book-1"`` …
    folder : pathlib.Path
        Where the files are.

    Returns
    -------
    list of Document
        In the order of pages and of sections in a page.

    Raises
    ------
    KeyError
        If there is no such version.
    ValueError
        If the file is not the one that the manifest describes.

    Examples
    --------
    >>> documents = book_corpus()
    >>> len(documents), documents[0].name
    (266, 'CONTRIBUTING.md#0')
    """
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if version not in entries:
        raise KeyError(f"no corpus {version!r}; there are {', '.join(entries)}.")
    entry = entries[version]
    try:
        text = gzip.decompress((folder / entry["file"]).read_bytes())
    except (gzip.BadGzipFile, EOFError) as error:
        raise ValueError(_damaged(entry["file"], str(error))) from error
    if (found := hashlib.sha256(text).hexdigest()) != entry["sha256"]:
        raise ValueError(_damaged(entry["file"], f"its text has the SHA-256 {found[:12]}…"))
    return [Document(d["name"], d["text"]) for d in json.loads(text)]


def _damaged(file: str, what: str) -> str:
    return f"{file} is damaged ({what}). Install coursekit again."


def python_docs() -> list[Document]:
    """Return Python's language reference, topic by topic, from the standard library.

    It is the text behind ``help("topics")``. It differs between versions of Python, and so does
    what is learned from it.

    Returns
    -------
    list of Document
        One for each topic, by name.

    Raises
    ------
    ImportError
        If this Python came without its documentation.

    Examples
    --------
    >>> names = [document.name for document in python_docs()]
    >>> len(names) > 50, "while" in names
    (True, True)
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise ImportError(
            "this Python came without its documentation (pydoc_data), as some packaged ones do; "
            "train on book_corpus(), or install Python from python.org."
        ) from error
    return [Document(name, topics[name]) for name in sorted(topics)]


def split_documents(
    documents: Sequence[Document], share: float = 0.1, seed: int = 0
) -> tuple[list[Document], list[Document]]:
    """Split documents into those to train on and those to be judged on.

    Whole documents are held out, drawn at random until their text is `share` of all: a model that
    has seen the first half of a page has seen most of the second.

    Parameters
    ----------
    documents : sequence of Document
        At least two.
    share : float
        How much of the text to hold out, between 0 and 1.
    seed : int
        Decides which.

    Returns
    -------
    (list of Document, list of Document)
        Train and validation, both in the given order; neither is empty.

    Raises
    ------
    ValueError
        If `share` is out of range or there are fewer than two documents.

    Examples
    --------
    >>> train, validation = split_documents([Document(str(i), "word") for i in range(10)], 0.2)
    >>> len(train), len(validation)
    (8, 2)
    """
    if not 0 < share < 1 or len(documents) < 2:
        raise ValueError(
            f"share is {share} and there are {len(documents)} documents; a share between 0 and 1 "
            "of two documents or more wanted."
        )
    sizes = np.array([len(d.text) for d in documents])
    order = np.random.default_rng(seed).permutation(len(documents))
    before = np.cumsum(sizes[order]) - sizes[order]  # text held out before each one is drawn
    n_held_out = min(max(int((before < share * sizes.sum()).sum()), 1), len(documents) - 1)
    held_out = set(order[:n_held_out].tolist())
    train = [d for i, d in enumerate(documents) if i not in held_out]
    return train, [d for i, d in enumerate(documents) if i in held_out]
