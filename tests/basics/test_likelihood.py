"""Likelihood, against scipy.stats, mpmath's exact products and properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from coursekit.basics import (
    gaussian_log_likelihood,
    gaussian_log_pdf,
    gaussian_mle,
    likelihood,
    log_likelihood,
    multivariate_gaussian_log_pdf,
)
from tests.tolerances import assert_rounds_to

finite = st.floats(-1e3, 1e3)


def spd(rng, q):
    A = rng.normal(size=(q, q))
    return A @ A.T + q * np.eye(q)


@given(x=finite, mean=finite, variance=st.floats(1e-3, 1e3))
def test_log_pdf_is_scipys(x, mean, variance):
    expected = stats.norm.logpdf(x, mean, math.sqrt(variance))
    assert_rounds_to(gaussian_log_pdf(x, mean, variance), expected)


def test_log_pdf_broadcasts_over_models():
    x, means = np.linspace(-2, 2, 5), np.array([[0.0], [1.0]])
    expected = stats.norm.logpdf(x, means, 1.5)
    assert_rounds_to(gaussian_log_pdf(x, means, 2.25), expected)


@pytest.mark.equation("eq-basics-gaussian-density")
@pytest.mark.parametrize("q", [1, 2, 5, 12])
def test_multivariate_log_density_is_scipys(q):
    rng = np.random.default_rng(q)
    y, mean, S = rng.normal(size=(7, q)), rng.normal(size=q), spd(rng, q)
    expected = np.atleast_1d(stats.multivariate_normal.logpdf(y, mean, S))
    actual = multivariate_gaussian_log_pdf(y, mean, S)
    assert_rounds_to(actual, expected, terms=q * q, condition=np.linalg.cond(S))


@pytest.mark.equation("eq-basics-gaussian-density")
def test_density_integrates_to_one_over_the_plane():
    S = np.array([[1.5, 0.6], [0.6, 0.8]])
    axis = np.linspace(-12, 12, 401)  # the trapezium rule converges faster than any power here
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    mass = np.exp(multivariate_gaussian_log_pdf(grid, np.zeros(2), S)).sum()
    assert_rounds_to(mass * (axis[1] - axis[0]) ** 2, 1.0, terms=len(axis))


def test_one_mean_per_row_is_each_row_on_its_own():
    rng = np.random.default_rng(3)
    y, means, S = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), spd(rng, 3)
    expected = [stats.multivariate_normal.logpdf(a, b, S) for a, b in zip(y, means, strict=True)]
    assert_rounds_to(multivariate_gaussian_log_pdf(y, means, S), expected, terms=100)


@pytest.mark.equation("eq-basics-likelihood")
def test_likelihood_is_the_product_of_densities():
    x = np.array([-0.3, 0.1, 0.8])
    expected = math.prod(stats.norm.pdf(v, 0.2, 1.1) for v in x)
    actual = likelihood(lambda t: np.exp(gaussian_log_pdf(t, 0.2, 1.21)), x)
    assert actual == pytest.approx(expected, rel=1e-14, abs=0)


@pytest.mark.equation("eq-basics-likelihood")
@pytest.mark.equation("eq-basics-log-likelihood")
@given(st.lists(st.floats(0.05, 0.95), min_size=1, max_size=50))
def test_log_likelihood_is_the_log_of_the_likelihood(probabilities):
    p = np.array(probabilities)
    product = likelihood(lambda X: X, p)
    assert_rounds_to(log_likelihood(np.log, p), math.log(product), terms=len(p))


@pytest.mark.equation("eq-basics-log-likelihood")
def test_log_likelihood_survives_where_the_product_underflows():
    x = np.random.default_rng(0).normal(size=2000)
    assert likelihood(lambda t: stats.norm.pdf(t), x) == 0.0
    expected = math.fsum(stats.norm.logpdf(x))
    assert_rounds_to(log_likelihood(lambda t: gaussian_log_pdf(t, 0, 1), x), expected, terms=2000)


def test_impossible_data_has_log_likelihood_minus_infinity():
    assert log_likelihood(lambda x: np.where(x > 0, 0.0, -np.inf), [1.0, -1.0]) == -math.inf


@settings(max_examples=50)
@given(
    st.lists(finite, min_size=3, max_size=30),
    st.floats(-1, 1),
    st.floats(0.5, 2),
)
def test_no_other_gaussian_makes_the_sample_likelier(sample, shift, stretch):
    x = np.array(sample)
    mean, variance = gaussian_mle(x)
    if variance < 1e-3:
        return
    best = stats.norm.logpdf(x, mean, math.sqrt(variance)).sum()
    other = stats.norm.logpdf(x, mean + shift, math.sqrt(variance * stretch)).sum()
    assert best >= other - 1e-12 * abs(other) * len(x)


def test_mle_is_scipys_fit():
    x = np.random.default_rng(1).normal(3, 2, 100)
    mean, deviation = stats.norm.fit(x)
    assert_rounds_to(gaussian_mle(x), [mean, deviation**2], terms=100)


@pytest.mark.equation("eq-basics-gaussian-mse")
@pytest.mark.parametrize(("m", "q", "alpha"), [(1, 1, 1.0), (6, 3, 0.25), (40, 2, 7.0)])
def test_gaussian_log_likelihood_keeps_every_constant(m, q, alpha):
    rng = np.random.default_rng(m)
    Y, G = rng.normal(size=(m, q)), rng.normal(size=(m, q))
    each = [
        stats.multivariate_normal.logpdf(y, g, alpha * np.eye(q)) for y, g in zip(Y, G, strict=True)
    ]
    assert_rounds_to(gaussian_log_likelihood(Y, G, alpha), math.fsum(each), terms=m * q)


@pytest.mark.equation("eq-basics-gaussian-mse")
@given(alpha=st.floats(0.1, 10))
def test_likelihood_and_squared_error_rank_models_alike(alpha):
    rng = np.random.default_rng(5)
    Y, models = rng.normal(size=20), rng.normal(size=(8, 20))
    mse = [((Y - g) ** 2).mean() for g in models]
    logs = [gaussian_log_likelihood(Y, g, alpha) for g in models]
    assert np.argsort(mse).tolist() == np.argsort(logs)[::-1].tolist()


def test_one_output_may_come_as_a_vector_or_a_column():
    Y, G = np.arange(4.0), np.ones(4)
    assert gaussian_log_likelihood(Y, G, 2.0) == gaussian_log_likelihood(
        Y[:, None], G[:, None], 2.0
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gaussian_log_pdf(0.0, 0.0, -1.0), "variance is -1"),
        (lambda: gaussian_log_pdf([0.0, np.nan], 0.0, 1.0), "NaN or infinite"),
        (lambda: gaussian_mle([]), "empty"),
        (lambda: gaussian_mle([[1.0]]), "2 axes; 1 wanted"),
        (lambda: gaussian_log_likelihood([1.0, 2.0], [[1.0], [2.0]], 1.0), r"\(2, 1\); \(2,\)"),
        (lambda: gaussian_log_likelihood([1.0], [1.0], 0.0), "alpha is 0"),
        (
            lambda: multivariate_gaussian_log_pdf([[0, 0]], [0, 0], [[1, 2], [2, 1]]),
            "eigenvalue -1",
        ),
        (lambda: multivariate_gaussian_log_pdf([[0, 0]], [0, 0], [[1, 2], [0, 9]]), "symmetric"),
        (lambda: multivariate_gaussian_log_pdf([[0, 0]], [0, 0, 0], np.eye(2)), "mean has shape"),
        (lambda: log_likelihood(lambda x: x.sum(), [1.0, 2.0]), r"\(2,\) wanted"),
        (lambda: log_likelihood(lambda x: x * np.nan, [1.0]), "NaN"),
        (lambda: likelihood(lambda x: -x, [1.0]), "density"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
