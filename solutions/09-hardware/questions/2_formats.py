"""Rounding to few bits, with scales, and learning from a teacher."""

import numpy as np

from coursekit.grading import Close, case, question


def rounded(
    x, exponent_bits, mantissa_bits, *, ties=np.rint, subnormal=True, saturate=True, bias=0
):
    """Round to a small float whose codes are all numbers; the switches are what goes wrong."""
    beta = 2 ** (exponent_bits - 1) - 1 + bias
    exponent = np.frexp(x)[1] - 1
    if subnormal:
        exponent = np.maximum(exponent, 1 - beta)
    gap = 2.0 ** (exponent - mantissa_bits)
    y = np.sign(x) * ties(np.abs(x) / gap) * gap
    largest = 2.0 ** (2**exponent_bits - 1 - beta) * (2 - 2.0**-mantissa_bits)
    return np.clip(y, -largest, largest) if saturate else y


@question(
    id="round-to-format",
    title="Rounding to a small float",
    asks="round_to",
    points=3,
    section="sec-hardware-formats",
)
class RoundToFormat:
    compare = Close(rtol=1e-12, atol=1e-15)

    def reference(x, exponent_bits, mantissa_bits):
        return rounded(x, exponent_bits, mantissa_bits)

    def cases(rng):
        yield case(
            "four bits, and ties", np.array([0.25, 0.75, 1.25, 2.5, 3.5, 5.0, -2.5, 0.3]), 2, 1
        )
        yield case("eight bits", rng.normal(size=8) * 10.0 ** rng.integers(-1, 2, 8), 4, 3)
        yield case("small numbers", rng.normal(size=8) * 0.004, 4, 3)
        yield case("too large", np.array([300.0, -1e4, 481.0, 7.0, -490.0]), 4, 3)
        yield case(
            "another format",
            rng.normal(size=12) * 2.0 ** rng.integers(-5, 5, 12),
            3,
            2,
            shown=False,
        )

    def among_all(x, exponent_bits, mantissa_bits):
        beta, m = 2 ** (exponent_bits - 1) - 1, mantissa_bits
        listed = []
        for field in range(2**exponent_bits):
            for f in range(2**m):
                lead, e = (1, field - beta) if field else (0, 1 - beta)
                listed.append(2.0**e * (lead + f / 2**m))
        listed = np.array(listed)  # the even ones are those with an even place in the list
        out = []
        for v in np.abs(x):
            off = np.abs(listed - v)
            near = np.flatnonzero(off == off.min())
            out.append(listed[min(near, key=lambda i: i % 2)])
        return np.sign(x) * np.array(out)

    def one_by_one(x, exponent_bits, mantissa_bits):
        beta = 2 ** (exponent_bits - 1) - 1
        largest = 2.0 ** (2**exponent_bits - 1 - beta) * (2 - 2.0**-mantissa_bits)
        out = []
        for v in x:
            e = max(np.floor(np.log2(abs(v))) if v else -99, 1 - beta)
            gap = 2.0 ** (e - mantissa_bits)
            out.append(np.sign(v) * min(round(abs(v) / gap) * gap, largest))
        return np.array(out)

    mistakes = {
        "Ties go to the even neighbour, not always up.": (
            lambda x, e, m: rounded(x, e, m, ties=lambda q: np.floor(q + 0.5))
        ),
        "You cut off; the nearest number is asked for.": (
            lambda x, e, m: rounded(x, e, m, ties=np.floor)
        ),
        "Below the smallest normal number the gap stays as it is.": (
            lambda x, e, m: rounded(x, e, m, subnormal=False)
        ),
        "Beyond the largest number the result is the largest.": (
            lambda x, e, m: rounded(x, e, m, saturate=False)
        ),
        "The bias is one less than half the number of exponents: 2^(E-1) - 1.": (
            lambda x, e, m: rounded(x, e, m, bias=1)
        ),
        "With M bits of mantissa there are 2^M steps between powers of two.": (
            lambda x, e, m: rounded(x, e, m - 1)
        ),
    }
    variants = [among_all, one_by_one]
    explain = r"""
    The gap at $x$ is $2^{e-M}$ with $e=\lfloor\log_2|x|\rfloor$, but not less than $1-\beta$: below
    the normal numbers it stays. Divide by the gap, round to a whole number with ties to even
    (`np.rint`), multiply again. All codes are numbers here, so the largest is
    $2^{2^E-1-\beta}(2-2^{-M})$, and larger numbers become it. In four bits ($E=2$, $M=1$) 2.5 lies
    between 2 and 3 and goes to 2, whose last bit is 0.
    """


