"""The forward kernel for Hopper GPUs: one warp fetches tiles while the others multiply.

Tiles come through tensor descriptors, which the GPU's copy engine reads by itself, and the loop is
handed to warps of two kinds (``warp_specialize``). That takes one loop without pointer loads in it,
so every tile is masked, and it takes heads of 64 or 128 with a contiguous last axis.
"""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl

from coursekit.attention.configs import Tiles

TILES = {64: Tiles(128, 128, 4, 2), 128: Tiles(128, 128, 4, 2)}  # by width of a head
ALIGNMENT = 16  # bytes, of a descriptor's base and strides


@triton.jit
def hopper_forward_kernel(
    Q, K, V, OUT, LSE, qk_scale,
    stride_qb, stride_qh, stride_qn, stride_kb, stride_kh, stride_kn,
    stride_vb, stride_vh, stride_vn, stride_ob, stride_oh, stride_on,
    heads, group, n_q, n_k,
    CAUSAL: tl.constexpr, D: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
    STAGES: tl.constexpr,
):  # fmt: skip
    """Output and log-sum-exp (base 2) of ``BLOCK_M`` query rows of one head."""
    block = tl.num_programs(0) - 1 - tl.program_id(0)
    batch_head = tl.program_id(1)
    batch, head = (batch_head // heads).to(tl.int64), (batch_head % heads).to(tl.int64)
    kv_head = head // group
    q_tiles = tl.make_tensor_descriptor(
        Q + batch * stride_qb + head * stride_qh, [n_q, D], [stride_qn, 1], [BLOCK_M, D]
    )
    k_tiles = tl.make_tensor_descriptor(
        K + batch * stride_kb + kv_head * stride_kh, [n_k, D], [stride_kn, 1], [BLOCK_N, D]
    )
    v_tiles = tl.make_tensor_descriptor(
        V + batch * stride_vb + kv_head * stride_vh, [n_k, D], [stride_vn, 1], [BLOCK_N, D]
    )
    out_tiles = tl.make_tensor_descriptor(
        OUT + batch * stride_ob + head * stride_oh, [n_q, D], [stride_on, 1], [BLOCK_M, D]
    )
    rows = block * BLOCK_M + tl.arange(0, BLOCK_M)
    keys = tl.arange(0, BLOCK_N)
    last = tl.zeros([BLOCK_M], tl.int32) + (n_k - 1)  # the last key that each row sees
    stop = n_k
    if CAUSAL:
        last = tl.minimum(last, rows + (n_k - n_q))
        stop = tl.minimum(tl.maximum((block + 1) * BLOCK_M + n_k - n_q, 0), n_k)
    q = q_tiles.load([block * BLOCK_M, 0])
    acc = tl.zeros([BLOCK_M, D], tl.float32)
    total = tl.zeros([BLOCK_M], tl.float32)
    peak = tl.full([BLOCK_M], float("-inf"), tl.float32)
    for first in tl.range(0, stop, BLOCK_N, warp_specialize=True, num_stages=STAGES):
        k = k_tiles.load([first, 0])
        scores = tl.dot(q, tl.trans(k)) * qk_scale  # (BLOCK_M, BLOCK_N)
        scores = tl.where(first + keys[None, :] <= last[:, None], scores, float("-inf"))
        new_peak = tl.maximum(peak, tl.max(scores, 1))
        finite = tl.where(new_peak == float("-inf"), 0.0, new_peak)
        weights = tl.exp2(scores - finite[:, None])
        shrink = tl.exp2(peak - finite)
        total = total * shrink + tl.sum(weights, 1)
        v = v_tiles.load([first, 0])
        acc = tl.dot(weights.to(v.dtype), v, acc * shrink[:, None])
        peak = new_peak
    dead = total == 0.0
    divisor = tl.where(dead, 1.0, total)
    out_tiles.store([block * BLOCK_M, 0], (acc / divisor[:, None]).to(OUT.dtype.element_ty))
    lse = tl.where(dead, float("-inf"), peak + tl.log2(divisor))
    tl.store(LSE + batch_head.to(tl.int64) * n_q + rows, lse, mask=rows < n_q)


def fits(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> bool:
    """Whether these tensors can be read through descriptors."""
    aligned = all(
        x.stride(3) == 1
        and x.data_ptr() % ALIGNMENT == 0
        and all(s * x.element_size() % ALIGNMENT == 0 for s in x.stride()[:3])
        for x in (q, k, v)
    )
    half = q.dtype in (torch.float16, torch.bfloat16)
    return half and aligned and q.shape[3] in TILES and q.shape[2] > 0 and k.shape[2] > 0


def hopper_forward(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run the kernel: output (B, H, N, D) and log-sum-exp (B, H, N) in base 2.

    Raises
    ------
    ValueError
        If :func:`fits` says no.
    """
    if not fits(q, k, v):
        raise ValueError(
            f"The Hopper kernel takes half precision, heads of {' or '.join(map(str, TILES))} and "
            f"aligned rows; q is {q.dtype} of shape {tuple(q.shape)} with strides {q.stride()}."
        )
    (B, H, n_q, D), (G, n_k) = q.shape, k.shape[1:3]
    out = torch.empty((B, H, n_q, D), dtype=q.dtype, device=q.device)
    lse = torch.empty((B, H, n_q), dtype=torch.float32, device=q.device)
    triton.set_allocator(lambda size, *_: torch.empty(size, dtype=torch.int8, device=q.device))
    tiles = TILES[D]
    hopper_forward_kernel[(triton.cdiv(n_q, tiles.block_m), B * H)](
        *(q, k, v, out, lse, scale * math.log2(math.e)),
        *(*q.stride()[:3], *k.stride()[:3], *v.stride()[:3], *out.stride()[:3]),
        *(H, H // G, n_q, n_k),
        CAUSAL=causal,
        D=D,
        BLOCK_M=tiles.block_m,
        BLOCK_N=tiles.block_n,
        STAGES=tiles.stages,
        num_warps=tiles.warps,
    )
    return out, lse
