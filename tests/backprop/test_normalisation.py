"""Batch and layer normalisation and dropout against torch, numerical slopes and statistics."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.backprop import (
    BatchNorm,
    Dropout,
    batch_norm,
    batch_norm_inference,
    central_difference,
    dropout,
    layer_norm,
    norm_backward,
)
from tests.tolerances import DIFFERENCE, assert_rounds_to

F = torch.nn.functional
# Two examples may lie close together; 1/σ is then at most 1/sqrt(eps), which rounding suffers.
CONDITION = 1 / np.sqrt(1e-5)
seeds = st.integers(0, 2**32 - 1)
batches = st.one_of(
    st.tuples(st.integers(2, 6), st.integers(1, 5)),
    st.tuples(st.integers(2, 4), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
)


def leaf(a):
    return torch.tensor(a, dtype=torch.float64, requires_grad=True)


def problem(shape, features, seed):
    rng = np.random.default_rng(seed)
    X, scale, shift = rng.normal(size=shape), rng.normal(size=features), rng.normal(size=features)
    return X, scale, shift, rng.normal(size=shape)


def against(forward, expected, leaves, scale, grad):
    """Assert a normalisation's value and gradients against torch's."""
    expected.backward(torch.tensor(grad))
    found = norm_backward(grad, forward, scale)
    terms = 4 * grad.size
    assert_rounds_to(forward.Y, expected.detach().numpy(), terms=terms, condition=CONDITION)
    for mine, theirs in zip((found.X, found.scale, found.shift), leaves, strict=True):
        assert_rounds_to(mine, theirs.grad.numpy(), terms=terms, condition=CONDITION)


@pytest.mark.equation("eq-backprop-batchnorm")
@given(batches, seeds)
@settings(max_examples=30, deadline=None)
def test_batch_norm_is_torchs(shape, seed):
    X, scale, shift, grad = problem(shape, shape[1], seed)
    leaves = tX, ts, tb = leaf(X), leaf(scale), leaf(shift)
    expected = F.batch_norm(tX, None, None, ts, tb, training=True)
    against(batch_norm(X, scale, shift), expected, leaves, scale, grad)


@pytest.mark.equation("eq-backprop-layernorm")
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(2, 6), seeds)
@settings(max_examples=30, deadline=None)
def test_layer_norm_is_torchs(rows, n, seed):
    X, scale, shift, grad = problem((*rows, n), n, seed)
    leaves = tX, ts, tb = leaf(X), leaf(scale), leaf(shift)
    expected = F.layer_norm(tX, (n,), ts, tb)
    against(layer_norm(X, scale, shift), expected, leaves, scale, grad)


@pytest.mark.equation("eq-backprop-layernorm")
def test_layer_norm_of_a_vector_is_its_standard_scores():
    Y = layer_norm(np.array([1.0, 2.0, 3.0]), np.ones(3), np.zeros(3), eps=0.0).Y
    assert pytest.approx([-np.sqrt(1.5), 0.0, np.sqrt(1.5)]) == Y


@pytest.mark.parametrize("normalise", [batch_norm, layer_norm])
def test_the_gradients_are_slopes(normalise):
    X, scale, shift, grad = problem((4, 4), 4, 0)
    found = norm_backward(grad, normalise(X, scale, shift), scale)
    at_X = central_difference(lambda a: (grad * normalise(a, scale, shift).Y).sum(), X)
    at_scale = central_difference(lambda a: (grad * normalise(X, a, shift).Y).sum(), scale)
    at_shift = central_difference(lambda a: (grad * normalise(X, scale, a).Y).sum(), shift)
    for mine, slope in ((found.X, at_X), (found.scale, at_scale), (found.shift, at_shift)):
        assert np.abs(mine - slope).max() < DIFFERENCE


@pytest.mark.equation("eq-backprop-batchnorm")
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 2, 2)])
def test_running_averages_and_inference_are_torchs(shape):
    rng = np.random.default_rng(0)
    kind = torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d
    mine, theirs = BatchNorm(3), kind(3, dtype=torch.float64)
    for _ in range(5):
        X = rng.normal(2.0, 3.0, size=shape)
        out = theirs(torch.tensor(X)).detach().numpy()
        assert_rounds_to(mine.forward(X, training=True), out, terms=100)
    assert_rounds_to(mine.mean, theirs.running_mean.numpy(), terms=100)
    assert_rounds_to(mine.variance, theirs.running_var.numpy(), terms=100)
    theirs.eval()
    before = mine.mean.copy()
    X = rng.normal(size=shape)
    out = theirs(torch.tensor(X)).detach().numpy()
    assert_rounds_to(mine.forward(X, training=False), out, terms=100)
    assert (mine.mean == before).all()


@pytest.mark.equation("eq-backprop-dropout")
@pytest.mark.parametrize("p", [0.0, 0.2, 0.75])
def test_dropout_keeps_the_expectation_and_drops_the_share(p):
    m = 200_000
    Y, mask = dropout(np.full(m, 3.0), p, np.random.default_rng(0))
    five_errors = 5 * np.sqrt(p * (1 - p) / m)
    assert abs((Y == 0).mean() - p) <= five_errors
    assert abs(Y.mean() - 3.0) <= 3.0 * five_errors / (1 - p)
    assert set(np.unique(mask)) <= {0.0, 1 / (1 - p)}


@pytest.mark.equation("eq-backprop-dropout")
def test_dropout_passes_the_gradient_where_it_passed_the_value():
    layer, X = Dropout(0.5, np.random.default_rng(0)), np.ones((4, 5))
    Y = layer.forward(X, training=True)
    assert (layer.backward(np.ones((4, 5))) == Y).all()
    assert 0 < (Y == 0).sum() < 20
    assert (layer.forward(X, training=False) == X).all()


ONE = np.ones(3)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: batch_norm(np.ones((1, 3)), ONE, ONE), ValueError, "no variance"),
        (lambda: batch_norm(np.ones((2, 4)), ONE, ONE), ValueError, r"\(4,\) wanted"),
        (lambda: batch_norm(ONE, ONE, ONE), ValueError, "2 or 4 wanted"),
        (lambda: layer_norm(np.ones((2, 4)), ONE, ONE), ValueError, r"\(4,\) wanted"),
        (
            lambda: batch_norm_inference(np.ones((2, 3)), ONE, ONE, np.ones(2), ONE),
            ValueError,
            "mean has shape",
        ),
        (lambda: dropout(ONE, 1.0, np.random.default_rng(0)), ValueError, "below 1"),
        (lambda: dropout(ONE, 0.5, 0), TypeError, "default_rng"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
