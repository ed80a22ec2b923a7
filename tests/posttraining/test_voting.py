"""Votes and the best of n, against enumeration of everything that can be drawn."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from coursekit.posttraining import (
    best_of_n_kl,
    best_of_n_means,
    majority_probability,
    majority_vote,
    vote_rows,
    voting_curve,
)
from tests.tolerances import assert_rounds_to


@pytest.mark.equation("eq-posttraining-voting")
@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_a_majority_is_right_as_often_as_all_ballots_say(right, share, n):
    wrong = (1 - right) * share
    chances, total = (right, wrong, 1 - right - wrong), 0.0
    for ballots in itertools.product(range(3), repeat=n):
        a, b = ballots.count(0), ballots.count(1)
        win = 1.0 if a > b else 0.5 * (a == b and a > 0)
        total += win * np.prod([chances[x] for x in ballots])
    assert_rounds_to(majority_probability(right, n, wrong), total, terms=3**n)


def test_with_two_answers_it_is_condorcets_sum():
    assert_rounds_to(majority_probability(0.6, 11), binom.sf(5, 11, 0.6), terms=11)


def test_votes_help_whose_answer_is_likelier_than_the_commonest_wrong_one():
    """Right two times in five is enough, if nobody agrees on what is wrong."""
    better = [majority_probability(0.4, n, 0.1) for n in (1, 5, 25, 101)]
    worse = [majority_probability(0.4, n) for n in (1, 5, 25, 101)]
    assert better == sorted(better)
    assert better[-1] > 0.99
    assert worse == sorted(worse, reverse=True)
    assert worse[-1] < 0.05


def test_rows_vote_as_texts_do():
    answers = torch.randint(0, 2, (50, 5, 2), generator=torch.Generator().manual_seed(0))
    for row, voted in zip(answers.tolist(), vote_rows(answers).tolist(), strict=True):
        assert majority_vote([str(a) for a in row]) == str(voted)


def test_the_curve_of_votes_agrees_with_the_formula():
    rng = np.random.default_rng(0)
    drawn = [["r" if rng.random() < 0.6 else "w" for _ in range(64)] for _ in range(400)]
    curve = voting_curve(drawn, ["r"] * 400, [1, 5, 15], rng, repeats=5)
    for share, n in zip(curve, (1, 5, 15), strict=True):
        assert abs(share - majority_probability(0.6, n)) < 5 * 0.5 / np.sqrt(400)  # 5 errors


def test_the_best_of_n_is_the_mean_over_all_sets_of_n():
    scores, gold = np.random.default_rng(1).standard_normal((2, 3, 6))
    for n in (1, 2, 4, 6):
        sets = [list(chosen) for chosen in itertools.combinations(range(6), n)]
        best = [[g[s][np.argmax(x[s])] for s in sets] for x, g in zip(scores, gold, strict=True)]
        assert_rounds_to(best_of_n_means(scores, gold, [n])[0], np.mean(best), terms=60)


def test_the_kl_of_the_best_of_n_is_that_of_its_distribution():
    """Over many equally likely answers in order, the best of n is answer i with n i^(n-1) / K^n."""
    K, n = 4000, 6
    i = np.arange(1, K + 1)
    p = (i / K) ** n - ((i - 1) / K) ** n
    kl = (p * np.log(np.where(p > 0, p, 1) * K)).sum()
    np.testing.assert_allclose(best_of_n_kl(n), kl, atol=2 / K)  # of a sum for an integral


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="sum at most 1"):
        majority_probability(0.7, 3, 0.5)
    with pytest.raises(ValueError, match="there are 2 answers"):
        voting_curve([["1", "2"]], ["1"], [3], np.random.default_rng(0))
    with pytest.raises(ValueError, match="4 and there are 3"):
        best_of_n_means(np.ones((1, 3)), np.ones((1, 3)), [4])
    with pytest.raises(ValueError, match="shapes"):
        best_of_n_means(np.ones((1, 3)), np.ones((1, 2)), [1])
    with pytest.raises(ValueError, match="1 or more"):
        best_of_n_kl([0])
