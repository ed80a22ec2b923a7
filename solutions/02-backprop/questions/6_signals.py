"""How large signals are at the start, and what becomes of a gradient on a long way back."""

import math

import numpy as np

from coursekit import backprop
from coursekit.grading import Close, case, question


def normal(std):
    """Draw weights whose standard deviation ``std`` gives for (n_out, n_in)."""
    return lambda n_out, n_in, rng: rng.normal(scale=std(n_out, n_in), size=(n_out, n_in))


@question(
    id="he-weights",
    title="Weights for rectifiers",
    asks="he_weights",
    points=2,
    section="sec-backprop-initialisation",
)
class HeWeights:
    compare = Close(rtol=0.05)  # more than five standard errors for 12,500 weights

    def driver(answer, n_out, n_in, seed):
        import numpy as np

        W = answer(n_out, n_in, np.random.default_rng(seed))
        if not isinstance(W, np.ndarray) or W.dtype.kind != "f":
            return W
        state = np.random.get_state()[2]
        again = answer(n_out, n_in, np.random.default_rng(seed))
        other = answer(n_out, n_in, np.random.default_rng(seed + 1))
        standard = (W - W.mean()) / (W.std() or 1.0)
        beyond = np.mean(abs(standard) > 1)  # 0.3173 of a Gaussian
        return {
            "shape": W.shape,
            "standard deviation": W.std(),
            "mean within five standard errors of 0": bool(
                abs(W.mean()) <= 5 * W.std() / W.size**0.5
            ),
            "as many beyond one standard deviation as of a Gaussian": bool(
                abs(beyond - 0.3173) <= 5 * (0.3173 * 0.6827 / W.size) ** 0.5
            ),
            "the same generator gives the same weights": bool(np.array_equal(W, again)),
            "another generator gives others": not np.array_equal(W, other),
            "leaves the global generator alone": bool(np.random.get_state()[2] == state),
        }

    def reference(n_out, n_in, rng):
        return backprop.he_normal((n_out, n_in), rng)

    def cases(rng):
        for name, low, high, shown in (
            ("more outputs than inputs", (250, 350), (50, 90), True),
            ("more inputs than outputs", (50, 90), (300, 900), True),
            ("another layer", (120, 160), (150, 250), False),
        ):
            sizes = int(rng.integers(*low)), int(rng.integers(*high))
            yield case(name, *sizes, int(rng.integers(1, 1000)), shown=shown)

    def row_by_row(n_out, n_in, rng):
        rows = [rng.standard_normal(n_in) / math.sqrt(n_in / 2) for _ in range(n_out)]
        return np.array(rows)

    def from_uniform_numbers(n_out, n_in, rng):
        u, v = rng.random(size=(2, n_out, n_in))
        return 2 * np.sqrt(-np.log1p(-u) / n_in) * np.cos(2 * np.pi * v)

    def own_generator(n_out, n_in, rng):
        return normal(lambda o, i: np.sqrt(2 / i))(n_out, n_in, np.random.default_rng(0))

    def uniform(n_out, n_in, rng):
        limit = np.sqrt(6 / n_in)
        return rng.uniform(-limit, limit, size=(n_out, n_in))

    def wrong_shape(n_out, n_in, rng):
        return rng.normal(scale=np.sqrt(2 / n_in), size=(n_in, n_out))

    fan_out = normal(lambda n_out, n_in: np.sqrt(2 / n_out))
    xavier = normal(lambda n_out, n_in: np.sqrt(2 / (n_in + n_out)))
    no_two = normal(lambda n_out, n_in: np.sqrt(1 / n_in))
    variance = normal(lambda n_out, n_in: 2 / n_in)

    variants = [row_by_row, from_uniform_numbers]
    mistakes = {
        "Forward, a unit adds up n_in products: the variance is 2 / n_in, not 2 / n_out.": fan_out,
        "This is Xavier's scale, made for tanh; a rectifier needs 2 / n_in.": xavier,
        "A rectifier drops half of the signal: the factor 2 makes up for it.": no_two,
        "The variance is 2 / n_in; the generator takes the standard deviation, its root.": variance,
        "Draw from the rng that you are given: yours ignores it.": own_generator,
        "The scale is right, but these weights are uniform; Gaussian ones are asked for.": uniform,
        "The shape of W is (n_out, n_in).": wrong_shape,
    }
    explain = r"""
    Of a unit's $n_{in}$ products each has variance $\operatorname{Var}(W)\,\mathbf E(o^2)$, and
    they add up. If the layer before is a rectifier on a symmetric signal, $\mathbf E(o^2)$ is half
    the variance of $z$. So $\operatorname{Var}(z)$ stays what it was when
    $n_{in}\operatorname{Var}(W)/2=1$: draw from a Gaussian of mean 0 and standard deviation
    $\sqrt{2/n_{in}}$. With 800 inputs that is 0.05. Nothing here can be compared number by number,
    so the check measures what you drew.
    """


