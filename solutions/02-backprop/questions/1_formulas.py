"""Forward, and back by the eight formulas."""

import numpy as np

from coursekit import backprop
from coursekit.grading import case, question


@question(
    id="network-forward",
    title="Forward, and keep everything",
    asks="network_forward",
    points=1,
    section="sec-backprop-forward",
)
class NetworkForward:
    def reference(weights, biases, x):
        zs, os = [], [x]
        for W, w in zip(weights, biases, strict=True):
            zs.append(W @ os[-1] + w)
            os.append(np.tanh(zs[-1]))
        return zs, os

    def cases(rng):
        for name, sizes, shown in (
            ("two layers", (3, 4, 2), True),
            ("layers of equal width", (2, 2, 2, 2), True),
            ("one layer", (4, 3), True),
            ("five layers", (3, 6, 2, 5, 4, 1), False),
        ):
            weights, biases = layers(sizes, rng)
            yield case(name, weights, biases, rng.normal(size=sizes[0]), shown=shown)

    def with_sums(weights, biases, x):
        zs, os = [], [x]
        for W, w in zip(weights, biases, strict=True):
            z = [sum(a * b for a, b in zip(row, os[-1], strict=True)) for row in W]
            zs.append(np.array(z) + w)
            os.append(np.tanh(zs[-1]))
        return zs, os

    def with_einsum(weights, biases, x):
        zs = []
        for i, (W, w) in enumerate(zip(weights, biases, strict=True)):
            zs.append(np.einsum("jl,l->j", W, np.tanh(zs[-1]) if i else x) + w)
        return zs, [x, *map(np.tanh, zs)]

    def forward(affine=lambda W, w, o: W @ o + w, phi=np.tanh, passed=lambda z, o: o):
        def answer(weights, biases, x):
            zs, os, inward = [], [x], x
            for W, w in zip(weights, biases, strict=True):
                zs.append(affine(W, w, inward))
                os.append(phi(zs[-1]))
                inward = passed(zs[-1], os[-1])
            return zs, os

        return answer

    transposed = forward(lambda W, w, o: W.T @ o + w)
    no_bias = forward(lambda W, w, o: W @ o)
    bias_inside = forward(lambda W, w, o: W @ (o + w))
    linear = forward(phi=lambda z: z)
    z_on = forward(passed=lambda z, o: z)
    del forward

    def input_missing(weights, biases, x):
        zs = []
        for W, w in zip(weights, biases, strict=True):
            x = W @ x + w
            zs.append(x)
            x = np.tanh(x)
        return zs, [np.tanh(z) for z in zs]

    variants = [with_sums, with_einsum]
    mistakes = {
        "One example is a column: W has shape (n_out, n_in), so it is W @ o, not its transpose.": (
            transposed
        ),
        "The bias w is missing in z = W o + w.": no_bias,
        "Add the bias after the product with W, not before it.": bias_inside,
        "The activation is missing: o is tanh of z.": linear,
        "The next layer takes the output o of the one before, not its z.": z_on,
        "The list of outputs starts with the input x, which the first layer's gradient needs.": (
            input_missing
        ),
    }
    explain = r"""
    Start with $o^{[0]}=x$. For each layer compute $z^{[i]}=W^{[i]}o^{[i-1]}+w^{[i]}$ and then
    $o^{[i]}=\tanh(z^{[i]})$, and append both to their lists. With $W=(1\;\,2)$, $w=-3$ and
    $x=(1,1)$, $z=0$ and $o=0$. Both lists are kept because the way back needs them: $z^{[i]}$ for
    the derivative of the activation, $o^{[i-1]}$ for the gradient of the weights.
    """


