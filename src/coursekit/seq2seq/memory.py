"""A task of memory alone: say at the end which symbol came first."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.seq2seq.recurrent_layers import LSTM

SYMBOLS = 4
NOISE = 4


def first_symbol(m: int, lag: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw sequences whose first symbol is asked for at the end, with noise between.

    Parameters
    ----------
    m : int
        How many.
    lag : int
        Steps from the symbol to the end, 1 or more; all of them show other symbols, at random.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    ids : Tensor of int64, shape (m, lag + 1)
        The first column is from 4 to 7, the others from 8 to 11.
    answers : Tensor of int64, shape (m,)
        0 to 3.

    Raises
    ------
    ValueError
        If `m` or `lag` is below 1.

    Examples
    --------
    >>> ids, answers = first_symbol(2, 3, torch.Generator().manual_seed(0))
    >>> ids.shape, bool((ids[:, 0] - 4 == answers).all())
    (torch.Size([2, 4]), True)
    """
    shape = count(m, "m"), count(lag, "lag")
    answers = torch.randint(SYMBOLS, shape[:1], generator=generator)
    noise = torch.randint(NOISE, shape, generator=generator) + 4 + SYMBOLS
    return torch.cat([answers[:, None] + 4, noise], dim=1), answers  # (m, lag + 1), (m,)


def first_symbol_batches(
    batch_size: int, lag: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield new sequences without end, for :func:`coursekit.seq2seq.fit`.

    Parameters
    ----------
    batch_size, lag, generator
        As for :func:`first_symbol`.

    Yields
    ------
    ids, answers : Tensor

    Examples
    --------
    >>> next(first_symbol_batches(2, 3, torch.Generator()))[0].shape
    torch.Size([2, 4])
    """
    while True:
        yield first_symbol(batch_size, lag, generator)


def set_forget_bias(lstm: nn.Module, value: float) -> None:
    """Open the forget gates of an LSTM at the start, so that it keeps what it holds.

    With the usual weights a gate lets half through at each step. After Jozefowicz, Zaremba and
    Sutskever (2015).

    Parameters
    ----------
    lstm : LSTM
        Changed in place, in all layers and directions.
    value : float
        The sum of the gate's two biases.

    Raises
    ------
    TypeError
        If `lstm` has no forget gate.

    Examples
    --------
    >>> lstm = LSTM(2, 3)
    >>> set_forget_bias(lstm, 2.0)
    >>> (lstm.bias_ih_l0 + lstm.bias_hh_l0)[3:6].tolist()
    [2.0, 2.0, 2.0]
    """
    if not isinstance(lstm, LSTM | nn.LSTM):
        raise TypeError(f"a {type(lstm).__name__} has no forget gate; an LSTM wanted.")
    gate = slice(lstm.hidden_size, 2 * lstm.hidden_size)
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias"):
            parameter.data[gate] = value if name.startswith("bias_ih") else 0.0
