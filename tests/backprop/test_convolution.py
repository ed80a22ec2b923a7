"""Convolution and pooling against their loops, torch and numerical slopes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.backprop import (
    avg_pool2d,
    avg_pool2d_backward,
    central_difference,
    conv2d,
    conv2d_backward,
    conv2d_backward_loops,
    conv2d_loops,
    max_pool2d,
    max_pool2d_backward,
)
from coursekit.backprop.convolution import windows
from tests.tolerances import DIFFERENCE, assert_rounds_to

F = torch.nn.functional


@st.composite
def problems(draw):
    """Images, kernels, bias, stride and padding that fit together."""
    m, C, C_out = (draw(st.integers(1, 3)) for _ in range(3))
    kH, kW, stride = (draw(st.integers(1, 3)) for _ in range(3))
    padding = draw(st.integers(0, 2))
    H, W = draw(st.integers(kH, 6)), draw(st.integers(kW, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X, K, w = (
        rng.normal(size=(m, C, H, W)),
        rng.normal(size=(C_out, C, kH, kW)),
        rng.normal(size=C_out),
    )
    return X, K, w, stride, padding


def leaf(a):
    return torch.tensor(a, dtype=torch.float64, requires_grad=True)


@pytest.mark.equation("eq-backprop-conv")
@given(problems())
@settings(max_examples=40, deadline=None)
def test_forward_and_backward_are_torchs_and_the_loops(problem):
    X, K, w, stride, padding = problem
    tX, tK, tw = leaf(X), leaf(K), leaf(w)
    expected = F.conv2d(tX, tK, tw, stride, padding)
    terms = 4 * K[0].size + X.size
    for convolve in (conv2d, conv2d_loops):
        assert_rounds_to(convolve(X, K, w, stride, padding), expected.detach().numpy(), terms=terms)
    grad = np.cos(np.arange(expected.numel())).reshape(expected.shape)
    expected.backward(torch.tensor(grad))
    for backward in (conv2d_backward, conv2d_backward_loops):
        found = backward(grad, X, K, stride, padding)
        for mine, theirs in zip((found.X, found.K, found.w), (tX, tK, tw), strict=True):
            assert_rounds_to(mine, theirs.grad.numpy(), terms=10 * terms)


@pytest.mark.equation("eq-backprop-conv")
def test_the_gradients_are_slopes():
    rng = np.random.default_rng(0)
    X, K = rng.normal(size=(2, 2, 5, 4)), rng.normal(size=(3, 2, 3, 2))
    assert conv2d(X, K, None, 2, 1).shape == (2, 3, 3, 3)
    grad = rng.normal(size=(2, 3, 3, 3))
    found = conv2d_backward(grad, X, K, stride=2, padding=1)
    at_K = central_difference(lambda k: (grad * conv2d(X, k, None, 2, 1)).sum(), K)
    at_X = central_difference(lambda x: (grad * conv2d(x, K, None, 2, 1)).sum(), X)
    assert np.abs(found.K - at_K).max() < DIFFERENCE
    assert np.abs(found.X - at_X).max() < DIFFERENCE


def test_convolution_commutes_with_shifts_and_pooling_forgets_small_ones():
    """E099: convolution is equivariant; only pooling is, roughly, invariant."""
    rng = np.random.default_rng(0)
    X = np.zeros((1, 1, 12, 12))
    X[..., 3:6, 3:6] = rng.normal(size=(3, 3))
    K = rng.normal(size=(2, 1, 3, 3))
    moved = conv2d(np.roll(X, 1, axis=3), K, padding=1)
    assert_rounds_to(moved, np.roll(conv2d(X, K, padding=1), 1, axis=3), terms=20)
    assert np.abs(moved - conv2d(X, K, padding=1)).max() > 0.1
    spot = np.zeros((1, 1, 4, 4))
    spot[..., 2, 2] = 1.0
    assert (max_pool2d(spot, 2) == max_pool2d(np.roll(spot, 1, axis=3), 2)).all()


def test_windows_copy_nothing():
    X = np.zeros((1, 1, 5, 5))
    assert np.shares_memory(windows(X, (3, 3), 1), X)


@pytest.mark.parametrize(("size", "stride"), [(2, None), (2, 1), (3, 2), (3, None), (2, 3)])
@given(st.integers(3, 8), st.integers(3, 8), st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_pooling_is_torchs(size, stride, H, W, seed):
    X = np.random.default_rng(seed).normal(size=(2, 3, H, W))
    for pool, back, theirs in (
        (max_pool2d, max_pool2d_backward, F.max_pool2d),
        (avg_pool2d, avg_pool2d_backward, F.avg_pool2d),
    ):
        t = leaf(X)
        expected = theirs(t, size, stride)
        assert_rounds_to(pool(X, size, stride), expected.detach().numpy(), terms=size**2)
        grad = np.cos(np.arange(expected.numel())).reshape(expected.shape)
        expected.backward(torch.tensor(grad))
        assert_rounds_to(back(grad, X, size, stride), t.grad.numpy(), terms=size**2)


def test_of_tied_numbers_the_first_takes_the_gradient_as_in_torch():
    X = np.ones((1, 1, 4, 4))
    t = leaf(X)
    F.max_pool2d(t, 2).sum().backward()
    assert max_pool2d_backward(np.ones((1, 1, 2, 2)), X, 2).tolist() == t.grad.tolist()


IMAGES, K = np.ones((2, 3, 4, 4)), np.ones((5, 3, 3, 3))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: conv2d(IMAGES[:, :2], K), ValueError, "2 channels and the kernels take 3"),
        (lambda: conv2d(IMAGES[:, 0], K), ValueError, r"X\[:, None\]"),
        (lambda: conv2d(IMAGES[..., :2], K), ValueError, "do not fit"),
        (lambda: conv2d(IMAGES, K, stride=0), ValueError, "stride is 0"),
        (lambda: conv2d(IMAGES, K, padding=-1), ValueError, "padding is -1"),
        (
            lambda: conv2d_backward(np.ones((2, 5, 4, 4)), IMAGES, K),
            ValueError,
            r"\(2, 5, 2, 2\) wanted",
        ),
        (lambda: max_pool2d(IMAGES, 5), ValueError, "at least the window's 5"),
        (lambda: avg_pool2d(IMAGES[0], 2), ValueError, r"\(m, C, H, W\) wanted"),
        (lambda: max_pool2d(IMAGES, 2, 0), ValueError, "stride is 0"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
