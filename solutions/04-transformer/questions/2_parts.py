"""The parts of a block: heads, positions, norms, gates."""

import numpy as np

from coursekit.grading import case, question


def softmax(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attend(q, k, v, width=None):
    return softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(width or q.shape[-1])) @ v


def heads_of(x, W, h):
    return np.swapaxes((x @ W.T).reshape(len(x), h, -1), 0, 1)  # (h, N, D)


@question(
    id="multi-head",
    title="Several heads",
    asks="multi_head",
    points=2,
    section="sec-transformer-heads",
)
class MultiHead:
    def reference(x, W_Q, W_K, W_V, W_O, h):
        q, k, v = (heads_of(x, W, h) for W in (W_Q, W_K, W_V))
        return np.swapaxes(attend(q, k, v), 0, 1).reshape(len(x), -1) @ W_O.T

    def cases(rng):
        for name, n, d, h, shown in (
            ("two heads", 3, 4, 2, True),
            ("one head", 4, 3, 1, True),
            ("three heads", 3, 6, 3, True),
            ("heads of width one", 5, 4, 4, False),
        ):
            W = rng.normal(size=(4, d, d))
            yield case(name, rng.normal(size=(n, d)), *W, h, shown=shown)

    def head_by_head(x, W_Q, W_K, W_V, W_O, h):
        parts = (np.split(W, h) for W in (W_Q, W_K, W_V))
        heads = [attend(x @ a.T, x @ b.T, x @ c.T) for a, b, c in zip(*parts, strict=True)]
        return np.hstack(heads) @ W_O.T

    def as_a_sum(x, W_Q, W_K, W_V, W_O, h):
        D = len(W_Q) // h
        total = 0.0
        for i in range(h):
            rows = slice(i * D, (i + 1) * D)
            head = attend(x @ W_Q[rows].T, x @ W_K[rows].T, x @ W_V[rows].T)
            total = total + head @ W_O[:, rows].T
        return total

    def scaled_by_the_model(x, W_Q, W_K, W_V, W_O, h):
        q, k, v = (heads_of(x, W, h) for W in (W_Q, W_K, W_V))
        return np.swapaxes(attend(q, k, v, x.shape[1]), 0, 1).reshape(len(x), -1) @ W_O.T

    def not_swapped_back(x, W_Q, W_K, W_V, W_O, h):
        q, k, v = (heads_of(x, W, h) for W in (W_Q, W_K, W_V))
        return attend(q, k, v).reshape(len(x), -1) @ W_O.T

    def interleaved(x, W_Q, W_K, W_V, W_O, h):
        q, k, v = (np.moveaxis((x @ W.T).reshape(len(x), -1, h), 2, 0) for W in (W_Q, W_K, W_V))
        return np.moveaxis(attend(q, k, v), 0, 2).reshape(len(x), -1) @ W_O.T

    def one_wide_head(x, W_Q, W_K, W_V, W_O, h):
        return attend(x @ W_Q.T, x @ W_K.T, x @ W_V.T) @ W_O.T

    def no_output(x, W_Q, W_K, W_V, W_O, h):
        q, k, v = (heads_of(x, W, h) for W in (W_Q, W_K, W_V))
        return np.swapaxes(attend(q, k, v), 0, 1).reshape(len(x), -1)

    variants = [head_by_head, as_a_sum]
    mistakes = {
        "Divide the scores by the root of a head's width D, not of the model's.": (
            scaled_by_the_model
        ),
        "Bring the heads' axis back behind the tokens before you join the heads.": not_swapped_back,
        "A head's numbers lie side by side: reshape to (N, h, D), not to (N, D, h).": interleaved,
        "This is one wide head: cut queries, keys and values into h parts first.": one_wide_head,
        "The joined heads still have to go through W_O.": no_output,
    }
    explain = r"""
    `x @ W_Q.T` has shape (N, d). Reshape it to (N, h, D) with $D=d/h$ and swap the first two axes:
    every head is now a matrix (N, D) of its own, and attention, divided by $\sqrt D$, runs over
    them all. Swap back, reshape to (N, d), and multiply by $W^O$.
    """


