"""What limits a computation: ridges, rows, decode steps, seats."""

import math

from coursekit.grading import case, question


@question(
    id="ridge-and-bound",
    title="Which of two speeds decides",
    asks="bound",
    points=1,
    section="sec-hardware-roofline",
)
class RidgeAndBound:
    def reference(operations, moved, peak, bandwidth):
        speed = operations / max(operations / peak, moved / bandwidth)
        return speed, "memory" if speed < peak else "arithmetic"

    def cases(rng):
        peak, bandwidth = float(rng.integers(200, 900)), float(rng.uniform(1.0, 4.0))
        yield case("few operations a byte", 40.0, 20.0, peak, bandwidth)
        yield case("many", 9000.0, 3.0, peak, bandwidth)
        yield case("just below the ridge", 0.98 * peak / bandwidth, 1.0, peak, bandwidth)
        yield case("another chip", float(rng.uniform(1, 99)), 1.0, 150.0, 2.5, shown=False)

    def by_intensity(operations, moved, peak, bandwidth):
        intensity = operations / moved
        return (
            (intensity * bandwidth, "memory")
            if intensity < peak / bandwidth
            else (peak, "arithmetic")
        )

    def by_times(operations, moved, peak, bandwidth):
        arithmetic, memory = operations / peak, moved / bandwidth
        limit = "memory" if memory > arithmetic else "arithmetic"
        return operations / max(arithmetic, memory), limit

    def wrong(speed, swap=False):
        def answer(operations, moved, peak, bandwidth):
            found = speed(operations / moved, peak, bandwidth)
            memory = operations / moved < peak / bandwidth
            return found, "memory" if memory != swap else "arithmetic"

        return answer

    mistakes = {
        "The slower of the two decides: take the smaller bound.": wrong(
            lambda i, p, b: max(p, i * b)
        ),
        "Arithmetic and memory work at the same time; you added their times.": wrong(
            lambda i, p, b: 1 / (1 / p + 1 / (i * b))
        ),
        "This is the peak, whatever the computation moves.": wrong(lambda i, p, b: p),
        "Bytes over operations is the intensity upside down.": wrong(lambda i, p, b: min(p, b / i)),
        "The speed is right; below the ridge memory is the limit.": wrong(
            lambda i, p, b: min(p, i * b), swap=True
        ),
    }
    del wrong
    variants = [by_intensity, by_times]
    explain = r"""
    The time is the longer of operations over peak and bytes over bandwidth, since both go on at
    once. Operations over that time is the smaller of the peak and $I$ times the bandwidth. With 40
    operations, 20 bytes, 300 and 2 it is min(300, 4) = 4, and memory is the limit.
    """


def rows_exactly(inner, columns, itemsize, ridge):
    """Rows at which the ridge is reached, not rounded."""
    rest = 2 * inner * columns - ridge * itemsize * (inner + columns)
    return ridge * itemsize * inner * columns / rest


