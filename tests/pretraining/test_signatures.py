"""MinHash: unbiased, with the spread of a coin; the bands find what comparing all would."""

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest

from coursekit.pretraining import (
    book_corpus,
    chance_to_meet,
    jaccard,
    minhash,
    near_duplicates,
    shingles,
)
from tests.tolerances import assert_estimates


class Estimate(NamedTuple):
    value: float
    standard_error: float


@pytest.mark.equation("eq-pretraining-minhash")
@pytest.mark.parametrize("shared", [0, 10, 50, 90, 100])
def test_equal_entries_estimate_the_similarity(shared):
    a = {f"both {i}" for i in range(shared)} | {f"a {i}" for i in range(100 - shared)}
    b = {f"both {i}" for i in range(shared)} | {f"b {i}" for i in range(100 - shared)}
    truth, k = shared / (200 - shared), 4000
    found = float(np.mean(minhash(a, k, seed=3) == minhash(b, k, seed=3)))
    assert_estimates(Estimate(found, math.sqrt(truth * (1 - truth) / k) + 1e-9), truth)


def test_estimates_over_seeds_spread_like_tosses_of_a_coin():
    a, b, k = {str(i) for i in range(60)}, {str(i) for i in range(30, 90)}, 64
    s = jaccard(a, b)
    found = [np.mean(minhash(a, k, seed) == minhash(b, k, seed)) for seed in range(300)]
    assert_estimates(Estimate(float(np.mean(found)), math.sqrt(s * (1 - s) / k / 300)), s)
    # The sample variance of 300 has a relative standard error of sqrt(2 / 299).
    ratio = float(np.var(found, ddof=1)) / (s * (1 - s) / k)
    assert_estimates(Estimate(ratio, math.sqrt(2 / 299)), 1.0)


def test_a_union_has_the_smaller_of_the_values():
    a, b = {"x", "y"}, {"z"}
    assert (minhash(a | b) == np.minimum(minhash(a), minhash(b))).all()


def test_two_sets_meet_in_a_band_as_often_as_the_formula_says():
    """Rows that agree with chance s each, drawn directly."""
    rng, n = np.random.default_rng(1), 20_000
    for s in (0.4, 0.6, 0.8):
        met = (rng.random((n, 6, 3)) < s).all(axis=2).any(axis=1).mean()
        error = math.sqrt(met * (1 - met) / n)
        assert_estimates(Estimate(float(met), error), chance_to_meet(s, bands=6, rows=3))


def edited(rng, words, changes):
    words = list(words)
    for i in rng.choice(len(words), changes, replace=False):
        words[i] = f"new{rng.integers(1000)}"
    return " ".join(words)


def test_it_finds_what_comparing_every_pair_finds():
    rng = np.random.default_rng(0)
    texts = []
    for page in range(12):
        words = [f"p{page}w{i}" for i in range(300)]
        texts += [" ".join(words), edited(rng, words, 2), edited(rng, words, 60)]
    sets = [shingles(t) for t in texts]
    pairs = [(i, j, jaccard(sets[i], sets[j])) for i, j in combinations(range(len(texts)), 2)]
    expected = [p for p in pairs if p[2] >= 0.8]
    assert len(expected) == 12
    # A pair of similarity 0.93 is missed with a chance of 1e-6 or so.
    assert min(s for _, _, s in expected) > 0.9
    assert near_duplicates(texts) == expected


def test_no_pair_is_named_that_is_less_similar_than_asked():
    rng = np.random.default_rng(2)
    words = [f"w{i}" for i in range(300)]
    texts = [" ".join(words), edited(rng, words, 25)]
    similarity = jaccard(*map(shingles, texts))
    assert 0.3 < similarity < 0.7
    everyone = {"bands": 128, "rows": 1}  # they meet, but for a chance of 1e-20 or less
    assert near_duplicates(texts, similarity + 0.01, **everyone) == []
    assert near_duplicates(texts, similarity, **everyone) == [(0, 1, similarity)]


def test_texts_without_words_are_near_nothing():
    assert near_duplicates(["", "...", "🙂", "one word", "One, word"]) == [(3, 4, 1.0)]
    with pytest.raises(ValueError, match="the set is empty"):
        minhash(set())


def test_the_book_repeats_itself_where_every_exercise_page_ends():
    documents = book_corpus()
    pairs = near_duplicates([d.text for d in documents])
    assert {documents[i].text for pair in pairs for i in pair[:2]} == {documents[265].text}
    assert "check.all()" in documents[265].text
