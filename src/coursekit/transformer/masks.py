"""Masks that depend on the batch: padding, and the prefix that sees itself both ways."""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit.attention import causal_mask


def padding_mask(lengths: Tensor, n: int) -> Tensor:
    """Return the mask that hides padding behind each sequence's end.

    Parameters
    ----------
    lengths : Tensor, int, shape (B,)
        True lengths, 0 … n. A sequence of length 0 leaves its queries nothing to look at, and
        attention gives them 0.
    n : int
        Padded length, N.

    Returns
    -------
    Tensor, bool, shape (B, 1, 1, N)
        True where there is a token.

    Raises
    ------
    ValueError
        If a length is negative or beyond `n`.

    Examples
    --------
    >>> padding_mask(torch.tensor([1, 3]), 3).int()[:, 0, 0]
    tensor([[1, 0, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    return _before(lengths, n)[:, None, None, :]


def prefix_mask(prefix: Tensor, n: int) -> Tensor:
    """Return the mask of a prefix language model: the prefix sees itself whole, the rest the past.

    One stack of blocks is then encoder and decoder at once (Dong et al., 2019; Raffel et al.,
    2020, section 3.2.1).

    Parameters
    ----------
    prefix : Tensor, int, shape (B,)
        Length of each prefix, 0 … n; 0 gives the causal mask, n the full one.
    n : int
        Length, N.

    Returns
    -------
    Tensor, bool, shape (B, 1, N, N)

    Raises
    ------
    ValueError
        If a length is negative or beyond `n`.

    Examples
    --------
    >>> prefix_mask(torch.tensor([2]), 3).int()[0, 0]
    tensor([[1, 1, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    return _before(prefix, n)[:, None, None, :] | causal_mask(n, device=prefix.device)


def _before(lengths: Tensor, n: int) -> Tensor:
    """Return which places lie before each length, shape (B, N)."""
    if lengths.ndim != 1 or lengths.is_floating_point():
        raise ValueError(
            f"lengths are {lengths.dtype} of shape {tuple(lengths.shape)}; whole numbers of shape "
            "(B,) wanted, one for each sequence."
        )
    if ((lengths < 0) | (lengths > n)).any():
        raise ValueError(
            f"lengths run from {int(lengths.min())} to {int(lengths.max())}; 0 to {n} wanted, the "
            "padded length."
        )
    return torch.arange(n, device=lengths.device) < lengths[:, None]
