"""Bias and variance, where both have closed forms."""

import numpy as np
import pytest

from coursekit.basics import bias_variance, polynomial_features, ridge
from coursekit.data import sine, sine_curve
from tests.tolerances import assert_rounds_to

GRID = np.linspace(0, 1, 21)
M, NOISE, REPEATS = 12, 0.3, 3000
X_FIXED = np.linspace(0, 1, M)


def fixed_design(rng):
    return X_FIXED, sine_curve(X_FIXED) + rng.normal(0, NOISE, M)


def polynomial(degree):
    def fit_predict(x, y, x_test):
        fit = ridge(polynomial_features(x, degree), y, 0.0)
        return fit.predict(polynomial_features(x_test, degree))

    return fit_predict


def exact(degree):
    """Bias and variance of least squares at fixed inputs, from the hat matrix."""
    design = lambda x: np.vander(x, degree + 1)  # noqa: E731
    hat = design(GRID) @ np.linalg.pinv(design(X_FIXED))  # (t, m)
    bias = hat @ sine_curve(X_FIXED) - sine_curve(GRID)
    return (bias**2).mean(), NOISE**2 * (hat**2).sum(axis=1).mean()


@pytest.mark.equation("eq-basics-bias-variance")
@pytest.mark.parametrize("degree", [0, 1, 3, 5])
def test_parts_are_the_hat_matrix_ones(degree):
    rng = np.random.default_rng(degree)
    parts = bias_variance(polynomial(degree), fixed_design, sine_curve, GRID, REPEATS, rng)
    bias, variance = exact(degree)
    # A variance from R draws is off by about sqrt(2/R) of itself, and the squared bias by twice
    # its root times the root of variance/R, plus variance/R; noise has R*M draws.
    assert abs(parts.variance - variance) < 5 * variance * np.sqrt(2 / REPEATS)
    slack = 2 * np.sqrt(bias * variance / REPEATS) + variance / REPEATS
    assert abs(parts.bias_squared - bias) < 5 * slack
    assert abs(parts.noise - NOISE**2) < 5 * NOISE**2 * np.sqrt(2 / (REPEATS * M))


@pytest.mark.equation("eq-basics-bias-variance")
@pytest.mark.parametrize("degree", [0, 3, 6])
def test_the_parts_add_up_to_the_error_measured_on_its_own(degree):
    rng = np.random.default_rng(10 + degree)
    parts = bias_variance(polynomial(degree), fixed_design, sine_curve, GRID, REPEATS, rng)
    together = parts.bias_squared + parts.variance + parts.noise
    each = ((parts.predictions - sine_curve(GRID)) ** 2).mean(axis=1)
    error = np.sqrt(each.var() + 4 * NOISE**2 * each.mean() + 2 * NOISE**4) / np.sqrt(REPEATS)
    assert abs(parts.error - together) < 5 * error


def test_squared_distance_to_the_truth_is_exactly_bias_plus_variance():
    rng = np.random.default_rng(0)
    parts = bias_variance(polynomial(2), lambda r: sine(15, 0.2, r), sine_curve, GRID, 50, rng)
    distance = ((parts.predictions - sine_curve(GRID)) ** 2).mean()
    assert_rounds_to(parts.bias_squared + parts.variance, distance, terms=50 * 21)


def test_capacity_trades_bias_for_variance():
    rng = np.random.default_rng(0)
    stiff, loose = (
        bias_variance(polynomial(d), fixed_design, sine_curve, GRID, 300, rng) for d in (1, 7)
    )
    assert stiff.bias_squared > 10 * loose.bias_squared
    assert loose.variance > 2 * stiff.variance


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"repeats": 1}, ValueError, "repeats is 1"),
        ({"rng": 3}, TypeError, "default_rng"),
        ({"fit_predict": lambda x, y, t: y}, ValueError, "fit_predict"),
        ({"x_test": [np.nan]}, ValueError, "x_test has 1 value"),
    ],
)
def test_bad_input_is_named(change, error, words):
    good = {
        "fit_predict": polynomial(1),
        "sampler": fixed_design,
        "target": sine_curve,
        "x_test": GRID,
        "repeats": 2,
        "rng": np.random.default_rng(0),
    }
    with pytest.raises(error, match=words):
        bias_variance(**(good | change))
