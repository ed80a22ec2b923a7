"""Asking several times and taking the commonest answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom
from torch import Tensor

from coursekit._validate import count, generator
from coursekit.posttraining.scores import majority_vote


def majority_probability(right: float, n: int, wrong: float | None = None) -> float:
    r"""Return the probability that the right answer gets most of n independent votes.

    Implements :eq:`eq-posttraining-voting`: with the chance `right` of the right answer, `wrong`
    of the commonest wrong one, and the rest scattered so thinly that it never wins:
    :math:`\sum_{a>b}\frac{n!}{a!\,b!\,(n-a-b)!}p^aq^b(1-p-q)^{n-a-b}`, and half of the terms with
    a = b above 0. With q = 1 - p it is Condorcet's (1785).

    Parameters
    ----------
    right : float, in [0, 1]
        Chance p of the right answer.
    n : int
        Votes.
    wrong : float, optional
        Chance q of the commonest wrong answer; 1 - `right` by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a chance is out of range, or both together exceed 1.

    Examples
    --------
    >>> round(majority_probability(0.6, 11), 3), round(majority_probability(0.4, 11, 0.1), 3)
    (0.753, 0.933)
    """
    q = 1 - right if wrong is None else wrong
    if not (0 <= right <= 1 and 0 <= q <= 1 and right + q <= 1 + 1e-12):
        raise ValueError(
            f"the chances are {right:g} and {q:g}; each from 0 to 1 and their sum at most 1 wanted."
        )
    share = 0.0 if right == 1 else min(1.0, q / (1 - right))  # of the votes that are not right
    total = 0.0
    for a in range(1, count(n, "n") + 1):
        lead = binom.cdf(a - 1, n - a, share) + 0.5 * binom.pmf(a, n - a, share)
        total += float(binom.pmf(a, n, right) * lead)
    return total


def voting_curve(
    answers: Sequence[Sequence[str]],
    right: Sequence[str],
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    repeats: int = 20,
) -> list[float]:
    """Return the share of prompts whose majority is right, for votes of several sizes.

    Parameters
    ----------
    answers : sequence of P sequences of n str
        Answers drawn to each prompt, as parsed.
    right : sequence of P str
        The right ones.
    sizes : sequence of int
        Votes, n at most; of each size several are drawn from the n answers without replacement.
    rng : numpy.random.Generator
        Source of randomness.
    repeats : int
        Votes drawn of each size.

    Returns
    -------
    list of float
        One for each size.

    Raises
    ------
    ValueError
        If a size exceeds the answers there are.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> voting_curve([["7", "7", "9"]], ["7"], [3], rng)
    [1.0]
    """
    generator(rng)
    fewest = min(map(len, answers), default=0)
    if max(sizes) > fewest:
        raise ValueError(f"a vote of {max(sizes)} wanted, and there are {fewest} answers.")
    curve = []
    for size in sizes:
        hits = [
            majority_vote([given[i] for i in rng.permutation(len(given))[:size]]) == wanted
            for _ in range(count(repeats, "repeats"))
            for given, wanted in zip(answers, right, strict=True)
        ]
        curve.append(float(np.mean(hits)))
    return curve


def vote_rows(answers: Tensor) -> Tensor:
    """Return the commonest answer of each group, the first drawn of equally common ones.

    Parameters
    ----------
    answers : Tensor of int64, shape (P, G, T)
        G answers of T tokens to each of P prompts.

    Returns
    -------
    Tensor of int64, shape (P, T)

    Examples
    --------
    >>> import torch
    >>> vote_rows(torch.tensor([[[1, 2], [3, 4], [3, 4]]]))
    tensor([[3, 4]])
    """
    same = (answers[:, :, None] == answers[:, None]).all(-1)  # (P, G, G)
    most = same.sum(-1).argmax(-1)  # (P,): argmax takes the first of equals
    return answers[np.arange(len(answers)), most]


def best_of_n_kl(n: ArrayLike) -> np.ndarray:
    r"""Return the KL divergence of the best of n answers from one answer, :math:`\log n-(n-1)/n`.

    An upper bound that is reached where no two answers are alike (Beirami et al., 2024).

    Parameters
    ----------
    n : array_like of int
        Answers to choose from.

    Returns
    -------
    ndarray, in nats

    Examples
    --------
    >>> best_of_n_kl([1, 2]).round(3)
    array([0.   , 0.193])
    """
    n = np.asarray(n, float)
    if (n < 1).any():
        raise ValueError(f"n has {n.min():g}; 1 or more answers wanted.")
    return np.log(n) - (n - 1) / n


def best_of_n_means(scores: ArrayLike, measured: ArrayLike, sizes: Sequence[int]) -> np.ndarray:
    r"""Return the mean of what is measured of the best-scored of n answers, without bias.

    Every set of n of the N answers counts alike: the i-th best of all is the best of a set with
    probability :math:`\binom{N-i}{n-1}/\binom Nn` (Nakano et al., 2021).

    Parameters
    ----------
    scores : array_like, shape (P, N)
        By which the best is chosen, of N answers to each of P prompts.
    measured : array_like, shape (P, N)
        Of the same answers: the score itself, or another judge's.
    sizes : sequence of int
        The n, N at most.

    Returns
    -------
    ndarray, shape (len(sizes),)

    Raises
    ------
    ValueError
        If the shapes differ or a size exceeds N.

    Examples
    --------
    >>> best_of_n_means([[1.0, 2.0, 3.0]], [[0.0, 6.0, 3.0]], [1, 2, 3])
    array([3., 4., 3.])
    """
    chosen_by, judged = np.asarray(scores, float), np.asarray(measured, float)
    if chosen_by.shape != judged.shape or chosen_by.ndim != 2:
        raise ValueError(
            f"scores and measured have shapes {chosen_by.shape} and {judged.shape}; (P, N) wanted."
        )
    N = chosen_by.shape[1]
    if max(sizes) > N or min(sizes) < 1:
        raise ValueError(f"sizes has {max(sizes)} and there are {N} answers to each prompt.")
    order = np.argsort(-chosen_by, axis=1, kind="stable")
    sorted_ = np.take_along_axis(judged, order, 1).mean(0)  # (N,): by rank, best first
    chances = [[math.comb(N - i - 1, n - 1) / math.comb(N, n) for i in range(N)] for n in sizes]
    return np.array([np.dot(chance, sorted_) for chance in chances])
