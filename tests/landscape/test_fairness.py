"""The measures of fairness against counts, and the theorem that not all of them can hold."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from coursekit.landscape import (
    CRITERIA,
    accept,
    applicants,
    calibration_by_group,
    calibration_gap,
    demographic_parity_gap,
    equalised_odds_gap,
    forced_false_positive_rate,
    group_rates,
    precision_gap,
    profit,
    thresholds_for,
)
from tests.landscape.near import rng

COUNTS = st.lists(st.integers(1, 20), min_size=8, max_size=8)
"""For each of two groups: true negatives, false positives, false negatives, true positives."""


def decisions(counts):
    """People with these counts, in any order."""
    cells = [(y, d) for y in (0, 1) for d in (0, 1)]
    rows = [
        (*cell, g)
        for g in (0, 1)
        for cell, n in zip(cells, counts[4 * g : 4 * g + 4], strict=True)
        for _ in range(n)
    ]
    return np.array(rows).T


def by_hand(outcome, accepted, group):
    for g in (0, 1):
        here = group == g
        (tn, fp), (fn, tp) = confusion_matrix(outcome[here], accepted[here], labels=[0, 1])
        yield int(tn), int(fp), int(fn), int(tp)


@pytest.mark.equation("eq-landscape-demographic-parity")
@given(COUNTS)
def test_demographic_parity_compares_shares_accepted(counts):
    y, d, g = decisions(counts)
    shares = [(fp + tp) / (tn + fp + fn + tp) for tn, fp, fn, tp in by_hand(y, d, g)]
    assert demographic_parity_gap(d, g) == pytest.approx(abs(shares[0] - shares[1]))


@pytest.mark.equation("eq-landscape-equalised-odds")
@given(COUNTS)
def test_equalised_odds_compares_both_error_rates(counts):
    y, d, g = decisions(counts)
    rates = [(tp / (tp + fn), fp / (fp + tn)) for tn, fp, fn, tp in by_hand(y, d, g)]
    wanted = max(abs(a - b) for a, b in zip(*rates, strict=True))
    assert equalised_odds_gap(y, d, g) == pytest.approx(wanted)
    precision = [tp / (tp + fp) for _, fp, _, tp in by_hand(y, d, g)]
    assert precision_gap(y, d, g) == pytest.approx(abs(precision[0] - precision[1]))


@pytest.mark.equation("eq-landscape-impossibility")
@given(COUNTS)
def test_three_rates_force_the_fourth(counts):
    y, d, g = decisions(counts)
    for rates in group_rates(y, d, g).values():
        found = forced_false_positive_rate(rates.base, rates.precision, rates.true_positive)
        assert found == pytest.approx(rates.false_positive)


@given(st.floats(0.05, 0.9), st.floats(0.05, 0.9), st.floats(0.05, 0.95), st.floats(0.05, 1))
def test_equal_precision_and_equal_odds_need_equal_base_rates_or_no_mistakes(a, b, ppv, tpr):
    assume(abs(a - b) > 1e-3)
    forced = [forced_false_positive_rate(p, ppv, tpr) for p in (a, b)]
    assert forced[0] != forced[1]
    assert forced_false_positive_rate(a, 1.0, tpr) == forced_false_positive_rate(b, 1.0, tpr) == 0


@pytest.mark.equation("eq-landscape-calibration-groups")
def test_calibration_is_the_weighted_distance_in_the_worst_group():
    score = np.array([0.15, 0.15, 0.85, 0.85, 0.35, 0.35])
    outcome = np.array([0, 1, 1, 1, 0, 1])
    group = np.array([0, 0, 0, 0, 1, 1])
    worst = max((2 * abs(0.5 - 0.15) + 2 * abs(1 - 0.85)) / 4, abs(0.5 - 0.35))
    assert calibration_gap(score, outcome, group) == pytest.approx(worst)


@pytest.mark.parametrize("seed", range(3))
def test_the_generator_is_calibrated_and_has_its_base_rates(seed):
    people = applicants(40_000, rng(seed), base_rates=(0.7, 0.3))
    for g, base in enumerate((0.7, 0.3)):
        here = people.outcome[people.group == g]
        assert abs(here.mean() - base) < 5 * (0.25 / len(here)) ** 0.5
        found = calibration_by_group(*people)[g]
        noise = 5 * (0.25 / found.counts) ** 0.5
        assert (abs(found.accuracy - found.confidence) < noise).all()


@pytest.mark.parametrize("seed", range(3))
def test_each_criterion_gets_what_it_asks_for_and_not_the_others(seed):
    people = applicants(20_000, rng(seed))
    gaps = {}
    for criterion in CRITERIA:
        taken = accept(people, thresholds_for(people, criterion, 0.5))
        rates = group_rates(people.outcome, taken, people.group)
        tpr = [r.true_positive for r in rates.values()]
        gaps[criterion] = (
            demographic_parity_gap(taken, people.group),
            abs(tpr[0] - tpr[1]),
            precision_gap(people.outcome, taken, people.group),
        )
    parity, opportunity = gaps["demographic parity"], gaps["equal opportunity"]
    # a quantile is met up to one person in each group, some 10 000
    assert parity[0] < 1e-3 < 0.05 < parity[2]
    assert opportunity[1] < 1e-3 < 0.05 < opportunity[2]
    assert gaps["one threshold"][0] > 0.2
    assert calibration_gap(*people) < 0.03


def test_with_equal_base_rates_one_threshold_gives_all_of_them():
    people = applicants(200_000, rng(0), base_rates=(0.5, 0.5))
    taken = accept(people, thresholds_for(people, "one threshold", 0.4))
    assert demographic_parity_gap(taken, people.group) < 0.02
    assert equalised_odds_gap(people.outcome, taken, people.group) < 0.02
    assert precision_gap(people.outcome, taken, people.group) < 0.02


def test_the_most_profitable_threshold_is_where_a_loan_breaks_even():
    people = applicants(50_000, rng(0))
    earned = {
        cut: profit(people, accept(people, {0: cut, 1: cut})) for cut in np.linspace(0, 1, 21)
    }
    assert max(earned, key=earned.get) == pytest.approx(2 / 3, abs=0.06)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="base_rates holds 1"):
        applicants(9, rng(0), base_rates=(1, 0.5))
    with pytest.raises(ValueError, match="spread is 0"):
        applicants(9, rng(0), spread=0)
    with pytest.raises(TypeError, match="random generator wanted"):
        applicants(9, 0)
    with pytest.raises(ValueError, match="labels run from 0 to 1"):
        group_rates([2, 0], [1, 0], [0, 0])
    with pytest.raises(ValueError, match="precision 0, true_positive"):
        forced_false_positive_rate(0.5, 0, 0.5)
    people = applicants(9, rng(0))
    with pytest.raises(ValueError, match="rate is 1"):
        thresholds_for(people, "one threshold", 1)
    with pytest.raises(ValueError, match="criterion is 'merit'"):
        thresholds_for(people, "merit", 0.5)


def test_a_share_of_nobody_is_not_a_number():
    rates = group_rates([1, 1], [0, 0], [0, 0])[0]
    assert np.isnan(rates.false_positive)
    assert np.isnan(rates.precision)
    assert rates.true_positive == 0