@question(
    id="sigmoid-backward",
    title="Back through an activation",
    asks="sigmoid_backward",
    points=1,
    section="sec-backprop-formulas",
)
class SigmoidBackward:
    def reference(grad_o, z):
        return grad_o * sigmoid(z) * sigmoid(-z)

    def cases(rng):
        yield case("four units", rng.normal(size=4), rng.normal(size=4))
        yield case("one unit", rng.normal(size=1), rng.normal(1.5, 0.2, size=1))
        far = np.array([-800.0, -30.0, 30.0, 800.0])
        yield case("saturated units", rng.normal(size=4) + 2.0, far)
        yield case("many units", rng.normal(size=30), 3 * rng.normal(size=30), shown=False)

    def from_the_output(grad_o, z):
        o = 1 / (1 + np.exp(-z))
        return grad_o * o * (1 - o)

    def with_the_jacobian(grad_o, z):
        o = np.tanh(z / 2) / 2 + 0.5
        return np.diag(o - o**2).T @ grad_o

    def quotient(grad_o, z):
        e = np.exp(-z)
        return grad_o * e / (1 + e) ** 2

    variants = [from_the_output, with_the_jacobian]
    mistakes = {
        "The derivative is taken at z; you took it at o, as the slide has it.": (
            lambda grad_o, z: grad_o * sigmoid(sigmoid(z)) * sigmoid(-sigmoid(z))
        ),
        "This is the derivative alone: multiply by the gradient that arrives.": (
            lambda grad_o, z: sigmoid(z) * sigmoid(-z)
        ),
        "You multiplied by the output o; its derivative is o (1 - o).": (
            lambda grad_o, z: grad_o * sigmoid(z)
        ),
        "In o (1 - o) the letter o is the sigmoid of z, not z itself.": (
            lambda grad_o, z: grad_o * z * (1 - z)
        ),
        "Each unit keeps its own gradient: multiply entry by entry, without a sum.": (
            lambda grad_o, z: grad_o @ (sigmoid(z) * sigmoid(-z))
        ),
        "Far below zero exp(-z) overflows and its square gives nan; build it from the sigmoid.": (
            quotient
        ),
    }
    explain = r"""
    Formula (1), corrected: $\partial f/\partial z_j=\phi'(z_j)\,\partial f/\partial o_j$. For the
    sigmoid $\phi'(z)=\phi(z)\,(1-\phi(z))$, which is $o(1-o)$ with the $o$ that the forward pass
    kept. At $z=0$ the output is $\frac12$ and the derivative $\frac14$, so a gradient of 2 becomes
    $\frac12$. Taking $\phi'$ at $o=\frac12$ instead gives 0.235 in place of 0.25: close enough to
    learn, and wrong.
    """


@question(
    id="affine-backward",
    title="Back through an affine map",
    asks="affine_backward",
    points=2,
    section="sec-backprop-formulas",
)
class AffineBackward:
    def reference(grad_z, o_prev, W):
        return tuple(backprop.affine_backward(grad_z, o_prev, W))

    def cases(rng):
        for name, n_out, n_in, shown in (
            ("three inputs, two outputs", 2, 3, True),
            ("as many inputs as outputs", 3, 3, True),
            ("one output", 1, 4, True),
            ("a wide layer", 12, 7, False),
        ):
            W = rng.normal(size=(n_out, n_in))
            yield case(name, rng.normal(size=n_out), rng.normal(size=n_in), W, shown=shown)

    def with_loops(grad_z, o_prev, W):
        grad_W, grad_o = np.zeros(W.shape), np.zeros(len(o_prev))
        for j, i in np.ndindex(W.shape):
            grad_W[j, i] = o_prev[i] * grad_z[j]
            grad_o[i] += W[j, i] * grad_z[j]
        return grad_W, grad_z.copy(), grad_o

    def with_columns(grad_z, o_prev, W):
        return grad_z[:, None] @ o_prev[None, :], grad_z, np.dot(grad_z, W)

    variants = [with_loops, with_columns]
    mistakes = {
        "For arrays with one axis .T does nothing and dot adds up: the outer product is wanted.": (
            lambda grad_z, o_prev, W: (np.dot(grad_z, o_prev.T), grad_z, W.T @ grad_z)
        ),
        "The gradient of W has the shape of W: its rows belong to the outputs.": (
            lambda grad_z, o_prev, W: (np.outer(o_prev, grad_z), grad_z, W.T @ grad_z)
        ),
        "Forward multiplies by W, so the way back multiplies by its transpose.": (
            lambda grad_z, o_prev, W: (np.outer(grad_z, o_prev), grad_z, W @ grad_z)
        ),
        "The bias is added with factor 1, so its gradient is grad_z itself, not 1.": (
            lambda grad_z, o_prev, W: (
                np.outer(grad_z, o_prev),
                np.ones(len(grad_z)),
                W.T @ grad_z,
            )
        ),
        "The gradient for o_prev needs the weights: sum W[j, l] grad_z[j] over the outputs j.": (
            lambda grad_z, o_prev, W: (
                np.outer(grad_z, o_prev),
                grad_z,
                np.full(len(o_prev), grad_z.sum()),
            )
        ),
        "The gradient of W multiplies grad_z by the layer's input; you multiplied by W.": (
            lambda grad_z, o_prev, W: (W * grad_z[:, None], grad_z, W.T @ grad_z)
        ),
    }
    explain = r"""
    $z_j=\sum_l W_{jl}\,o_l+w_j$. So $W_{jl}$ touches $z_j$ alone, with factor $o_l$: the gradient
    of $W$ is the outer product of `grad_z` and `o_prev` (6). $w_j$ has factor 1 (7). $o_l$ touches
    every $z_j$, with factor $W_{jl}$: a sum over $j$, which is $W^T$ times `grad_z` (8). With
    $W=(2\;\,3)$, $o=(5,7)$ and a gradient of 10: $(50\;\,70)$, $10$ and $(20,30)$.
    """


