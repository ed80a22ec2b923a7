"""How a token is chosen: pure functions on logits, each of the last axis alone.

They compose; :func:`next_probabilities` applies them in the usual order. A token that is ruled out
has the logit minus infinity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


def apply_temperature(logits: Tensor, temperature: float) -> Tensor:
    r"""Divide the logits: below 1 the likely becomes likelier, above 1 all become more alike.

    Implements :eq:`eq-pretraining-temperature`.

    Parameters
    ----------
    logits : Tensor, shape (..., V)
        Scores of the tokens.
    temperature : float
        Above 0. Greedy choice is the limit at 0.

    Returns
    -------
    Tensor, shape (..., V)

    Raises
    ------
    ValueError
        If the temperature is not above 0.

    Examples
    --------
    >>> apply_temperature(torch.tensor([2.0, 0.0]), 0.5)
    tensor([4., 0.])
    """
    if not temperature > 0:
        raise ValueError(
            f"temperature is {temperature}; above 0 wanted. For the likeliest token each time, "
            "choose greedily: sampling=None."
        )
    return logits / temperature


def top_k(logits: Tensor, k: int) -> Tensor:
    """Rule out all but the k likeliest tokens (Fan, Lewis and Dauphin, 2018).

    Parameters
    ----------
    logits : Tensor, shape (..., V)
        Scores of the tokens.
    k : int
        Tokens to keep, at least 1; more than V keeps all. Of equal ones the first are kept.

    Returns
    -------
    Tensor, shape (..., V)

    Raises
    ------
    ValueError
        If `k` is below 1.

    Examples
    --------
    >>> top_k(torch.tensor([1.0, 3.0, 2.0]), 2)
    tensor([-inf, 3., 2.])
    """
    if k < 1:
        raise ValueError(f"k is {k}; at least 1 token must be kept.")
    return logits.masked_fill(_ranks(logits) >= k, -torch.inf)


def top_p(logits: Tensor, p: float) -> Tensor:
    r"""Keep the fewest tokens that have the probability `p` together: the nucleus.

    Implements :eq:`eq-pretraining-top-p`, Holtzman et al. (2020). The token that crosses `p` is
    kept, so that one always is; of equal ones the first are kept.

    Parameters
    ----------
    logits : Tensor, shape (..., V)
        Scores of the tokens.
    p : float
        Probability to keep, above 0 and at most 1.

    Returns
    -------
    Tensor, shape (..., V)

    Raises
    ------
    ValueError
        If `p` is out of range.

    Examples
    --------
    >>> p = torch.tensor([0.5, 0.3, 0.15, 0.05])
    >>> top_p(p.log(), 0.7).softmax(-1)
    tensor([0.6250, 0.3750, 0.0000, 0.0000])
    """
    _check_share(p, "p", least_excluded=True)
    if p == 1:
        return logits
    probs, order = logits.softmax(-1).sort(dim=-1, descending=True, stable=True)  # (..., V)
    before = probs.cumsum(-1) - probs  # what the likelier ones have
    return logits.masked_fill((before >= p).gather(-1, order.argsort(-1)), -torch.inf)


def min_p(logits: Tensor, p: float) -> Tensor:
    r"""Keep the tokens that are at least `p` times as probable as the likeliest.

    Implements :eq:`eq-pretraining-min-p`, Nguyen et al. (2025). Where the model is sure few
    tokens remain, where it is not, many.

    Parameters
    ----------
    logits : Tensor, shape (..., V)
        Scores of the tokens.
    p : float
        0 … 1; 0 keeps all, 1 the likeliest alone.

    Returns
    -------
    Tensor, shape (..., V)

    Raises
    ------
    ValueError
        If `p` is out of range.

    Examples
    --------
    >>> p = torch.tensor([0.5, 0.3, 0.15, 0.05])
    >>> min_p(p.log(), 0.2).softmax(-1)
    tensor([0.5263, 0.3158, 0.1579, 0.0000])
    """
    _check_share(p, "p")
    probs = logits.softmax(-1)  # (..., V)
    return logits.masked_fill(probs < p * probs.amax(-1, keepdim=True), -torch.inf)


def repetition_penalty(logits: Tensor, ids: Tensor, penalty: float) -> Tensor:
    r"""Make the tokens that are already there less likely.

    Implements :eq:`eq-pretraining-repetition`: Keskar et al. (2019) divide the logits of such
    tokens by `penalty`, which would raise a negative one; negative ones are multiplied instead,
    as libraries do.

    Parameters
    ----------
    logits : Tensor, shape (..., V)
        Scores of the tokens.
    ids : Tensor of int64, shape (..., N)
        What is there already; how often does not matter. Entries of -1 are no token.
    penalty : float
        Above 0; 1 changes nothing, Keskar et al. take 1.2.

    Returns
    -------
    Tensor, shape (..., V)

    Raises
    ------
    ValueError
        If `penalty` is not above 0.

    Examples
    --------
    >>> logits = torch.tensor([3.0, -1.0, 3.0])
    >>> repetition_penalty(logits, torch.tensor([0, 1, 1]), 2.0)
    tensor([ 1.5000, -2.0000,  3.0000])
    """
    if not penalty > 0:
        raise ValueError(f"penalty is {penalty}; above 0 wanted, 1 to change nothing.")
    V = logits.shape[-1]
    seen = torch.zeros(*logits.shape[:-1], V + 1, dtype=torch.bool, device=logits.device)
    seen = seen.scatter(-1, torch.where(ids < 0, V, ids), True)[..., :V]  # (..., V)
    lowered = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(seen, lowered, logits)


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; the defaults draw as the model says.

    Parameters
    ----------
    temperature : float, default 1
        See :func:`apply_temperature`.
    top_k : int, optional
        See :func:`top_k`.
    top_p : float, default 1
        See :func:`top_p`.
    min_p : float, default 0
        See :func:`min_p`.
    repetition_penalty : float, default 1
        See :func:`repetition_penalty`.

    Raises
    ------
    ValueError
        If a value is out of range.

    Examples
    --------
    >>> Sampling(temperature=0.8, top_p=0.95).top_k is None
    True
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        next_probabilities(torch.zeros(2), self, torch.zeros(0, dtype=torch.long))


def next_probabilities(
    logits: Tensor, sampling: Sampling | None = None, ids: Tensor | None = None
) -> Tensor:
    """Return the probabilities that the next token is drawn with.

    The order is that of the usual libraries: repetition penalty, temperature, top-k, top-p, min-p;
    each sees what the one before left, renormalised.

    Parameters
    ----------
    logits : Tensor, shape (..., V)
        Scores of the tokens.
    sampling : Sampling, optional
        None puts everything on the likeliest token, the first of equal ones: greedy choice.
    ids : Tensor of int64, shape (..., N), optional
        What is there already, for the repetition penalty.

    Returns
    -------
    Tensor, shape (..., V)
        Sums to 1.

    Raises
    ------
    ValueError
        If there is a repetition penalty and no `ids`.

    Examples
    --------
    >>> logits = torch.tensor([0.5, 0.3, 0.2]).log()
    >>> next_probabilities(logits, Sampling(top_k=2))
    tensor([0.6250, 0.3750, 0.0000])
    >>> next_probabilities(logits)
    tensor([1., 0., 0.])
    """
    if sampling is None:
        best = logits.argmax(-1, keepdim=True)  # (..., 1)
        return torch.zeros_like(logits).scatter(-1, best, 1.0)
    s = sampling
    if s.repetition_penalty != 1:
        if ids is None:
            raise ValueError("a repetition penalty needs ids, the tokens that are there already.")
        logits = repetition_penalty(logits, ids, s.repetition_penalty)
    logits = apply_temperature(logits, s.temperature)
    if s.top_k is not None:
        logits = top_k(logits, s.top_k)
    return min_p(top_p(logits, s.top_p), s.min_p).softmax(-1)


def draw(probs: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Draw one token a row, each row with a generator of its own.

    So what a row draws does not depend on its neighbours in the batch.

    Parameters
    ----------
    probs : Tensor, shape (B, V)
        Probabilities.
    generators : sequence of B torch.Generator
        One a row, on the device of `probs`.

    Returns
    -------
    Tensor of int64, shape (B,)

    Examples
    --------
    >>> draw(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), [torch.Generator(), torch.Generator()])
    tensor([1, 0])
    """
    rows = zip(probs, generators, strict=True)
    return torch.cat([torch.multinomial(row, 1, generator=g) for row, g in rows])


def seeded(seed: int, device: Any = "cpu") -> torch.Generator:
    """Return a generator on the device, at this seed.

    Examples
    --------
    >>> seeded(3).initial_seed()
    3
    """
    return torch.Generator(device=device).manual_seed(seed)


def _ranks(logits: Tensor) -> Tensor:
    """Return the place of each token when sorted, the likeliest 0, shape (..., V)."""
    return logits.argsort(dim=-1, descending=True, stable=True).argsort(-1)


def _check_share(p: float, name: str, *, least_excluded: bool = False) -> None:
    if not 0 <= p <= 1 or (least_excluded and p == 0):
        wanted = "above 0 and at most 1" if least_excluded else "0 to 1"
        raise ValueError(f"{name} is {p}; {wanted} wanted, a probability.")
