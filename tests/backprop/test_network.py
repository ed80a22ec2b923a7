"""The lecture's network, its formulas and its gradients, against torch and numerical slopes."""

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.backprop import (
    CROSS_ENTROPY,
    MLP,
    SOFTMAX_CROSS_ENTROPY,
    SQUARED_ERROR,
    Activation,
    Affine,
    Network,
    activation,
    activation_backward,
    activation_backward_scalar,
    affine_backward,
    affine_backward_scalar,
    chain_rule,
    chain_rule_scalar,
    complex_step,
    dense_network,
    gradient,
    mlp_backward,
    mlp_forward,
    softmax,
    softmax_jacobian,
)
from coursekit.backprop.activations import NAMES
from tests.tolerances import assert_rounds_to

RELATIVE = 1e-10  # the agreement with torch that the chapter promises, at scale one
F = torch.nn.functional
TORCH = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "gelu": F.gelu,
    "softmax": lambda z: torch.softmax(z, -1),
}
shapes = st.lists(st.integers(1, 6), min_size=2, max_size=5)
seeds = st.integers(0, 2**32 - 1)


def close(actual, expected):
    expected = expected.detach().numpy() if isinstance(expected, torch.Tensor) else expected
    assert_rounds_to(actual, expected, terms=RELATIVE / (16 * np.finfo(float).eps))


def leaf(a):
    return torch.tensor(np.asarray(a), dtype=torch.float64, requires_grad=True)


def torch_network(parameters, x, hidden, output):
    """The network, in torch's own operators; x is one example or rows of them."""
    o, last = x, len(parameters) // 2 - 1
    for i in range(last + 1):
        o = TORCH[output if i == last else hidden](F.linear(o, *parameters[2 * i : 2 * i + 2]))
    return o


def loop_network(parameters, x):
    """The network with tanh, number by number, in 30-digit arithmetic."""
    o = [mpmath.mpf(float(v)) for v in x]
    for W, w in zip(parameters[::2], parameters[1::2], strict=True):
        z = [sum(W[j, l] * o[l] for l in range(len(o))) + w[j] for j in range(len(w))]  # noqa: E741
        o = [mpmath.tanh(v) for v in z]
    return np.array([float(v) for v in o])


@pytest.mark.equation("eq-backprop-network")
@given(shapes, seeds)
@settings(max_examples=30, deadline=None)
def test_the_network_is_the_composition_of_its_maps(sizes, seed):
    rng = np.random.default_rng(seed)
    network, x = dense_network(sizes, rng, output="tanh"), rng.normal(size=sizes[0])
    with mpmath.workdps(30):
        expected = loop_network(network.parameters, x)
    assert_rounds_to(network.forward(x), expected, terms=50)


@pytest.mark.equation("eq-backprop-affine")
def test_the_affine_map_is_torchs_linear():
    rng = np.random.default_rng(0)
    W, w, o = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=3)
    close(Affine(W, w).forward(o), F.linear(leaf(o), leaf(W), leaf(w)))
    assert Affine([[0.0, 1.0], [2.0, 3.0]], [10.0, 20.0]).forward([1.0, 2.0]).tolist() == [12, 28]


@pytest.mark.equation("eq-backprop-activation")
@pytest.mark.parametrize("name", [*NAMES, "softmax"])
def test_activations_are_torchs(name):
    z = np.concatenate([np.random.default_rng(0).normal(scale=3, size=50), [-800.0, 800.0]])
    close(Activation(name).forward(z), TORCH[name](leaf(z)))


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_slopes_at_z(name):
    phi, z = activation(name), np.random.default_rng(1).normal(scale=2, size=40)
    slopes = complex_step(lambda a: phi.value(a).sum(), z)
    assert_rounds_to(phi.derivative(z), slopes, terms=10)
    t = leaf(z)
    TORCH[name](t).sum().backward()
    close(phi.derivative(z), t.grad)


def test_the_softmax_jacobian_is_full_and_torchs():
    z = np.random.default_rng(2).normal(size=5)
    J = torch.autograd.functional.jacobian(TORCH["softmax"], leaf(z))
    close(softmax_jacobian(z), J)
    assert (np.abs(softmax_jacobian(z)) > 1e-4).all()