@question(
    id="rows-needed",
    title="How many tokens keep a chip busy",
    asks="rows_needed",
    points=2,
    section="sec-hardware-intensity",
)
class RowsNeeded:
    def reference(inner, columns, itemsize, ridge):
        limit = 2 * inner * columns / (itemsize * (inner + columns))
        if limit <= ridge:
            return -1
        return math.ceil(rows_exactly(inner, columns, itemsize, ridge))

    def cases(rng):
        inner = int(rng.integers(3000, 6000))
        yield case(
            "a wide layer, 16 bits", inner, 3 * inner, 2, float(rng.integers(150, 320)) + 0.3
        )
        yield case("the same in 8 bits", inner, 3 * inner, 1, float(rng.integers(150, 320)) + 0.3)
        yield case("a narrow layer that never gets there", 256, 300, 2, 290.0)
        yield case("another", int(rng.integers(900, 1500)), 4000, 2, 200.7, shown=False)

    def by_search(inner, columns, itemsize, ridge):
        def intensity(m):
            numbers = m * inner + inner * columns + m * columns
            return 2 * m * inner * columns / (itemsize * numbers)

        if (
            intensity(10**12) <= ridge
            or 2 * inner * columns / (inner + columns) <= ridge * itemsize
        ):
            return -1
        low, high = 0, 10**12
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if intensity(middle) >= ridge else (middle, high)
        return high

    def by_inverse(inner, columns, itemsize, ridge):
        # 1 / intensity is a line in 1 / m
        rest = 2 / (itemsize * ridge) - 1 / inner - 1 / columns
        return -1 if rest <= 0 else -int(-1 // rest)

    def wrong(need, never=-1):
        def answer(inner, columns, itemsize, ridge):
            if 2 * inner * columns / (itemsize * (inner + columns)) <= ridge:
                return never
            return math.ceil(need(inner, columns, itemsize, ridge))

        return answer

    mistakes = {
        "This is the rule of thumb; tokens that are read and written count too.": wrong(
            lambda k, n, b, r: r * b / 2
        ),
        "A multiplication and an addition are two operations.": wrong(
            lambda k, n, b, r: r * b * k * n / max(k * n - r * b * (k + n), 1e-9)
        ),
        "The result is written, too.": wrong(
            lambda k, n, b, r: r * b * k * n / (2 * k * n - r * b * k)
        ),
        "You rounded down; with so few rows the ridge is not reached.": wrong(
            lambda k, n, b, r: math.floor(rows_exactly(k, n, b, r))
        ),
        "Where no number of rows is enough, -1 is asked for.": wrong(rows_exactly, never=0),
        "A number takes `itemsize` bytes.": wrong(
            lambda k, n, b, r: r * k * n / (2 * k * n - r * (k + n))
        ),
    }
    del wrong
    variants = [by_search, by_inverse]
    explain = r"""
    With $m$ rows the intensity is $2mkn / (b(mk+kn+mn))$, which grows with $m$ towards
    $2kn/(b(k+n))$. If that limit is not above the ridge $r$ no $m$ is enough. Otherwise solve for
    $m = rbkn/(2kn - rb(k+n))$ and round up. For square weights of 4096, two bytes and $r=295$ it is
    345, a sixth more than the rule of thumb $m = r$ says.
    """


@question(
    id="decode-step",
    title="One step of decoding",
    asks="decode_step",
    points=2,
    section="sec-hardware-intensity",
)
class DecodeStep:
    def reference(layers, d, heads, kv_heads, ff, batch, tokens):
        width = d // heads
        weights = layers * (2 * d * d + 2 * d * kv_heads * width + 3 * d * ff)
        operations = 2 * weights * batch + 4 * layers * batch * tokens * d
        cache = 2 * layers * batch * tokens * kv_heads * width
        return operations, 2 * (weights + cache)

    def cases(rng):
        layers = int(rng.integers(4, 40))
        yield case("one sequence", layers, 512, 8, 8, 1400, 1, int(rng.integers(100, 999)))
        yield case("a batch, shared heads", layers, 1024, 16, 4, 2800, 32, 700)
        yield case("a long past", layers, 1024, 16, 2, 2816, 3, int(rng.integers(9000, 20000)))
        yield case("another", 7, 768, 12, 3, 2000, int(rng.integers(5, 60)), 333, shown=False)

    def one_layer_at_a_time(layers, d, heads, kv_heads, ff, batch, tokens):
        operations = moved = 0
        kv = kv_heads * (d // heads)
        for _ in range(layers):
            for inner, columns in ((d, d), (d, kv), (d, kv), (d, d), (d, ff), (d, ff), (ff, d)):
                operations += 2 * batch * inner * columns
                moved += 2 * inner * columns
            for _sequence in range(batch):
                operations += 2 * (2 * tokens * d)
                moved += 2 * (2 * tokens * kv)
        return operations, moved

    def by_share(layers, d, heads, kv_heads, ff, batch, tokens):
        share = kv_heads / heads
        w = d * (2 * d * (1 + share) + 3 * ff)
        return 2 * layers * batch * (w + 2 * tokens * d), 2 * layers * (
            w + 2 * batch * tokens * d * share
        )

    def wrong(weights=None, caches=True, heads_kept=None, reads=None, attends=True, factor=2):
        def answer(layers, d, heads, kv_heads, ff, batch, tokens):
            width = d // heads
            kv = kv_heads * width
            w = layers * (weights(d, kv, ff) if weights else 2 * d * d + 2 * d * kv + 3 * d * ff)
            kept = (heads_kept(heads, kv_heads) * width) if heads_kept else kv
            operations = factor * w * batch + attends * 4 * layers * batch * tokens * d
            cache = caches * 2 * layers * batch * tokens * kept
            return operations, 2 * ((reads(batch) if reads else 1) * w + cache)

        return answer

    mistakes = {
        "The cache is read, too: keys and values of every sequence.": wrong(caches=False),
        "The cache has `kv_heads` heads, not `heads`.": wrong(heads_kept=lambda h, g: h),
        "The batch shares one reading of the weights.": wrong(reads=lambda b: b),
        "Attention has operations of its own: scores and average over all tokens.": wrong(
            attends=False
        ),
        "A gated feed-forward part has three matrices.": wrong(
            weights=lambda d, kv, ff: 2 * d * d + 2 * d * kv + 2 * d * ff
        ),
        "The matrices of keys and values are as wide as their heads together.": wrong(
            weights=lambda d, kv, ff: 4 * d * d + 3 * d * ff
        ),
        "A multiplication with its addition is two operations.": wrong(factor=1),
    }
    del wrong
    variants = [one_layer_at_a_time, by_share]
    explain = r"""
    A layer has $2d^2$ numbers for queries and output, $2dGD$ for keys and values, $3d\cdot$`ff`
    for a gated feed-forward part. Each of $B$ tokens takes two operations a weight, and scores and
    average over $N$ tokens take $4NHD = 4Nd$. Bytes: the weights once, and $2GDN$ numbers of cache
    for each sequence, two bytes each. Norms and the output layer are left out here.
    """


@question(
    id="seats",
    title="How many fit",
    asks="seats",
    points=1,
    section="sec-hardware-wall",
)
class Seats:
    def reference(memory, parameters, weight_bits, layers, kv_heads, d_head, tokens, cache_bits):
        left = memory - parameters * weight_bits / 8
        return max(0, int(left // (2 * layers * kv_heads * d_head * tokens * cache_bits / 8)))

    def cases(rng):
        tokens = int(rng.integers(900, 5000))
        yield case("16 bits", 80e9, 8e9, 16, 32, 8, 128, tokens, 16)
        yield case("4-bit weights, 8-bit cache", 24e9, 8e9, 4, 32, 8, 128, tokens, 8)
        yield case("not even the weights", 24e9, 70e9, 16, 80, 8, 128, tokens, 16)
        yield case("another", 96e9, 13e9, 8, 40, 40, 128, tokens, 16, shown=False)

    def one_by_one(memory, parameters, weight_bits, layers, kv_heads, d_head, tokens, cache_bits):
        free, each = memory - parameters * weight_bits / 8, 0.0
        for _ in range(layers):
            each += 2 * kv_heads * d_head * tokens * cache_bits / 8
        count = 0
        while free >= each:
            free, count = free - each, count + 1
        return count

    def in_bits(memory, parameters, weight_bits, layers, kv_heads, d_head, tokens, cache_bits):
        free = 8 * memory - parameters * weight_bits
        return int(max(free, 0) // (2 * layers * kv_heads * d_head * tokens * cache_bits))

    def wrong(weights=True, both=2, layered=True, bits="right", floor=True):
        def answer(memory, parameters, weight_bits, layers, kv_heads, d_head, tokens, cache_bits):
            left = memory - weights * parameters * weight_bits / 8
            cached = {"right": cache_bits, "weight": weight_bits, "bits": 8 * cache_bits}[bits]
            each = both * (layers if layered else 1) * kv_heads * d_head * tokens * cached / 8
            found = int(left // each)
            return max(0, found) if floor else found

        return answer

    mistakes = {
        "The weights take their part of the memory first.": wrong(weights=False),
        "Keys and values are both kept.": wrong(both=1),
        "Every layer keeps a cache.": wrong(layered=False),
        "The cache has bits of its own.": wrong(bits="weight"),
        "Eight bits are a byte, in the cache too.": wrong(bits="bits"),
        "If the weights do not fit, nobody does: 0, not a negative number.": wrong(floor=False),
    }
    del wrong
    variants = [one_by_one, in_bits]
    explain = r"""
    The weights take `parameters` times `weight_bits` / 8 bytes. A sequence takes $2LGDN$ numbers of
    `cache_bits`. Whole sequences that fit into the rest are the answer, and 0 if there is no rest.
    """
