"""The attention kernels in Triton: forward, delta, and the gradients of keys, values and queries.

One program of the forward kernel owns ``BLOCK_M`` query rows of one head and walks over the keys in
tiles of ``BLOCK_N``, so that no (Nq, Nk) matrix ever exists. The backward pass recomputes the
probabilities from the saved log-sum-exp, in two kernels of which each owns what it writes: nothing
is added atomically, so two runs give the same bits.

Everything that hides a key is one interval: query row ``i`` sees the keys ``lo[i] <= j < hi[i]``.
A causal mask moves ``hi``, a sliding window both ends, packed sequences cut both to the row's own
sequence. Tiles that lie inside every row's interval need no mask, tiles outside of all are skipped.

Scores are kept in base 2 (``exp2`` is one instruction), so the kernels' log-sum-exp is in bits.
Offsets of a head are 64-bit, offsets inside of it 32-bit: 64-bit products inside the loop would
serialise the matrix instructions of a Hopper GPU.
"""

import triton
import triton.language as tl

LOG2_E = tl.constexpr(1.4426950408889634)


@triton.jit
def tanh(x):
    """Tanh from exp2, which every GPU and the interpreter have."""
    return 1 - 2 / (tl.exp2(2 * LOG2_E * x) + 1)


@triton.jit
def key_interval(
    rows, STARTS, ENDS, n_q, n_k,
    CAUSAL: tl.constexpr, WINDOW: tl.constexpr, PACKED: tl.constexpr,
):  # fmt: skip
    """First key and one past the last key that each query row sees; both from 0 to ``n_k``."""
    position = rows + (n_k - n_q)  # the last query stands at the last key
    lo = tl.zeros_like(rows)
    hi = tl.zeros_like(rows) + n_k
    if PACKED:
        lo = tl.load(STARTS + rows, mask=rows < n_q, other=n_k)
        hi = tl.load(ENDS + rows, mask=rows < n_q, other=0)
    if CAUSAL:
        hi = tl.minimum(hi, position + 1)
    if WINDOW > 0:
        lo = tl.maximum(lo, position - WINDOW + 1)
        hi = tl.minimum(hi, position + WINDOW)
    return lo, hi


@triton.jit
def load_rows(
    pointers, rows, n_rows, columns,
    MASK_ROWS: tl.constexpr, D: tl.constexpr, D_PADDED: tl.constexpr,
):  # fmt: skip
    """A tile of rows, zero where there is no row or no column."""
    if MASK_ROWS:
        return tl.load(pointers, mask=(rows[:, None] < n_rows) & (columns[None, :] < D), other=0.0)
    elif D_PADDED != D:
        return tl.load(pointers, mask=columns[None, :] < D, other=0.0)
    else:
        return tl.load(pointers)


@triton.jit
def scores_of(
    products, qk_scale, cap,
    SOFTCAP: tl.constexpr,
):  # fmt: skip
    """Scores in base 2 from the products of queries and keys."""
    if SOFTCAP:
        return tanh(products * qk_scale) * cap
    else:
        return products * qk_scale


