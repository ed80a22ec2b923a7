"""Costs close with published ones, harvesting with a simulation, stacks with all their cases."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from coursekit.data.tables import known, load_table
from coursekit.semiconductors import (
    MODELS,
    Process,
    chiplet_cost,
    cost_per_good_die,
    harvested_yield,
    negative_binomial,
    poisson,
    stack_cost,
    stack_yield,
)


@pytest.mark.equation("eq-semiconductors-cost")
def test_published_costs_of_a_phone_chip_come_out_to_the_dollar():
    table = load_table("process_and_yield")
    dies = known(table.one(item="Apple A17 Pro", parameter="gross dies per wafer"), "value")
    wafer = known(load_table("market").one(entity="TSMC 3nm", year=2022), "value")
    for share, name in ((1.0, "cost per die at 100% yield"), (0.85, "cost per die at 85% yield")):
        printed = known(table.one(item="Apple A17 Pro", parameter=name), "value")
        assert float(cost_per_good_die(wafer, dies, share)) == pytest.approx(printed, abs=0.5)


@given(st.floats(100, 5e4), st.floats(1, 1000), st.floats(0.01, 1))
def test_the_good_dies_pay_for_the_wafer(price, dies, share):
    assert float(cost_per_good_die(price, dies, share)) * dies * share == pytest.approx(price)


@pytest.mark.equation("eq-semiconductors-harvest")
@pytest.mark.parametrize(("alpha", "core_share"), [(math.inf, 1.0), (math.inf, 0.6), (2.0, 0.6)])
def test_harvesting_agrees_with_dies_whose_parts_are_broken_one_by_one(alpha, core_share):
    rng, n = np.random.default_rng(9), 200_000
    cores, needed, load = 12, 10, 1.5
    loads = np.full(n, load) if alpha == math.inf else rng.gamma(alpha, load / alpha, n)
    rest = rng.poisson(loads * (1 - core_share)) == 0
    hits = rng.poisson((loads * core_share / cores)[:, None], (n, cores))  # on each core
    sold = (rest & ((hits == 0).sum(1) >= needed)).mean()
    found = harvested_yield(
        150.0, 1.0, cores=cores, needed=needed, core_share=core_share, alpha=alpha
    )
    assert abs(found - sold) < 5 * math.sqrt(sold * (1 - sold) / n)


@given(st.floats(0.01, 3.0), st.floats(0.3, 20.0), st.integers(1, 200))
def test_with_every_core_needed_harvesting_is_the_plain_yield(load, alpha, cores):
    plain = harvested_yield(100.0, load, cores=cores, needed=cores, alpha=alpha)
    assert plain == pytest.approx(float(negative_binomial(load, alpha)), rel=1e-9)
    even = harvested_yield(100.0, load, cores=cores, needed=cores)
    assert even == pytest.approx(float(poisson(load)), rel=1e-11)


@given(st.floats(0.01, 3.0))
def test_two_cores_of_which_one_must_work(load):
    whole = math.exp(-load / 2)
    wanted = whole**2 + 2 * whole * (1 - whole)
    assert harvested_yield(100.0, load, cores=2, needed=1) == pytest.approx(wanted, rel=1e-12)


def test_a_process_multiplies_out():
    process = Process(16_000.0, 0.1, diameter_mm=300.0)
    dies = math.pi * 300**2 / (4 * 814) - math.pi * 300 / math.sqrt(2 * 814)
    share = ((1 - math.exp(-0.814)) / 0.814) ** 2
    assert process.die_cost(814.0) == pytest.approx(16_000 / dies / share, rel=1e-12)


@pytest.mark.equation("eq-semiconductors-chiplet")
def test_a_package_of_chiplets_is_its_dies_its_package_and_its_lost_bonds():
    process = Process(10_000.0, 0.1)
    each = process.die_cost(777.0 / 4 * 1.1)
    found = chiplet_cost(777.0, 4, process, package=30.0, bond_yield=0.99)
    tries = stats.geom(0.99**4).mean()  # packages begun until one works
    assert found == pytest.approx((4 * each + 30.0) * tries, rel=1e-12)


def test_amd_s_published_saving_needs_a_density_that_a_mature_process_has():
    """AMD, 2017: four dies of 213 mm2 cost 0.59 of one of 777 mm2. No model is far from it."""
    for name, low, high in (("Poisson", 0.05, 0.10), ("Murphy", 0.05, 0.10), ("Seeds", 0.1, 0.2)):
        ratio = []
        for density in (low, high):
            process = Process(1.0, density, model=MODELS[name])
            ratio.append(4 * process.die_cost(213.0) / process.die_cost(777.0))
        assert ratio[1] < 0.59 < ratio[0], name


def test_without_defects_cutting_only_adds_overhead():
    perfect = Process(10_000.0, 0.0)
    assert chiplet_cost(600.0, 4, perfect) > chiplet_cost(600.0, 4, perfect, overhead=0.0)
    silicon = perfect.die_cost(600.0) / chiplet_cost(600.0, 4, perfect)
    assert silicon < 1.1  # smaller dies fill the rim better, and the overhead eats most of it


@settings(max_examples=20)
@given(st.floats(0.05, 1.0), st.floats(100.0, 800.0))
def test_the_worse_the_process_the_more_cutting_saves(density, area):
    def ratio(d):
        process = Process(1.0, d)
        return chiplet_cost(area, 4, process) / chiplet_cost(area, 1, process)

    assert ratio(density * 1.5) < ratio(density)


@pytest.mark.equation("eq-semiconductors-stack")
def test_stacks_work_when_every_part_does():
    die, bond, layers = 0.9, 0.97, 3
    chance = 0.0
    for parts in itertools.product([0, 1], repeat=2 * layers):
        p = math.prod(die if x else 1 - die for x in parts[:layers])
        p *= math.prod(bond if x else 1 - bond for x in parts[layers:])
        chance += p * all(parts)
    assert stack_yield(die, layers, bond, tested=False) == pytest.approx(chance, rel=1e-12)
    assert stack_yield(die, layers, bond) == pytest.approx(bond**layers, rel=1e-12)
    paid = (layers * 9.0 / die + 5.0) / bond**layers
    found = stack_cost(9.0, layers, layer_yield=die, bond_yield=bond, base_cost=5.0)
    assert found == pytest.approx(paid, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cost_per_good_die(20_000.0, 586, 85.0), "Is it in percent"),
        (lambda: cost_per_good_die(20_000.0, 0, 0.8), "dies is 0; more than 0"),
        (lambda: cost_per_good_die(-1.0, 5, 0.8), "wafer_price is -1"),
        (lambda: harvested_yield(814, 0.1, cores=8, needed=9), "needed is 9 of 8 cores"),
        (lambda: harvested_yield(814, 0.1, cores=8, needed=8, core_share=1.2), "core_share is 1.2"),
        (lambda: Process(1.0, 0.1).die_cost(60_000.0), "fits less than once"),
        (lambda: chiplet_cost(-5.0, 2, Process(1.0, 0.1)), "area_mm2 is -5"),
        (lambda: chiplet_cost(5.0, 2, Process(1.0, 0.1), bond_yield=0.0), "bond_yield is 0.0"),
        (lambda: stack_yield(1.2, 8, 0.99), "layer_yield is 1.2; a chance"),
    ],
)
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
