"""Two kernels in Triton: a softmax of rows longer than a tile, and attention.

They run in Triton's interpreter, which also puts ``tl`` among the names that a kernel sees.
"""

from __future__ import annotations

import inspect
import itertools
import linecache
import textwrap
from typing import TYPE_CHECKING

import numpy as np
import torch  # noqa: F401 - takes seconds: not in the time of the first case

from coursekit.grading import case, question
from coursekit.grading.compare import Close

if TYPE_CHECKING:
    import triton.language as tl

NUMBER = itertools.count(1)


def altered(kernel, *pairs):
    """A kernel with some of its text replaced; the interpreter reads its source by file name."""
    text = textwrap.dedent(inspect.getsource(kernel))
    for old, new in pairs:
        if text.count(old) != 1:
            raise ValueError(f"{kernel.__name__} holds {old!r} {text.count(old)} times; wanted: 1.")
        text = text.replace(old, new)
    name = f"<altered {kernel.__name__} {next(NUMBER)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    room = {"__name__": __name__}
    exec(compile(text, name, "exec"), room)
    return room[kernel.__name__]


@question(
    id="softmax-kernel",
    title="A softmax kernel for long rows",
    asks="softmax_kernel",
    points=3,
    section="sec-attention-triton",
)
class SoftmaxKernel:
    seconds = 5.0  # at most; it takes a tenth of one
    needs = "triton"
    compare = Close(rtol=1e-4, atol=1e-6)  # float32: some dozen roundings of 6e-8, and exp

    def driver(answer, x, gap, block):
        from coursekit.grading.kernels import run_kernel

        rows, columns = x.shape
        stride = columns + gap
        return run_kernel(answer, (rows,), [x], x.shape, columns, stride, gap=gap, BLOCK=block)

    def reference(X, Y, columns, stride, BLOCK: tl.constexpr):
        row = tl.program_id(0) * stride
        peak = float("-inf")
        total = 0.0
        for first in range(0, columns, BLOCK):
            places = first + tl.arange(0, BLOCK)
            here = places < columns
            x = tl.load(X + row + places, mask=here, other=float("-inf"))
            new_peak = tl.maximum(peak, tl.max(x, 0))
            total = total * tl.exp(peak - new_peak) + tl.sum(tl.exp(x - new_peak), 0)
            peak = new_peak
        for start in range(0, columns, BLOCK):
            places = start + tl.arange(0, BLOCK)
            here = places < columns
            x = tl.load(X + row + places, mask=here, other=0.0)
            tl.store(Y + row + places, tl.exp(x - peak) / total, mask=here)

    def cases(rng):
        yield case("rows as long as a tile", rng.normal(size=(2, 8)), 0, 8)
        yield case("a tile and a bit", rng.normal(size=(3, 11)), 2, 8)
        rising = np.sort(3 * rng.normal(size=(2, 19)), axis=1)
        yield case("rising rows of three tiles", rising, 5, 8)
        yield case("negative entries", -3 - rng.uniform(size=(2, 5)), 3, 4)
        yield case("entries near 1000", 1000 + rng.normal(size=(1, 6)), 0, 4)
        yield case("other sizes", 2 * rng.normal(size=(4, 37)), 3, 16, shown=False)

    def in_three_walks(X, Y, columns, stride, BLOCK: tl.constexpr):
        lanes = tl.arange(0, BLOCK)
        X += tl.program_id(0) * stride
        Y += tl.program_id(0) * stride
        peak = tl.full([BLOCK], float("-inf"), tl.float32)
        for j in range(tl.cdiv(columns, BLOCK)):
            at = j * BLOCK + lanes
            peak = tl.maximum(peak, tl.load(X + at, mask=at < columns, other=float("-inf")))
        top = tl.max(peak, 0)
        sums = tl.zeros([BLOCK], tl.float32)
        for j in range(tl.cdiv(columns, BLOCK)):
            at = j * BLOCK + lanes
            x = tl.load(X + at, mask=at < columns, other=float("-inf"))
            sums += tl.exp(x - top)
        for j in range(tl.cdiv(columns, BLOCK)):
            at = j * BLOCK + lanes
            x = tl.load(X + at, mask=at < columns, other=float("-inf"))
            tl.store(Y + at, tl.exp(x - top) / tl.sum(sums, 0), mask=at < columns)

    def lane_by_lane(X, Y, columns, stride, BLOCK: tl.constexpr):
        start = tl.program_id(0) * stride + tl.arange(0, BLOCK)
        end = tl.program_id(0) * stride + columns
        m = tl.full([BLOCK], -1e30, tl.float32)
        s = tl.zeros([BLOCK], tl.float32)
        for jump in range(0, columns, BLOCK):
            seen = start + jump < end
            x = tl.load(X + start + jump, mask=seen, other=-1e30)
            higher = tl.maximum(m, x)
            s = s * tl.exp2((m - higher) * 1.4426950408889634)
            s += tl.where(seen, tl.exp2((x - higher) * 1.4426950408889634), 0.0)
            m = higher
        top = tl.max(m, 0)
        log_sum = top + tl.log(tl.sum(s * tl.exp(m - top), 0))
        for jump in range(0, columns, BLOCK):
            seen = start + jump < end
            x = tl.load(X + start + jump, mask=seen, other=0.0)
            tl.store(Y + start + jump, tl.exp(x - log_sum), mask=seen)

    variants = [in_three_walks, lane_by_lane]
    mistakes = {
        "Places beyond the end take weight: load minus infinity there, not 0.": altered(
            reference, ('other=float("-inf")', "other=0.0")
        ),
        "You write beyond the end of the row: the store needs the mask too.": altered(
            reference, ("/ total, mask=here", "/ total")
        ),
        "When a tile brings a new peak, the sum so far must shrink by exp(old - new).": altered(
            reference, ("total * tl.exp(peak - new_peak) +", "total +")
        ),
        "Every program works on row 0: multiply its number by the stride.": altered(
            reference, ("tl.program_id(0) * stride", "0 * stride")
        ),
        "The next row begins `stride` elements further, which can be more than `columns`.": altered(
            reference, ("tl.program_id(0) * stride", "tl.program_id(0) * columns")
        ),
        "The sum holds the first tile only: walk over the row in steps of BLOCK.": altered(
            reference, ("for first in range(0, columns, BLOCK)", "for first in range(1)")
        ),
        "The weights must add up to 1: divide by the sum.": altered(reference, (" / total", "")),
        "Exponentials of large entries overflow: subtract the peak.": altered(
            reference,
            ("tl.max(x, 0))", "0.0)"),
            ('peak = float("-inf")', "peak = 0.0"),
        ),
    }
    explain = r"""
    A program's row begins at `program_id * stride`. Walk over it twice in steps of BLOCK. The first
    walk keeps the greatest entry and the sum of exponentials, which shrinks by
    $e^{m_\text{old}-m_\text{new}}$ when a tile brings a greater one; places beyond the end are
    loaded as minus infinity, so that they add nothing. The second walk loads each tile again,
    divides its exponentials by the sum, and stores them under the same mask. A row of 5 in tiles of
    4 has a second tile with one valid place and three that must be neither counted nor written.
    """


