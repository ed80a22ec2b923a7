"""Finding a good sentence among all that a model could write: greedily, or with a beam."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.seq2seq.vocabulary import BOS, EOS, PAD

NextLogProbs = Callable[[Tensor], Tensor]


class Reads(Protocol):
    """A translator, recurrent or not."""

    def encode(self, source: Tensor) -> Any:
        """Read ids, shape (B, N), into a memory."""

    def decode(self, memory: Any, target_in: Tensor) -> Tensor:
        """Return logits, shape (B, M, V), after each of ids, shape (B, M)."""


class Hypothesis(NamedTuple):
    """A sentence that a search found.

    Attributes
    ----------
    ids : tuple of int
        Its tokens, without `BOS` and `EOS`.
    log_prob : float
        Logarithm of its probability, the end of the sentence included.
    score : float
        What it was ranked by: `log_prob` over the length penalty.
    finished : bool
        Whether it came to its end within the length allowed.
    """

    ids: tuple[int, ...]
    log_prob: float
    score: float
    finished: bool


@torch.no_grad()
def greedy(model: Reads, source: Tensor, max_length: int = 40) -> list[list[int]]:
    """Translate a batch by taking the most probable word at each step.

    Parameters
    ----------
    model : Reads
        Has ``encode`` and ``decode``.
    source : Tensor of int64, shape (B, N)
        Padded on the right.
    max_length : int
        Words after which a sentence without an end is cut.

    Returns
    -------
    list of list of int, length B
        Ids without `BOS`, `EOS` and padding.

    Raises
    ------
    ValueError
        If `max_length` is below 1, or the model refuses `source`.

    Examples
    --------
    >>> from coursekit.seq2seq import Translator
    >>> model = Translator(8, 9, 4, generator=torch.Generator().manual_seed(0))
    >>> len(greedy(model, torch.tensor([[4, 2], [5, 2]]), max_length=3))
    2
    """
    memory = model.encode(source)
    written = torch.full((len(source), 1), BOS, device=source.device)  # (B, 1)
    for _ in range(count(max_length, "max_length")):
        logits = model.decode(memory, written)[:, -1]  # (B, V)
        logits[:, [PAD, BOS]] = -torch.inf
        ended = (written == EOS).any(1)
        word = torch.where(ended, PAD, logits.argmax(-1))
        if bool(ended.all()):
            break
        written = torch.cat([written, word[:, None]], dim=1)  # (B, m + 1)
    return [[i for i in row if i not in (PAD, BOS, EOS)] for row in written.tolist()]


def length_penalty(length: int, alpha: float) -> float:
    r"""Return :math:`((5+\ell)/6)^\alpha`, by which a sentence's log-probability is divided.

    Without it (`alpha` 0) short sentences win, since every further word costs. From Wu et al.
    (2016), equation 14.

    Parameters
    ----------
    length : int
        Number of words, the end of the sentence included.
    alpha : float
        0 for none; 0.6 to 0.7 is usual.

    Returns
    -------
    float

    Examples
    --------
    >>> length_penalty(1, 0.7), length_penalty(7, 1.0)
    (1.0, 2.0)
    """
    return ((5 + length) / 6) ** alpha


@torch.no_grad()
def beam_search(
    next_log_probs: NextLogProbs,
    *,
    width: int,
    max_length: int,
    alpha: float = 0.0,
    start: int = BOS,
    end: int = EOS,
    banned: Sequence[int] = (PAD, BOS),
) -> list[Hypothesis]:
    """Keep the `width` best beginnings at each step, and return the best sentences found.

    Implements :eq:`eq-seq2seq-beam`. What ends leaves the beam, which so becomes narrower; the
    search stops when the beam is empty, or nothing in it could still beat the best that ended.

    Parameters
    ----------
    next_log_probs : callable
        Takes beginnings, ids of shape (K, m) that start with `start`, to the log-probabilities of
        the next token, shape (K, V).
    width : int
        Size of the beam, K. With 1 it is greedy search.
    max_length : int
        Tokens after `start` at most, the end included. What is cut there is not finished.
    alpha : float
        Strength of the length penalty, 0 or more.
    start, end : int
        The tokens before the first and after the last word.
    banned : sequence of int
        Tokens that are never written.

    Returns
    -------
    list of Hypothesis
        The best score first, and after it what else ended on the way, at most `width` in all;
        unfinished ones only where nothing finished.

    Raises
    ------
    ValueError
        If `width` or `max_length` is below 1, or `alpha` is negative.

    Examples
    --------
    >>> def coin(beginnings):  # token 4 or the end, equally likely
    ...     row = torch.full((8,), -torch.inf)
    ...     row[4] = row[EOS] = torch.tensor(0.5).log()
    ...     return row.expand(len(beginnings), 8)
    >>> best = beam_search(coin, width=2, max_length=4)[0]
    >>> best.ids, round(best.log_prob, 4)
    ((), -0.6931)
    """
    if alpha < 0:
        raise ValueError(f"alpha is {alpha}; 0 or more wanted.")
    count(width, "width")
    beam, scores = torch.tensor([[start]]), torch.zeros(1)  # (K, m), (K,)
    ended: list[Hypothesis] = []
    for length in range(1, count(max_length, "max_length") + 1):
        total = scores[:, None] + next_log_probs(beam).cpu()  # (K, V)
        total[:, list(banned)] = -torch.inf
        scores, where = total.flatten().topk(min(width - len(ended), total.numel()))
        scores, where = scores[scores > -torch.inf], where[scores > -torch.inf]  # (K',)
        rows, words = where // total.shape[1], where % total.shape[1]
        ends = words == end
        for row, log_prob in zip(beam[rows[ends]], scores[ends].tolist(), strict=True):
            ended.append(_hypothesis(row, log_prob, length, alpha, finished=True))
        beam = torch.cat([beam[rows], words[:, None]], dim=1)[~ends]  # (K, m + 1)
        scores = scores[~ends]
        if not len(beam) or _cannot_improve(ended, scores, max_length, alpha):
            break
    pairs = zip(beam, scores.tolist(), strict=True)
    cut = [_hypothesis(row, s, max_length, alpha, finished=False) for row, s in pairs]
    return sorted(ended or cut, key=lambda h: -h.score)


def _hypothesis(
    row: Tensor, log_prob: float, length: int, alpha: float, *, finished: bool
) -> Hypothesis:
    ids = tuple(row[1:].tolist())
    return Hypothesis(ids, log_prob, log_prob / length_penalty(length, alpha), finished)


def _cannot_improve(ended: list[Hypothesis], scores: Tensor, max_length: int, alpha: float) -> bool:
    """Whether even the best beginning, were all its further words certain, would come too late."""
    bound = float(scores.max()) / length_penalty(max_length, alpha)
    return bool(ended) and max(h.score for h in ended) >= bound


@torch.no_grad()
def translate(
    model: Reads, source: Tensor, *, width: int = 4, max_length: int = 40, alpha: float = 0.6
) -> list[Hypothesis]:
    """Translate one sentence with a beam.

    Parameters
    ----------
    model : Reads
        Has ``encode`` and ``decode``.
    source : Tensor of int64, shape (N,)
        One sentence, without padding.
    width, max_length, alpha
        As in :func:`beam_search`.

    Returns
    -------
    list of Hypothesis
        The best first.

    Raises
    ------
    ValueError
        If `source` is not one sentence.

    Examples
    --------
    >>> from coursekit.seq2seq import Translator
    >>> model = Translator(8, 9, 4, generator=torch.Generator().manual_seed(0))
    >>> len(translate(model, torch.tensor([4, 5, 2]), width=3, max_length=5)) <= 3
    True
    """
    if source.ndim != 1:
        raise ValueError(f"source has shape {tuple(source.shape)}; one sentence, (N,), wanted.")

    @functools.cache
    def memory(rows: int) -> Any:
        return model.encode(source.expand(rows, -1))

    def next_log_probs(beginnings: Tensor) -> Tensor:
        logits = model.decode(memory(len(beginnings)), beginnings.to(source.device))[:, -1]
        return logits.log_softmax(-1)  # (K, V)

    return beam_search(next_log_probs, width=width, max_length=max_length, alpha=alpha)