@question(
    id="softmax-cross-entropy-gradient",
    title="Softmax and cross-entropy in one",
    asks="softmax_cross_entropy_gradient",
    points=2,
    section="sec-backprop-formulas",
)
class SoftmaxCrossEntropyGradient:
    def reference(logits, labels):
        return backprop.SOFTMAX_CROSS_ENTROPY.mean_gradient(logits, labels)

    def cases(rng):
        yield case("three examples", rng.normal(size=(3, 4)), rng.integers(0, 4, size=3))
        yield case("one example", rng.normal(size=(1, 3)), rng.integers(0, 3, size=1))
        yield case("logits near 1000", rng.normal(size=(4, 3)) + 1e3, rng.integers(0, 3, size=4))
        many = rng.normal(scale=3, size=(25, 6))
        yield case("many examples", many, rng.integers(0, 6, size=25), shown=False)

    def with_a_loop(logits, labels):
        rows = []
        for z, k in zip(logits, labels, strict=True):
            e = [np.exp(v - max(z)) for v in z]
            rows.append([v / sum(e) - (j == k) for j, v in enumerate(e)])
        return np.array(rows) / len(labels)

    def through_the_jacobian(logits, labels):
        rows = []
        for z, k in zip(logits, labels, strict=True):
            p, grad_o = softmax(z), np.zeros(len(z))
            grad_o[k] = -1 / p[k]
            rows.append((np.diag(p) - np.outer(p, p)) @ grad_o / len(labels))
        return np.array(rows)

    def diagonal(logits, labels):
        p = softmax(logits)
        return (p - one_hot(labels, p)) * p * (1 - p) / len(p)

    def unstable(logits, labels):
        e = np.exp(logits)
        p = e / e.sum(axis=1, keepdims=True)
        return (p - one_hot(labels, p)) / len(p)

    def first_axis(logits, labels):
        p = softmax(logits.T).T
        return (p - one_hot(labels, p)) / len(p)

    def whole_batch(logits, labels):
        p = softmax(logits.ravel()).reshape(logits.shape)
        return (p - one_hot(labels, p)) / len(p)

    def in_place(logits, labels):
        logits -= logits.max(axis=1, keepdims=True)
        p = softmax(logits)
        return (p - one_hot(labels, p)) / len(p)

    variants = [with_a_loop, through_the_jacobian]
    mistakes = {
        "The loss is a mean over m examples: divide by m.": (
            lambda Z, y: softmax(Z) - one_hot(y, Z)
        ),
        "You divided by all the entries; the mean runs over the m examples only.": (
            lambda Z, y: (softmax(Z) - one_hot(y, Z)) / Z.size
        ),
        "This points downhill: the gradient is prediction minus target.": (
            lambda Z, y: (one_hot(y, Z) - softmax(Z)) / len(Z)
        ),
        "These are the probabilities; subtract 1 at the entry of the right class.": (
            lambda Z, y: softmax(Z) / len(Z)
        ),
        "Softmax mixes its components: p (1 - p) is only the diagonal, and here it cancels.": (
            diagonal
        ),
        "Large logits overflow exp: subtract the largest of each row first.": unstable,
        "Each row is one example: normalise along axis 1.": first_axis,
        "You normalised over the whole batch; every row sums to 1 by itself.": whole_batch,
        "You changed the caller's logits in place: build a new array.": in_place,
    }
    explain = r"""
    For one example $l=-z_y+\log\sum_k e^{z_k}$. The derivative of the first part is $-1$ at the
    right class, that of the second is $e^{z_k}/\sum_j e^{z_j}=p_k$. Together: $p-\mathrm{onehot}$,
    divided by $m$ for the mean. Two equal logits give $p=(\frac12,\frac12)$, and with class 0 right
    the gradient is $(-\frac12,\frac12)$. The long way, through the Jacobian of softmax
    $\mathrm{diag}(p)-pp^T$ and the gradient $-1/p_y$, gives the same and divides by what may be 0.
    """


def layers(sizes, rng):
    """Weights and biases of a network of these widths."""
    pairs = list(zip(sizes[1:], sizes[:-1], strict=True))
    return [rng.normal(size=pair) for pair in pairs], [rng.normal(size=n) for n, _ in pairs]


def sigmoid(z):
    """1 / (1 + exp(-z)), without overflow."""
    return (1 + np.tanh(z / 2)) / 2


def softmax(Z):
    """Softmax along the last axis."""
    e = np.exp(Z - Z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def one_hot(labels, like):
    """A table of zeros with a one at each row's label."""
    table = np.zeros(like.shape)
    table[np.arange(len(labels)), labels] = 1
    return table