@pytest.mark.equation("eq-backprop-chain-rule")
@pytest.mark.equation("eq-backprop-chain-scalar")
@given(st.integers(1, 5), st.integers(1, 5), seeds)
@settings(max_examples=25, deadline=None)
def test_the_chain_rule_gives_the_slope_of_the_composite(n, m, seed):
    rng = np.random.default_rng(seed)
    A, theta, b = rng.normal(size=(m, n)), rng.normal(size=n), rng.normal(size=m)
    jacobian = (1 - np.tanh(A @ theta) ** 2)[:, None] * A
    slope = complex_step(lambda t: (np.tanh(A @ t) * b).sum() ** 2, theta)
    outer = 2 * (np.tanh(A @ theta) * b).sum() * b
    assert_rounds_to(chain_rule(jacobian, outer), slope, terms=50, condition=10)
    assert_rounds_to(chain_rule_scalar(jacobian, outer), slope, terms=50, condition=10)


def one_layer(seed, name):
    rng = np.random.default_rng(seed)
    n_in, n_out = rng.integers(1, 6, 2)
    W, w, o = rng.normal(size=(n_out, n_in)), rng.normal(size=n_out), rng.normal(size=n_in)
    return W, w, o, rng.normal(size=n_out), name


layers = st.builds(one_layer, seeds, st.sampled_from(["sigmoid", "tanh", "gelu", "relu"]))


def slopes_of(W, w, o, weights, name):
    """Numerical gradients of weights·φ(Wo + w) with respect to z, W, w and o."""
    phi = activation(name).value
    at_z = complex_step(lambda z: (weights * phi(z)).sum(), W @ o + w)
    at_W = complex_step(lambda M: (weights * phi(M @ o + w)).sum(), W)
    at_w = complex_step(lambda v: (weights * phi(W @ o + v)).sum(), w)
    at_o = complex_step(lambda u: (weights * phi(W @ u + w)).sum(), o)
    return at_z, at_W, at_w, at_o


@pytest.mark.equation("eq-backprop-1")
@pytest.mark.equation("eq-backprop-2")
@pytest.mark.equation("eq-backprop-3")
@pytest.mark.equation("eq-backprop-4")
@given(layers)
@settings(max_examples=25, deadline=None)
def test_the_scalar_formulas_are_slopes(layer):
    W, w, o, weights, name = layer
    at_z, at_W, at_w, at_o = slopes_of(*layer)
    grad_z = activation_backward_scalar(weights, W @ o + w, activation(name).derivative)
    passed = affine_backward_scalar(grad_z, o, W)
    assert_rounds_to(grad_z, at_z, terms=20)
    assert_rounds_to(passed.W, at_W, terms=20)
    assert_rounds_to(passed.w, at_w, terms=20)
    assert_rounds_to(passed.o, at_o, terms=50)


@pytest.mark.equation("eq-backprop-5")
@pytest.mark.equation("eq-backprop-6")
@pytest.mark.equation("eq-backprop-7")
@pytest.mark.equation("eq-backprop-8")
@given(layers)
@settings(max_examples=25, deadline=None)
def test_the_matrix_formulas_are_torchs_and_slopes(layer):
    W, w, o, weights, name = layer
    grad_z = activation_backward(weights, W @ o + w, activation(name).derivative)
    passed = affine_backward(grad_z, o, W)
    tW, tw, to = leaf(W), leaf(w), leaf(o)
    z = F.linear(to, tW, tw)
    z.retain_grad()
    (torch.tensor(weights) * TORCH[name](z)).sum().backward()
    for mine, theirs in zip((grad_z, *passed), (z, tW, tw, to), strict=True):
        close(mine, theirs.grad)
    for mine, slope in zip((grad_z, *passed), slopes_of(*layer), strict=True):
        assert_rounds_to(mine, slope, terms=50)


def test_the_slides_derivative_at_o_is_another_number():
    """E092: φ' at the output fails where φ' at the input passes."""
    z, weights = np.array([0.3, -1.2, 2.0]), np.ones(3)
    phi = activation("sigmoid")
    slope = complex_step(lambda a: phi.value(a).sum(), z)
    assert np.abs(activation_backward(weights, z, phi.derivative) - slope).max() < 1e-15
    assert np.abs(activation_backward(weights, phi.value(z), phi.derivative) - slope).min() > 1e-3


