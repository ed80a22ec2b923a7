"""Entropy and divergence, against scipy.stats.entropy, closed forms, mpmath and properties."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from coursekit.basics import (
    cross_entropy,
    entropy,
    gaussian_log_pdf,
    kl_divergence,
    kl_gaussians,
    kl_integral,
    kl_monte_carlo,
)
from tests.tolerances import assert_estimates, assert_rounds_to

K = 6
distributions = arrays(float, K, elements=st.floats(0.01, 1.0)).map(lambda w: w / w.sum())
QUADRATURE = 1e-9  # ten times the relative error that the quadrature is asked for


def gaussian(mean, variance):
    return lambda x: gaussian_log_pdf(x, mean, variance)


def closed_form(mp, vp, mq, vq):
    """The divergence of two Gaussians from their definition, by 30-digit quadrature."""
    with mpmath.workdps(30):
        p = lambda x: mpmath.npdf(x, mp, mpmath.sqrt(vp))  # noqa: E731
        q = lambda x: mpmath.npdf(x, mq, mpmath.sqrt(vq))  # noqa: E731
        reach = 12 * math.sqrt(vp)
        points = np.linspace(mp - reach, mp + reach, 9).tolist()
        return float(mpmath.quad(lambda x: p(x) * mpmath.log(p(x) / q(x)), points))


@given(distributions)
def test_entropy_is_scipys(p):
    assert_rounds_to(entropy(p), stats.entropy(p), terms=K)


@given(distributions, distributions)
def test_divergence_is_scipys(p, q):
    assert_rounds_to(kl_divergence(p, q), stats.entropy(p, q), terms=K)


@given(distributions, distributions)
def test_divergence_is_never_negative_and_zero_with_itself(p, q):
    assert kl_divergence(p, q) >= 0
    assert kl_divergence(p, p) == 0


def test_divergence_is_not_a_distance():
    p, q, r = [0.9, 0.1], [0.5, 0.5], [0.1, 0.9]
    assert abs(kl_divergence(p, q) - kl_divergence(q, p)) > 0.1
    assert kl_divergence(p, r) > kl_divergence(p, q) + kl_divergence(q, r)


@pytest.mark.equation("eq-basics-kl-mle")
@given(distributions, distributions)
def test_divergence_is_minus_entropy_minus_expected_log_model(p, q):
    expected_log_model = stats.rv_discrete(values=(np.arange(K), p)).expect(
        lambda k: np.log(q[k.astype(int)])
    )
    assert_rounds_to(
        kl_divergence(p, q), -stats.entropy(p) - expected_log_model, terms=4 * K, condition=4
    )
    assert_rounds_to(cross_entropy(p, q), -expected_log_model, terms=4 * K, condition=4)


@pytest.mark.equation("eq-basics-kl-mle")
def test_least_divergence_from_the_data_is_most_likelihood():
    counts = np.array([3, 5, 2])
    data = np.repeat(np.arange(3), counts)
    models = np.random.default_rng(0).dirichlet(np.ones(3), size=50)
    divergences = [kl_divergence(counts / 10, q) for q in models]
    logs = [sum(math.log(q[k]) for k in data) for q in models]
    assert np.argsort(divergences).tolist() == np.argsort(logs)[::-1].tolist()
    drops = np.array(divergences) + np.array(logs) / len(data)
    assert_rounds_to(drops, np.full(50, -stats.entropy(counts / 10)), terms=20)


def test_zero_probability_follows_the_convention():
    assert entropy([1.0, 0.0]) == 0.0
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == pytest.approx(math.log(2), rel=1e-15)
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert cross_entropy([1.0, 0.0], [1.0, 0.0]) == 0.0


PAIRS = [(0.0, 1.0, 1.0, 1.0), (0.5, 2.0, -1.0, 0.7), (3.0, 0.1, 3.2, 5.0)]


@pytest.mark.equation("eq-basics-kl")
@pytest.mark.parametrize("pair", PAIRS)
def test_integral_and_closed_form_are_the_definition(pair):
    mp, vp, mq, vq = pair
    expected = closed_form(*pair)
    assert kl_integral(gaussian(mp, vp), gaussian(mq, vq)) == pytest.approx(
        expected, rel=QUADRATURE
    )
    assert float(kl_gaussians(*pair)) == pytest.approx(expected, rel=1e-13)


@pytest.mark.equation("eq-basics-kl")
def test_integral_of_two_exponentials_has_the_textbook_value():
    p = lambda x: math.log(2.0) - 2.0 * x  # noqa: E731
    q = lambda x: math.log(0.5) - 0.5 * x  # noqa: E731
    expected = math.log(2.0 / 0.5) + 0.5 / 2.0 - 1
    assert kl_integral(p, q, 0, math.inf) == pytest.approx(expected, rel=QUADRATURE)


def test_integral_is_infinite_where_the_model_is_zero():
    uniform = lambda x: 0.0  # noqa: E731
    half = lambda x: math.log(2) if x < 0.5 else -math.inf  # noqa: E731
    assert kl_integral(uniform, half, 0, 1) == math.inf
    assert kl_integral(half, uniform, 0, 1) == pytest.approx(math.log(2), rel=1e-6)


@pytest.mark.equation("eq-basics-kl-mc")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_monte_carlo_agrees_with_the_integral_within_its_error(seed):
    mp, vp, mq, vq = PAIRS[1]
    x = np.random.default_rng(seed).normal(mp, math.sqrt(vp), 20_000)
    estimate = kl_monte_carlo(gaussian(mp, vp), gaussian(mq, vq), x)
    assert_estimates(estimate, closed_form(*PAIRS[1]))
    assert estimate.standard_error < 0.05


@pytest.mark.equation("eq-basics-kl-mc")
def test_monte_carlo_is_the_mean_log_ratio():
    x = np.array([0.1, -0.4, 2.0])
    ratios = stats.norm.logpdf(x) - stats.norm.logpdf(x, 1, 2)
    estimate = kl_monte_carlo(gaussian(0, 1), gaussian(1, 4), x)
    assert_rounds_to(estimate, [ratios.mean(), stats.sem(ratios)], terms=3)


def test_standard_error_tells_the_spread_of_repeated_estimates():
    rng = np.random.default_rng(0)
    draws = [
        kl_monte_carlo(gaussian(0, 1), gaussian(1, 1), rng.normal(size=400)) for _ in range(400)
    ]
    spread = np.std([d.value for d in draws])
    told = np.mean([d.standard_error for d in draws])
    assert spread == pytest.approx(told, rel=5 / math.sqrt(2 * 400))  # 5 errors of a deviation


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: entropy([0.5, 0.6]), "sums to 1.1"),
        (lambda: entropy([1.5, -0.5]), "p is -0.5"),
        (lambda: kl_divergence([0.5, 0.5], [1.0]), "same outcomes"),
        (lambda: kl_gaussians(0, 1, 0, -2), "variance_q is -2"),
        (lambda: kl_integral(math.sin, math.sin, 1, 0), "lower < upper"),
        (lambda: kl_integral(lambda x: math.nan, lambda x: 0.0, 0, 1), "NaN at x"),
        (lambda: kl_integral(lambda x: -math.log(x), lambda x: 0.0, 0, 1), "does not converge"),
        (lambda: kl_monte_carlo(lambda x: x, lambda x: x, [1.0]), "at least 2"),
        (lambda: kl_monte_carlo(lambda x: x, lambda x: 1.0, [1.0, 2.0]), r"\(2,\) wanted"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
