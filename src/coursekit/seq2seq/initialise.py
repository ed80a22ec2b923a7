"""Parameters drawn from a generator that the caller gives, never from the global one."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator | None) -> Tensor:
    """Return a tensor drawn uniformly between -`bound` and `bound`.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    bound : float
        Half the width.
    generator : torch.Generator, optional
        Source of randomness; torch's own if None, as in ``torch.nn``.

    Returns
    -------
    Tensor of float32, shape `shape`

    Examples
    --------
    >>> uniform((2, 3), 0.1, torch.Generator().manual_seed(0)).abs().max() <= 0.1
    tensor(True)
    """
    return (2 * torch.rand(shape, generator=generator) - 1) * bound


def linear(
    n_in: int, n_out: int, generator: torch.Generator | None, *, bias: bool = True
) -> nn.Linear:
    r"""Return ``nn.Linear`` with its usual distribution, drawn from `generator`.

    Weight and bias are uniform within :math:`1/\sqrt{n_{in}}`.

    Examples
    --------
    >>> linear(4, 3, torch.Generator().manual_seed(0))
    Linear(in_features=4, out_features=3, bias=True)
    """
    with torch.random.fork_rng(devices=[]):  # nn.Linear would draw from torch's own generator
        layer = nn.Linear(n_in, n_out, bias=bias)
    for parameter in layer.parameters():
        parameter.data = uniform(tuple(parameter.shape), 1 / math.sqrt(n_in), generator)
    return layer


def embedding(size: int, width: int, generator: torch.Generator | None) -> nn.Embedding:
    """Return ``nn.Embedding`` with standard normal rows, drawn from `generator`.

    The row of the padding, 0, is zero and gets no gradient.

    Examples
    --------
    >>> embedding(10, 4, torch.Generator().manual_seed(0)).weight[0]
    tensor([0., 0., 0., 0.], grad_fn=<SelectBackward0>)
    """
    rows = torch.randn(size, width, generator=generator)  # (V, d)
    rows[0] = 0
    return nn.Embedding.from_pretrained(rows, freeze=False, padding_idx=0)
