"""Attention of one new token over a cache of keys and values, contiguous or paged."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from coursekit.attention import configs
from coursekit.attention.check import check_queries_and_keys, check_tensor
from coursekit.attention.op import preferred, why_not
from coursekit.attention.reference import naive_attention

PROGRAMS_WANTED = 264  # two for each multiprocessor of an H100 or H200, which have 132
MOST_SPLITS = 64


def attention_decode(
    q: Tensor,
    k_cache: Tensor,
    v_cache: Tensor,
    lengths: Tensor,
    *,
    page_table: Tensor | None = None,
    scale: float | None = None,
    backend: str = "auto",
) -> Tensor:
    r"""Return softmax(scale · q kᵀ) v of one query over the first ``lengths`` keys of a cache.

    The same as :func:`~coursekit.attention.attention` of the new token's query; keys are split
    among programs, as in "Flash-Decoding" (Dao et al., 2023), and a paged cache is read in place,
    as in vLLM (Kwon et al., 2023).

    Parameters
    ----------
    q : Tensor, shape (B, H, 1, D)
        The new token's queries.
    k_cache, v_cache : Tensor, shape (B, G, M, D)
        Room for M tokens a row, of which ``lengths`` are filled; G divides H. With `page_table`
        (P, G, S, D): P pages of S tokens, shared by all rows.
    lengths : Tensor, int, shape (B,)
        Filled tokens of each row, the new one among them; 0 gives an output of 0.
    page_table : Tensor, int, shape (B, L), optional
        Numbers of each row's pages, in order; only those that ``lengths`` reaches are read.
    scale : float, optional
        1 / sqrt(D) by default.
    backend : {"auto", "triton", "reference"}
        As in :func:`~coursekit.attention.attention`.

    Returns
    -------
    Tensor, shape (B, H, 1, D)

    Raises
    ------
    TypeError, ValueError
        If tensors do not fit together, or a row is longer than its cache. On a GPU the last is
        looked at without waiting for it, so it stops the program a little later.

    Examples
    --------
    >>> q, cache = torch.zeros(1, 2, 1, 4), torch.arange(12.0).reshape(1, 1, 3, 4)
    >>> attention_decode(q, cache, cache, torch.tensor([2]))[0, :, 0]
    tensor([[2., 3., 4., 5.],
            [2., 3., 4., 5.]])
    """
    _check(q, k_cache, v_cache, lengths, page_table)
    scale = q.shape[3] ** -0.5 if scale is None else float(scale)
    if _takes_kernel(backend, q, k_cache, v_cache):
        return _by_kernel(q, k_cache, v_cache, lengths, page_table, scale)
    if page_table is not None:
        k_cache, v_cache = (_gathered(x, page_table) for x in (k_cache, v_cache))
    seen = torch.arange(k_cache.shape[2], device=q.device) < lengths[:, None]  # (B, M)
    return naive_attention(q, k_cache, v_cache, scale=scale, seen=seen[:, None, None, :])[0]


def _check(
    q: Tensor, k_cache: Tensor, v_cache: Tensor, lengths: Tensor, page_table: Tensor | None
) -> None:
    paged = page_table is not None
    check_queries_and_keys(q, k_cache[:1].expand(len(q), -1, -1, -1) if paged else k_cache)
    check_tensor(v_cache, "v_cache", q)
    if q.shape[2] != 1:
        raise ValueError(
            f"q holds {q.shape[2]} tokens; decoding takes 1. For several, use attention()."
        )
    if v_cache.shape != k_cache.shape:
        raise ValueError(
            f"k_cache has shape {tuple(k_cache.shape)} and v_cache {tuple(v_cache.shape)}; "
            "the same wanted."
        )
    for name, x, axes in (("lengths", lengths, 1), ("page_table", page_table, 2)):
        if x is not None and (x.is_floating_point() or x.ndim != axes or len(x) != len(q)):
            raise ValueError(
                f"{name} is {x.dtype} of shape {tuple(x.shape)}; whole numbers wanted, one row for "
                f"each of the batch of {len(q)}."
            )
    room = k_cache.shape[2] * (1 if page_table is None else page_table.shape[1])
    fits = ((lengths >= 0) & (lengths <= room)).all()
    message = f"A length is below 0 or above {room}, for which the cache has room."
    if q.device.type == "cuda":
        torch._assert_async(fits, message)
    elif not fits:
        raise ValueError(f"{message} The lengths are {lengths.tolist()}.")


def _takes_kernel(backend: str, q: Tensor, k: Tensor, v: Tensor) -> bool:
    if backend not in ("auto", "triton", "reference"):
        raise ValueError(f"backend is {backend!r}; 'auto', 'triton' or 'reference' wanted.")
    if backend == "triton" and (reason := why_not(q, k, v)):
        raise ValueError(f"The kernel cannot compute this: {reason}. Use backend='reference'.")
    return backend == "triton" or (backend == "auto" and preferred(q, k, v))


def _gathered(cache: Tensor, page_table: Tensor) -> Tensor:
    """A paged cache laid out in a row: (P, G, S, D) to (B, G, L * S, D)."""
    pages = cache[page_table.clamp(0, len(cache) - 1).long()]  # (B, L, G, S, D)
    return pages.transpose(1, 2).flatten(2, 3)  # (B, G, L * S, D)


def splits_for(batch: int, kv_heads: int) -> int:
    """Programs among which one head's keys are dealt: a power of two that fills a GPU.

    Examples
    --------
    >>> splits_for(1, 8), splits_for(64, 8)
    (32, 1)
    """
    wanted = PROGRAMS_WANTED // max(1, batch * kv_heads)
    return min(MOST_SPLITS, 1 << (max(1, wanted).bit_length() - 1))


def _by_kernel(
    q: Tensor, k: Tensor, v: Tensor, lengths: Tensor, page_table: Tensor | None, scale: float
) -> Tensor:
    from coursekit.attention.decode_kernels import combine_kernel, decode_kernel
    from coursekit.attention.launch import tiles_on

    (B, H, _, D), G = q.shape, k.shape[1]
    tiles = tiles_on(q, configs.decode_tiles)
    splits = splits_for(B, G)
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    parts = torch.empty((B, H, splits, D), dtype=wide, device=q.device)
    lse = torch.empty((B, H, splits), dtype=wide, device=q.device)
    out = torch.empty((B, H, 1, D), dtype=q.dtype, device=q.device)
    if not out.numel():
        return out
    table = None if page_table is None else page_table.contiguous()
    strides = (q.stride(0), q.stride(1), q.stride(3), *k.stride(), *v.stride())
    decode_kernel[(splits, B * G)](
        *(q, k, v, parts, lse, lengths.contiguous(), table, scale * math.log2(math.e)),
        *(*strides, G, 0 if table is None else table.shape[1]),
        PAGE=0 if table is None else k.shape[2],
        GROUP=H // G,
        GROUP_PADDED=configs.padded(H // G),
        SPLITS=splits,
        PRECISION="ieee",
        D=D,
        D_PADDED=configs.padded(D),
        BLOCK_N=tiles.block_n,
        num_warps=tiles.warps,
        num_stages=tiles.stages,
    )
    combine_kernel[(B * H,)](
        *(parts, lse, out), SPLITS=splits, D=D, D_PADDED=configs.padded(D), num_warps=tiles.warps
    )
    return out
