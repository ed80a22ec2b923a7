"""Attention written out: every step a line, nothing hidden, any float dtype.

Slow and hungry (the N x M scores lie in memory), and the yardstick for everything faster.
"""

from __future__ import annotations

import torch
from torch import Tensor

HALF = (torch.float16, torch.bfloat16)


def naive_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    scale: float,
    seen: Tensor | None = None,
    bias: Tensor | None = None,
    softcap: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the outputs and the log-sum-exp of the scores.

    Implements :eq:`eq-transformer-attention-rows`, Vaswani et al. (2017), equation 1. The order
    is: scale, cap, bias, mask, softmax. Half precision is computed in float32.

    Parameters
    ----------
    q : Tensor, shape (B, H, N, D)
        Queries.
    k : Tensor, shape (B, G, M, D)
        Keys; G divides H, and G = H is plain multi-head attention.
    v : Tensor, shape (B, G, M, E)
        Values.
    scale : float
        Factor of the scores.
    seen : Tensor, bool, broadcastable to (B, H, N, M), optional
        True where a query may look.
    bias : Tensor, broadcastable to (B, H, N, M), optional
        Added to the scores.
    softcap : float, optional
        Bound c of the scores, c tanh(score / c), as in Gemma 2.

    Returns
    -------
    out : Tensor, shape (B, H, N, E)
        0 where a query may look nowhere.
    lse : Tensor, shape (B, H, N)
        log of the sum of exp(score), natural; minus infinity where a query may look nowhere.
        float32 for half precision.

    Examples
    --------
    >>> q = k = torch.zeros(1, 1, 2, 4)
    >>> out, lse = naive_attention(q, k, torch.tensor([[[[1.0], [3.0]]]]), scale=0.5)
    >>> out.flatten(), lse.flatten()
    (tensor([2., 2.]), tensor([0.6931, 0.6931]))
    """
    weights, lse = naive_weights(q, k, scale=scale, seen=seen, bias=bias, softcap=softcap)
    out = weights @ _per_query_head(v, q.shape[1]).to(weights.dtype)  # (B, H, N, E)
    return out.to(q.dtype), lse


def naive_weights(
    q: Tensor,
    k: Tensor,
    *,
    scale: float,
    seen: Tensor | None = None,
    bias: Tensor | None = None,
    softcap: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the softmax of the scores, shape (B, H, N, M), and their log-sum-exp, (B, H, N).

    Parameters and conventions are those of :func:`naive_attention`.

    Examples
    --------
    >>> q = k = torch.zeros(1, 1, 1, 4)
    >>> naive_weights(q, k, scale=1.0)[0]
    tensor([[[[1.]]]])
    """
    if q.dtype in HALF:
        q, k = q.float(), k.float()
    k = _per_query_head(k, q.shape[1])  # (B, H, M, D)
    scores = q @ k.transpose(-2, -1) * scale  # (B, H, N, M)
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    if bias is not None:
        scores = scores + bias.to(scores.dtype)
    if seen is not None:
        scores = scores.masked_fill(~seen, -torch.inf)
    return _safe_softmax(scores)


def _safe_softmax(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax over the last axis where a row may be all minus infinity, or have no entry."""
    if scores.shape[-1] == 0:
        return scores, scores.new_full(scores.shape[:-1], -torch.inf)
    top = scores.detach().amax(-1, keepdim=True)  # (B, H, N, 1)
    top = top.masked_fill(top == -torch.inf, 0.0)  # so that exp(-inf - top) is 0 and not NaN
    e = torch.exp(scores - top)
    total = e.sum(-1, keepdim=True)  # (B, H, N, 1)
    dead = total == 0
    total = total.masked_fill(dead, 1.0)  # keeps both gradients finite
    lse = (top + total.log()).masked_fill(dead, -torch.inf)
    return e / total, lse.squeeze(-1)


def _per_query_head(x: Tensor, heads: int) -> Tensor:
    """Repeat each of the G heads for the H / G queries' heads that share it."""
    groups = x.shape[1]
    return x if groups == heads else x.repeat_interleave(heads // groups, dim=1)
