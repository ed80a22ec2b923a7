"""Risk: where the true risk has a closed form, the estimates must land on it."""

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error

from coursekit.basics import (
    empirical_risk,
    generalisation_gap,
    monte_carlo_risk,
    softmax_cross_entropy,
    squared_error,
    zero_one_error,
)
from coursekit.basics.losses import negative_log_likelihood
from tests.tolerances import assert_estimates, assert_rounds_to


def line(m, rng):
    """Targets y = 2x + noise of variance 0.25, x uniform on (0, 1)."""
    x = rng.uniform(size=m)
    return x, 2 * x + rng.normal(0, 0.5, m)


@pytest.mark.equation("eq-basics-surrogate")
def test_empirical_risk_is_the_mean_loss():
    rng = np.random.default_rng(0)
    G, Y = rng.normal(size=(2, 30))
    assert_rounds_to(empirical_risk(squared_error, G, Y), mean_squared_error(Y, G), terms=30)


@pytest.mark.equation("eq-basics-surrogate")
def test_empirical_risk_of_the_log_loss_is_the_cross_entropy():
    rng = np.random.default_rng(1)
    z, y = rng.normal(size=(9, 3)), rng.integers(0, 3, 9)
    assert empirical_risk(negative_log_likelihood, z, y) == softmax_cross_entropy(z, y)


@pytest.mark.equation("eq-basics-true-risk")
@pytest.mark.parametrize("slope", [2.0, 1.0, -1.0])
def test_monte_carlo_risk_finds_the_expectation(slope):
    exact = 0.25 + (2 - slope) ** 2 / 3  # E (2x - ax)^2 = (2 - a)^2 E x^2, E x^2 = 1/3
    rng = np.random.default_rng(7)
    estimate = monte_carlo_risk(squared_error, lambda x: slope * x, line, 50_000, rng)
    assert_estimates(estimate, exact)
    assert estimate.standard_error < 0.03


@pytest.mark.equation("eq-basics-true-risk")
def test_zero_one_risk_of_a_coin_is_one_half():
    def coins(m, rng):
        return np.zeros((m, 2)), rng.integers(0, 2, m)

    risk = monte_carlo_risk(zero_one_error, lambda X: X, coins, 10_000, np.random.default_rng(0))
    assert_estimates(risk, 0.5)


@pytest.mark.equation("eq-basics-gap")
def test_gap_is_held_out_minus_training_risk():
    rng = np.random.default_rng(3)
    seen, unseen = line(10, rng), line(15, rng)
    model = lambda x: 1.5 * x  # noqa: E731
    expected = mean_squared_error(unseen[1], model(unseen[0])) - mean_squared_error(
        seen[1], model(seen[0])
    )
    assert_rounds_to(generalisation_gap(squared_error, model, seen, unseen), expected, terms=25)


@pytest.mark.equation("eq-basics-gap")
def test_mean_gap_of_least_squares_is_the_known_optimism():
    """At fixed inputs, least squares with n weights has the expected gap 2 n alpha / m."""
    m, n, alpha, repeats = 12, 3, 0.5, 4000
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(m, n)), np.ones(n)
    gaps = []
    for _ in range(repeats):
        y, fresh = X @ w + rng.normal(0, alpha**0.5, (2, m))
        fitted = np.linalg.lstsq(X, y, rcond=None)[0]
        gaps.append(
            generalisation_gap(squared_error, lambda Z, v=fitted: Z @ v, (X, y), (X, fresh))
        )
    error = np.std(gaps) / np.sqrt(repeats)
    assert abs(np.mean(gaps) - 2 * n * alpha / m) < 5 * error


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: empirical_risk(lambda g, y: 0.0, [1.0], [1.0]), ValueError, r"\(1,\) wanted"),
        (lambda: empirical_risk(squared_error, [], []), ValueError, "empty"),
        (lambda: empirical_risk(squared_error, [np.nan], [1.0]), ValueError, "NaN"),
        (lambda: monte_carlo_risk(squared_error, abs, line, 10, 0), TypeError, "default_rng"),
        (
            lambda: monte_carlo_risk(squared_error, abs, line, 1, np.random.default_rng(0)),
            ValueError,
            "m is 1",
        ),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
