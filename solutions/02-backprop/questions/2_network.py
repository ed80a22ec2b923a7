"""The same for a batch, and the whole gradient of a small network."""

import numpy as np

from coursekit import backprop
from coursekit.grading import case, question


@question(
    id="batched-affine-backward",
    title="The same for a batch",
    asks="batched_affine_backward",
    points=2,
    section="sec-backprop-numpy",
)
class BatchedAffineBackward:
    def reference(grad_Z, O_prev, W):
        return grad_Z.T @ O_prev, grad_Z.sum(axis=0), grad_Z @ W

    def cases(rng):
        for name, m, n_out, n_in, shown in (
            ("five examples", 5, 2, 3, True),
            ("everything of size three", 3, 3, 3, True),
            ("one example", 1, 2, 4, True),
            ("many examples", 32, 5, 6, False),
        ):
            grad_Z, O_prev = rng.normal(size=(m, n_out)), rng.normal(size=(m, n_in))
            yield case(name, grad_Z, O_prev, rng.normal(size=(n_out, n_in)), shown=shown)

    def example_by_example(grad_Z, O_prev, W):
        parts = [backprop.affine_backward(g, o, W) for g, o in zip(grad_Z, O_prev, strict=True)]
        grad_W, grad_w = sum(p.W for p in parts), sum(p.w for p in parts)
        return grad_W, grad_w, np.stack([p.o for p in parts])

    def with_einsum(grad_Z, O_prev, W):
        grad_W = np.einsum("kj,kl->jl", grad_Z, O_prev)
        return grad_W, np.einsum("kj->j", grad_Z), np.einsum("kj,jl->kl", grad_Z, W)

    def kept_axis(grad_Z, O_prev, W):
        return grad_Z.T @ O_prev, grad_Z.sum(axis=0, keepdims=True), grad_Z @ W

    variants = [example_by_example, with_einsum]
    mistakes = {
        "The bias is shared by all examples: add grad_Z up over them.": (
            lambda g, o, W: (g.T @ o, g, g @ W)
        ),
        "The 1/m is in grad_Z already; you averaged the bias gradient once more.": (
            lambda g, o, W: (g.T @ o, g.mean(axis=0) if len(g) > 1 else g[0], g @ W)
        ),
        "The 1/m is in grad_Z already; you divided the weight gradient by m once more.": (
            lambda g, o, W: (g.T @ o / len(g), g.sum(axis=0), g @ W)
        ),
        "The gradient of W has the shape of W: outputs in rows.": (
            lambda g, o, W: (o.T @ g, g.sum(axis=0), g @ W)
        ),
        "With examples in rows it is grad_Z @ W; the transpose belongs to the forward pass.": (
            lambda g, o, W: (g.T @ o, g.sum(axis=0), g @ W.T)
        ),
        "The examples run along axis 0; you added up over the outputs.": (
            lambda g, o, W: (g.T @ o, g.sum(axis=1), g @ W)
        ),
        "The bias gradient has the shape of the bias, one axis: leave keepdims away.": kept_axis,
    }
    explain = r"""
    Stacking examples as rows turns (6) to (8) into three lines. $W$ and $w$ serve all examples, so
    their gradients are sums over them: `grad_Z.T @ O_prev` adds up the outer products, and
    `grad_Z.sum(axis=0)` the rows. Each example has its own input, so nothing is summed there:
    `grad_Z @ W` is (8) for each row. Two examples with inputs 1 and 2, gradients 3 and 4 and $W=5$
    give $1\cdot3+2\cdot4=11$, $7$ and the rows 15 and 20.
    """