def test_the_slides_numpy_lines_fail_and_the_outer_product_runs():
    """E093, E094, E135: numpy.dot of two vectors is a number or an error, never (n_i, n_{i-1})."""
    grad_z, o_prev, W = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0]), np.ones((2, 3))
    with pytest.raises(ValueError, match="not aligned"):
        np.dot(grad_z, o_prev.T)
    assert np.dot(grad_z, grad_z.T).shape == ()  # equal widths: a number, without a word
    assert affine_backward(grad_z, o_prev, W).W.tolist() == [[3, 4, 5], [6, 8, 10]]
    assert np.dot(grad_z, W).tolist() == affine_backward(grad_z, o_prev, W).o.tolist()


CASES = [
    ("identity", SQUARED_ERROR, lambda o, y: ((o - y) ** 2).sum()),
    ("sigmoid", SQUARED_ERROR, lambda o, y: ((o - y) ** 2).sum()),
    ("identity", SOFTMAX_CROSS_ENTROPY, F.cross_entropy),
    ("softmax", CROSS_ENTROPY, lambda o, y: -torch.log(o[y])),
]


@pytest.mark.parametrize("scalar", [False, True])
@given(shapes, seeds, st.sampled_from(["tanh", "relu", "sigmoid", "gelu"]), st.sampled_from(CASES))
@settings(max_examples=25, deadline=None)
def test_whole_networks_have_torchs_gradients(scalar, sizes, seed, hidden, case):
    output, loss, torch_loss = case
    rng = np.random.default_rng(seed)
    network = dense_network(sizes, rng, hidden=hidden, output=output)
    x = rng.normal(size=sizes[0])
    label = loss is not SQUARED_ERROR
    y = rng.integers(sizes[-1]) if label else rng.normal(size=sizes[-1])
    found = gradient(network, x, y, loss, scalar=scalar and output != "softmax")
    parameters, tx = [leaf(p) for p in network.parameters], leaf(x)
    value = torch_loss(torch_network(parameters, tx, hidden, output), torch.tensor(y))
    value.backward()
    close(found.loss, value)
    close(found.x, tx.grad)
    for mine, theirs in zip(found.parameters, parameters, strict=True):
        close(mine, theirs.grad)


@pytest.mark.equation("eq-backprop-output")
@pytest.mark.equation("eq-backprop-softmax-ce")
@given(st.integers(1, 7), seeds)
@settings(max_examples=25, deadline=None)
def test_the_gradient_at_the_output_is_the_losses_slope(K, seed):
    rng = np.random.default_rng(seed)
    o, target, y = rng.normal(size=K), rng.normal(size=K), int(rng.integers(K))
    slope = complex_step(lambda a: ((a - target) ** 2).sum(), o)
    assert_rounds_to(SQUARED_ERROR.gradient(o, target), slope, terms=10)
    slope = complex_step(lambda a: np.log(np.exp(a).sum()) - a[y], o)
    assert_rounds_to(SOFTMAX_CROSS_ENTROPY.gradient(o, y), slope, terms=50)
    assert_rounds_to(SOFTMAX_CROSS_ENTROPY.gradient(o, y), softmax(o) - np.eye(K)[y], terms=10)
    through_jacobian = softmax_jacobian(o).T @ CROSS_ENTROPY.gradient(softmax(o), y)
    assert_rounds_to(through_jacobian, softmax(o) - np.eye(K)[y], terms=200)


@pytest.mark.equation("eq-backprop-loss")
@given(shapes, st.integers(1, 6), seeds)
@settings(max_examples=20, deadline=None)
def test_a_batch_is_the_mean_of_its_examples(sizes, m, seed):
    rng = np.random.default_rng(seed)
    network = dense_network(sizes, rng, hidden="relu")
    X, y = rng.normal(size=(m, sizes[0])), rng.integers(sizes[-1], size=m)
    mlp = MLP(sizes, rng)
    mlp.parameters = network.parameters
    loss, gradients = mlp.loss_and_gradients(X, y)
    each = [gradient(network, *pair, SOFTMAX_CROSS_ENTROPY) for pair in zip(X, y, strict=True)]
    assert_rounds_to(loss, np.mean([g.loss for g in each]), terms=100)
    for i, mine in enumerate(gradients):
        assert_rounds_to(mine, np.mean([g.parameters[i] for g in each], axis=0), terms=100)


