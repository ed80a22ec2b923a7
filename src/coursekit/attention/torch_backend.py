"""The same operation by torch's `scaled_dot_product_attention`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


def torch_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    scale: float,
    causal: bool = False,
    seen: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    """Return the outputs, shape (B, H, N, E); shapes as in `naive_attention`.

    `causal` is torch's flag, for N = M only; every other condition is in `seen`. A query that
    may look nowhere gives 0: its row of the mask is opened, and its output erased, because not
    every torch kernel does so by itself.

    Examples
    --------
    >>> q = k = torch.zeros(1, 1, 2, 4)
    >>> torch_attention(q, k, torch.tensor([[[[1.0], [3.0]]]]), scale=0.5, causal=True).flatten()
    tensor([1., 2.])
    """
    grouped = q.shape[1] != k.shape[1]
    mask, alive = _one_mask(seen, bias, q.dtype)
    out = scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=causal, scale=scale, enable_gqa=grouped
    )  # (B, H, N, E)
    return out if alive is None else out.masked_fill(~alive, 0.0)


def _one_mask(
    seen: Tensor | None, bias: Tensor | None, dtype: torch.dtype
) -> tuple[Tensor | None, Tensor | None]:
    """Return what torch takes as `attn_mask`, and which rows (…, N, 1) look anywhere."""
    if bias is None:
        if seen is None:
            return None, None
        alive = seen.any(-1, keepdim=True)
        return seen | ~alive, alive
    finite = bias > -torch.inf
    seen = finite if seen is None else seen & finite
    alive = seen.any(-1, keepdim=True)
    return torch.where(seen, bias.to(dtype), -torch.inf).masked_fill(~alive, 0.0), alive
