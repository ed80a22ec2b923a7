"""Two classifiers, against scikit-learn's, scipy's densities and finite differences."""

import numpy as np
import pytest
from scipy import special, stats
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from coursekit.basics import GaussianClassifier, SoftmaxRegression, standardise
from coursekit.data import gaussian_mixture, load
from tests.tolerances import (
    DIFFERENCE,
    assert_converges_to,
    assert_rounds_to,
    central_difference,
)


@pytest.fixture(scope="module")
def wine():
    data = load("wine")
    return standardise(data.X), data.y


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.mark.parametrize("gamma", [1e-3, 0.1])
def test_softmax_regression_is_scikit_learns(wine, gamma):
    X, y = wine
    fit = SoftmaxRegression(gamma).fit(X, y)
    expected = LogisticRegression(C=1 / (2 * len(X) * gamma), tol=1e-8, max_iter=10_000).fit(X, y)
    # Gradients of 1e-6 over a curvature of 2 gamma leave weights off by 1e-6 / (2 gamma).
    assert_converges_to(fit.weights.T, expected.coef_, relative=4e-6 / (2 * gamma))
    assert_converges_to(
        fit.log_proba(X), expected.predict_log_proba(X), relative=1e-4 / (2 * gamma)
    )


def test_its_gradient_is_the_slope_of_its_objective():
    rng = np.random.default_rng(0)
    X, y, model = (
        rng.normal(size=(8, 3)),
        np.array([0, 1, 2, 0, 1, 2, 2, 1]),
        SoftmaxRegression(0.1),
    )
    theta = rng.normal(size=12)
    slope = central_difference(lambda t: model.objective(t, X, y)[0], theta)
    assert np.abs(model.objective(theta, X, y)[1] - slope).max() < DIFFERENCE


def test_intercepts_carry_no_penalty():
    y = np.array([0] * 9 + [1])
    fit = SoftmaxRegression(100.0).fit(np.zeros((10, 1)), y)
    assert_converges_to(np.exp(fit.log_proba([[0.0]]))[0], [0.9, 0.1], relative=1e-5)


@pytest.mark.equation("eq-basics-bayes")
@pytest.mark.parametrize("covariance", ["shared", "diagonal", "full"])
def test_posterior_is_bayes_rule_on_scipys_densities(wine, covariance):
    X, y = wine
    fit = GaussianClassifier(covariance).fit(X, y)
    joint = np.column_stack(
        [
            stats.multivariate_normal.logpdf(X, mean, S) + np.log((y == k).mean())
            for k, (mean, S) in enumerate(zip(fit.means, fit.covariances, strict=True))
        ]
    )
    expected = joint - special.logsumexp(joint, axis=1, keepdims=True)
    condition = max(np.linalg.cond(S) for S in fit.covariances)
    assert_rounds_to(fit.log_proba(X), expected, terms=13 * 13, condition=condition)
    assert_rounds_to(np.exp(fit.log_proba(X)).sum(axis=1), np.ones(len(X)), terms=100)


@pytest.mark.equation("eq-basics-bayes")
@pytest.mark.parametrize("shrinkage", [0.0, 0.2])
def test_shared_covariance_is_linear_discriminant_analysis(wine, shrinkage):
    X, y = wine
    fit = GaussianClassifier("shared", shrinkage=shrinkage).fit(X, y)
    expected = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(X, y)
    condition = np.linalg.cond(fit.covariances[0])
    log_odds = lambda log_p: log_p - log_p[:, :1]  # noqa: E731
    joint = expected.decision_function(X)
    assert_rounds_to(log_odds(fit.log_joint(X)), log_odds(joint), terms=len(X), condition=condition)


@pytest.mark.equation("eq-basics-bayes")
def test_diagonal_covariance_is_naive_bayes(wine):
    X, y = wine
    fit = GaussianClassifier("diagonal").fit(X, y)
    expected = GaussianNB(var_smoothing=0.0).fit(X, y)
    assert_rounds_to(fit.log_proba(X), expected.predict_log_proba(X), terms=len(X), condition=10)


def test_means_and_covariances_are_the_classes_own(wine):
    X, y = wine
    fit = GaussianClassifier("full").fit(X, y)
    for k in range(3):
        assert_rounds_to(fit.means[k], X[y == k].mean(axis=0), terms=len(X))
        expected = np.cov(X[y == k], rowvar=False, bias=True)
        assert_rounds_to(fit.covariances[k], expected, terms=len(X))


def test_on_its_own_model_it_comes_near_the_best_possible():
    """Two unit Gaussians 2 apart: no classifier errs less than Phi(-1)."""
    rng = np.random.default_rng(0)
    make = lambda m: gaussian_mixture(m, [[-1, 0], [1, 0]], np.eye(2), [0.5, 0.5], rng)  # noqa: E731
    (X, y), (X_new, y_new) = make(2000), make(20_000)
    best = stats.norm.cdf(-1)
    for model in (GaussianClassifier(), SoftmaxRegression()):
        wrong = (model.fit(X, y).predict(X_new) != y_new).mean()
        assert abs(wrong - best) < 5 * np.sqrt(best / len(y_new)) + 2 / 2000 * 3


def test_both_read_the_digits(digits):
    X, y = digits.train
    X_new, y_new = digits.test
    for model in (SoftmaxRegression(), GaussianClassifier(shrinkage=0.1)):
        assert (model.fit(X, y).predict(X_new) == y_new).mean() > 0.94


def test_samples_have_the_classes_mean_and_covariance(wine):
    fit = GaussianClassifier("full").fit(*wine)
    draws = fit.sample(1, 50_000, np.random.default_rng(0))
    error = np.sqrt(np.diag(fit.covariances[1]) / len(draws))
    assert (np.abs(draws.mean(axis=0) - fit.means[1]) < 5 * error).all()
    spread = np.sqrt(np.outer(np.diag(fit.covariances[1]), np.diag(fit.covariances[1])))
    gap = np.abs(np.cov(draws, rowvar=False) - fit.covariances[1])
    assert (gap < 5 * spread * np.sqrt(2 / len(draws))).all()


@pytest.mark.parametrize("model", [SoftmaxRegression(), GaussianClassifier()])
def test_bad_input_is_named(model):
    with pytest.raises(AttributeError, match="not been trained"):
        type(model)().log_proba([[0.0]])
    with pytest.raises(ValueError, match="NaN or infinite"):
        model.fit([[np.nan], [0.0]], [0, 1])
    with pytest.raises(ValueError, match="without holes"):
        model.fit([[1.0], [0.0]], [0, 2])
    with pytest.raises(ValueError, match="two classes or more"):
        model.fit([[1.0], [0.0]], [0, 0])
    with pytest.raises(ValueError, match="shape"):
        model.fit([[0.0], [1.0], [0.5], [2.0]], [0, 1, 0, 1]).predict([[0.0, 1.0]])


def test_a_constant_pixel_needs_shrinkage(digits):
    with pytest.raises(ValueError, match="shrinkage"):
        GaussianClassifier("diagonal").fit(digits.X, digits.y)


def test_separable_classes_without_a_penalty_have_no_minimum():
    with pytest.raises(RuntimeError, match="raise gamma"):
        SoftmaxRegression(0.0, max_iterations=3).fit([[-1.0], [1.0]], [0, 1])


@pytest.mark.parametrize(
    "call",
    [
        lambda: GaussianClassifier("round"),
        lambda: GaussianClassifier(shrinkage=2.0),
        lambda: SoftmaxRegression(-1.0),
    ],
)
def test_wrong_options_are_refused_at_once(call):
    with pytest.raises(ValueError, match="wanted"):
        call()