@triton.jit
def attend(
    acc, total, peak, q, k_base, v_base, start, stop, stride_kn, stride_vn, lo, hi, n_k,
    qk_scale, cap,
    MASKED: tl.constexpr, SOFTCAP: tl.constexpr, PRECISION: tl.constexpr,
    D: tl.constexpr, D_PADDED: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """Online softmax over the key tiles from ``start`` to ``stop``.

    ``acc`` (BLOCK_M, D) is the weighted sum of values so far, ``total`` the sum of weights and
    ``peak`` the greatest score, both (BLOCK_M,). A new peak shrinks what was summed before it.
    """
    columns = tl.arange(0, D_PADDED)
    for first in tl.range(start, stop, BLOCK_N):
        keys = first + tl.arange(0, BLOCK_N)
        k = load_rows(k_base + keys[:, None] * stride_kn, keys, n_k, columns, MASKED, D, D_PADDED)
        products = tl.dot(q, tl.trans(k), input_precision=PRECISION, out_dtype=acc.dtype)  # (M, N)
        scores = scores_of(products, qk_scale, cap, SOFTCAP)
        if MASKED:
            visible = (keys[None, :] >= lo[:, None]) & (keys[None, :] < hi[:, None])
            scores = tl.where(visible, scores, float("-inf"))
        new_peak = tl.maximum(peak, tl.max(scores, 1))
        # A row that has seen no key yet has no peak: 0 in its place keeps exp2(-inf - peak) at 0.
        finite = tl.where(new_peak == float("-inf"), 0.0, new_peak) if MASKED else new_peak
        weights = tl.exp2(scores - finite[:, None])
        shrink = tl.exp2(peak - finite)
        total = total * shrink + tl.sum(weights, 1)
        v = load_rows(v_base + keys[:, None] * stride_vn, keys, n_k, columns, MASKED, D, D_PADDED)
        acc = tl.dot(
            weights.to(v.dtype), v, acc * shrink[:, None],
            input_precision=PRECISION, out_dtype=acc.dtype,
        )  # fmt: skip
        peak = new_peak
    return acc, total, peak


@triton.jit
def forward_kernel(
    Q, K, V, OUT, LSE, STARTS, ENDS, qk_scale, cap,
    stride_qb, stride_qh, stride_qn, stride_qd, stride_kb, stride_kh, stride_kn, stride_kd,
    stride_vb, stride_vh, stride_vn, stride_vd, stride_ob, stride_oh, stride_on, stride_od,
    heads, group, n_q, n_k,
    CAUSAL: tl.constexpr, WINDOW: tl.constexpr, PACKED: tl.constexpr, SOFTCAP: tl.constexpr,
    PRECISION: tl.constexpr, D: tl.constexpr, D_PADDED: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """Output and log-sum-exp of ``BLOCK_M`` query rows of one head."""
    ACC: tl.constexpr = tl.float64 if Q.dtype.element_ty == tl.float64 else tl.float32
    # Last rows first: under a causal mask they have the most work, and long jobs start early.
    block = tl.num_programs(0) - 1 - tl.program_id(0)
    batch_head = tl.program_id(1).to(tl.int64)
    batch, head = batch_head // heads, batch_head % heads
    rows = block * BLOCK_M + tl.arange(0, BLOCK_M)
    columns = tl.arange(0, D_PADDED)
    q_base = Q + batch * stride_qb + head * stride_qh
    k_base = K + batch * stride_kb + (head // group) * stride_kh + columns[None, :] * stride_kd
    v_base = V + batch * stride_vb + (head // group) * stride_vh + columns[None, :] * stride_vd
    q_tile = q_base + rows[:, None] * stride_qn + columns[None, :] * stride_qd
    q = load_rows(q_tile, rows, n_q, columns, True, D, D_PADDED)  # (BLOCK_M, D)

    lo, hi = key_interval(rows, STARTS, ENDS, n_q, n_k, CAUSAL, WINDOW, PACKED)
    first = tl.min(lo, 0) // BLOCK_N * BLOCK_N  # no row sees a key before it
    last = tl.maximum(tl.max(hi, 0), first)  # nor one from here on
    inner = tl.minimum(tl.maximum(tl.cdiv(tl.max(lo, 0), BLOCK_N) * BLOCK_N, first), last)
    outer = tl.maximum(tl.minimum(tl.min(hi, 0), last) // BLOCK_N * BLOCK_N, inner)

    acc = tl.zeros([BLOCK_M, D_PADDED], ACC)
    total = tl.zeros([BLOCK_M], ACC)
    peak = tl.full([BLOCK_M], float("-inf"), ACC)
    if WINDOW > 0 or PACKED:  # else every row sees key 0, and no tile is cut on the left
        acc, total, peak = attend(
            acc, total, peak, q, k_base, v_base, first, inner, stride_kn, stride_vn, lo, hi, n_k,
            qk_scale, cap, True, SOFTCAP, PRECISION, D, D_PADDED, BLOCK_N,
        )  # fmt: skip
    acc, total, peak = attend(
        acc, total, peak, q, k_base, v_base, inner, outer, stride_kn, stride_vn, lo, hi, n_k,
        qk_scale, cap, False, SOFTCAP, PRECISION, D, D_PADDED, BLOCK_N,
    )  # fmt: skip
    acc, total, peak = attend(
        acc, total, peak, q, k_base, v_base, outer, last, stride_kn, stride_vn, lo, hi, n_k,
        qk_scale, cap, True, SOFTCAP, PRECISION, D, D_PADDED, BLOCK_N,
    )  # fmt: skip

    dead = total == 0.0  # rows that saw no key: 0, not 0 / 0
    out = acc / tl.where(dead, 1.0, total)[:, None]
    lse = tl.where(dead, float("-inf"), peak + tl.log2(tl.where(dead, 1.0, total)))
    here = (rows[:, None] < n_q) & (columns[None, :] < D)
    o_base = OUT + batch * stride_ob + head * stride_oh
    o_tile = o_base + rows[:, None] * stride_on + columns[None, :] * stride_od
    tl.store(o_tile, out.to(OUT.dtype.element_ty), mask=here)
    tl.store(LSE + batch_head * n_q + rows, lse, mask=rows < n_q)


@triton.jit
def delta_kernel(
    OUT, GRAD, DELTA,
    stride_ob, stride_oh, stride_on, stride_od, stride_gb, stride_gh, stride_gn, stride_gd,
    heads, n_q,
    D: tl.constexpr, D_PADDED: tl.constexpr, BLOCK_M: tl.constexpr,
):  # fmt: skip
    """Row sums of output times gradient: the softmax subtracts them from each score's gradient."""
    ACC: tl.constexpr = tl.float64 if OUT.dtype.element_ty == tl.float64 else tl.float32
    rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    batch_head = tl.program_id(1).to(tl.int64)
    batch, head = batch_head // heads, batch_head % heads
    columns = tl.arange(0, D_PADDED)
    o_tile = OUT + batch * stride_ob + head * stride_oh
    o_tile += rows[:, None] * stride_on + columns[None, :] * stride_od
    g_tile = GRAD + batch * stride_gb + head * stride_gh
    g_tile += rows[:, None] * stride_gn + columns[None, :] * stride_gd
    out = load_rows(o_tile, rows, n_q, columns, True, D, D_PADDED).to(ACC)
    grad = load_rows(g_tile, rows, n_q, columns, True, D, D_PADDED).to(ACC)
    tl.store(DELTA + batch_head * n_q + rows, tl.sum(out * grad, 1), mask=rows < n_q)


@triton.jit
def probabilities(
    products, lse, visible, qk_scale, cap,
    SOFTCAP: tl.constexpr,
):  # fmt: skip
    """The softmax's weights from its saved log-sum-exp, and the slope of the soft cap."""
    slope = 1.0
    scores = products * qk_scale
    if SOFTCAP:
        bent = tanh(scores)
        scores = bent * cap
        slope = 1 - bent * bent
    return tl.where(visible, tl.exp2(scores - lse), 0.0), slope


@triton.jit
def grad_key_value_kernel(
    Q, K, V, GRAD, LSE, DELTA, DK, DV, STARTS, ENDS, scale, qk_scale, cap,
    stride_qb, stride_qh, stride_qn, stride_qd, stride_kb, stride_kh, stride_kn, stride_kd,
    stride_vb, stride_vh, stride_vn, stride_vd, stride_gb, stride_gh, stride_gn, stride_gd,
    heads, kv_heads, n_q, n_k,
    CAUSAL: tl.constexpr, WINDOW: tl.constexpr, PACKED: tl.constexpr, SOFTCAP: tl.constexpr,
    PRECISION: tl.constexpr, D: tl.constexpr, D_PADDED: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """Gradients of ``BLOCK_N`` keys and values, summed over the query heads that share them."""
    ACC: tl.constexpr = tl.float64 if Q.dtype.element_ty == tl.float64 else tl.float32
    block = tl.program_id(0)
    batch_head = tl.program_id(1).to(tl.int64)
    batch, kv_head = batch_head // kv_heads, batch_head % kv_heads
    keys = block * BLOCK_N + tl.arange(0, BLOCK_N)
    columns = tl.arange(0, D_PADDED)
    k_tile = K + batch * stride_kb + kv_head * stride_kh
    k_tile += keys[:, None] * stride_kn + columns[None, :] * stride_kd
    v_tile = V + batch * stride_vb + kv_head * stride_vh
    v_tile += keys[:, None] * stride_vn + columns[None, :] * stride_vd
    k = load_rows(k_tile, keys, n_k, columns, True, D, D_PADDED)  # (BLOCK_N, D)
    v = load_rows(v_tile, keys, n_k, columns, True, D, D_PADDED)
    dk = tl.zeros([BLOCK_N, D_PADDED], ACC)
    dv = tl.zeros([BLOCK_N, D_PADDED], ACC)

    start, stop = query_range(
        block * BLOCK_N, STARTS, ENDS, n_q, n_k, CAUSAL, WINDOW, PACKED, BLOCK_M, BLOCK_N
    )
    group = heads // kv_heads
    for member in range(group):
        head = kv_head * group + member
        row_base = (batch * heads + head) * n_q
        q_base = Q + batch * stride_qb + head * stride_qh + columns[None, :] * stride_qd
        g_base = GRAD + batch * stride_gb + head * stride_gh + columns[None, :] * stride_gd
        for first in tl.range(start, stop, BLOCK_M):
            rows = first + tl.arange(0, BLOCK_M)
            lo, hi = key_interval(rows, STARTS, ENDS, n_q, n_k, CAUSAL, WINDOW, PACKED)
            visible = (keys[:, None] >= lo[None, :]) & (keys[:, None] < hi[None, :])
            visible = visible & (rows[None, :] < n_q)
            q = load_rows(q_base + rows[:, None] * stride_qn, rows, n_q, columns, True, D, D_PADDED)
            lse = tl.load(LSE + row_base + rows, mask=rows < n_q, other=0.0)
            products = tl.dot(k, tl.trans(q), input_precision=PRECISION, out_dtype=ACC)  # (N, M)
            p, slope = probabilities(products, lse[None, :], visible, qk_scale, cap, SOFTCAP)
            g = load_rows(g_base + rows[:, None] * stride_gn, rows, n_q, columns, True, D, D_PADDED)
            dv = tl.dot(p.to(g.dtype), g, dv, input_precision=PRECISION, out_dtype=ACC)
            delta = tl.load(DELTA + row_base + rows, mask=rows < n_q, other=0.0)
            dp = tl.dot(v, tl.trans(g), input_precision=PRECISION, out_dtype=ACC)
            ds = (p * (dp - delta[None, :]) * slope).to(q.dtype)
            dk = tl.dot(ds, q, dk, input_precision=PRECISION, out_dtype=ACC)

    here = (keys[:, None] < n_k) & (columns[None, :] < D)
    offsets = (batch_head * n_k + keys)[:, None] * D + columns[None, :]
    tl.store(DK + offsets, (dk * scale).to(DK.dtype.element_ty), mask=here)
    tl.store(DV + offsets, dv.to(DV.dtype.element_ty), mask=here)


@triton.jit
def query_range(
    first_key, STARTS, ENDS, n_q, n_k,
    CAUSAL: tl.constexpr, WINDOW: tl.constexpr, PACKED: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """The query rows, in whole tiles, that see any of ``BLOCK_N`` keys from ``first_key`` on."""
    shift = n_k - n_q
    start = 0
    stop = n_q
    last_key = tl.minimum(first_key + BLOCK_N, n_k) - 1
    if CAUSAL:
        start = tl.maximum(start, first_key - shift)
    if WINDOW > 0:
        start = tl.maximum(start, first_key - shift - WINDOW + 1)
        stop = tl.minimum(stop, last_key - shift + WINDOW)
    if PACKED:  # rows and keys are the same tokens
        start = tl.maximum(start, tl.load(STARTS + first_key))
        stop = tl.minimum(stop, tl.load(ENDS + last_key))
    return start // BLOCK_M * BLOCK_M, stop


@triton.jit
def grad_query_kernel(
    Q, K, V, GRAD, LSE, DELTA, DQ, STARTS, ENDS, scale, qk_scale, cap,
    stride_qb, stride_qh, stride_qn, stride_qd, stride_kb, stride_kh, stride_kn, stride_kd,
    stride_vb, stride_vh, stride_vn, stride_vd, stride_gb, stride_gh, stride_gn, stride_gd,
    heads, group, n_q, n_k,
    CAUSAL: tl.constexpr, WINDOW: tl.constexpr, PACKED: tl.constexpr, SOFTCAP: tl.constexpr,
    PRECISION: tl.constexpr, D: tl.constexpr, D_PADDED: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """Gradient of ``BLOCK_M`` query rows of one head."""
    ACC: tl.constexpr = tl.float64 if Q.dtype.element_ty == tl.float64 else tl.float32
    block = tl.num_programs(0) - 1 - tl.program_id(0)
    batch_head = tl.program_id(1).to(tl.int64)
    batch, head = batch_head // heads, batch_head % heads
    rows = block * BLOCK_M + tl.arange(0, BLOCK_M)
    columns = tl.arange(0, D_PADDED)
    q_tile = Q + batch * stride_qb + head * stride_qh
    q_tile += rows[:, None] * stride_qn + columns[None, :] * stride_qd
    g_tile = GRAD + batch * stride_gb + head * stride_gh
    g_tile += rows[:, None] * stride_gn + columns[None, :] * stride_gd
    k_base = K + batch * stride_kb + (head // group) * stride_kh + columns[None, :] * stride_kd
    v_base = V + batch * stride_vb + (head // group) * stride_vh + columns[None, :] * stride_vd
    q = load_rows(q_tile, rows, n_q, columns, True, D, D_PADDED)
    g = load_rows(g_tile, rows, n_q, columns, True, D, D_PADDED)
    lse = tl.load(LSE + batch_head * n_q + rows, mask=rows < n_q, other=0.0)
    delta = tl.load(DELTA + batch_head * n_q + rows, mask=rows < n_q, other=0.0)
    dq = tl.zeros([BLOCK_M, D_PADDED], ACC)

    lo, hi = key_interval(rows, STARTS, ENDS, n_q, n_k, CAUSAL, WINDOW, PACKED)
    start = tl.min(lo, 0) // BLOCK_N * BLOCK_N
    stop = tl.max(hi, 0)
    for first in tl.range(start, stop, BLOCK_N):
        keys = first + tl.arange(0, BLOCK_N)
        visible = (keys[None, :] >= lo[:, None]) & (keys[None, :] < hi[:, None])
        k = load_rows(k_base + keys[:, None] * stride_kn, keys, n_k, columns, True, D, D_PADDED)
        v = load_rows(v_base + keys[:, None] * stride_vn, keys, n_k, columns, True, D, D_PADDED)
        products = tl.dot(q, tl.trans(k), input_precision=PRECISION, out_dtype=ACC)  # (M, N)
        p, slope = probabilities(products, lse[:, None], visible, qk_scale, cap, SOFTCAP)
        dp = tl.dot(g, tl.trans(v), input_precision=PRECISION, out_dtype=ACC)
        ds = (p * (dp - delta[:, None]) * slope).to(k.dtype)
        dq = tl.dot(ds, k, dq, input_precision=PRECISION, out_dtype=ACC)

    here = (rows[:, None] < n_q) & (columns[None, :] < D)
    offsets = (batch_head * n_q + rows)[:, None] * D + columns[None, :]
    tl.store(DQ + offsets, (dq * scale).to(DQ.dtype.element_ty), mask=here)
