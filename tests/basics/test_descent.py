"""Descent, against the closed-form path on a quadratic, torch's SGD and exact expectations."""

import numpy as np
import pytest
import torch

from coursekit.basics import gradient_descent, sgd
from tests.tolerances import assert_rounds_to

A = np.array([[3.0, 1.0], [1.0, 2.0]])


def mse_gradient(w, X, y):
    return 2 * X.T @ (X @ w - y) / len(X)


def data(m=24, n=3):
    rng = np.random.default_rng(0)
    return rng.normal(size=(m, n)), rng.normal(size=m)


def test_descent_on_a_quadratic_follows_the_matrix_powers():
    start, eta, steps = np.array([1.0, -2.0]), 0.1, 30
    path = gradient_descent(lambda t: A @ t, start, eta, steps)
    shrink = np.eye(2) - eta * A
    expected = [np.linalg.matrix_power(shrink, k) @ start for k in range(steps + 1)]
    assert_rounds_to(path, expected, terms=2 * steps)


def test_a_schedule_is_asked_for_each_step():
    path = gradient_descent(lambda t: np.ones(1), [0.0], lambda k: 1.0 / (k + 1), 3)
    assert_rounds_to(path.ravel(), [0.0, -1.0, -1.5, -1.5 - 1 / 3], terms=3)


@pytest.mark.equation("eq-basics-sgd")
def test_sgd_takes_torchs_steps_on_the_same_batches():
    (X, y), size, eta, epochs = data(), 5, 0.05, 3
    path = sgd(mse_gradient, np.zeros(3), X, y, size, eta, epochs, np.random.default_rng(1))
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimiser, rng = torch.optim.SGD([w], lr=eta), np.random.default_rng(1)
    expected = [np.zeros(3)]
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for batch in np.split(order, range(size, len(X), size)):
            optimiser.zero_grad()
            loss = (torch.tensor(X[batch]) @ w - torch.tensor(y[batch])) ** 2
            loss.mean().backward()
            optimiser.step()
            expected.append(w.detach().numpy().copy())
    assert_rounds_to(path, expected, terms=3 * len(expected))


@pytest.mark.equation("eq-basics-sgd")
def test_every_epoch_visits_every_example_once():
    seen = []

    def record(theta, X, Y):
        seen.append(Y.tolist())
        return np.zeros(1)

    Y = np.arange(10)
    path = sgd(record, [0.0], Y, Y, 4, 1.0, 2, np.random.default_rng(0))
    assert [len(b) for b in seen] == [4, 4, 2, 4, 4, 2]
    first, second = ([y for batch in epoch for y in batch] for epoch in (seen[:3], seen[3:]))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert path.shape == (7, 1)


@pytest.mark.equation("eq-basics-sgd")
def test_minibatch_gradient_is_right_on_average():
    """Over the batches of one epoch of equal size, the mean is exactly the full gradient."""
    (X, y), w = data(), np.array([0.3, -0.1, 0.5])
    batches = []

    def record(theta, Xb, yb):
        batches.append(mse_gradient(w, Xb, yb))
        return np.zeros(3)

    sgd(record, w, X, y, 6, 1.0, 1, np.random.default_rng(0))
    assert len(batches) == 4
    assert np.ptp(batches, axis=0).min() > 0.1
    assert_rounds_to(np.mean(batches, axis=0), mse_gradient(w, X, y), terms=24)


def test_a_batch_of_everything_is_gradient_descent():
    (X, y) = data()
    full = gradient_descent(lambda w: mse_gradient(w, X, y), np.zeros(3), 0.1, 5)
    batched = sgd(mse_gradient, np.zeros(3), X, y, len(X), 0.1, 5, np.random.default_rng(0))
    assert_rounds_to(batched, full, terms=24 * 5)


def test_a_rate_above_two_over_the_curvature_diverges_and_says_so():
    curvature = np.linalg.eigvalsh(A)[-1]
    calm = gradient_descent(lambda t: A @ t, [1.0, 1.0], 1.9 / curvature, 500)
    assert np.abs(calm[-1]).max() < 1e-6
    with pytest.raises(FloatingPointError, match="ten times smaller"):
        gradient_descent(lambda t: A @ t, [1.0, 1.0], 2.1 / curvature, 500)


def test_a_gradient_of_nan_says_so():
    with pytest.raises(FloatingPointError, match="step 1"):
        gradient_descent(lambda t: t * np.nan, [1.0], 0.1, 5)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: gradient_descent(lambda t: t[:1], [1.0, 2.0], 0.1, 1), ValueError, "gradient"),
        (
            lambda: gradient_descent(lambda t: t, [1.0], -0.1, 1),
            ValueError,
            "learning_rate is -0.1",
        ),
        (lambda: gradient_descent(lambda t: t, [1.0], 0.1, 1.5), TypeError, "steps is 1.5"),
        (
            lambda: sgd(mse_gradient, [0.0], [[1.0]], [1.0], 2, 0.1, 1, None),
            TypeError,
            "default_rng",
        ),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("y", "size", "words"), [([1.0], 1, "2 examples"), ([1, 2], 3, "at most 2")]
)
def test_batches_must_fit_the_data(y, size, words):
    with pytest.raises(ValueError, match=words):
        sgd(mse_gradient, [0.0], [[1.0], [2.0]], y, size, 0.1, 1, np.random.default_rng(0))
