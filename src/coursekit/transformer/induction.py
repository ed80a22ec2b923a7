"""Induction heads: attention that finds what followed last time."""

from __future__ import annotations

import torch
from torch import Tensor


def repeated_sequences(
    batch: int, *, period: int, length: int, vocab_size: int, generator: torch.Generator
) -> Tensor:
    """Return random tokens that repeat: nothing can be foretold until they do.

    Parameters
    ----------
    batch : int
        Sequences.
    period : int
        After how many tokens they repeat.
    length : int
        Tokens in a sequence.
    vocab_size : int
        Tokens are drawn evenly from 0 … vocab_size - 1.
    generator : torch.Generator
        Of random numbers.

    Returns
    -------
    Tensor, int, shape (batch, length)

    Raises
    ------
    ValueError
        If the period is below 1.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> repeated_sequences(1, period=3, length=7, vocab_size=10, generator=generator)
    tensor([[4, 9, 3, 4, 9, 3, 4]])
    """
    if period < 1:
        raise ValueError(f"period is {period}; at least 1 wanted.")
    once = torch.randint(vocab_size, (batch, period), generator=generator)
    return once[:, torch.arange(length) % period]


def induction_score(weights: Tensor, period: int) -> Tensor:
    r"""Return how much each head looks at what came after the same token last time.

    Implements :eq:`eq-transformer-induction-score`, after Olsson et al. (2022): the mean weight
    from place i of a sequence with this period to place i - period + 1. A head that looks
    everywhere alike scores about 1 / i.

    Parameters
    ----------
    weights : Tensor, shape (..., N, N)
        Attention weights on :func:`repeated_sequences`.
    period : int
        The sequences' own, below N.

    Returns
    -------
    Tensor, shape (...)
        0 … 1.

    Raises
    ------
    ValueError
        If nothing repeats within N tokens.

    Examples
    --------
    >>> induction_score(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), period=1)
    tensor(1.)
    """
    return _diagonal(weights, period, period - 1)


def previous_token_score(weights: Tensor) -> Tensor:
    """Return how much each head looks at the token before, the other half of the mechanism.

    Parameters
    ----------
    weights : Tensor, shape (..., N, N)
        Attention weights on any sequences of two or more tokens.

    Returns
    -------
    Tensor, shape (...)
        0 … 1.

    Examples
    --------
    >>> previous_token_score(torch.tensor([[1.0, 0.0], [0.75, 0.25]]))
    tensor(0.7500)
    """
    return _diagonal(weights, 1, 1)


def _diagonal(weights: Tensor, first: int, lag: int) -> Tensor:
    """Return the mean weight from each place i >= `first` to i - `lag`."""
    N = weights.shape[-1]
    if not 1 <= first < N:
        raise ValueError(f"period is {first} and there are {N} tokens; fewer than tokens wanted.")
    i = torch.arange(first, N, device=weights.device)
    return weights[..., i, i - lag].mean(-1)
