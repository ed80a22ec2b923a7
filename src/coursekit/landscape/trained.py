"""The book's word vectors, and the index that the agent searches."""

from __future__ import annotations

from functools import cache

from torch import Tensor

from coursekit.data.checkpoints import CHECKPOINTS, load_checkpoint
from coursekit.landscape.build_checkpoints import VectorSettings, book_vocabulary
from coursekit.landscape.retrieval import DenseIndex, HybridIndex, KeywordIndex
from coursekit.landscape.text import book_sections
from coursekit.seq2seq import Vocabulary


@cache
def load_vectors() -> tuple[Vocabulary, Tensor]:
    """Return the words of the book and their vectors, trained by chapter 3's skip-gram.

    Returns
    -------
    vocabulary : Vocabulary
        V words.
    vectors : Tensor, shape (V, d)
        One row for each.

    Examples
    --------
    >>> words, vectors = load_vectors()
    >>> len(words) == len(vectors)
    True
    """
    settings = VectorSettings(**CHECKPOINTS["landscape-vectors"]["settings"])
    return book_vocabulary(settings), load_checkpoint("landscape-vectors")["vectors"]


@cache
def book_index() -> HybridIndex:
    """Return an index of the book's sections by words and by vectors together.

    Its parts, ``book_index().indexes``, are the two alone.

    Examples
    --------
    >>> hits = book_index().search("Why divide the scores by a root?", 3)
    >>> "04-transformer" in [hit.section.page for hit in hits]
    True
    """
    sections = book_sections()
    return HybridIndex(KeywordIndex(sections), DenseIndex(sections, *load_vectors()))