@question(
    id="shared-scale",
    title="A scale for a block",
    asks="shared_scale",
    points=2,
    section="sec-hardware-formats",
)
class SharedScale:
    compare = Close(rtol=1e-12, atol=0.0)

    def reference(x, block):
        largest = np.abs(x.reshape(len(x), -1, block)).max(-1)
        return np.where(largest > 0, 2.0 ** (np.frexp(np.maximum(largest, 1e-300))[1] - 1 - 2), 1.0)

    def cases(rng):
        x = rng.normal(size=(2, 16)) * 10.0 ** rng.integers(-2, 3, (2, 16))
        yield case("two rows, blocks of 8", x, 8)
        zeros = rng.normal(size=(1, 12))
        zeros[0, 4:8] = 0
        yield case("a block of zeros", zeros, 4)
        yield case("the largest is negative", -np.abs(rng.normal(size=(1, 8))) * 30 - 4.1, 4)
        yield case("powers of two", np.array([[4.0, 1.0, 8.0, 0.25]]), 2)
        yield case("another", rng.normal(size=(3, 30)) * 5, 10, shown=False)

    def by_logarithm(x, block):
        rows = []
        for row in x:
            parts = [row[i : i + block] for i in range(0, len(row), block)]
            tops = [max(abs(v) for v in part) for part in parts]
            rows.append([2.0 ** (np.floor(np.log2(t)) - 2) if t else 1.0 for t in tops])
        return np.array(rows)

    def by_doubling(x, block):
        out = np.ones((len(x), x.shape[1] // block))
        for i, j in np.ndindex(out.shape):
            top = np.max(np.abs(x[i, j * block : (j + 1) * block]))
            while top and top / out[i, j] >= 8:
                out[i, j] *= 2
            while top and top / out[i, j] < 4:
                out[i, j] /= 2
        return out

    def wrong(scale, reduce=lambda b: np.abs(b).max(-1)):
        def answer(x, block):
            top = reduce(x.reshape(len(x), -1, block))
            with np.errstate(all="ignore"):
                return np.where(np.abs(x.reshape(len(x), -1, block)).max(-1) > 0, scale(top), 1.0)

        return answer

    mistakes = {
        "The largest number of the element format is 6, whose exponent is 2: subtract it.": wrong(
            lambda t: 2.0 ** np.floor(np.log2(t))
        ),
        "The exponent is rounded down, not up.": wrong(lambda t: 2.0 ** (np.ceil(np.log2(t)) - 2)),
        "A power of two is asked for; this follows the largest number exactly.": wrong(
            lambda t: t / 6
        ),
        "Signs do not count: take the largest magnitude.": wrong(
            lambda t: 2.0 ** (np.floor(np.log2(np.maximum(t, 1e-9))) - 2), lambda b: b.max(-1)
        ),
        "Each block has a scale of its own, not the whole array.": wrong(
            lambda t: 2.0 ** (np.floor(np.log2(t)) - 2),
            lambda b: np.full(b.shape[:2], np.abs(b).max()),
        ),
    }
    del wrong
    variants = [by_logarithm, by_doubling]
    explain = r"""
    Take the largest magnitude of each block, its exponent $\lfloor\log_2\cdot\rfloor$, and subtract
    2, the exponent of 6, the largest number that the four bits hold. Divided by that power of two,
    the largest number of the block lies between 4 and 8. A block of zeros has the scale 1 here.
    """


@question(
    id="quantise-rows",
    title="Whole numbers with a zero point",
    asks="quantise_rows",
    points=2,
    section="sec-hardware-quantisation",
)
class QuantiseRows:
    compare = Close(rtol=1e-9, atol=1e-12)

    def reference(x, bits):
        least = np.minimum(x.min(1, keepdims=True), 0)
        most = np.maximum(x.max(1, keepdims=True), 0)
        scale = (most - least) / (2**bits - 1)
        low = -(2 ** (bits - 1))
        zero = np.rint(low - least / scale)
        codes = np.clip(np.rint(x / scale) + zero, low, -low - 1)
        return codes, scale * (codes - zero)

    def cases(rng):
        yield case("four bits", rng.normal(size=(2, 6)), 4)
        yield case("all positive", np.abs(rng.normal(size=(2, 5))) + 0.5, 4)
        yield case(
            "rows of different size", rng.normal(size=(3, 5)) * np.array([[1], [100], [0.01]]), 8
        )
        yield case("another", rng.normal(size=(2, 9)) - 0.7, 3, shown=False)

    def row_by_row(x, bits):
        codes, back = [], []
        for row in x:
            least, most = min(row.min(), 0.0), max(row.max(), 0.0)
            s = (most - least) / (2**bits - 1)
            z = np.rint(-(2 ** (bits - 1)) - least / s)
            q = np.array(
                [min(max(np.rint(v / s) + z, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1) for v in row]
            )
            codes.append(q)
            back.append((q - z) * s)
        return np.array(codes), np.array(back)

    def counted_from_zero(x, bits):
        least, most = np.minimum(x.min(1), 0)[:, None], np.maximum(x.max(1), 0)[:, None]
        s = (most - least) / (2**bits - 1)
        half = 2 ** (bits - 1)
        z = np.rint(-half - least / s) + half
        q = np.clip(np.rint(x / s) + z, 0, 2**bits - 1)
        return q - half, s * (q - z)

    def wrong(axis=1, hold=True, steps=1, clip=True, rint=np.rint, centre=False):
        def answer(x, bits):
            least, most = x.min(axis, keepdims=True), x.max(axis, keepdims=True)
            if hold:
                least, most = np.minimum(least, 0), np.maximum(most, 0)
            if centre:
                most = np.maximum(-least, most)
                least = -most
            scale = (most - least) / (2**bits - steps)
            low = -(2 ** (bits - 1))
            zero = rint(low - least / scale)
            codes = rint(x / scale) + zero
            codes = np.clip(codes, low, -low - 1) if clip else codes
            return codes, scale * (codes - zero)

        return answer

    mistakes = {
        "Each row has a scale of its own; you took one for all.": wrong(axis=None),
        "You took a scale for each column.": wrong(axis=0),
        "The range must hold 0, or 0 has no code.": wrong(hold=False),
        "Between 2^b codes there are 2^b - 1 steps.": wrong(steps=0),
        "Round to the nearest whole number; you cut off.": wrong(rint=np.trunc),
        "This is the symmetric kind; use the range from the least to the greatest number.": wrong(
            centre=True
        ),
    }
    del wrong
    variants = [row_by_row, counted_from_zero]
    explain = r"""
    For each row take the least and the greatest number, widened so that 0 lies between them. The
    scale is their distance over $2^b-1$ steps. The zero point is the code of 0: the lowest code
    minus least over scale, rounded. Codes are the rounded $x/s$ plus the zero point, kept between
    $-2^{b-1}$ and $2^{b-1}-1$; back it is $s(q-z)$.
    """


@question(
    id="distillation-gradient",
    title="What a teacher's answer pulls on",
    asks="distillation_gradient",
    points=2,
    section="sec-hardware-distillation",
)
class DistillationGradient:
    compare = Close(rtol=1e-8, atol=1e-12)

    def reference(student, teacher, temperature):
        def soft(z):
            e = np.exp((z - z.max(1, keepdims=True)) / temperature)
            return e / e.sum(1, keepdims=True)

        return temperature * (soft(student) - soft(teacher)) / len(student)

    def cases(rng):
        yield case("three examples", rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), 4.0)
        student, teacher = 3000 + 4 * rng.normal(size=(2, 5)), 2000 + 4 * rng.normal(size=(2, 5))
        yield case("large logits", student, teacher, 2.5)
        same = rng.normal(size=(2, 3))
        yield case("the student agrees", same, same.copy(), 3.0)
        yield case(
            "another", rng.normal(size=(6, 10)) * 3, rng.normal(size=(6, 10)), 0.7, shown=False
        )

    def with_torch(student, teacher, temperature):
        import torch

        s = torch.tensor(student, requires_grad=True)
        q = torch.log_softmax(s / temperature, 1)
        p = torch.softmax(torch.tensor(teacher) / temperature, 1)
        (-(temperature**2) * (p * q).sum(1).mean()).backward()
        return s.grad.numpy()

    def row_by_row(student, teacher, temperature):
        from scipy.special import softmax

        rows = [
            softmax(s / temperature) - softmax(t / temperature)
            for s, t in zip(student, teacher, strict=True)
        ]
        return np.array(rows) * temperature / len(rows)

    def wrong(power=1, mean=True, sign=1, hot=True, teacher_hot=True, stable=True):
        def soft(z, T):
            top = z.max(1, keepdims=True) if stable else 0
            with np.errstate(all="ignore"):
                e = np.exp((z - top) / T)
                return e / e.sum(1, keepdims=True)

        def answer(student, teacher, temperature):
            T = temperature
            q, p = soft(student, T if hot else 1), soft(teacher, T if hot and teacher_hot else 1)
            return sign * T**power * (q - p) / (len(student) if mean else 1)

        return answer

    mistakes = {
        "The loss has the factor T squared; one T is left after the chain rule.": wrong(power=-1),
        "The chain rule takes one T away: the student's logits are divided by it.": wrong(power=2),
        "The loss is a mean over the examples.": wrong(mean=False),
        "The sign: towards the teacher is downhill, so the gradient points away.": wrong(sign=-1),
        "Both are softened by the temperature.": wrong(hot=False),
        "The teacher is softened, too.": wrong(teacher_hot=False),
        "Large logits overflow; subtract the greatest first.": wrong(stable=False),
    }
    del wrong
    variants = [with_torch, row_by_row]
    explain = r"""
    For one example the loss is $T^2\sum_k p_k\log(p_k/q_k)$ with $q=\operatorname{softmax}(z/T)$.
    The gradient of the cross-entropy in $z/T$ is $q-p$; the chain rule divides by $T$, so $T(q-p)$
    remains, and the mean divides by the number of examples.
    """
