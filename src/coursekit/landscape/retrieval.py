"""Finding the section that a question is about: by words, by vectors, by both."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from coursekit._validate import Array, count
from coursekit.landscape.text import Section, words_of
from coursekit.seq2seq import Vocabulary, cosine_similarity

K1, B = 1.5, 0.75
"""How soon a repeated word stops counting, and how much long documents are marked down."""


@dataclass(frozen=True)
class Hit:
    """A section that was found.

    Attributes
    ----------
    section : Section
        Which.
    score : float
        How well it fits; comparable within one search only.
    """

    section: Section
    score: float


class Index(Protocol):
    """What can be searched."""

    sections: tuple[Section, ...]

    def search(self, query: str, n: int = 5) -> list[Hit]:
        """Return the sections that fit best."""


def bm25_scores(
    query: Sequence[str], documents: Sequence[Sequence[str]], k1: float = K1, b: float = B
) -> Array:
    r"""Score each document by the query's words in it.

    Implements :eq:`eq-landscape-bm25`, Robertson and Zaragoza (2009), with Lucene's logarithm,
    which never falls below 0.

    Parameters
    ----------
    query : sequence of str
        Words.
    documents : sequence of sequences of str, length n
        Words of each.
    k1, b : float
        Not negative, and between 0 and 1.

    Returns
    -------
    ndarray, shape (n,)
        0 where no word of the query occurs.

    Raises
    ------
    ValueError
        If there is no word in any document, or `k1` or `b` is out of range.

    Examples
    --------
    >>> bm25_scores(["mask"], [["mask", "loss"], ["loss"], ["mask", "mask"]]).round(3)
    array([0.172, 0.   , 0.252])
    """
    lengths = np.array([len(d) for d in documents], dtype=float)  # (n,)
    if not lengths.sum():
        raise ValueError("the documents hold no word; there is nothing to find.")
    if k1 < 0 or not 0 <= b <= 1:
        raise ValueError(f"k1 is {k1} and b is {b}; k1 of 0 or more and b from 0 to 1 wanted.")
    counts = [Counter(d) for d in documents]
    scores = np.zeros(len(documents))
    for word in query:
        f = np.array([c[word] for c in counts], dtype=float)  # (n,)
        df = int((f > 0).sum())
        idf = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
        room = k1 * (1 - b + b * lengths / lengths.mean())  # (n,)
        scores += idf * np.divide(f, f + room, out=np.zeros_like(f), where=f > 0)
    return scores


class KeywordIndex:
    """BM25 over sections, by the library bm25s: the scores of :func:`bm25_scores`, fast.

    Parameters
    ----------
    sections : sequence of Section
        Titles count three times.

    Examples
    --------
    >>> from coursekit.landscape.text import book_sections
    >>> index = KeywordIndex(book_sections())
    >>> hits = index.search("speculative decoding with a draft model", 3)
    >>> "06-pretraining" in [hit.section.page for hit in hits]
    True
    """

    def __init__(self, sections: Sequence[Section]) -> None:
        import bm25s

        self.sections = tuple(sections)
        self._engine = bm25s.BM25(k1=K1, b=B, method="lucene")
        self._engine.index([section_words(s) for s in self.sections], show_progress=False)

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return the score of every section, shape (n,)."""
        words = [w for w in words_of(query) if w in self._engine.vocab_dict]
        if not words:
            return np.zeros(len(self.sections), np.float32)
        return self._engine.get_scores(words)

    def search(self, query: str, n: int = 5) -> list[Hit]:
        """Return the sections that fit best, those without a word of the query left out."""
        return best(self.sections, self.scores(query), n)