@question(
    id="network-gradient",
    title="The whole gradient of a small network",
    asks="network_gradient",
    points=3,
    section="sec-backprop-numpy",
)
class NetworkGradient:
    def reference(W1, w1, W2, w2, x, y):
        return two_layers(W1, w1, W2, w2, x, y)

    def cases(rng):
        for name, n, h, q, shown in (
            ("three hidden units", 2, 3, 2, True),
            ("square layers", 2, 2, 2, True),
            ("one output", 4, 3, 1, True),
            ("twenty hidden units", 5, 20, 3, False),
        ):
            weights = [rng.normal(size=s) for s in ((h, n), h, (q, h), q)]
            yield case(name, *weights, rng.normal(size=n), rng.normal(size=q), shown=shown)

    def with_the_library(W1, w1, W2, w2, x, y):
        layers = [
            backprop.Affine(W1, w1),
            backprop.Activation("tanh"),
            backprop.Affine(W2, w2),
            backprop.Activation("identity"),
        ]
        found = backprop.gradient(backprop.Network(layers), x, y, backprop.SQUARED_ERROR)
        return found.loss, *found.parameters

    def with_the_tape(W1, w1, W2, w2, x, y):
        W1, w1, W2, w2 = parts = [
            backprop.Tensor(a, requires_grad=True) for a in (W1, w1[:, None], W2, w2[:, None])
        ]
        error = W2 @ (W1 @ x[:, None] + w1).tanh() + w2 - y[:, None]
        loss = (error * error).sum()
        loss.backward()
        gW1, gw1, gW2, gw2 = (p.grad for p in parts)
        return float(loss.data), gW1, gw1[:, 0], gW2, gw2[:, 0]

    def mean_of_squares(W1, w1, W2, w2, x, y):
        loss, *rest = two_layers(W1, w1, W2, w2, x, y)
        return loss / 2, *rest

    def late_input(W1, w1, W2, w2, x, y):
        loss, _, gw1, gW2, gw2 = two_layers(W1, w1, W2, w2, x, y)
        return loss, np.outer(gw1, np.tanh(W1 @ x + w1)), gw1, gW2, gw2

    variants = [with_the_library, with_the_tape]
    mistakes = {
        "The squared norm has gradient 2 (output - y); the 2 is missing in all the gradients.": (
            lambda *a: two_layers(*a, outer=lambda e: e)
        ),
        "All signs are turned around: the gradient at the output is 2 (output - y).": (
            lambda *a: two_layers(*a, outer=lambda e: -2 * e)
        ),
        "The derivative of tanh is taken at z; you took it at o, as the slide has it.": (
            lambda *a: two_layers(*a, slope=lambda z, o: 1 - np.tanh(o) ** 2)
        ),
        "Going back through tanh you left its derivative 1 - o^2 out.": (
            lambda *a: two_layers(*a, slope=lambda z, o: 1.0)
        ),
        "Back through the second layer it is the transpose of W2.": (
            lambda *a: two_layers(*a, back=lambda W, g: W @ g)
        ),
        "The gradient of W1 is an outer product with the input x, not with o.": late_input,
        "Here the loss is the squared norm itself, without 1/2.": mean_of_squares,
    }
    explain = r"""
    Forward: $z^{[1]}=W^{[1]}x+w^{[1]}$, $o^{[1]}=\tanh z^{[1]}$, output $z^{[2]}$, loss
    $\|z^{[2]}-y\|^2$. Backward, the same stations in the other order: $2(z^{[2]}-y)$ is the
    gradient at $z^{[2]}$ and at $w^{[2]}$; its outer product with $o^{[1]}$ belongs to $W^{[2]}$;
    $W^{[2]T}$ times it arrives at $o^{[1]}$; times $1-(o^{[1]})^2$ it is at $z^{[1]}$ and at
    $w^{[1]}$; its outer product with $x$ belongs to $W^{[1]}$. With all numbers single, $z^{[1]}=0$
    and an error of 1, the gradient at $w^{[2]}$ is 2 and the one at $w^{[1]}$ is $2W^{[2]}$.
    """


def two_layers(W1, w1, W2, w2, x, y, outer=lambda e: 2 * e, slope=lambda z, o: 1 - o**2, back=None):
    """Loss and gradients of the small network, with parts that a mistake replaces."""
    z = W1 @ x + w1
    o = np.tanh(z)
    error = W2 @ o + w2 - y
    g = outer(error)
    at_z = slope(z, o) * (W2.T @ g if back is None else back(W2, g))
    return error @ error, np.outer(at_z, x), at_z, np.outer(g, o), g
