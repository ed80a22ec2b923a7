"""The autograd against torch and central differences, and its refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from coursekit.backprop import MLP, Tensor, check_gradient
from coursekit.backprop.autograd import _tape
from tests.tolerances import assert_rounds_to

RELATIVE = 1e-10
TERMS = RELATIVE / (16 * np.finfo(float).eps)
seeds = st.integers(0, 2**32 - 1)


def against_torch(mine, theirs, *arrays):
    """Assert equal values and equal gradients of a weighted sum, for each array."""
    ours = [Tensor(a, requires_grad=True) for a in arrays]
    torchs = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]
    out, expected = mine(*ours), theirs(*torchs)
    assert_rounds_to(out.data, expected.detach().numpy(), terms=TERMS)
    weights = np.cos(np.arange(out.data.size)).reshape(out.shape)
    out.backward(weights)
    expected.backward(torch.tensor(weights))
    for a, b in zip(ours, torchs, strict=True):
        assert_rounds_to(a.grad, b.grad.numpy(), terms=TERMS)


UNARY = {
    "exp": (Tensor.exp, torch.exp),
    "log": (lambda x: (x * x + 1).log(), lambda x: torch.log(x * x + 1)),
    "tanh": (Tensor.tanh, torch.tanh),
    "sigmoid": (Tensor.sigmoid, torch.sigmoid),
    "relu": (Tensor.relu, torch.relu),
    "cube": (lambda x: x**3, lambda x: x**3),
    "negative": (lambda x: -x, lambda x: -x),
    "constants": (lambda x: 3 - 2 * x / 5 + 1 / (x * x + 1),) * 2,
    "transpose": (lambda x: x.T, lambda x: x.permute(*reversed(range(x.ndim)))),
    "flat": (lambda x: x.reshape(-1), lambda x: x.reshape(-1)),
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
@given(array_shapes(max_dims=3, max_side=4), seeds)
@settings(max_examples=15, deadline=None)
def test_operations_of_one_array_are_torchs(name, shape, seed):
    against_torch(*UNARY[name], np.random.default_rng(seed).normal(size=shape))


BINARY = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (b * b + 1),
}


@pytest.mark.parametrize("name", BINARY)
@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4), seeds)
@settings(max_examples=20, deadline=None)
def test_broadcasting_operations_are_torchs(name, shapes, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=s) for s in shapes.input_shapes)
    against_torch(BINARY[name], BINARY[name], a, b)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "max"])
@given(st.sampled_from([None, 0, 1, -1, (0, 2), (1, 2)]), seeds)
@settings(max_examples=10, deadline=None)
def test_reductions_are_torchs(name, keepdims, axis, seed):
    x = np.random.default_rng(seed).normal(size=(2, 3, 4))
    reduce = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}[name]
    axes = (0, 1, 2) if axis is None else axis
    against_torch(
        lambda t: getattr(t, name)(axis=axis, keepdims=keepdims),
        lambda t: reduce(t, dim=axes, keepdim=keepdims),
        x,
    )


def test_ties_share_the_gradient_of_max_as_in_torch():
    against_torch(lambda t: t.max(axis=1), lambda t: t.amax(1), np.array([[1.0, 1, 0], [2, 5, 5]]))


@given(mutually_broadcastable_shapes(signature="(m,n),(n,k)->(m,k)", max_dims=2, max_side=4), seeds)
@settings(max_examples=25, deadline=None)
def test_matrix_products_are_torchs(shapes, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=s) for s in shapes.input_shapes)
    against_torch(lambda x, y: x @ y, lambda x, y: x @ y, a, b)


@pytest.mark.parametrize(
    "index",
    [1, slice(0, 2), (slice(None), [0, 0, 2]), ([0, 1, 1], [2, 2, 2]), (Ellipsis, 0), (None, 1)],
    ids=str,
)
def test_indexing_collects_what_was_taken_twice_like_torch(index):
    against_torch(
        lambda x: x[index], lambda x: x[index], np.random.default_rng(0).normal(size=(3, 4))
    )


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_random_expressions_pass_the_gradient_check(seed):
    rng = np.random.default_rng(seed)

    def f(tensors):
        a, b = tensors
        z = (a @ b + b.sum(axis=0)).tanh()
        return (z * z.sigmoid() / (1 + z.exp())).mean() + z[0].max() + a.T.reshape(-1)[1] ** 2

    assert check_gradient(f, [rng.normal(size=(2, 3)), rng.normal(size=(3, 4))])


def test_a_network_on_tensors_has_the_hand_written_gradients():
    rng = np.random.default_rng(0)
    mlp = MLP([6, 8, 5, 3], rng)
    X, y = rng.normal(size=(10, 6)), rng.integers(3, size=10)
    tensors = [Tensor(p, requires_grad=True) for p in mlp.parameters]
    o = Tensor(X)
    for i in range(0, len(tensors), 2):
        z = o @ tensors[i].T + tensors[i + 1]
        o = z.relu()
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - shifted.exp().sum(axis=1, keepdims=True).log()
    loss = -log_p[np.arange(10), y].mean()
    loss.backward()
    expected, gradients = mlp.loss_and_gradients(X, y)
    assert_rounds_to(loss.data, expected, terms=50)
    for t, g in zip(tensors, gradients, strict=True):
        assert_rounds_to(t.grad, g, terms=100)


def test_a_value_used_twice_collects_both_gradients():
    x = Tensor(3.0, requires_grad=True)
    y = x * x
    (y * y + y).backward()  # d(x^4 + x^2) = 4x^3 + 2x
    assert x.grad == 114.0


def test_leaves_add_up_over_backwards_and_do_not_share_memory():
    a, b = Tensor([1.0], requires_grad=True), Tensor([2.0], requires_grad=True)
    (a + b).sum().backward()
    (a + b).sum().backward()
    a.grad *= 0
    assert b.grad.tolist() == [2.0]


def test_what_needs_no_gradient_keeps_no_tape():
    x, w = Tensor([1.0, 2.0]), Tensor([3.0, 4.0], requires_grad=True)
    assert (x * x).exp()._edges == []
    loss = (x * w).sum()
    loss.backward()
    assert x.grad is None
    assert len(_tape(Tensor(1.0))) == 1


def test_a_graph_of_ten_thousand_operations_goes_back():
    x = y = Tensor(1.0, requires_grad=True)
    for _ in range(10_000):
        y = y + 1.0
    y.backward()
    assert x.grad == 1.0


def test_a_graph_used_twice_is_refused_unless_kept():
    x = Tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert x.grad.tolist() == [4.0, 8.0]
    with pytest.raises(RuntimeError, match="used this graph up"):
        loss.backward()


def test_a_shared_part_that_was_used_up_is_refused():
    x = Tensor([1.0, 2.0], requires_grad=True)
    shared = x.exp()
    shared.sum().backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        shared.mean().backward()


SAVERS = [lambda x: x * x, lambda x: x.log(), lambda x: x**2, lambda x: x @ x.T]


@pytest.mark.parametrize("operation", SAVERS)
def test_an_in_place_change_of_a_saved_value_is_refused(operation):
    x = Tensor([[1.0, 2.0]], requires_grad=True)
    loss = operation(x).sum()
    x[0, 0] = 5.0
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_an_in_place_change_of_a_value_that_no_gradient_needs_is_allowed():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for operation, slope in ((lambda t: t + 1.0, 1.0), (lambda t: t.sum(), 1.0)):
        x.grad, loss = None, operation(x).sum()
        x[0] = 7.0
        loss.backward()
        assert x.grad.tolist() == [slope, slope]


def test_the_array_cannot_be_changed_behind_the_tapes_back():
    x = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        x.data[0] = 3.0
    source = np.array([1.0])
    kept = Tensor(source)
    source[0] = 9.0
    assert kept.data.tolist() == [1.0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: (x * 2).backward(), RuntimeError, r"shape \(2, 3\): only a single number"),
        (lambda x: Tensor(1.0).backward(), RuntimeError, "nothing here requires"),
        (lambda x: x.backward([1.0]), ValueError, r"gradient has shape \(1,\); \(2, 3\) wanted"),
        (lambda x: x + np.ones(2), ValueError, r"\(2, 3\) and \(2,\) do not broadcast"),
        (lambda x: x @ x, ValueError, r"cannot multiply \(2, 3\) @ \(2, 3\)"),
        (lambda x: x @ np.ones(3), ValueError, r"reshape a vector"),
        (lambda x: x**x, TypeError, "a number wanted"),
        (lambda x: Tensor("a"), TypeError, "not an array"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call(Tensor(np.ones((2, 3)), requires_grad=True))