class DenseIndex:
    r"""Sections and questions as means of word vectors, compared by angle.

    Implements :eq:`eq-landscape-dense`: a text is the mean of its words' vectors, a rare word
    counting for more, less the direction that all texts share (Arora et al., 2017).

    Parameters
    ----------
    sections : sequence of Section
        What to search.
    vocabulary : Vocabulary
        The words that have vectors.
    vectors : Tensor, shape (V, d)
        One row for each.

    Examples
    --------
    >>> words = Vocabulary(["cat", "lion", "tax"])
    >>> rows = torch.tensor([[0.0, 0]] * 4 + [[1.0, 0.1], [0.9, 0.2], [0.0, 1.0]])
    >>> pages = [Section("a", "", "", "tax tax"), Section("b", "", "", "lion")]
    >>> DenseIndex(pages, words, rows).search("cat", 1)[0].section.page
    'b'
    """

    def __init__(
        self, sections: Sequence[Section], vocabulary: Vocabulary, vectors: Tensor
    ) -> None:
        if vectors.ndim != 2 or len(vectors) != len(vocabulary):
            raise ValueError(
                f"vectors has shape {tuple(vectors.shape)}; a row for each of {len(vocabulary)} "
                "words wanted."
            )
        self.sections = tuple(sections)
        self.vocabulary, self.vectors = vocabulary, vectors
        texts = [section_words(s) for s in self.sections]
        counts = torch.zeros(len(vocabulary))
        for text in texts:
            counts[torch.tensor(vocabulary.encode(text), dtype=torch.int64).unique()] += 1
        self.weights = ((len(texts) + 1) / (counts + 0.5)).log()  # (V,)
        self.weights[:4] = 0  # the special tokens
        table = torch.stack([self._mean(text) for text in texts])  # (n, d)
        self._shared = torch.linalg.svd(table, full_matrices=False).Vh[0]  # (d,)
        self.table = self._centred(table)

    def _mean(self, words: Sequence[str]) -> Tensor:
        ids = torch.tensor(self.vocabulary.encode(words), dtype=torch.int64)
        w = self.weights[ids][:, None]  # (L, 1)
        return (w * self.vectors[ids]).sum(0) / w.sum().clamp_min(1e-12)  # (d,)

    def _centred(self, x: Tensor) -> Tensor:
        shared = (x @ self._shared)[..., None] * self._shared
        return x - shared if len(self.sections) > x.shape[-1] else x

    def embed(self, text: str) -> Tensor:
        """Return a text's vector, shape (d,); 0 where none of its words is known."""
        return self._centred(self._mean(words_of(text)))

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return the cosine of every section, shape (n,)."""
        return cosine_similarity(self.table, self.embed(query)).numpy()

    def search(self, query: str, n: int = 5) -> list[Hit]:
        """Return the sections that point most nearly the same way."""
        return best(self.sections, self.scores(query), n)


class HybridIndex:
    """Several indexes, joined by the ranks that they give.

    Parameters
    ----------
    indexes : Index
        Over the same sections.
    k : float, default 60
        How flat: the larger, the less a first rank is worth (Cormack et al., 2009).
    depth : int, default 50
        Ranks that count.

    Raises
    ------
    ValueError
        If there is no index, or their sections differ.

    Examples
    --------
    >>> pages = [Section("a", "", "", "the loss"), Section("b", "", "", "the mask")]
    >>> index = HybridIndex(KeywordIndex(pages), KeywordIndex(pages))
    >>> [hit.section.page for hit in index.search("mask")]
    ['b']
    """

    def __init__(self, *indexes: Index, k: float = 60.0, depth: int = 50) -> None:
        if not indexes or any(i.sections != indexes[0].sections for i in indexes):
            raise ValueError("give one index or more, all over the same sections.")
        self.indexes, self.sections = indexes, indexes[0].sections
        self.k, self.depth = k, depth

    def search(self, query: str, n: int = 5) -> list[Hit]:
        """Return the sections with the largest sum of 1 / (k + rank)."""
        total: Counter[Section] = Counter()
        for index in self.indexes:
            for rank, hit in enumerate(index.search(query, self.depth), 1):
                total[hit.section] += 1 / (self.k + rank)  # type: ignore[assignment]
        return [Hit(section, score) for section, score in total.most_common(count(n, "n"))]


def section_words(section: Section) -> list[str]:
    """Return the words that a section is found by.

    Examples
    --------
    >>> section_words(Section("a", "", "Masks", "hide the past"))
    ['mask', 'mask', 'mask', 'hide', 'past']
    """
    return 3 * words_of(section.title) + words_of(section.text)


def best(sections: Sequence[Section], scores: NDArray[np.float32], n: int) -> list[Hit]:
    """Return the sections with the largest scores above 0, equal ones in the book's order.

    Examples
    --------
    >>> pages = [Section(p, "", "", "") for p in "abc"]
    >>> [hit.section.page for hit in best(pages, np.array([0.5, 0.0, 0.9]), 3)]
    ['c', 'a']
    """
    order = np.argsort(-scores, kind="stable")[: count(n, "n")]
    return [Hit(sections[i], float(scores[i])) for i in order if scores[i] > 0]


def rank_of(index: Index, query: str, right: Callable[[Section], bool], n: int = 50) -> int | None:
    """Return the rank, from 1, of the first right section among `n`; None where there is none.

    Parameters
    ----------
    index : Index
        To search.
    query : str
        What to search for.
    right : callable
        Whether a section answers.
    n : int
        How deep to look.

    Examples
    --------
    >>> pages = [Section("a", "", "", "loss loss"), Section("b", "", "", "loss and mask")]
    >>> rank_of(KeywordIndex(pages), "loss", lambda s: s.page == "b")
    2
    """
    for rank, hit in enumerate(index.search(query, n), 1):
        if right(hit.section):
            return rank
    return None


def recall_at(ranks: Sequence[int | None], k: int) -> float:
    """Return the share of questions whose right section is among the first `k`.

    Raises
    ------
    ValueError
        If there is no question.

    Examples
    --------
    >>> recall_at([1, 4, None, 2], 3)
    0.5
    """
    if not ranks:
        raise ValueError("there is no question to count.")
    return sum(r is not None and r <= count(k, "k") for r in ranks) / len(ranks)


def mean_reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """Return the mean of 1 / rank, 0 for what was not found.

    Raises
    ------
    ValueError
        If there is no question.

    Examples
    --------
    >>> mean_reciprocal_rank([1, 4, None, 2])
    0.4375
    """
    if not ranks:
        raise ValueError("there is no question to count.")
    return sum(1 / r for r in ranks if r is not None) / len(ranks)
