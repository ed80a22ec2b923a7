"""Ridge, lasso and their priors, against scikit-learn, optimality conditions and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from sklearn.linear_model import Lasso, LinearRegression, Ridge
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from coursekit.basics import (
    gaussian_log_likelihood,
    gaussian_log_prior,
    l1_penalty,
    l2_penalty,
    laplace_log_prior,
    lasso,
    lasso_gamma,
    lasso_path,
    polynomial_features,
    regularised_risk,
    ridge,
    ridge_gamma,
    ridge_path,
    soft_threshold,
    squared_error,
    standardise,
)
from coursekit.data import load
from tests.tolerances import (
    DIFFERENCE,
    assert_converges_to,
    assert_rounds_to,
    central_difference,
)

GAMMAS = [1e-3, 0.1, 1.0, 50.0]


@pytest.fixture(scope="module")
def patients():
    """The diabetes data, standardised: real columns, two of them nearly alike."""
    data = load("diabetes")
    return standardise(data.X), data.y


def ridge_objective(X, y, gamma):
    def f(theta):
        w, b = theta[:-1], theta[-1]
        return regularised_risk(squared_error, X @ w + b, y, gamma, l2_penalty(w))

    return f


@pytest.mark.equation("eq-basics-ridge")
@pytest.mark.parametrize("gamma", GAMMAS)
def test_ridge_is_scikit_learns(patients, gamma):
    X, y = patients
    expected = Ridge(alpha=len(X) * gamma, solver="svd").fit(X, y)
    fit, condition = ridge(X, y, gamma), np.linalg.cond(X) ** 2
    assert_rounds_to(fit.weights, expected.coef_, terms=len(X), condition=condition)
    assert_rounds_to(fit.intercept, expected.intercept_, terms=len(X), condition=condition)
    assert_rounds_to(fit.predict(X), expected.predict(X), terms=len(X), condition=condition)


@pytest.mark.equation("eq-basics-ridge")
@pytest.mark.equation("eq-basics-regularised")
@pytest.mark.parametrize("gamma", GAMMAS)
def test_ridge_stands_where_the_objective_is_flat(gamma):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 3)), rng.normal(size=12)
    fit = ridge(X, y, gamma)
    slope = central_difference(ridge_objective(X, y, gamma), np.append(fit.weights, fit.intercept))
    assert np.abs(slope).max() < DIFFERENCE * max(1.0, gamma)


def test_ridge_without_weight_is_least_squares(patients):
    X, y = patients
    expected = LinearRegression().fit(X, y)
    condition = np.linalg.cond(X) ** 2
    assert_rounds_to(ridge(X, y, 0.0).weights, expected.coef_, terms=len(X), condition=condition)


def test_ridge_without_weight_takes_the_shortest_of_many_solutions():
    X, y = np.array([[1.0, 1.0], [-1.0, -1.0]]), np.array([2.0, -2.0])
    assert_rounds_to(ridge(X, y, 0.0).weights, [1.0, 1.0], terms=4)


def test_ridge_fits_several_outputs_at_once(patients):
    X, y = patients
    Y = np.column_stack([y, -2 * y])
    fit = ridge(X, Y, 0.1)
    assert fit.weights.shape == (10, 2)
    assert_rounds_to(fit.weights[:, 1], -2 * ridge(X, y, 0.1).weights, terms=len(X), condition=100)


@pytest.mark.equation("eq-basics-regularised")
@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_regularised_risk_is_mean_loss_plus_weighted_penalty(gamma):
    w, G, Y = np.array([1.0, -2.0]), np.array([0.0, 1.0, 4.0]), np.array([1.0, 1.0, 2.0])
    assert_rounds_to(regularised_risk(squared_error, G, Y, gamma, l2_penalty(w)), 5 / 3 + gamma * 5)
    assert_rounds_to(regularised_risk(squared_error, G, Y, gamma, l1_penalty(w)), 5 / 3 + gamma * 3)


@given(st.floats(-10, 10), st.floats(0, 5))
def test_soft_threshold_minimises_its_little_objective(z, t):
    objective = lambda w: 0.5 * (w - z) ** 2 + t * abs(w)  # noqa: E731
    best = float(soft_threshold(z, t))
    grid = np.linspace(-12, 12, 2001)
    assert objective(best) <= objective(grid).min() + 1e-12


@pytest.mark.equation("eq-basics-lasso")
@pytest.mark.parametrize("gamma", [0.5, 5.0, 30.0])
def test_lasso_is_scikit_learns(patients, gamma):
    X, y = patients
    expected = Lasso(alpha=gamma / 2, tol=1e-12, max_iter=100_000).fit(X, y)
    fit = lasso(X, y, gamma)
    # Both stop near 1e-9 of the scale; the curvature of X'X/m spans a factor of about 500.
    assert_converges_to(fit.weights, expected.coef_, relative=500 * 1e-9)
    assert_converges_to(fit.intercept, expected.intercept_, relative=500 * 1e-9)
    assert ((fit.weights == 0) == (expected.coef_ == 0)).all()


@pytest.mark.equation("eq-basics-lasso")
@pytest.mark.parametrize("gamma", [0.5, 5.0, 30.0])
def test_lasso_meets_the_subgradient_condition(patients, gamma):
    X, y = patients
    w, b = lasso(X, y, gamma)
    slope = 2 * X.T @ (X @ w + b - y) / len(X)
    near = 1e-6 * np.abs(y).max()
    assert (np.abs(slope[w == 0]) <= gamma + near).all()
    assert (np.abs(slope[w != 0] + gamma * np.sign(w[w != 0])) <= near).all()


def test_lasso_keeps_fewer_weights_as_gamma_grows_and_none_beyond_the_largest_slope(patients):
    X, y = patients
    largest = 2 * np.abs(X.T @ (y - y.mean())).max() / len(X)
    path = lasso_path(X, y, largest * np.array([1.001, 0.99, 0.1, 0.001]))
    kept = (path != 0).sum(axis=1)
    assert kept[0] == 0
    assert kept[1] == 1
    assert kept[1] < kept[2] < kept[3]


def test_paths_are_the_single_fits_in_the_callers_order(patients):
    X, y = patients
    gammas = [1.0, 0.1, 10.0]
    for row, gamma in zip(ridge_path(X, y, gammas), gammas, strict=True):
        assert (row == ridge(X, y, gamma).weights).all()
    for row, gamma in zip(lasso_path(X, y, gammas), gammas, strict=True):
        assert_converges_to(row, lasso(X, y, gamma).weights, relative=500 * 1e-9)


def test_ridge_shrinks_but_does_not_kill(patients):
    path = ridge_path(*patients, GAMMAS)
    norms = np.linalg.norm(path, axis=1)
    assert (np.diff(norms) < 0).all()
    assert (path != 0).all()


def negative_log_posterior(X, y, alpha, log_prior):
    return lambda w: -gaussian_log_likelihood(y, X @ w, alpha) - log_prior(w)


def centred(m=40, n=3):
    """Return columns and targets of mean 0, so that the best intercept is 0."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(m, n))
    y = X @ np.array([1.0, -0.5, 0.0]) + rng.normal(size=m)
    return X - X.mean(axis=0), y - y.mean()