@given(shapes, st.integers(1, 6), seeds, st.sampled_from(["tanh", "relu", "leaky_relu", "gelu"]))
@settings(max_examples=25, deadline=None)
def test_batched_gradients_are_torchs(sizes, m, seed, hidden):
    rng = np.random.default_rng(seed)
    mlp = MLP(sizes, rng, hidden=hidden)
    X, y = rng.normal(size=(m, sizes[0])), rng.integers(sizes[-1], size=m)
    loss, gradients = mlp.loss_and_gradients(X, y)
    parameters = [leaf(p) for p in mlp.parameters]
    value = F.cross_entropy(torch_network(parameters, leaf(X), hidden, "identity"), torch.tensor(y))
    value.backward()
    close(loss, value)
    for mine, theirs in zip(gradients, parameters, strict=True):
        close(mine, theirs.grad)


@given(shapes, seeds)
@settings(max_examples=15, deadline=None)
def test_batched_gradients_are_slopes(sizes, seed):
    rng = np.random.default_rng(seed)
    parameters = MLP(sizes, rng).parameters
    X, weights = rng.normal(size=(3, sizes[0])), rng.normal(size=(3, sizes[-1]))
    trace = mlp_forward(parameters, X, "tanh")
    gradients = mlp_backward(parameters, trace, weights, "tanh")
    for i, mine in enumerate(gradients):

        def value(p, i=i):
            changed = [*parameters[:i], p, *parameters[i + 1 :]]
            return (weights * mlp_forward(changed, X, "tanh").O[-1]).sum()

        assert_rounds_to(mine, complex_step(value, parameters[i]), terms=200)


def test_mean_losses_are_torchs():
    rng = np.random.default_rng(3)
    O, Y, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), rng.integers(4, size=5)  # noqa: E741
    close(SQUARED_ERROR.mean(O, Y), ((leaf(O) - leaf(Y)) ** 2).sum(1).mean())
    close(SOFTMAX_CROSS_ENTROPY.mean(O, y), F.cross_entropy(leaf(O), torch.tensor(y)))
    P = softmax(O)
    close(CROSS_ENTROPY.mean(P, y), F.nll_loss(torch.log(leaf(P)), torch.tensor(y)))
    for loss, at, target in (
        (SQUARED_ERROR, O, Y), (SOFTMAX_CROSS_ENTROPY, O, y), (CROSS_ENTROPY, P, y)
    ):  # fmt: skip
        slope = complex_step(lambda a, f=loss, t=target: f.mean(a, t), at)
        assert_rounds_to(loss.mean_gradient(at, target), slope, terms=50)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Affine(np.ones((2, 3)), np.ones((2, 3))), ValueError, r"\(2,\) wanted"),
        (lambda: Affine(np.ones((2, 3)), [0, 0]).forward(np.ones(2)), ValueError, "one example"),
        (lambda: Affine(np.ones((2, 3)), [0, 0]).backward(np.ones(2)), RuntimeError, "forward"),
        (lambda: Activation("tanh").backward(np.ones(2)), RuntimeError, "forward first"),
        (lambda: Activation("swish"), ValueError, "no activation 'swish'; there are identity"),
        (lambda: activation("softmax"), ValueError, "not componentwise"),
        (
            lambda: Network([Affine(np.ones((2, 3)), [0, 0]), Affine(np.ones((1, 4)), [0])]),
            ValueError,
            "gives 2 numbers and affine map 2 takes 4",
        ),
        (lambda: MLP([3], np.random.default_rng(0)), ValueError, "two or more"),
        (lambda: MLP([3, 2], 0), TypeError, "default_rng"),
        (
            lambda: MLP([3, 2], np.random.default_rng(0)).forward(np.ones((4, 5))),
            ValueError,
            r"\(m, 3\) wanted",
        ),
        (lambda: SQUARED_ERROR.mean(np.ones((2, 1)), np.ones(2)), ValueError, "broadcast"),
        (lambda: SQUARED_ERROR.mean(np.ones(2), np.ones(2)), ValueError, r"\(m, q\) wanted"),
        (lambda: SQUARED_ERROR(np.ones((2, 2)), np.ones(2)), ValueError, "one example"),
        (lambda: SOFTMAX_CROSS_ENTROPY.mean(np.ones((2, 3)), [0, 3]), ValueError, "0 to 2"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