def passed_back(
    weights,
    x,
    grad,
    threshold,
    slope=lambda z, o: 1 - o**2,
    back=lambda W, g: W.T @ g,
    norm=np.linalg.norm,
    limit=lambda threshold, top: threshold * top,
    offset=0,
    reverse=False,
):
    """Norms of the gradient at every output, and how far back it stays above the threshold."""
    os, zs = [x], []
    for W in weights:
        zs.append(W @ os[-1])
        os.append(np.tanh(zs[-1]))
    norms = [norm(grad)]
    for W, z, o in zip(weights[::-1], zs[::-1], os[:0:-1], strict=True):
        grad = back(W, slope(z, o) * grad)
        norms.append(norm(grad))
    low = [i for i, n in enumerate(norms) if n < limit(threshold, norms[0])]
    depth = low[0] + offset if low else None
    return np.array(norms if reverse else norms[::-1]), depth


@question(
    id="vanishing-gradient",
    title="Where the gradient vanishes",
    asks="gradient_norms",
    points=3,
    section="sec-backprop-initialisation",
)
class VanishingGradient:
    reference = passed_back

    def cases(rng):
        for name, n, depth, gain, shown in (
            ("small weights", 6, 9, 0.6, True),
            ("large weights", 5, 6, 3.0, True),
            ("a single layer", 3, 1, 0.5, True),
            ("a deep network", 8, 20, 0.8, False),
        ):
            weights = [gain / math.sqrt(n) * rng.normal(size=(n, n)) for _ in range(depth)]
            grad = 30 * rng.normal(size=n)
            threshold = 0.1 if gain < 1 else 1e-12
            yield case(name, weights, rng.normal(size=n), grad, threshold, shown=shown)

    def with_jacobians(weights, x, grad, threshold):
        jacobians = []
        for W in weights:
            x = np.tanh(W @ x)
            jacobians.append(np.diag(1 - x * x) @ W)
        norms = [math.hypot(*grad)]
        for jacobian in jacobians[::-1]:
            grad = grad @ jacobian
            norms.append(math.hypot(*grad))
        below = np.flatnonzero(np.array(norms) < threshold * norms[0])
        return np.array(norms)[::-1], int(below[0]) if below.size else None

    def with_activation_layers(weights, x, grad, threshold):
        stations, o = [], x
        for W in weights:
            z = W @ o
            stations.append((W, backprop.activation("tanh").derivative(z)))
            o = np.tanh(z)
        norms = [float(np.sqrt(grad @ grad))]
        for W, slope in reversed(stations):
            grad = (slope * grad) @ W
            norms.append(float(np.sqrt(grad @ grad)))
        depth = next((i for i, n in enumerate(norms) if n < threshold * norms[0]), None)
        return np.flip(norms), depth

    def replaced(**parts):
        return lambda *inputs: passed_back(*inputs, **parts)

    no_slope = replaced(slope=lambda z, o: 1.0)
    slope_at_o = replaced(slope=lambda z, o: 1 - np.tanh(o) ** 2)
    not_transposed = replaced(back=lambda W, g: W @ g)
    squared = replaced(norm=lambda g: g @ g)
    absolute = replaced(limit=lambda threshold, top: threshold)
    one_less = replaced(offset=-1)
    backwards = replaced(reverse=True)
    del replaced

    variants = [with_jacobians, with_activation_layers]
    mistakes = {
        "Each layer multiplies by the derivative of tanh as well; you left it out.": no_slope,
        "The derivative of tanh is taken at z; you took it at o.": slope_at_o,
        "The way back multiplies by the transpose of W.": not_transposed,
        "These are squared norms; take the root.": squared,
        "The threshold is a share of the norm at the output, where the gradient starts.": absolute,
        "Count the layers that the gradient has gone through: at the output it is 0.": one_less,
        "The norms go from the input, entry 0, to the output, the last entry.": backwards,
    }
    explain = r"""
    Forward first, keeping every $o^{[i]}$. Then start with the gradient at the output and repeat:
    times $1-(o^{[i]})^2$, times $W^{[i]T}$, norm. That is one number per output, from $o^{[d]}$
    back to the input $o^{[0]}$; turn the list around at the end. The depth is the first place in
    the way back at which the norm is below the given share of the first. If every layer halves the
    gradient, the share 0.1 is reached after four layers, since $\frac1{16}<0.1<\frac18$. It is a
    product of many factors, so it shrinks or grows like a power.
    """
