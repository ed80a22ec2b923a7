"""Who may look where: boolean masks of shape (N, M), True where query i may look at key j.

With N queries and M keys the last query stands beside the last key: query i has place
i + M - N among the keys. torch's `is_causal` flag aligns the first ones instead; the two agree
when N = M.
"""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit.attention.check import check_packing, check_window


def causal_mask(n: int, m: int | None = None, *, device: torch.device | None = None) -> Tensor:
    """Return the mask that hides the future, aligned to the bottom right.

    Implements :eq:`eq-transformer-causal-mask`.

    Parameters
    ----------
    n : int
        Queries, N.
    m : int, optional
        Keys, M; N by default.
    device : torch.device, optional
        Where the mask lies.

    Returns
    -------
    Tensor, bool, shape (N, M)
        True where j <= i + M - N. With more queries than keys the first N - M rows are empty.

    Examples
    --------
    >>> causal_mask(2, 3).int()
    tensor([[1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    return _lag(n, n if m is None else m, device) >= 0  # (N, M)


def window_mask(
    n: int, m: int | None = None, *, window: int, device: torch.device | None = None
) -> Tensor:
    """Return the mask of a sliding window: keys fewer than `window` places away.

    Together with :func:`causal_mask` a query sees the last `window` keys, itself among them
    (Beltagy, Peters and Cohan, 2020, "Longformer").

    Parameters
    ----------
    n : int
        Queries, N.
    m : int, optional
        Keys, M; N by default.
    window : int
        Its reach, at least 1; 1 leaves each query its own place.
    device : torch.device, optional
        Where the mask lies.

    Returns
    -------
    Tensor, bool, shape (N, M)

    Raises
    ------
    ValueError
        If `window` is below 1.

    Examples
    --------
    >>> window_mask(3, window=2).int()
    tensor([[1, 1, 0],
            [1, 1, 1],
            [0, 1, 1]], dtype=torch.int32)
    """
    check_window(window)
    return _lag(n, n if m is None else m, device).abs() < window  # (N, M)


def packed_mask(cu_seqlens: Tensor) -> Tensor:
    """Return the mask of several sequences laid end to end: each sees only itself.

    Parameters
    ----------
    cu_seqlens : Tensor, int, shape (S + 1,)
        Where the S sequences begin, and the end of the last: ``[0, 3, 5]`` for lengths 3 and 2.

    Returns
    -------
    Tensor, bool, shape (N, N)
        N is the last entry.

    Raises
    ------
    ValueError
        If the entries do not start at 0 or fall.

    Examples
    --------
    >>> packed_mask(torch.tensor([0, 1, 3])).int()
    tensor([[1, 0, 0],
            [0, 1, 1],
            [0, 1, 1]], dtype=torch.int32)
    """
    check_packing(cu_seqlens)
    lengths = cu_seqlens.diff()
    places = torch.arange(len(lengths), device=cu_seqlens.device)
    owner = places.repeat_interleave(lengths)  # (N,), the sequence of each token
    return owner[:, None] == owner[None, :]  # (N, N)


def visible(
    n: int,
    m: int,
    *,
    causal: bool = False,
    window: int | None = None,
    cu_seqlens: Tensor | None = None,
    mask: Tensor | None = None,
    device: torch.device | None = None,
) -> Tensor | None:
    """Return all conditions in one mask, or None where every query sees every key.

    Parameters
    ----------
    n, m : int
        Queries N and keys M.
    causal, window, cu_seqlens, mask
        As in :func:`~coursekit.attention.attention`.
    device : torch.device, optional
        Where the masks made here lie.

    Returns
    -------
    Tensor, bool, broadcastable to (B, H, N, M), or None

    Examples
    --------
    >>> visible(2, 2, causal=True, mask=torch.tensor([True, False])).int()
    tensor([[1, 0],
            [1, 0]], dtype=torch.int32)
    """
    conditions = [] if mask is None else [mask]
    if causal and n != 1:  # one query, the last, sees all keys
        conditions.append(causal_mask(n, m, device=device))
    if window is not None:
        conditions.append(window_mask(n, m, window=window, device=device))
    if cu_seqlens is not None:
        conditions.append(packed_mask(cu_seqlens.to(device)))
    if not conditions:
        return None
    out = conditions[0]
    for condition in conditions[1:]:
        out = out & condition
    return out


def _lag(n: int, m: int, device: torch.device | None) -> Tensor:
    """Return how many places key j lies behind query i, shape (N, M)."""
    i = torch.arange(n, device=device)[:, None] + (m - n)  # (N, 1), a place among the keys
    return i - torch.arange(m, device=device)  # (N, M)
