"""The rules that choose a token, against their definitions written out over small vocabularies."""

import itertools
import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.pretraining import (
    Sampling,
    apply_temperature,
    min_p,
    next_probabilities,
    repetition_penalty,
    top_k,
    top_p,
)
from coursekit.pretraining.sampling import draw, seeded
from tests.tolerances import assert_rounds_to

numbers = st.lists(st.integers(1, 50), min_size=1, max_size=7)
"""Weights of tokens; whole, so that sums of probabilities can be compared without rounding."""
shares = st.integers(1, 96).map(lambda n: Fraction(n, 97))  # no sum of weights is ever equal to it


def logits_of(weights):
    return torch.tensor(weights, dtype=torch.float64).log()


def kept(logits):
    return {i for i, x in enumerate(logits.tolist()) if x > -math.inf}


@given(numbers, st.floats(0.1, 8))
def test_temperature_raises_probabilities_to_a_power(weights, temperature):
    p = apply_temperature(logits_of(weights), temperature).softmax(-1)
    top = max(weights)
    powers = torch.tensor([(w / top) ** (1 / temperature) for w in weights], dtype=torch.float64)
    assert_rounds_to(p, powers / powers.sum(), condition=1 / temperature, terms=10)


def test_a_low_temperature_is_greedy_choice_and_a_high_one_even():
    logits = torch.tensor([0.3, 0.2, -1.0], dtype=torch.float64)
    cold = next_probabilities(logits, Sampling(temperature=1e-3))
    hot = next_probabilities(logits, Sampling(temperature=1e9))
    assert_rounds_to(cold, next_probabilities(logits))
    assert (hot - 1 / 3).abs().max() < 1e-8  # 1 over the temperature, to first order


@given(numbers, st.integers(1, 9))
def test_top_k_keeps_the_k_heaviest_and_the_first_of_equal_ones(weights, k):
    order = sorted(range(len(weights)), key=lambda i: (-weights[i], i))
    assert kept(top_k(logits_of(weights), k)) == set(order[:k])


@given(numbers, shares)
def test_top_p_keeps_the_fewest_tokens_that_reach_p(weights, p):
    total = sum(weights)
    sets = [
        s
        for n in range(1, len(weights) + 1)
        for s in itertools.combinations(range(len(weights)), n)
        if Fraction(sum(weights[i] for i in s), total) >= p
    ]
    fewest = min(map(len, sets))
    found = kept(top_p(logits_of(weights), float(p)))
    assert len(found) == fewest
    assert tuple(sorted(found)) in sets
    assert sum(weights[i] for i in found) == max(
        sum(weights[i] for i in s) for s in sets if len(s) == fewest
    )


@given(numbers, shares)
def test_min_p_keeps_what_has_p_times_the_greatest_probability(weights, p):
    wanted = {i for i, w in enumerate(weights) if w >= p * max(weights)}
    assert kept(min_p(logits_of(weights), float(p))) == wanted


@pytest.mark.parametrize("rule", [lambda x: top_p(x, 1.0), lambda x: min_p(x, 0.0)])
def test_the_rules_open_wide_change_nothing(rule):
    logits = torch.randn(3, 5, generator=seeded(0))
    assert torch.equal(rule(logits), logits)


def test_one_token_is_always_kept():
    logits = torch.tensor([0.0, 9.0, 0.0])
    for rule in (lambda x: top_k(x, 1), lambda x: top_p(x, 1e-9), lambda x: min_p(x, 1.0)):
        assert kept(rule(logits)) == {1}


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.floats(1.01, 3), st.integers(0, 3))
def test_a_repetition_penalty_lowers_what_was_there_and_nothing_else(logits, penalty, there):
    before = torch.tensor(logits, dtype=torch.float64)
    after = repetition_penalty(before, torch.tensor([there, there, -1]), penalty)
    x = logits[there]
    assert after[there].item() == pytest.approx(x / penalty if x > 0 else x * penalty)
    assert after[there] <= before[there]
    others = torch.arange(4) != there
    assert torch.equal(after[others], before[others])


@given(st.integers(0, 2**31))
def test_rows_of_a_batch_are_treated_each_for_itself(seed):
    logits = 3 * torch.randn(2, 3, 7, generator=seeded(seed), dtype=torch.float64)
    ids = torch.randint(0, 7, (2, 3, 2), generator=seeded(seed))
    how = Sampling(temperature=0.7, top_k=5, top_p=0.9, min_p=0.05, repetition_penalty=1.3)
    together = next_probabilities(logits, how, ids)
    for at in itertools.product(range(2), range(3)):
        assert_rounds_to(together[at], next_probabilities(logits[at], how, ids[at]))
    assert_rounds_to(together.sum(-1), torch.ones(2, 3))


def test_each_rule_sees_what_the_one_before_left():
    # After top-k the two that remain have 5/8 and 3/8; a nucleus of 0.6 is then the first alone.
    logits = torch.tensor([0.5, 0.3, 0.2]).log()
    assert kept(next_probabilities(logits, Sampling(top_k=2, top_p=0.6)).log()) == {0}
    assert kept(next_probabilities(logits, Sampling(top_p=0.6)).log()) == {0, 1}


def test_draws_fall_as_often_as_their_probabilities_say():
    p, n = torch.tensor([0.5, 0.3, 0.2, 0.0]), 4000
    g = seeded(0)
    counts = torch.bincount(torch.stack([draw(p[None], [g])[0] for _ in range(n)]), minlength=4)
    spread = (n * p * (1 - p)).sqrt()
    assert ((counts - n * p).abs() <= 5 * spread).all()  # and the impossible never


def test_a_row_draws_the_same_whatever_its_neighbours():
    p = torch.rand(4, 50, generator=seeded(1))
    together = draw(p, [seeded(i) for i in range(4)])
    alone = [draw(p[i : i + 1], [seeded(i)])[0] for i in range(4)]
    assert together.tolist() == alone


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "choose greedily"),
        ({"temperature": -1.0}, "above 0 wanted"),
        ({"temperature": math.nan}, "above 0 wanted"),
        ({"top_k": 0}, "at least 1 token"),
        ({"top_p": 0.0}, "above 0 and at most 1"),
        ({"top_p": 1.1}, "above 0 and at most 1"),
        ({"min_p": -0.1}, "0 to 1 wanted"),
        ({"repetition_penalty": 0.0}, "above 0 wanted"),
    ],
)
def test_settings_out_of_range_are_refused_when_made(options, message):
    with pytest.raises(ValueError, match=message):
        Sampling(**options)


def test_a_repetition_penalty_without_tokens_is_refused():
    with pytest.raises(ValueError, match="needs ids"):
        next_probabilities(torch.zeros(3), Sampling(repetition_penalty=1.2))
