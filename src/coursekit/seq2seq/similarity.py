"""What lies near what: cosine similarity, neighbours, analogies, a picture in the plane."""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.seq2seq.vocabulary import SPECIAL, Vocabulary


def cosine_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine of the angle between vectors, over the last axis.

    Implements :eq:`eq-seq2seq-cosine`. A vector of zeros has no direction; its cosine with
    anything is 0 here.

    Parameters
    ----------
    a, b : Tensor, shapes (..., d), broadcastable
        Vectors.

    Returns
    -------
    Tensor, shape (...)
        From -1 to 1.

    Raises
    ------
    ValueError
        If the widths differ.

    Examples
    --------
    >>> cosine_similarity(torch.tensor([3.0, 0.0]), torch.tensor([[5.0, 0.0], [1.0, 1.0]]))
    tensor([1.0000, 0.7071])
    """
    if a.shape[-1:] != b.shape[-1:]:
        raise ValueError(f"vectors have widths {tuple(a.shape[-1:])} and {tuple(b.shape[-1:])}.")
    return (_unit(a) * _unit(b)).sum(-1)


def _unit(x: Tensor) -> Tensor:
    length = x.norm(dim=-1, keepdim=True)
    return torch.where(length > 0, x / length.clamp_min(torch.finfo(x.dtype).tiny), 0.0)


def nearest(
    vectors: Tensor,
    vocabulary: Vocabulary,
    query: str | Tensor,
    n: int = 5,
    *,
    without: tuple[str, ...] = (),
) -> list[tuple[str, float]]:
    """Return the words whose vectors point most nearly the same way.

    Parameters
    ----------
    vectors : Tensor, shape (V, d)
        One row a word.
    vocabulary : Vocabulary
        The V words.
    query : str or Tensor, shape (d,)
        A word, which is not among the answers, or a vector.
    n : int
        How many.
    without : tuple of str
        Words not to answer; special tokens never are.

    Returns
    -------
    list of (str, float)
        Word and cosine, the nearest first.

    Raises
    ------
    KeyError
        If a word is unknown.
    ValueError
        If there is not one row for each word.

    Examples
    --------
    >>> words = Vocabulary(["a", "b", "c"])
    >>> rows = torch.tensor([[0.0, 0]] * 4 + [[1, 0], [1, 0.1], [0, 1]])
    >>> [word for word, _ in nearest(rows, words, "a", n=2)]
    ['b', 'c']
    """
    if vectors.ndim != 2 or len(vectors) != len(vocabulary):
        raise ValueError(
            f"vectors has shape {tuple(vectors.shape)}; a row for each of {len(vocabulary)} words."
        )
    if isinstance(query, str):
        without = (*without, query)
        query = vectors[vocabulary.encode([query], strict=True)[0]]
    scores = cosine_similarity(vectors, query)  # (V,)
    scores[vocabulary.encode([*SPECIAL, *without], strict=True)] = -torch.inf
    best = scores.topk(min(count(n, "n"), len(scores)))
    pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
    return [(vocabulary.tokens[i], value) for value, i in pairs if value > -torch.inf]


def analogy(
    vectors: Tensor, vocabulary: Vocabulary, a: str, b: str, c: str, n: int = 1
) -> list[tuple[str, float]]:
    """Answer "a is to b as c is to what?" by the word nearest to b - a + c.

    Implements :eq:`eq-seq2seq-analogy`. The three words of the question are not answers, as is
    usual; with them the answer would often be b or c itself.

    Parameters
    ----------
    vectors : Tensor, shape (V, d)
        One row a word; used at length 1.
    vocabulary : Vocabulary
        The V words.
    a, b, c : str
        The question.
    n : int
        How many answers.

    Returns
    -------
    list of (str, float)
        Word and cosine, the nearest first.

    Raises
    ------
    KeyError
        If a word is unknown.

    Examples
    --------
    >>> words = Vocabulary(["man", "woman", "king", "queen"])
    >>> rows = torch.tensor([[0.0, 0]] * 4 + [[1, 0], [-1, 0], [1, 3], [-1, 3]])
    >>> analogy(rows, words, "man", "woman", "king")[0][0]
    'queen'
    """
    unit = _unit(vectors)
    x, y, z = unit[vocabulary.encode([a, b, c], strict=True)]
    return nearest(unit, vocabulary, y - x + z, n, without=(a, b, c))


def project_2d(vectors: Tensor) -> Tensor:
    """Return the two coordinates along which the vectors spread most (principal components).

    Parameters
    ----------
    vectors : Tensor, shape (m, d)
        At least two vectors of width two or more.

    Returns
    -------
    Tensor, shape (m, 2)
        Centred; each axis points so that its largest entry is positive.

    Raises
    ------
    ValueError
        If there are fewer than two vectors or dimensions.

    Examples
    --------
    >>> project_2d(torch.tensor([[0.0, 0, 5], [2, 0, 5], [4, 0, 5]]))[:, 0]
    tensor([-2.,  0.,  2.])
    """
    if vectors.ndim != 2 or min(vectors.shape) < 2:
        raise ValueError(f"vectors has shape {tuple(vectors.shape)}; (m, d), both at least 2.")
    centred = vectors - vectors.mean(0)
    _, _, Vh = torch.linalg.svd(centred, full_matrices=False)
    axes = Vh[:2]  # (2, d)
    sign = axes.gather(1, axes.abs().argmax(1, keepdim=True)).sign()  # (2, 1)
    return centred @ (axes * sign).T + 0.0  # (m, 2)
