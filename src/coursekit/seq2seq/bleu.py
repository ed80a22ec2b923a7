"""BLEU: how many runs of words a translation shares with the references."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from coursekit._validate import count

Tokens = Sequence[str]


class Bleu(NamedTuple):
    """A score and what it is made of.

    Attributes
    ----------
    score : float
        From 0 to 100.
    precisions : tuple of float
        Share of the candidates' n-grams that the references have, in percent, n from 1 on.
    brevity_penalty : float
        1, or less where the candidates together are shorter than the references.
    candidate_length, reference_length : int
        Numbers of tokens in all sentences.
    """

    score: float
    precisions: tuple[float, ...]
    brevity_penalty: float
    candidate_length: int
    reference_length: int


def ngrams(tokens: Tokens, n: int) -> Counter[tuple[str, ...]]:
    """Count the runs of `n` tokens.

    Parameters
    ----------
    tokens : sequence of str
        A sentence.
    n : int
        Length of a run.

    Returns
    -------
    Counter

    Examples
    --------
    >>> ngrams(["a", "b", "a", "b"], 2)
    Counter({('a', 'b'): 2, ('b', 'a'): 1})
    """
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def corpus_bleu(
    candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]], *, max_n: int = 4
) -> Bleu:
    """Compare translations of a whole corpus with one or more references for each.

    Implements :eq:`eq-seq2seq-bleu`, Papineni et al. (2002): n-grams that a reference has are
    counted, each at most as often as in the reference that has it most; counts are added up over
    the corpus before they are divided. There is no smoothing: a precision of 0 makes the score 0.
    Equal to sacreBLEU's with ``tokenize="none", smooth_method="none"``.

    Parameters
    ----------
    candidates : sequence of token lists, length m
        What was written. A sentence may be empty.
    references : sequence of sequences of token lists, length m
        For each candidate, one or more right translations; of several, the one nearest in length
        counts for the brevity penalty, the shorter where two are as near.
    max_n : int
        Longest run counted.

    Returns
    -------
    Bleu

    Raises
    ------
    TypeError
        If a sentence is one string in place of a list of tokens.
    ValueError
        If the numbers differ, there are none, or a candidate has no reference.

    Examples
    --------
    >>> right = "the black cat sleeps".split()
    >>> corpus_bleu([right], [[right]]).score
    100.0
    >>> result = corpus_bleu([["the", "the", "the"]], [[["the", "cat"]]], max_n=1)
    >>> round(result.precisions[0], 1)
    33.3
    """
    _check(candidates, references)
    shared, written = [0] * count(max_n, "max_n"), [0] * max_n
    for candidate, several in zip(candidates, references, strict=True):
        for n in range(1, max_n + 1):
            mine, most = ngrams(candidate, n), Counter[tuple[str, ...]]()
            for reference in several:
                most |= ngrams(reference, n)
            shared[n - 1] += (mine & most).total()
            written[n - 1] += mine.total()
    c = sum(map(len, candidates))
    r = sum(_nearest(len(x), several) for x, several in zip(candidates, references, strict=True))
    precisions = [s / w if w else 0.0 for s, w in zip(shared, written, strict=True)]
    penalty = 0.0 if c == 0 else min(1.0, math.exp(1 - r / c))
    mean = math.exp(sum(map(math.log, precisions)) / max_n) if all(precisions) else 0.0
    return Bleu(100 * penalty * mean, tuple(100 * p for p in precisions), penalty, c, r)


def _nearest(length: int, references: Sequence[Tokens]) -> int:
    return min((len(r) for r in references), key=lambda n: (abs(n - length), n))


def _check(candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> None:
    if not candidates or len(candidates) != len(references):
        raise ValueError(
            f"there are {len(candidates)} candidates and references for {len(references)}; "
            "the same number, at least 1, wanted."
        )
    for i, (candidate, several) in enumerate(zip(candidates, references, strict=True)):
        if not several:
            raise ValueError(f"candidate {i} has no reference; at least one wanted.")
        if any(isinstance(s, str) for s in (candidate, several, *several)):
            raise TypeError(f"sentence {i} is a string; a list of tokens wanted: text.split().")
