"""Yield formulas are averages of Poisson's over a spread of densities; simulation agrees."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from coursekit.data.tables import known, load_table
from coursekit.semiconductors import (
    MODELS,
    Die,
    Wafer,
    clustering,
    count_defects,
    density_from_yield,
    expected_defects,
    murphy,
    negative_binomial,
    place_dies,
    poisson,
    scatter,
    scatter_clusters,
    seeds,
    simulated_yield,
)
from tests.tolerances import assert_estimates

LOADS = st.floats(1e-6, 20.0)


def averaged(density, top):
    """Poisson's yield averaged over a density of defect loads on [0, top], by quadrature."""
    value, _ = integrate.quad(lambda x: density(x) * math.exp(-x), 0, top, epsabs=1e-13, limit=200)
    return value


@pytest.mark.equation("eq-semiconductors-poisson")
@given(LOADS)
def test_poisson_is_the_chance_of_no_event(load):
    assert float(poisson(load)) == pytest.approx(stats.poisson(load).pmf(0), rel=1e-13)


@pytest.mark.equation("eq-semiconductors-murphy")
@settings(deadline=None, max_examples=15)
@given(st.floats(0.01, 20.0))
def test_murphy_averages_over_a_triangle(load):
    triangle = stats.triang(0.5, 0, 2 * load).pdf
    halves = (
        averaged(triangle, load),
        averaged(lambda x: triangle(x + load) * math.exp(-load), load),
    )
    assert float(murphy(load)) == pytest.approx(sum(halves), rel=1e-9)


@pytest.mark.equation("eq-semiconductors-seeds")
@settings(deadline=None, max_examples=15)
@given(st.floats(0.05, 20.0))
def test_seeds_averages_over_an_exponential(load):
    assert float(seeds(load)) == pytest.approx(averaged(stats.expon(0, load).pdf, 60.0), rel=1e-8)


@pytest.mark.equation("eq-semiconductors-negative-binomial")
@given(LOADS, st.floats(0.2, 50.0))
def test_negative_binomial_is_the_chance_of_no_event(load, alpha):
    counts = stats.nbinom(alpha, alpha / (alpha + load))  # scipy's parameters
    assert float(negative_binomial(load, alpha)) == pytest.approx(counts.pmf(0), rel=1e-9)


@given(LOADS)
def test_the_models_meet_at_their_limits(load):
    assert float(negative_binomial(load, 1.0)) == pytest.approx(float(seeds(load)), rel=1e-12)
    assert float(negative_binomial(load, 1e9)) == pytest.approx(float(poisson(load)), rel=1e-6)


@given(LOADS)
def test_any_spread_of_densities_helps(load):
    """Jensen: the average of a convex function is at least the function of the average."""
    assert all(
        float(model(load)) >= float(poisson(load)) * (1 - 1e-12) for model in MODELS.values()
    )


@given(st.sampled_from(sorted(MODELS)), LOADS, LOADS)
def test_yield_is_a_share_and_falls_with_the_load(name, one, other):
    low, high = sorted((one, other))
    at_low, at_high = MODELS[name]([low, high])
    assert 0 < at_high <= at_low <= 1


def test_no_defects_no_loss():
    assert {float(model(0.0)) for model in MODELS.values()} == {1.0}


@given(st.sampled_from(sorted(MODELS)), st.floats(0.02, 0.999), st.floats(1.0, 900.0))
def test_a_density_read_from_a_yield_gives_it_back(name, share, area):
    model = MODELS[name]
    density = density_from_yield(share, area, model)
    assert float(model(expected_defects(area, density))) == pytest.approx(share, rel=1e-9)


def test_a_published_pair_of_yields_fits_murphy_and_not_poisson():
    """TSMC's test chip of 2019: 80 % at 17.92 mm2; the press derived 32.0 % for 100 mm2."""
    table = load_table("process_and_yield")
    item = "TSMC N5 test chip (IEDM 2019)"
    area, share, printed, larger = (
        known(table.one(item=item, parameter=name), "value")
        for name in ("die area", "average yield", "implied D0", "yield of 100 mm2 die")
    )
    density = density_from_yield(share, area)
    assert density == pytest.approx(printed, abs=0.005)  # the press solved to 80.0 %, rounded
    load = expected_defects(100.0, printed)
    assert float(murphy(load)) == pytest.approx(larger, abs=0.0005)  # its last digit
    assert abs(float(poisson(load)) - larger) > 0.03


