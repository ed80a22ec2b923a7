"""The gradient check: it passes right gradients, and finds planted wrong ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.backprop import (
    SOFTMAX_CROSS_ENTROPY,
    Affine,
    Network,
    Tensor,
    activation,
    assert_gradient,
    central_difference,
    check_gradient,
    complex_step,
    mlp_backward,
    mlp_forward,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 5)), RNG.integers(5, size=8)
PARAMETERS = [RNG.normal(size=s) for s in ((5, 5), (5,), (5, 5), (5,))]


def objective(parameters):
    return SOFTMAX_CROSS_ENTROPY.mean(mlp_forward(parameters, X, "sigmoid").O[-1], Y)


def backward(derivative=None, transpose=False, mean=True):
    """The backward pass of `objective`, with faults to plant."""
    W2, phi = PARAMETERS[2], activation("sigmoid")
    trace = mlp_forward(PARAMETERS, X, "sigmoid")
    grad_Z2 = SOFTMAX_CROSS_ENTROPY.mean_gradient(trace.O[-1], Y) * (1 if mean else len(X))
    grad_O1 = grad_Z2 @ (W2.T if transpose else W2)
    at = trace.O[1] if derivative == "at o" else trace.Z[0]
    grad_Z1 = phi.derivative(at) * grad_O1
    return [grad_Z1.T @ X, grad_Z1.sum(0), grad_Z2.T @ trace.O[1], grad_Z2.sum(0)]


@pytest.mark.parametrize("method", ["central", "complex"])
def test_a_right_gradient_passes(method):
    report = check_gradient(objective, PARAMETERS, backward(), method=method)
    assert report
    assert "right" in str(report)
    assert check_gradient(objective, PARAMETERS, lambda p: mlp_backward(
        p, t := mlp_forward(p, X, "sigmoid"), SOFTMAX_CROSS_ENTROPY.mean_gradient(t.O[-1], Y),
        "sigmoid"), method=method)  # fmt: skip


@pytest.mark.parametrize("method", ["central", "complex"])
@pytest.mark.parametrize(
    "fault", [{"derivative": "at o"}, {"transpose": True}, {"mean": False}], ids=str
)
def test_planted_wrong_gradients_are_found(fault, method):
    report = check_gradient(objective, PARAMETERS, backward(**fault), method=method)
    assert not report
    assert report.worst > 1e-2
    assert "wrong at (" in report.message


def test_a_fault_in_the_first_layer_is_located_there():
    assert check_gradient(objective, PARAMETERS, backward(derivative="at o")).where[0] in (0, 1)


def test_a_missing_mean_is_guessed_from_its_factor():
    assert "8 times too large" in str(check_gradient(objective, PARAMETERS, backward(mean=False)))


def test_a_transposed_gradient_and_a_wrong_sign_are_guessed():
    A = RNG.normal(size=(3, 3))
    f = lambda W: (A * W).sum()  # noqa: E731
    assert "transpose" in check_gradient(f, np.ones((3, 3)), A.T).message
    assert "wrong sign" in check_gradient(f, np.ones((3, 3)), -A).message
    assert "NaN" in check_gradient(f, np.ones((3, 3)), A * np.nan).message


def test_one_wrong_entry_of_many_is_found():
    A = RNG.normal(size=(20, 20))
    wrong = A.copy()
    wrong[13, 7] += 1e-3
    report = check_gradient(lambda W: (A * W).sum(), np.ones((20, 20)), wrong)
    assert not report
    assert report.where == (13, 7)


@pytest.mark.equation("eq-backprop-central-difference")
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_central_differences_and_complex_steps_are_exact_derivatives(seed):
    x = np.random.default_rng(seed).normal(size=(2, 3))
    slope = x * np.exp(np.sin(x)) * np.cos(x) + np.exp(np.sin(x))
    f = lambda a: (a * np.exp(np.sin(a))).sum()  # noqa: E731
    assert np.abs(central_difference(f, x) - slope).max() < 1e-8
    assert np.abs(complex_step(f, x) - slope).max() < 1e-13


@pytest.mark.equation("eq-backprop-central-difference")
def test_the_central_difference_errs_by_a_sixth_of_the_third_derivative():
    for h in (1e-1, 1e-2, 1e-3):
        error = central_difference(lambda x: (x**3).sum(), [2.0], step=h)[0] - 12.0
        assert error == pytest.approx(h**2, rel=1e-4)  # h²/6 times f''' = 6


def test_a_function_of_tensors_needs_no_gradient():
    assert_gradient(lambda x: (x.tanh() * x).sum(), RNG.normal(size=(3, 4)))
    assert_gradient(lambda ab: (ab[0] @ ab[1]).mean(), [RNG.normal(size=(2, 3)), np.ones((3, 2))])

    def detached(x):
        return (x * Tensor(x.data)).sum()  # the second factor is cut off the tape

    with pytest.raises(AssertionError, match="times too small"):
        assert_gradient(detached, np.array([1.0, 2.0]))


def test_the_arguments_are_left_alone():
    x = np.array([1.0, 2.0])
    check_gradient(lambda a: (a * a).sum(), x, 2 * x)
    assert x.tolist() == [1.0, 2.0]


def test_a_network_object_can_be_checked_through_its_arrays():
    psi = Affine(RNG.normal(size=(2, 3)), np.zeros(2))
    network, x = Network([psi]), RNG.normal(size=3)

    def f(W):
        psi.W = W
        return (network.forward(x) ** 2).sum()

    assert check_gradient(f, psi.W, np.outer(2 * psi.forward(x), x))


def test_a_kink_is_mentioned():
    report = check_gradient(lambda x: np.maximum(x, 0).sum(), np.array([1.0, 0.0]), [1.0, 0.0])
    assert not report
    assert "kink" in report.message


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: check_gradient(np.sin, np.ones(3), np.ones(3)), TypeError, "one number wanted"),
        (
            lambda: check_gradient(
                lambda x: abs(x).sum(), np.ones(3), np.ones(3), method="complex"
            ),
            TypeError,
            "central",
        ),
        (lambda: complex_step(lambda x: float(x[0]), np.ones(1)), TypeError, "central"),
        (
            lambda: complex_step(lambda x: np.asarray(x, dtype=float).sum(), np.ones(1)),
            TypeError,
            "imaginary",
        ),
        (
            lambda: check_gradient(lambda x: x.sum(), np.ones(3), np.ones(4)),
            ValueError,
            r"\(3,\) wanted",
        ),
        (
            lambda: check_gradient(lambda p: p[0].sum(), [np.ones(3)], [np.ones(3)] * 2),
            ValueError,
            "2 gradients for 1",
        ),
        (
            lambda: check_gradient(lambda x: x.sum(), np.ones(3), np.ones(3), method="forward"),
            ValueError,
            "'central' or 'complex'",
        ),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