@pytest.mark.equation("eq-basics-map")
def test_ridge_is_the_most_probable_weight_under_a_gaussian_prior():
    (X, y), alpha, tau2 = centred(), 0.7, 0.2
    posterior = negative_log_posterior(
        X, y, alpha, lambda w: stats.norm.logpdf(w, 0, np.sqrt(tau2)).sum()
    )
    found = optimize.minimize(posterior, np.zeros(3), method="BFGS", options={"gtol": 1e-7})
    fit = ridge(X, y, ridge_gamma(alpha, tau2, len(X)))
    assert_converges_to(fit.weights, found.x, relative=1e-6)  # BFGS on differences: about 1e-8


@pytest.mark.equation("eq-basics-map")
def test_lasso_is_the_most_probable_weight_under_a_laplace_prior():
    (X, y), alpha, scale = centred(), 0.7, 0.08
    posterior = negative_log_posterior(
        X, y, alpha, lambda w: stats.laplace.logpdf(w, 0, scale).sum()
    )
    fit = lasso(X, y, lasso_gamma(alpha, scale, len(X)))
    options = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 5000, "maxfev": 5000}
    found = optimize.minimize(posterior, [0.5, -0.2, 0.1], method="Nelder-Mead", options=options)
    assert_converges_to(fit.weights, found.x, relative=1e-4)  # a search without slopes stops early
    assert posterior(fit.weights) <= found.fun + 1e-9
    assert fit.weights[2] == 0.0


@pytest.mark.equation("eq-basics-map")
def test_log_priors_are_scipys():
    w = np.array([0.3, -2.0, 0.0])
    assert_rounds_to(gaussian_log_prior(w, 0.5), stats.norm.logpdf(w, 0, 0.5**0.5).sum(), terms=3)
    assert_rounds_to(laplace_log_prior(w, 0.5), stats.laplace.logpdf(w, 0, 0.5).sum(), terms=3)


def test_polynomial_features_are_scikit_learns():
    x = np.linspace(-2, 2, 9)
    expected = PolynomialFeatures(6, include_bias=False).fit_transform(x[:, None])
    assert_rounds_to(polynomial_features(x, 6), expected, terms=6)
    assert polynomial_features(x, 0).shape == (9, 0)


def test_standardise_is_scikit_learns_and_uses_only_the_reference():
    rng = np.random.default_rng(0)
    train, test = rng.normal(3, 2, (20, 4)), rng.normal(3, 2, (5, 4))
    train[:, 3] = test[:, 3] = 0.1  # constant, and no exact binary number
    scaler = StandardScaler().fit(train)
    assert_rounds_to(standardise(train), scaler.transform(train), terms=40)
    assert_rounds_to(standardise(test, reference=train), scaler.transform(test), terms=40)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ridge([[1.0]], [1.0, 2.0], 1.0), ValueError, "1 rows and Y has 2"),
        (lambda: ridge([[1.0]], [1.0], -1.0), ValueError, "gamma is -1"),
        (lambda: lasso([1.0], [1.0], 1.0), ValueError, "2 wanted"),
        (lambda: lasso([[np.inf]], [1.0], 1.0), ValueError, "NaN or infinite"),
        (lambda: ridge([[1.0], [2.0]], [1.0, 2.0], 1.0).predict([[1.0, 2.0]]), ValueError, "shape"),
        (lambda: polynomial_features([1.0], -1), ValueError, "degree is -1"),
        (lambda: polynomial_features([1.0], 1.5), TypeError, "whole number"),
        (lambda: standardise(np.zeros((0, 2))), ValueError, "no rows"),
        (lambda: laplace_log_prior([1.0], 0.0), ValueError, "scale is 0"),
        (lambda: ridge_gamma(1.0, 0.0, 5), ValueError, "prior_variance is 0"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_lasso_that_does_not_settle_says_so(patients):
    with pytest.raises(RuntimeError, match="after 2 sweeps"):
        lasso(*patients, 0.01, max_sweeps=2)
