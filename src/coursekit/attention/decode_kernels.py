"""One new token against a long cache: split over the keys, then put together.

A single query row leaves a GPU idle, so the keys are dealt to ``SPLITS`` programs. Each writes the
output of its share and its log-sum-exp; a second kernel weighs the shares by ``exp2`` of the
latter. The query heads that share a head of keys are the rows of one tile, so that every key is
read from memory once.
"""

import triton
import triton.language as tl


@triton.jit
def decode_kernel(
    Q, K, V, PARTS, LSE, LENGTHS, PAGES, qk_scale,
    stride_qb, stride_qh, stride_qd, stride_kb, stride_kh, stride_kn, stride_kd,
    stride_vb, stride_vh, stride_vn, stride_vd, kv_heads, pages_a_row,
    PAGE: tl.constexpr, GROUP: tl.constexpr, GROUP_PADDED: tl.constexpr, SPLITS: tl.constexpr,
    PRECISION: tl.constexpr, D: tl.constexpr, D_PADDED: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """Output and log-sum-exp (base 2) of one share of the keys, for one head of keys."""
    ACC: tl.constexpr = tl.float64 if Q.dtype.element_ty == tl.float64 else tl.float32
    split = tl.program_id(0)
    batch_head = tl.program_id(1).to(tl.int64)
    batch, kv_head = batch_head // kv_heads, batch_head % kv_heads
    members = tl.arange(0, GROUP_PADDED)  # query heads of this head of keys
    columns = tl.arange(0, D_PADDED)
    heads = batch_head * GROUP + members  # (GROUP_PADDED,), counted through the batch
    here = (members[:, None] < GROUP) & (columns[None, :] < D)
    q_tile = Q + batch * stride_qb + (kv_head * GROUP + members)[:, None] * stride_qh
    q = tl.load(q_tile + columns[None, :] * stride_qd, mask=here, other=0.0)

    length = tl.load(LENGTHS + batch)
    share = tl.cdiv(tl.cdiv(length, BLOCK_N), SPLITS) * BLOCK_N  # whole tiles
    start = split * share
    stop = tl.minimum(start + share, length)
    k_base = K + kv_head * stride_kh + columns[None, :] * stride_kd
    v_base = V + kv_head * stride_vh + columns[None, :] * stride_vd
    acc = tl.zeros([GROUP_PADDED, D_PADDED], ACC)
    total = tl.zeros([GROUP_PADDED], ACC)
    peak = tl.full([GROUP_PADDED], float("-inf"), ACC)
    for first in tl.range(start, stop, BLOCK_N):
        keys = first + tl.arange(0, BLOCK_N)
        seen = keys < stop
        if PAGE > 0:  # the cache is cut into pages, and a row's pages lie anywhere
            page = tl.load(PAGES + batch * pages_a_row + keys // PAGE, mask=seen, other=0)
            block, place = page.to(tl.int64), keys % PAGE
        else:
            block, place = batch, keys
        valid = seen[:, None] & (columns[None, :] < D)
        k_tile = k_base + (block * stride_kb + place * stride_kn)[:, None]
        k = tl.load(k_tile, mask=valid, other=0.0)
        scores = tl.dot(q, tl.trans(k), input_precision=PRECISION, out_dtype=ACC) * qk_scale
        scores = tl.where(seen[None, :], scores, float("-inf"))  # (GROUP_PADDED, BLOCK_N)
        new_peak = tl.maximum(peak, tl.max(scores, 1))  # finite: every tile has a key
        weights = tl.exp2(scores - new_peak[:, None])
        shrink = tl.exp2(peak - new_peak)
        total = total * shrink + tl.sum(weights, 1)
        v_tile = v_base + (block * stride_vb + place * stride_vn)[:, None]
        v = tl.load(v_tile, mask=valid, other=0.0)
        acc = tl.dot(
            weights.to(v.dtype), v, acc * shrink[:, None],
            input_precision=PRECISION, out_dtype=ACC,
        )  # fmt: skip
        peak = new_peak

    empty = total == 0.0
    out = acc / tl.where(empty, 1.0, total)[:, None]
    lse = tl.where(empty, float("-inf"), peak + tl.log2(tl.where(empty, 1.0, total)))
    rows = heads * SPLITS + split
    tl.store(PARTS + rows[:, None] * D + columns[None, :], out, mask=here)
    tl.store(LSE + rows, lse, mask=members < GROUP)


@triton.jit
def combine_kernel(
    PARTS, LSE, OUT,
    SPLITS: tl.constexpr, D: tl.constexpr, D_PADDED: tl.constexpr,
):  # fmt: skip
    """Average the shares of one query head, weighted by what each saw of the softmax's sum."""
    head = tl.program_id(0).to(tl.int64)
    rows = head * SPLITS + tl.arange(0, SPLITS)
    columns = tl.arange(0, D_PADDED)
    lse = tl.load(LSE + rows)
    peak = tl.max(lse, 0)
    weights = tl.exp2(lse - tl.where(peak == float("-inf"), 0.0, peak))  # 0 where nothing was seen
    total = tl.sum(weights, 0)
    parts = PARTS + rows[:, None] * D + columns[None, :]
    part = tl.load(parts, mask=columns[None, :] < D, other=0.0)  # (SPLITS, D)
    out = tl.sum(weights[:, None] * part, 0) / tl.where(total == 0.0, 1.0, total)
    tl.store(OUT + head * D + columns, out.to(OUT.dtype.element_ty), mask=columns < D)
