"""pass@k, win rates, votes and calibration, against counting and against other libraries."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.posttraining import (
    calibration_error,
    majority_vote,
    pass_at_k,
    reliability,
    win_rate,
)
from tests.tolerances import assert_rounds_to


@pytest.mark.equation("eq-posttraining-pass-at-k")
@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 3), (6, 0, 2), (6, 1, 6), (7, 5, 2), (4, 4, 1)])
def test_pass_at_k_counts_every_choice_of_k_answers(n, c, k):
    right = [i < c for i in range(n)]
    choices = list(itertools.combinations(right, k))
    assert_rounds_to(pass_at_k(n, c, k), np.mean([any(some) for some in choices]))


def test_pass_at_k_is_unbiased_and_the_plain_formula_is_not():
    """The expectation over all outcomes of n answers, each right with probability p."""
    from scipy.stats import binom

    n, k, p = 6, 3, 0.3
    weight = binom.pmf(range(n + 1), n, p)
    truth = 1 - (1 - p) ** k
    assert_rounds_to(weight @ [pass_at_k(n, c, k) for c in range(n + 1)], truth, terms=10)
    plain = weight @ [1 - (1 - c / n) ** k for c in range(n + 1)]
    assert plain < truth - 0.02


@pytest.mark.equation("eq-posttraining-win-rate")
def test_the_interval_of_a_win_rate_is_wilsons():
    """Its ends are the shares at which the observation is just 1.96 standard errors away."""
    wins, losses = 37, 21
    n, z = wins + losses, 1.959963984540054
    rate = win_rate(wins, losses)
    for end in (rate.low, rate.high):
        assert abs(rate.share - end) == pytest.approx(z * np.sqrt(end * (1 - end) / n), rel=1e-9)


def test_ties_draw_a_win_rate_towards_one_half():
    plain, tied = win_rate(9, 1), win_rate(9, 1, ties=10)
    assert plain.share == 0.9
    assert tied.share == pytest.approx(0.7)
    assert tied.high - tied.low < plain.high - plain.low
    assert win_rate(0, 0, ties=3) == (0.5, 0.5, 0.5)


def test_the_commonest_answer_wins_and_silence_has_no_vote():
    assert majority_vote(["a", "b", "b", "", "", ""]) == "b"
    assert majority_vote(["b", "a", "a", "b"]) == "b"
    assert majority_vote(["", ""]) == ""


@pytest.mark.equation("eq-posttraining-calibration")
@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_calibration_error_is_the_mean_gap_over_bins(n, bins, seed):
    rng = np.random.default_rng(seed)
    p, right = rng.random(n), rng.random(n) < 0.5
    total = 0.0
    for b in range(bins):
        inside = (p >= b / bins) & ((p < (b + 1) / bins) | (b == bins - 1))
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - right[inside].mean())
    assert calibration_error(p, right, bins=bins) == pytest.approx(total, abs=1e-12)


def test_answers_drawn_with_their_own_confidence_are_calibrated():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    assert calibration_error(p, rng.random(20_000) < p) < 0.02
    assert calibration_error(p**0.3, rng.random(20_000) < p) > 0.2  # overconfident


def test_certainty_falls_into_the_last_bin():
    assert reliability([1.0, 0.0], [True, False], bins=4).counts.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pass_at_k(3, 4, 1), "at most 3 can be"),
        (lambda: pass_at_k(3, 1, 4), "draw at least 4"),
        (lambda: win_rate(0, 0), "no comparison"),
        (lambda: reliability([1.2], [True]), "confidence has 1.2"),
        (lambda: reliability([], []), "no answer"),
        (lambda: reliability([0.5], [True, False]), r"shape \(2,\)"),
    ],
)
def test_what_cannot_be_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()
