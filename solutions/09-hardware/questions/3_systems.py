"""Cost, networks of chips, training, and a claim to take apart."""

import numpy as np

from coursekit.grading import Close, case, question


@question(
    id="cost-of-tokens",
    title="The price of a million tokens",
    asks="cost_per_million",
    points=2,
    section="sec-hardware-serving",
)
class CostOfTokens:
    compare = Close(rtol=1e-9, atol=1e-15)

    def reference(weights, cache, operations, batch, peak, bandwidth, chips, price):
        step = max(
            batch * operations / (chips * peak), (weights + batch * cache) / (chips * bandwidth)
        )
        return 1e6 * chips * price / 3600 * step / batch

    def cases(rng):
        price = float(rng.uniform(1.0, 4.0))
        yield case("one sequence", 16e9, 3e8, 16e9, 1, 9e14, 3.3e12, 1, price)
        yield case(
            "a batch on two chips",
            16e9,
            3e8,
            16e9,
            int(rng.integers(20, 60)),
            9e14,
            3.3e12,
            2,
            price,
        )
        yield case("arithmetic is the limit", 16e9, 1e5, 16e9, 900, 9e14, 3.3e12, 1, price)
        yield case(
            "another",
            140e9,
            4e8,
            140e9,
            int(rng.integers(5, 99)),
            3e14,
            2e12,
            8,
            price,
            shown=False,
        )

    def by_throughput(weights, cache, operations, batch, peak, bandwidth, chips, price):
        by_memory = chips * bandwidth / (weights / batch + cache)
        by_arithmetic = chips * peak / operations
        return chips * price / (3600 * min(by_memory, by_arithmetic)) * 1e6

    def by_chip_seconds(weights, cache, operations, batch, peak, bandwidth, chips, price):
        memory = (weights + batch * cache) / bandwidth
        arithmetic = batch * operations / peak
        return price * max(memory, arithmetic) / 3600 / batch * 1e6  # chips cancel

    def wrong(shared=1, cached=1, per_batch=1, rented=1, hours=3600, arithmetic=True, add=False):
        def answer(weights, cache, operations, batch, peak, bandwidth, chips, price):
            moved = (weights if shared else batch * weights) + (batch if cached else 1) * cache
            memory = moved / (chips * bandwidth)
            compute = batch * operations / (chips * peak) if arithmetic else 0
            step = memory + compute if add else max(memory, compute)
            cost = 1e6 * (chips if rented else 1) * price / hours * step
            return cost / (batch if per_batch else 1)

        return answer

    mistakes = {
        "The weights are read once for the whole batch.": wrong(shared=0),
        "Every sequence has a cache of its own.": wrong(cached=0),
        "A step makes a token for each sequence.": wrong(per_batch=0),
        "All chips are paid.": wrong(rented=0),
        "A price an hour is spread over 3600 seconds.": wrong(hours=60),
        "With a large batch arithmetic takes longer than memory.": wrong(arithmetic=False),
        "Arithmetic and memory work at the same time; take the longer.": wrong(add=True),
    }
    del wrong
    variants = [by_throughput, by_chip_seconds]
    explain = r"""
    A step reads the weights once and every cache, and does `operations` for each sequence; all
    chips share both. The longer of the two times is the step, and it makes `batch` tokens. A second
    of all chips costs `chips` times `price` over 3600. Note that the chips cancel, as long as their
    links are free.
    """