@question(
    id="attention-kernel",
    title="The attention kernel",
    asks="attention_kernel",
    points=5,
    section="sec-attention-kernel",
)
class AttentionKernel:
    seconds = 8.0  # at most; it takes a fifth of one
    needs = "triton"
    compare = Close(rtol=1e-4, atol=1e-5)  # float32, and outputs near 1

    def driver(answer, q, k, v, causal, block_m, block_n):
        from coursekit.grading.kernels import run_kernel

        (n, d), m = q.shape, len(k)
        return run_kernel(
            answer,
            (-(-n // block_m),),
            [q, k, v],
            (n, d),
            *(n, m, d**-0.5),
            CAUSAL=causal,
            D=d,
            BLOCK_M=block_m,
            BLOCK_N=block_n,
        )

    def reference(
        Q, K, V, OUT, n, m, scale,
        CAUSAL: tl.constexpr, D: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
    ):  # fmt: skip
        rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
        columns = tl.arange(0, D)
        tile = rows[:, None] * D + columns[None, :]
        q = tl.load(Q + tile, mask=rows[:, None] < n, other=0.0)
        peak = tl.full([BLOCK_M], float("-inf"), tl.float32)
        total = tl.zeros([BLOCK_M], tl.float32)
        acc = tl.zeros([BLOCK_M, D], tl.float32)
        for first in range(0, m, BLOCK_N):
            keys = first + tl.arange(0, BLOCK_N)
            places = keys[:, None] * D + columns[None, :]
            k = tl.load(K + places, mask=keys[:, None] < m, other=0.0)
            v = tl.load(V + places, mask=keys[:, None] < m, other=0.0)
            scores = tl.dot(q, tl.trans(k)) * scale
            seen = keys[None, :] < m
            if CAUSAL:
                seen = seen & (keys[None, :] <= rows[:, None] + m - n)
            scores = tl.where(seen, scores, float("-inf"))
            new_peak = tl.maximum(peak, tl.max(scores, 1))
            finite = tl.where(new_peak == float("-inf"), 0.0, new_peak)
            weights = tl.exp(scores - finite[:, None])
            shrink = tl.exp(peak - finite)
            total = total * shrink + tl.sum(weights, 1)
            acc = acc * shrink[:, None] + tl.dot(weights, v)
            peak = new_peak
        out = acc / tl.where(total == 0.0, 1.0, total)[:, None]
        tl.store(OUT + tile, out, mask=rows[:, None] < n)

    def cases(rng):
        yield case("one tile, filled", *tensors(rng, 4, 4, 4), False, 4, 4)
        yield case("sizes that are no multiples", *tensors(rng, 6, 7, 4), False, 4, 4)
        yield case("causal, as many queries as keys", *tensors(rng, 6, 6, 4), True, 4, 4)
        yield case("causal, new tokens behind a cache", *tensors(rng, 3, 9, 8), True, 4, 4)
        yield case("causal, more queries than keys", *tensors(rng, 6, 3, 4), True, 4, 4)
        yield case("scores that rise", *rising(rng, 2, 9, 4), False, 2, 4)
        yield case("other tiles", *tensors(rng, 21, 35, 16), True, 16, 8, shown=False)
        yield case("other tiles, no mask", *tensors(rng, 10, 19, 8), False, 8, 16, shown=False)

    def up_to_the_last_key(
        Q, K, V, OUT, n, m, scale,
        CAUSAL: tl.constexpr, D: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
    ):  # fmt: skip
        i = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)[:, None]
        d = tl.arange(0, D)[None, :]
        q = tl.load(Q + i * D + d, mask=i < n, other=0.0) * (scale * 1.4426950408889634)
        m_i = tl.full([BLOCK_M, 1], -1e30, tl.float32)
        l_i = tl.zeros([BLOCK_M, 1], tl.float32)
        o_i = tl.zeros([BLOCK_M, D], tl.float32)
        stop = m
        if CAUSAL:
            stop = tl.maximum(0, tl.minimum(m, (tl.program_id(0) + 1) * BLOCK_M + m - n))
        for start in range(0, stop, BLOCK_N):
            j = start + tl.arange(0, BLOCK_N)[None, :]
            kt = tl.load(K + j * D + tl.trans(d), mask=j < m, other=0.0)
            s = tl.dot(q, kt)
            ok = (j < m) & (i < n)
            if CAUSAL:
                ok = ok & (j - m <= i - n)
            m_new = tl.maximum(m_i, tl.max(tl.where(ok, s, -1e30), 1)[:, None])
            p = tl.where(ok, tl.exp2(s - m_new), 0.0)
            r = tl.exp2(m_i - m_new)
            l_i = l_i * r + tl.sum(p, 1)[:, None]
            vj = tl.load(V + tl.trans(j) * D + d, mask=tl.trans(j) < m, other=0.0)
            o_i = tl.dot(p, vj, o_i * r)
            m_i = m_new
        tl.store(OUT + i * D + d, tl.where(l_i > 0, o_i / l_i, 0.0), mask=i < n)

    def divided_as_it_goes(
        Q, K, V, OUT, n, m, scale,
        CAUSAL: tl.constexpr, D: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
    ):  # fmt: skip
        row = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
        column = tl.arange(0, D)
        q = tl.load(Q + (row * D)[:, None] + column, mask=(row < n)[:, None], other=0.0)
        lse = tl.full([BLOCK_M], -1e30, tl.float32)
        out = tl.zeros([BLOCK_M, D], tl.float32)
        for t in range(tl.cdiv(m, BLOCK_N)):
            key = t * BLOCK_N + tl.arange(0, BLOCK_N)
            k = tl.load(K + (key * D)[:, None] + column, mask=(key < m)[:, None], other=0.0)
            v = tl.load(V + (key * D)[:, None] + column, mask=(key < m)[:, None], other=0.0)
            s = tl.sum(q[:, None, :] * k[None, :, :], 2) * scale
            last = tl.where(row < n, row + (m - n) if CAUSAL else m, -1)
            s = tl.where((key[None, :] <= last[:, None]) & (key < m)[None, :], s, -1e30)
            top = tl.maximum(lse, tl.max(s, 1))
            p = tl.where(s > -1e29, tl.exp(s - top[:, None]), 0.0)
            old = tl.where(lse > -1e29, tl.exp(lse - top), 0.0)
            both = old + tl.sum(p, 1)
            safe = tl.where(both > 0, both, 1.0)
            out = (out * old[:, None] + tl.dot(p, v)) / safe[:, None]
            lse = tl.where(both > 0, top + tl.log(safe), -1e30)
        tl.store(OUT + (row * D)[:, None] + column, out, mask=(row < n)[:, None])

    variants = [up_to_the_last_key, divided_as_it_goes]
    mistakes = {
        "The sum shrinks when the peak moves and the output does not: shrink both.": altered(
            reference, ("acc * shrink[:, None] +", "acc +")
        ),
        "The output shrinks when the peak moves and the sum does not: shrink both.": altered(
            reference, ("total * shrink +", "total +")
        ),
        "Keys beyond the end have the score 0 and take weight; give them minus infinity.": altered(
            reference, ("seen = keys[None, :] < m", "seen = keys[None, :] < m + BLOCK_N")
        ),
        "Every query sees the future: use CAUSAL.": altered(
            reference, ("if CAUSAL:", "if CAUSAL and n < 0:")
        ),
        "The mask is aligned to the top left; the last query stands at the last key.": altered(
            reference, ("rows[:, None] + m - n", "rows[:, None]")
        ),
        "A token sees itself: the key at the query's own place is not hidden.": altered(
            reference, ("keys[None, :] <= rows[:, None]", "keys[None, :] < rows[:, None]")
        ),
        "The products need the factor `scale` before the softmax.": altered(
            reference, ("tl.dot(q, tl.trans(k)) * scale", "tl.dot(q, tl.trans(k))")
        ),
        "The last tile of queries sticks out: the store needs a mask.": altered(
            reference, ("OUT + tile, out, mask=rows[:, None] < n", "OUT + tile, out")
        ),
        "A row that sees no key gives 0 / 0, and minus infinity less itself: make it 0.": altered(
            reference,
            ('tl.where(new_peak == float("-inf"), 0.0, new_peak)', "new_peak"),
            ("tl.where(total == 0.0, 1.0, total)[:, None]", "total[:, None]"),
        ),
        "The output is still a sum: divide by the sum of the weights at the end.": altered(
            reference, ("acc / tl.where(total == 0.0, 1.0, total)[:, None]", "acc")
        ),
        "Every program works on the first tile of queries: use its number.": altered(
            reference, ("tl.program_id(0) * BLOCK_M", "0 * BLOCK_M")
        ),
        "Load values under a mask: beyond the end may lie nan, and 0 times nan is nan.": altered(
            reference, ("V + places, mask=keys[:, None] < m, other=0.0", "V + places")
        ),
    }
    explain = r"""
    A program owns the rows `program_id * BLOCK_M + arange`. It loads its queries once, under a
    mask, and starts from peak $-\infty$, sum 0 and output 0. For each tile of keys: scores, times
    the scale; minus infinity beyond the end and, if causal, where the key's place is greater than
    $i+M-N$; the new peak; weights and factor relative to it (relative to 0 while it is still
    $-\infty$); sum and output shrink and grow. At the end divide by the sum, by 1 where it is 0,
    and store under the mask of the rows. With one key the output is that key's value.
    """


def tensors(rng, n, m, d):
    """Queries, keys and values of one head."""
    return 2 * rng.normal(size=(n, d)), rng.normal(size=(m, d)), rng.normal(size=(m, d)) + 0.5


def rising(rng, n, m, d):
    """The same, with scores that rise along the keys."""
    q, k, v = tensors(rng, n, m, d)
    q[:, 0], k[:, 0] = 2.0, np.linspace(-4, 4, m)
    return q, k, v