@question(
    id="sinusoidal",
    title="Waves for places",
    asks="sinusoidal",
    points=1,
    section="sec-transformer-positions",
)
class Sinusoidal:
    def reference(n, d):
        angle = np.arange(n)[:, None] / 10_000 ** (np.arange(0, d, 2) / d)
        out = np.empty((n, d))
        out[:, 0::2], out[:, 1::2] = np.sin(angle), np.cos(angle)
        return out

    def cases(rng):
        yield case("three places", 3, 4)
        yield case("a narrow model", 5, 2)
        yield case("many places", int(rng.integers(20, 40)), 8)
        yield case("one place", 1, 6, shown=False)

    def number_by_number(n, d):
        out = np.zeros((n, d))
        for pos in range(n):
            for i in range(d // 2):
                angle = pos / 10_000 ** (2 * i / d)
                out[pos, 2 * i], out[pos, 2 * i + 1] = np.sin(angle), np.cos(angle)
        return out

    def from_a_complex_number(n, d):
        theta = np.exp(-np.log(10_000) * np.arange(d // 2) / (d // 2))
        wave = np.exp(1j * np.outer(np.arange(n), theta))
        return np.stack([wave.imag, wave.real], axis=-1).reshape(n, d)

    def waves(base=10_000, start=0, power=1.0, split=False, swap=False):
        def answer(n, d):
            i = np.arange(0, d, 2) / d
            angle = np.arange(start, n + start)[:, None] / base ** (i * power)
            pair = (np.cos(angle), np.sin(angle)) if swap else (np.sin(angle), np.cos(angle))
            if split:
                return np.concatenate(pair, axis=1)
            return np.stack(pair, axis=-1).reshape(n, d)

        return answer

    halves = waves(split=True)
    doubled = waves(power=2.0)
    from_one = waves(start=1)
    swapped = waves(swap=True)
    del waves

    def angle_of_each(n, d):
        angle = np.arange(n)[:, None] / 10_000 ** (np.arange(d) / d)
        return np.where(np.arange(d) % 2 == 0, np.sin(angle), np.cos(angle))

    variants = [number_by_number, from_a_complex_number]
    mistakes = {
        "Sines go to the even places and cosines to the odd ones, in turn, not in two halves.": (
            halves
        ),
        "Sine and cosine of a pair share one angle; you gave each place its own.": angle_of_each,
        "The exponent is 2 i / d for the pair i; you doubled it once more.": doubled,
        "The first place is 0: its sines are 0 and its cosines 1.": from_one,
        "Sine comes first, then cosine.": swapped,
    }
    explain = r"""
    Pair $i$ turns with the angle $\mathrm{pos}/10000^{2i/d}$; the sine goes to place $2i$ and the
    cosine to $2i+1$. `np.arange(0, d, 2) / d` is $2i/d$ for all pairs at once. With $d=4$ the
    second pair turns a hundred times slower than the first.
    """


@question(
    id="rotary",
    title="Turn by place",
    asks="rotary",
    points=2,
    section="sec-transformer-positions",
)
class Rotary:
    def reference(x, positions):
        D = x.shape[1]
        angle = positions[:, None] / 10_000 ** (np.arange(0, D, 2) / D)
        a, b = x[:, : D // 2], x[:, D // 2 :]
        cos, sin = np.cos(angle), np.sin(angle)
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=1)

    def cases(rng):
        yield case("three places", rng.normal(size=(3, 4)), np.arange(3))
        yield case("one pair", rng.normal(size=(4, 2)), np.arange(4))
        yield case("a query far on", rng.normal(size=(1, 6)), np.array([1000]))
        yield case("places in disorder", rng.normal(size=(4, 8)), rng.permutation(40)[:4])
        yield case("wide", rng.normal(size=(5, 16)), np.arange(7, 12), shown=False)

    def with_complex_numbers(x, positions):
        D = x.shape[1]
        theta = 10_000.0 ** (-2 * np.arange(D // 2) / D)
        z = (x[:, : D // 2] + 1j * x[:, D // 2 :]) * np.exp(1j * np.outer(positions, theta))
        return np.hstack([z.real, z.imag])

    def pair_by_pair(x, positions):
        D, out = x.shape[1], np.empty_like(x)
        for n, place in enumerate(positions):
            for i in range(D // 2):
                t = place / 10_000 ** (2 * i / D)
                turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
                out[n, [i, i + D // 2]] = turn @ x[n, [i, i + D // 2]]
        return out

    def turned(sign=1, interleaved=False, own=False, halved=False):
        def answer(x, positions):
            D = x.shape[1]
            pair = np.arange(D // 2)
            places = np.arange(len(x)) if own else positions
            angle = sign * places[:, None] / 10_000 ** (pair * (1 if halved else 2) / D)
            first, second = (2 * pair, 2 * pair + 1) if interleaved else (pair, pair + D // 2)
            out, cos, sin = np.empty_like(x), np.cos(angle), np.sin(angle)
            out[:, first] = x[:, first] * cos - x[:, second] * sin
            out[:, second] = x[:, first] * sin + x[:, second] * cos
            return out

        return answer

    backwards = turned(sign=-1)
    neighbours = turned(interleaved=True)
    own_places = turned(own=True)
    half_exponent = turned(halved=True)
    del turned

    def added(x, positions):
        D = x.shape[1]
        angle = positions[:, None] / 10_000 ** (np.arange(0, D, 2) / D)
        return x + np.concatenate([np.cos(angle), np.sin(angle)], axis=1)

    variants = [with_complex_numbers, pair_by_pair]
    mistakes = {
        "You turned the other way round: a cos - b sin comes first, then a sin + b cos.": backwards,
        "Number i makes a pair with number i + D/2 here, not with its neighbour.": neighbours,
        "Use the places that you are given; a row's number is not its place.": own_places,
        "The exponent is 2 i / D for the pair i; you forgot the 2.": half_exponent,
        "Rotary positions turn the vector; they add nothing to it.": added,
    }
    explain = r"""
    Pair $i$ is the complex number $x_i+\mathrm i\,x_{i+D/2}$. At place $m$ it is multiplied by
    $e^{\mathrm i m\theta_i}$ with $\theta_i=10000^{-2i/D}$, which is a rotation: the new first
    part is $a\cos-b\sin$ and the new second part $a\sin+b\cos$. Lengths stay as they are, and the
    dot product of a turned query and a turned key depends on their distance only.
    """


@question(
    id="two-norms",
    title="Two norms",
    asks="two_norms",
    points=1,
    section="sec-transformer-block",
)
class TwoNorms:
    def reference(x, eps):
        centred = x - x.mean(axis=-1, keepdims=True)
        layer = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + eps)
        return layer, x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)

    def cases(rng):
        yield case("two tokens", rng.normal(1.0, 2.0, size=(2, 4)), 1e-5)
        yield case("a batch", rng.normal(-1.0, 0.5, size=(2, 3, 5)), 1e-5)
        yield case("small numbers", 1e-3 * rng.normal(size=(3, 4)), 1e-5)
        yield case("far from zero", rng.normal(1000.0, 1.0, size=(2, 8)), 1e-6, shown=False)

    def with_numpys_var(x, eps):
        mean, var = np.mean(x, -1, keepdims=True), np.var(x, -1, keepdims=True)
        square = np.mean(x * x, -1, keepdims=True)
        return (x - mean) * (var + eps) ** -0.5, x * (square + eps) ** -0.5

    def token_by_token(x, eps):
        rows = x.reshape(-1, x.shape[-1])
        layer = [(r - r.mean()) / np.sqrt(r.var() + eps) for r in rows]
        rms = [r / np.sqrt(r @ r / len(r) + eps) for r in rows]
        return np.reshape(layer, x.shape), np.reshape(rms, x.shape)

    def norms(x, eps, axis=-1, ddof=0, inside=True, centre_both=False, squares=np.mean):
        mean, var = x.mean(axis, keepdims=True), x.var(axis, ddof=ddof, keepdims=True)
        layer = (x - mean) / (np.sqrt(var + eps) if inside else np.sqrt(var) + eps)
        y = x - mean if centre_both else x
        size = squares(y**2, axis=axis, keepdims=True)
        return layer, y / (np.sqrt(size + eps) if inside else np.sqrt(size) + eps)

    def unbiased(x, eps, norms=norms):
        return norms(x, eps, ddof=1)

    def over_tokens(x, eps, norms=norms):
        return norms(x, eps, axis=0)

    def eps_outside(x, eps, norms=norms):
        return norms(x, eps, inside=False)

    def both_centred(x, eps, norms=norms):
        return norms(x, eps, centre_both=True)

    def length_not_mean(x, eps, norms=norms):
        return norms(x, eps, squares=np.sum)

    del norms

    variants = [with_numpys_var, token_by_token]
    mistakes = {
        "The variance divides by the number of features d, not by d - 1.": unbiased,
        "Each token is normalised by itself, over the last axis.": over_tokens,
        "Add eps to the variance, below the root, not to the deviation.": eps_outside,
        "RMSNorm does not subtract the mean.": both_centred,
        "RMSNorm divides by the root of the mean square, not by the vector's length.": (
            length_not_mean
        ),
    }
    explain = r"""
    Both divide by the root of a mean of squares over the last axis, plus `eps` below the root.
    LayerNorm subtracts the mean first, so what is under the root is the variance; RMSNorm takes
    the numbers as they come. For $x=(3,4)$ RMSNorm divides by $\sqrt{12.5}$.
    """


def swish(z):
    return z * (0.5 + 0.5 * np.tanh(z / 2))


@question(
    id="swiglu",
    title="A gated feed-forward part",
    asks="swiglu",
    points=1,
    section="sec-transformer-block",
)
class Swiglu:
    def reference(x, W_gate, W_up, W_down):
        return swish(x @ W_gate.T) * (x @ W_up.T) @ W_down.T

    def cases(rng):
        def weights(d, wide):
            return (
                rng.normal(size=(wide, d)),
                rng.normal(size=(wide, d)),
                rng.normal(size=(d, wide)),
            )

        yield case("two tokens", rng.normal(size=(2, 3)), *weights(3, 5))
        yield case("a batch", rng.normal(size=(2, 2, 4)), *weights(4, 3))
        gate, up, down = weights(3, 4)
        yield case("gates far open and shut", 300 * rng.normal(size=(2, 3)), gate, up, down)
        yield case("one feature", rng.normal(size=(4, 1)), *weights(1, 2), shown=False)

    def with_a_sum(x, W_gate, W_up, W_down):
        return np.einsum(
            "...f,df->...d", swish(x @ W_gate.T) * np.einsum("...d,fd->...f", x, W_up), W_down
        )

    def with_a_safe_exp(x, W_gate, W_up, W_down):
        z = x @ W_gate.T
        e = np.exp(-np.abs(z))
        sigmoid = np.where(z >= 0, 1.0, e) / (1 + e)
        return (z * sigmoid * (x @ W_up.T)) @ W_down.T

    variants = [with_a_sum, with_a_safe_exp]
    mistakes = {
        "The gate is the swish z times sigmoid(z); you used the sigmoid alone.": (
            lambda x, g, u, d: (0.5 + 0.5 * np.tanh(x @ g.T / 2)) * (x @ u.T) @ d.T
        ),
        "The swish belongs on x W_gate, and x W_up stays linear; you exchanged them.": (
            lambda x, g, u, d: swish(x @ u.T) * (x @ g.T) @ d.T
        ),
        "The two wide vectors are multiplied entry by entry, not added.": (
            lambda x, g, u, d: (swish(x @ g.T) + x @ u.T) @ d.T
        ),
        "The up-projection is missing: the gate has to open on something.": (
            lambda x, g, u, d: swish(x @ g.T) @ d.T
        ),
        "That is a ReLU gate; the swish is smooth and a little negative below 0.": (
            lambda x, g, u, d: np.maximum(x @ g.T, 0) * (x @ u.T) @ d.T
        ),
    }
    explain = r"""
    Two linear maps widen each token; the one through the swish $z\,\sigma(z)$ says how far each
    entry of the other passes, and a third map narrows the product. With
    $\sigma(z)=\frac12+\frac12\tanh\frac z2$ nothing overflows, however large the scores.
    """