@question(
    id="ring",
    title="Adding up around a ring",
    asks="ring_all_reduce",
    points=3,
    section="sec-hardware-parallel",
)
class Ring:
    compare = Close(rtol=1e-9, atol=1e-12)

    def reference(arrays):
        p, n = arrays.shape
        held, states = arrays.reshape(p, p, n // p).copy(), []
        for step in range(2 * (p - 1)):
            before, adding = held.copy(), step < p - 1
            for c in range(p):
                piece = (c - step) % p if adding else (c + 1 - (step - (p - 1))) % p
                to = (c + 1) % p
                held[to, piece] = before[c, piece] + (before[to, piece] if adding else 0)
            states.append(held.reshape(p, n).copy())
        return np.array(states)

    def cases(rng):
        yield case("two chips", rng.normal(size=(2, 4)))
        yield case("three chips", rng.integers(1, 9, (3, 6)).astype(float))
        yield case("four chips", rng.normal(size=(4, 4)))
        yield case("five chips", rng.normal(size=(5, 10)), shown=False)

    def with_lists(arrays):
        p, n = arrays.shape
        size = n // p
        held = [[list(row[i * size : (i + 1) * size]) for i in range(p)] for row in arrays]
        out = []
        for step in range(2 * p - 2):
            shift = -step if step < p - 1 else p - step
            moving = [((c + shift) % p, list(held[c][(c + shift) % p])) for c in range(p)]
            for c, (piece, numbers) in enumerate(moving):
                mine = held[(c + 1) % p][piece]
                add = step < p - 1
                held[(c + 1) % p][piece] = [
                    a + b if add else a for a, b in zip(numbers, mine, strict=True)
                ]
            out.append([[x for piece in row for x in piece] for row in held])
        return np.array(out)

    def with_indices(arrays):
        p, n = arrays.shape
        held, out, c = arrays.reshape(p, p, -1).copy(), [], np.arange(p)
        for step in range(p - 1):
            piece = (c - step) % p
            sent = held[c, piece]
            held[(c + 1) % p, piece] += sent
            out.append(held.reshape(p, n).copy())
        for step in range(p - 1):
            piece = (c + 1 - step) % p
            held[(c + 1) % p, piece] = held[c, piece]
            out.append(held.reshape(p, n).copy())
        return np.array(out)

    def wrong(moves=True, second=1, add_always=False, back=False, stop=None, direct=False):
        def answer(arrays):
            p, n = arrays.shape
            held, states = arrays.reshape(p, p, n // p).copy(), []
            for step in range(2 * (p - 1)):
                before = held.copy()
                adding = step < p - 1
                for c in range(p):
                    late = (c + second - (step - (p - 1))) % p
                    first = (c - step) % p if moves else c
                    piece = first if adding else late
                    to = (c - 1 if back else c + 1) % p
                    plus = before[to, piece] if adding or add_always else 0
                    held[to, piece] = before[c, piece] + plus
                states.append(held.reshape(p, n).copy())
            if direct:
                return np.array([np.tile(arrays.sum(0), (p, 1))] * (2 * (p - 1)))
            return np.array(states[: p - 1] if stop else states)

        return answer

    mistakes = {
        "In each step a chip hands on what it has just received and added to: piece c - s.": wrong(
            moves=False
        ),
        "After the first round chip c has the whole of piece c + 1; it hands that on first.": wrong(
            second=0
        ),
        "In the second round whole pieces replace what is there; you added again.": wrong(
            add_always=True
        ),
        "Chip c sends to chip c + 1.": wrong(back=True),
        "There are two rounds of p - 1 steps.": wrong(stop=True),
        "The states after every step are asked for, not the sum alone.": wrong(direct=True),
    }
    del wrong
    variants = [with_lists, with_indices]
    explain = r"""
    First round, step $s$: chip $c$ sends piece $c-s$ (modulo $p$) to chip $c+1$, which adds it to
    its own. After $p-1$ steps chip $c$ has the whole sum of piece $c+1$. Second round: it sends
    that piece, then the one it got last, and the receiver replaces its own. With two chips and
    arrays (1, 2) and (10, 20): chip 1 gets piece 0, chip 0 piece 1, and then the sums are
    exchanged.
    """


@question(
    id="experts-and-days",
    title="Days of training",
    asks="training_days",
    points=1,
    section="sec-hardware-training",
)
class TrainingDays:
    compare = Close(rtol=1e-9, atol=1e-12)

    def reference(total, active, tokens, chips, peak, utilisation):
        return 6 * active * tokens / (chips * peak * utilisation) / 86_400

    def cases(rng):
        u = float(rng.uniform(0.3, 0.5))
        yield case("a dense model", 70e9, 70e9, 1.4e12, 2000, 3.12e14, u)
        yield case(
            "a mixture of experts", 600e9, 37e9, 14e12, int(rng.integers(1000, 3000)), 9.9e14, u
        )
        yield case("a small one", 1e9, 1e9, 2e10, 8, 3.12e14, u)
        yield case(
            "another", 300e9, 20e9, 5e12, 512, 9.9e14, float(rng.uniform(0.2, 0.6)), shown=False
        )

    def step_by_step(total, active, tokens, chips, peak, utilisation):
        forward, backward = 2 * active * tokens, 4 * active * tokens
        seconds = (forward + backward) / peak / utilisation / chips
        return seconds / 60 / 60 / 24

    def by_chip_hours(total, active, tokens, chips, peak, utilisation):
        hours = active * tokens / (600 * peak * utilisation)
        return hours / chips / 24

    mistakes = {
        "A token passes the active parameters, not all.": (
            lambda n, a, t, c, p, u: 6 * n * t / (c * p * u) / 86_400
        ),
        "The way back takes four operations a parameter, on top of two.": (
            lambda n, a, t, c, p, u: 2 * a * t / (c * p * u) / 86_400
        ),
        "Chips reach a share of their peak only: the time is longer.": (
            lambda n, a, t, c, p, u: 6 * a * t / (c * p) / 86_400
        ),
        "The share makes the time longer, not shorter.": (
            lambda n, a, t, c, p, u: 6 * a * t * u / (c * p) / 86_400
        ),
        "These are the days of one chip; they work together.": (
            lambda n, a, t, c, p, u: 6 * a * t / (p * u) / 86_400
        ),
        "These are hours; a day has 24.": (lambda n, a, t, c, p, u: 6 * a * t / (c * p * u) / 3600),
    }
    variants = [step_by_step, by_chip_hours]
    explain = r"""
    Each token takes six operations for every parameter that it passes through. All chips do
    `chips` times `peak` times `utilisation` a second. Divide, and divide by the 86,400 seconds of a
    day. What restarts and evaluations add is not in it.
    """


@question(
    id="vendors-slide",
    title="A vendor's slide",
    asks="vendors_slide",
    points=5,
    section="sec-hardware-accelerators",
    kind="manual",
)
class VendorsSlide:
    rubric = [
        (2, "finds at least four flaws, and says for each which number it moves and which way"),
        (1, "computes what the roofline allows for both chips, from the table, with the code"),
        (1, "says what would have to be measured, and how, for a fair comparison"),
        (1, "says what the roofline does not know, and how far its own numbers can be trusted"),
    ]
