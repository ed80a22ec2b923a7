"""Initialisation: the variances it promises, torch's bounds, and what they do to signals."""

import numpy as np
import pytest
import torch

from coursekit.backprop import (
    activation_scales,
    fans,
    he_normal,
    he_uniform,
    xavier_normal,
    xavier_uniform,
)

SHAPES = [(400, 300), (200, 900), (50, 20, 8, 9)]
I = torch.nn.init  # noqa: E741


@pytest.mark.parametrize("shape", [*SHAPES, (2, 3), (4, 5, 1, 2)])
def test_fans_are_torchs(shape):
    assert fans(shape) == I._calculate_fan_in_and_fan_out(torch.empty(shape))


def assert_variance(W, expected, kurtosis):
    """Within five standard errors of the sample variance of W's law."""
    assert abs(W.mean()) < 5 * np.sqrt(expected / W.size)
    assert abs(W.var() / expected - 1) < 5 * np.sqrt((kurtosis - 1) / W.size)


@pytest.mark.equation("eq-backprop-xavier")
@pytest.mark.parametrize("shape", SHAPES)
def test_xavier_has_its_variance(shape):
    field = int(np.prod(shape[2:]))
    variance = 2 / (shape[0] * field + shape[1] * field)
    rng = np.random.default_rng(0)
    assert_variance(xavier_normal(shape, rng), variance, 3)
    assert_variance(xavier_uniform(shape, rng, gain=3.0), 9 * variance, 1.8)
    assert np.abs(xavier_uniform(shape, rng)).max() <= np.sqrt(3 * variance)
    theirs = I.xavier_uniform_(torch.empty(shape)).abs().max().item()
    assert np.abs(xavier_uniform(shape, rng)).max() == pytest.approx(theirs, rel=1e-3)


@pytest.mark.equation("eq-backprop-he")
@pytest.mark.parametrize("shape", SHAPES)
def test_he_has_its_variance(shape):
    variance = 2 / int(np.prod(shape[1:]))
    rng = np.random.default_rng(0)
    assert_variance(he_normal(shape, rng), variance, 3)
    assert_variance(he_uniform(shape, rng), variance, 1.8)
    theirs = I.kaiming_uniform_(torch.empty(shape), nonlinearity="relu").abs().max().item()
    assert np.abs(he_uniform(shape, rng)).max() == pytest.approx(theirs, rel=1e-3)


def scales(init, hidden, seed=0, depth=30):
    return activation_scales(depth, init, hidden, width=200, rng=np.random.default_rng(seed))


@pytest.mark.equation("eq-backprop-he")
@pytest.mark.parametrize("seed", range(3))
def test_he_keeps_the_second_moment_of_rectified_signals_both_ways(seed):
    found = scales(he_normal, "relu", seed)
    for way in (found.forward, found.backward):
        ratio = way[-1] / way[0]
        assert 1 / 4 < ratio < 4  # thirty random factors around one, against 2^15 without the 2


def test_a_rectifier_halves_the_second_moment_at_each_layer_under_xavier():
    found = scales(xavier_normal, "relu")
    decay = (found.forward[-1] / found.forward[0]) ** (1 / 30)
    assert decay == pytest.approx(np.sqrt(0.5), rel=0.05)


def test_too_small_weights_vanish_and_too_large_ones_explode():
    small = scales(lambda s, rng: xavier_normal(s, rng, 0.5), "tanh")
    large = scales(lambda s, rng: xavier_normal(s, rng, 3.0), "tanh")
    assert small.forward[-1] < 1e-6
    assert small.backward[0] < 1e-6
    assert large.forward[-1] > 0.5  # saturated
    assert large.backward[0] > 1e3
    assert len(small.forward) == len(small.backward) == 31


def test_measured_gradients_are_torchs():
    rng, drawn = np.random.default_rng(0), []

    def init(shape, rng):
        drawn.append(he_normal(shape, rng))
        return drawn[-1]

    found = activation_scales(3, init, "tanh", width=6, examples=4, rng=rng)
    twin = np.random.default_rng(0)
    for _ in range(3):
        he_normal((6, 6), twin)
    x = torch.tensor(twin.normal(size=(4, 6)), requires_grad=True)
    o = x
    for W in drawn:
        o = torch.tanh(o @ torch.tensor(W).T)
    o.backward(torch.tensor(twin.normal(size=(4, 6))))
    assert found.backward[0] == pytest.approx(x.grad.square().mean().sqrt().item(), rel=1e-12)
    assert found.forward[-1] == pytest.approx(o.detach().square().mean().sqrt().item(), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: fans((3,)), ValueError, "no fan"),
        (lambda: he_normal((3, 3), 0), TypeError, "default_rng"),
        (lambda: scales(he_normal, "relu", depth=0), ValueError, "depth is 0"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