def test_a_second_published_pair_fits_murphy_to_its_last_digit():
    """The press of 2019 on AMD's Zen 2: 70.6 % at 79.8 mm2, so 59.3 % at 121.8 mm2."""
    table = load_table("process_and_yield")
    names = ("AMD Zen 2 chiplet", "AMD Zen 2 with its I/O on one die")
    (small, share), (large, printed) = (
        [known(table.one(item=name, parameter=p), "value") for p in ("die area", "yield")]
        for name in names
    )
    load = expected_defects(large, density_from_yield(share, small))
    assert float(murphy(load)) == pytest.approx(printed, abs=0.0005)
    assert abs(float(seeds(load)) - printed) > 0.01


@pytest.mark.parametrize("alpha", [0.5, 2.0, math.inf])
def test_dies_drawn_one_by_one_yield_as_the_formula_says(alpha):
    rng = np.random.default_rng(3)
    found = simulated_yield(rng, 814.0, 0.1, alpha=alpha, dies=200_000)
    load = 0.814
    assert_estimates(found, math.exp(-load) if alpha == math.inf else (1 + load / alpha) ** -alpha)


@pytest.mark.parametrize("throw", [scatter, scatter_clusters])
def test_both_ways_of_throwing_have_the_density_that_was_asked_for(throw):
    rng, wafer = np.random.default_rng(4), Wafer()
    inner = [np.hypot(*throw(rng, 0.2, wafer).T) <= 60 for _ in range(300)]
    outer = [np.hypot(*throw(rng, 0.2, wafer).T) > 120 for _ in range(300)]
    for counts, area_cm2 in ((inner, math.pi * 36), (outer, math.pi * (225 - 144))):
        totals = np.array([c.sum() for c in counts])
        error = totals.std(ddof=1) / math.sqrt(len(totals))
        assert abs(totals.mean() - 0.2 * area_cm2) < 5 * error


def test_even_defects_have_the_variance_of_poisson_and_clustered_ones_more():
    rng, wafer, die = np.random.default_rng(5), Wafer(), Die(20.0, 20.0)
    corners = place_dies(die, wafer)

    def spread(throw):
        counts = np.stack([count_defects(throw(rng, 0.2, wafer), corners, die) for _ in range(100)])
        return counts.var() / counts.mean()

    assert spread(scatter) == pytest.approx(1.0, abs=0.1)
    assert spread(scatter_clusters) > 2


def test_clusters_cost_fewer_dies_and_the_fitted_model_says_how_many():
    """The negative binomial is exact for gamma densities; for these clusters it is near."""
    rng, wafer, die = np.random.default_rng(6), Wafer(), Die(20.0, 20.0)
    corners = place_dies(die, wafer)
    counts = [count_defects(scatter_clusters(rng, 0.2, wafer), corners, die) for _ in range(200)]
    counts = np.concatenate(counts)
    share, load = (counts == 0).mean(), counts.mean()
    fitted = float(negative_binomial(load, clustering(counts)))
    assert share > float(poisson(load)) + 0.1
    assert fitted == pytest.approx(share, abs=0.05)


def test_counting_agrees_with_looking_at_each_die():
    rng, die = np.random.default_rng(7), Die(13.0, 17.0)
    corners = place_dies(die, Wafer())
    points = scatter(rng, 0.3, Wafer())
    wanted = [sum(0 <= x - a < 13 and 0 <= y - b < 17 for x, y in points) for a, b in corners]
    assert count_defects(points, corners, die).tolist() == wanted


def test_clustering_finds_the_shape_that_counts_were_drawn_with():
    counts = stats.nbinom(2.5, 2.5 / (2.5 + 1.3)).rvs(400_000, random_state=8)
    assert clustering(counts) == pytest.approx(2.5, rel=0.03)  # 1 % of standard error
    assert clustering([1, 1, 1, 1]) == math.inf


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: expected_defects(-814.0, 0.1), "area_mm2 is -814"),
        (lambda: expected_defects(814.0, -0.1), "density_per_cm2 is -0.1"),
        (lambda: negative_binomial(1.0, alpha=0.0), "alpha is 0"),
        (
            lambda: density_from_yield(60.0, 814.0),
            "share is 60.0; a yield more than 0 and at most 1",
        ),
        (lambda: density_from_yield(0.0, 814.0), "share is 0.0"),
        (lambda: clustering([0, 0, 0]), "at least two dies and one defect"),
    ],
)
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_seed_is_no_generator():
    with pytest.raises(TypeError, match="default_rng"):
        scatter(7, 0.1, Wafer())
