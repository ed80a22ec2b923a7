"""What may go into attention, and the words for what may not."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def check_inputs(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None,
    bias: Tensor | None,
    cu_seqlens: Tensor | None,
) -> None:
    """Refuse tensors that do not fit together.

    Raises
    ------
    TypeError, ValueError
        As :func:`~coursekit.attention.attention` documents.

    Examples
    --------
    >>> q, k = torch.zeros(1, 8, 5, 4), torch.zeros(1, 3, 5, 4)
    >>> check_inputs(q, k, k, None, None, None)
    Traceback (most recent call last):
    ValueError: q has 8 heads and k has 3; grouped-query attention needs k's heads to divide q's.
    """
    check_queries_and_keys(q, k, mask, bias)
    check_tensor(v, "v", q)
    if v.shape[:3] != k.shape[:3]:
        raise ValueError(
            f"v has shape {_spell(v)} and k {_spell(k)}; the same batch, heads and length wanted: "
            "each key has one value."
        )
    if cu_seqlens is not None:
        _check_packing(q, k, cu_seqlens)


def check_queries_and_keys(
    q: Tensor, k: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
) -> None:
    """Refuse queries, keys, mask or bias that do not fit together.

    Raises
    ------
    TypeError, ValueError
        As :func:`~coursekit.attention.attention` documents.

    Examples
    --------
    >>> check_queries_and_keys(torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 5), None, None)
    Traceback (most recent call last):
    ValueError: q has heads of width 4 and k of width 5; a score is their dot product, so they \
must agree.
    """
    check_tensor(q, "q", q)
    check_tensor(k, "k", q)
    (B, H, N, D), (Bk, G, M, Dk) = q.shape, k.shape
    if Bk != B:
        raise ValueError(f"q has a batch of {B} and k of {Bk}; the same wanted.")
    if Dk != D or D == 0:
        raise ValueError(
            f"q has heads of width {D} and k of width {Dk}; a score is their dot product, so they "
            + ("must not be empty." if Dk == D else "must agree.")
        )
    if H and (G == 0 or H % G):
        raise ValueError(
            f"q has {H} heads and k has {G}; grouped-query attention needs k's heads to divide q's."
        )
    for name, x in (("mask", mask), ("bias", bias)):
        if x is not None:
            _check_scores_like(x, name, (B, H, N, M), q)


def check_option(value: float | None, name: str) -> float | None:
    """Return `value` as a float, refusing what is not positive and finite.

    Raises
    ------
    ValueError
        If it is not.

    Examples
    --------
    >>> check_option(0, "softcap")
    Traceback (most recent call last):
    ValueError: softcap is 0; a positive number wanted, or None for no softcap.
    """
    if value is None:
        return None
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} is {value}; a positive number wanted, or None for no {name}.")
    return float(value)


def check_window(window: int | None) -> int | None:
    """Return `window`, refusing what is below 1.

    Raises
    ------
    ValueError
        If it is.

    Examples
    --------
    >>> check_window(0)
    Traceback (most recent call last):
    ValueError: window is 0; at least 1 wanted, which is the token itself.
    """
    if window is not None and window < 1:
        raise ValueError(f"window is {window}; at least 1 wanted, which is the token itself.")
    return window


def check_packing(cu_seqlens: Tensor | None) -> Tensor | None:
    """Return `cu_seqlens`, refusing what does not start at 0 and rise.

    Raises
    ------
    ValueError
        If it does not.

    Examples
    --------
    >>> check_packing(torch.tensor([0, 3, 2]))
    Traceback (most recent call last):
    ValueError: cu_seqlens is [0, 3, 2]; the cumulative lengths wanted, from 0 upwards: \
[0, 3, 5] for sequences of 3 and 2 tokens.
    """
    if cu_seqlens is not None and (
        cu_seqlens.ndim != 1
        or len(cu_seqlens) == 0
        or cu_seqlens[0] != 0
        or (cu_seqlens.diff() < 0).any()
    ):
        raise ValueError(
            f"cu_seqlens is {cu_seqlens.tolist()}; the cumulative lengths wanted, from 0 upwards: "
            "[0, 3, 5] for sequences of 3 and 2 tokens."
        )
    return cu_seqlens


def check_tensor(x: Tensor, name: str, q: Tensor) -> None:
    """Refuse what is no tensor of four axes with the dtype and device of `q`.

    Raises
    ------
    TypeError, ValueError
        As :func:`~coursekit.attention.attention` documents.

    Examples
    --------
    >>> check_tensor(torch.zeros(2, 3), "k", torch.zeros(1, 1, 2, 3))
    Traceback (most recent call last):
    ValueError: k has shape (2, 3); four axes wanted, (batch, heads, length, width). \
For one sequence and one head: k[None, None].
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} is a {type(x).__name__}; a torch tensor wanted.")
    if x.ndim != 4:
        raise ValueError(
            f"{name} has shape {_spell(x)}; four axes wanted, (batch, heads, length, width). "
            f"For one sequence and one head: {name}[None, None]."
        )
    if not x.is_floating_point():
        raise ValueError(f"{name} is {x.dtype}; a float dtype wanted. Use {name}.float().")
    if x.dtype != q.dtype or x.device != q.device:
        raise ValueError(
            f"q is {q.dtype} on {q.device} and {name} is {x.dtype} on {x.device}; the same wanted. "
            f"Use {name}.to(q)."
        )


def _check_scores_like(x: Tensor, name: str, scores: tuple[int, ...], q: Tensor) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} is a {type(x).__name__}; a torch tensor wanted.")
    if name == "mask" and x.dtype != torch.bool:
        raise TypeError(
            f"mask is {x.dtype}; bool wanted, True where a query may look. "
            "Numbers to add to the scores go into `bias`."
        )
    if name == "bias" and not x.is_floating_point():
        raise TypeError(f"bias is {x.dtype}; a float dtype wanted. A boolean goes into `mask`.")
    if x.device != q.device:
        raise ValueError(f"{name} is on {x.device} and q on {q.device}; use {name}.to(q.device).")
    try:
        fits = torch.broadcast_shapes(x.shape, scores) == scores
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(
            f"{name} has shape {_spell(x)}, which does not broadcast to the scores' {scores} "
            "(batch, heads, queries, keys). A padding mask of shape (B, M) goes in as "
            f"{name}[:, None, None, :]."
        )


def _check_packing(q: Tensor, k: Tensor, cu_seqlens: Tensor) -> None:
    if cu_seqlens.is_floating_point() or cu_seqlens.ndim != 1:
        raise ValueError(
            f"cu_seqlens is {cu_seqlens.dtype} of shape {_spell(cu_seqlens)}; "
            "one axis of whole numbers wanted."
        )
    tokens = int(cu_seqlens[-1]) if len(cu_seqlens) else 0
    if q.shape[0] != 1 or not q.shape[2] == k.shape[2] == tokens:
        raise ValueError(
            f"q has shape {_spell(q)}, k {_spell(k)}, and cu_seqlens ends at {tokens}; packed "
            "sequences need a batch of 1 and that many queries and keys."
        )


def _spell(x: Tensor) -> tuple[int, ...]:
    return tuple(x.shape)
