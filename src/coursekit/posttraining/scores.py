"""How good answers are, and how sure one may be of that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy.stats import binomtest

from coursekit._validate import count


def pass_at_k(n: int, correct: int, k: int) -> float:
    r"""Estimate the probability that one of k answers is right, from n answers.

    Implements :eq:`eq-posttraining-pass-at-k`, Chen et al. (2021), equation 1:
    :math:`1-\binom{n-c}{k}/\binom nk`. It is unbiased; :math:`1-(1-c/n)^k` is too low.

    Parameters
    ----------
    n : int
        Answers drawn.
    correct : int
        How many of them were right.
    k : int
        Answers that would be looked at, n at most.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are more right answers than answers, or k is larger than n.

    Examples
    --------
    >>> pass_at_k(n=4, correct=1, k=2)
    0.5
    """
    count(n, "n"), count(correct, "correct", least=0), count(k, "k")
    if correct > n:
        raise ValueError(f"{correct} of {n} answers right: at most {n} can be.")
    if k > n:
        raise ValueError(f"k is {k} and there are {n} answers; draw at least {k}.")
    return 1 - math.comb(n - correct, k) / math.comb(n, k)


class Rate(NamedTuple):
    """A share with its confidence interval.

    Attributes
    ----------
    share : float
        What was counted.
    low, high : float
        Ends of the interval.
    """

    share: float
    low: float
    high: float


def win_rate(wins: int, losses: int, ties: int = 0, *, confidence: float = 0.95) -> Rate:
    r"""Return how often one model's answer was preferred, ties counting half.

    Implements :eq:`eq-posttraining-win-rate`, with Wilson's score interval (1927) on the games
    that were decided, shrunk by the ties' half.

    Parameters
    ----------
    wins, losses, ties : int
        Comparisons by outcome.
    confidence : float
        Of the interval.

    Returns
    -------
    Rate

    Raises
    ------
    ValueError
        If there was no comparison.

    Examples
    --------
    >>> rate = win_rate(60, 40)
    >>> [round(x, 3) for x in rate]
    [0.6, 0.502, 0.691]
    """
    decided = count(wins, "wins", least=0) + count(losses, "losses", least=0)
    games = decided + count(ties, "ties", least=0)
    if not games:
        raise ValueError("no comparison was made; a win rate needs at least one.")
    half = 0.5 * ties / games
    if not decided:
        return Rate(0.5, 0.5, 0.5)
    ends = binomtest(wins, decided).proportion_ci(confidence, method="wilson")
    weight = decided / games
    return Rate(
        half + wins / games, half + weight * float(ends.low), half + weight * float(ends.high)
    )


def majority_vote(answers: Sequence[str]) -> str:
    """Return the commonest answer, the first drawn of equally common ones.

    Self-consistency, Wang et al. (2023).

    Parameters
    ----------
    answers : sequence of str
        As parsed; an empty string is no answer and has no vote.

    Returns
    -------
    str
        Empty if nobody answered.

    Examples
    --------
    >>> majority_vote(["7", "", "9", "7"])
    '7'
    """
    votes = [answer for answer in answers if answer]
    return max(votes, key=votes.count) if votes else ""
