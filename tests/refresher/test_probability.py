"""Probability and entropy: the refresher's lines against exact fractions, counting and SciPy."""

import math
import statistics
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

HALF, THIRD, SIXTH = Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)


@pytest.mark.equation("eq-refresher-expectation")
def test_expectation_is_the_weighted_sum_in_exact_fractions(page):
    p, x = np.array([HALF, THIRD, SIXTH]), np.array([6, -3, 12])
    assert page.expectation(p, x) == Fraction(4)
    assert page.expectation(p, x**2) == Fraction(18 + 3 + 24)


@pytest.mark.equation("eq-refresher-expectation")
def test_the_integral_form_is_the_limit_of_the_sum(page):
    rate, square = 1.5, lambda x: x**2
    exact, _ = quad(lambda x: rate * math.exp(-rate * x) * square(x), 0, math.inf)
    assert exact == pytest.approx(2 / rate**2, rel=1e-8)  # the textbook's second moment
    edges = np.linspace(0, 20, 200_001)
    middle, p = (edges[1:] + edges[:-1]) / 2, -np.diff(np.exp(-rate * edges))
    assert page.expectation(p, square(middle)) == pytest.approx(exact, rel=1e-7)


@pytest.mark.equation("eq-refresher-variance")
def test_variance_equals_both_of_its_forms(page):
    population = [1, 1, 1, 4, 4, 9]
    x = np.array([Fraction(v) for v in sorted(set(population))])
    p = np.array([Fraction(population.count(v), 6) for v in x])
    mean, mean_square = sum(p * x), sum(p * x**2)
    assert page.variance(p, x) == mean_square - mean**2
    assert page.variance(p, x) == statistics.pvariance([Fraction(v) for v in population])


@pytest.mark.equation("eq-refresher-monte-carlo")
def test_the_standard_error_predicts_how_estimates_scatter(page, rng):
    draws = rng.exponential(size=(4000, 200))  # 4000 experiments; the mean is 1, the variance 1
    estimates, errors = np.array([page.monte_carlo(values) for values in draws]).T
    assert errors.mean() == pytest.approx(1 / math.sqrt(200), rel=0.02)
    assert estimates.std() == pytest.approx(errors.mean(), rel=0.06)  # five sigma of 4000 draws
    covered = (abs(estimates - 1) < 2 * errors).mean()
    assert 0.92 < covered < 0.97  # 0.954 for a Gaussian, a little less for skewed draws


@pytest.mark.equation("eq-refresher-monte-carlo")
def test_four_times_the_draws_halve_the_error(page, rng):
    errors = [page.monte_carlo(rng.uniform(size=m))[1] for m in (10_000, 40_000)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.03)


@pytest.mark.equation("eq-refresher-marginal")
def test_marginals_and_conditionals_are_what_counting_gives(page, rng):
    pairs = [(int(x), int(y)) for x, y in rng.integers(0, [3, 2], size=(600, 2))]
    counts = Counter(pairs)
    joint = np.array([[Fraction(counts[x, y], 600) for y in (0, 1)] for x in (0, 1, 2)])
    of_x, of_y = page.marginal(joint, axis=1), page.marginal(joint, axis=0)
    assert of_x.tolist() == [Fraction(sum(x == k for x, _ in pairs), 600) for k in range(3)]
    given_y = joint / of_y
    ones = [x for x, y in pairs if y == 1]
    assert given_y[:, 1].tolist() == [Fraction(ones.count(k), len(ones)) for k in range(3)]


@pytest.mark.equation("eq-refresher-bayes")
def test_posterior_is_the_share_among_those_who_were_observed(page):
    parts = ["sound alarm"] * 19 + ["sound"] * 361 + ["faulty alarm"] * 19 + ["faulty"] * 1
    alarms = [part for part in parts if "alarm" in part]
    counted = [
        Fraction(sum(k in part for part in alarms), len(alarms)) for k in ("sound", "faulty")
    ]
    prior = np.array([Fraction(380, 400), Fraction(20, 400)])
    likelihood = np.array([Fraction(19, 380), Fraction(19, 20)])
    assert page.bayes(prior, likelihood).tolist() == counted


@pytest.mark.equation("eq-refresher-bayes")
def test_an_observation_that_every_cause_makes_alike_teaches_nothing(page):
    prior = np.array([0.2, 0.3, 0.5])
    np.testing.assert_allclose(page.bayes(prior, np.full(3, 0.07)), prior, rtol=1e-15)


@pytest.mark.equation("eq-refresher-gaussian")
@pytest.mark.parametrize(("mean", "variance"), [(0.0, 1.0), (-3.0, 0.04), (2.5, 9.0)])
def test_gaussian_is_scipys_and_has_the_moments_it_names(page, mean, variance):
    x = np.linspace(mean - 5, mean + 5, 41)
    expected = stats.norm(mean, math.sqrt(variance)).pdf(x)
    np.testing.assert_allclose(page.gaussian(x, mean, variance), expected, rtol=1e-12)
    reach = 12 * math.sqrt(variance)

    def term(t, power):
        return page.gaussian(t, mean, variance) * (t - mean) ** power

    for power, moment in enumerate([1.0, 0.0, variance]):
        area, _ = quad(term, mean - reach, mean + reach, args=(power,), points=[mean])
        assert area == pytest.approx(moment, abs=1e-7)


@pytest.mark.equation("eq-refresher-covariance")
def test_covariance_matches_the_standard_library_entry_by_entry(page, rng):
    X = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 3))
    shown = page.covariance(X)
    for i in range(3):
        for j in range(3):
            expected = statistics.covariance(X[:, i].tolist(), X[:, j].tolist())
            assert shown[i, j] == pytest.approx(expected, rel=1e-12)


@pytest.mark.equation("eq-refresher-covariance")
def test_covariance_turns_with_the_data(page, rng):
    X, turn = rng.normal(size=(50, 2)) * [3, 1], np.array([[0.6, -0.8], [0.8, 0.6]])
    expected = turn @ np.cov(X.T) @ turn.T
    np.testing.assert_allclose(page.covariance(X @ turn.T), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.equation("eq-refresher-entropy")
def test_entropy_of_powers_of_one_half_is_the_length_of_the_best_code(page):
    p, lengths = np.array([1 / 2, 1 / 4, 1 / 8, 1 / 8]), np.array([1, 2, 3, 3])  # 0 10 110 111
    assert page.entropy(p) / math.log(2) == pytest.approx(p @ lengths, rel=1e-15)


@pytest.mark.equation("eq-refresher-entropy")
def test_entropy_matches_scipy_and_adds_up_over_independent_variables(page, rng):
    p, q = rng.dirichlet(np.ones(7)), rng.dirichlet(np.ones(4))
    assert page.entropy(p) == pytest.approx(stats.entropy(p), rel=1e-13)
    together = page.entropy(np.outer(p, q).ravel())
    assert together == pytest.approx(page.entropy(p) + page.entropy(q), rel=1e-13)
    assert page.entropy(np.array([0.0, 1.0, 0.0])) == 0
