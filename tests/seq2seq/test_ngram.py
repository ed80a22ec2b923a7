"""N-grams against exact fractions and nothing else: counts, smoothing, chain rule, perplexity."""

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.seq2seq import NGram, perplexity, sentence_log_prob

END = "<eos>"
letters = st.sampled_from(["a", "b", "c"])
texts = st.lists(st.lists(letters, max_size=5), min_size=1, max_size=5)
contexts = st.lists(letters, max_size=4)


def grams(text, n, order):
    """All runs of n tokens in the padded text, counted."""
    found = Counter()
    for s in text:
        whole = ["<bos>"] * (order - 1) + [*s, END]
        for end in range(order, len(whole) + 1):
            found[tuple(whole[end - n : end])] += 1
    return found


def padded(context, order):
    return tuple((["<bos>"] * (order - 1) + list(context))[len(context) :]) if order > 1 else ()


@pytest.mark.equation("eq-seq2seq-ngram")
@given(texts, contexts, letters, st.integers(1, 4), st.sampled_from([0, 1, 2]))
@settings(max_examples=60)
def test_a_probability_is_the_ratio_of_counts(text, context, word, order, add):
    model = NGram(text, order, add=add)
    before = padded(context, order)
    full = grams(text, order, order)
    V = len({w for s in text for w in s} | {END, "<unk>"})
    known = {w for s in text for w in s}
    if not known.issuperset({*context, word}):
        return
    top = full[(*before, word)] + add
    bottom = sum(n for g, n in full.items() if g[:-1] == before) + add * V
    expected = Fraction(top, bottom) if bottom else Fraction(0)
    assert model.probability(word, context) == pytest.approx(float(expected), rel=1e-12)


def kneser_ney(text, order, discount, word, before, V):
    """Chen and Goodman (1999), interpolated, from the definition; orders count types below."""

    def level(n, before):
        counts = grams(text, n, order)
        if n < order:  # types of one word more
            counts = Counter(g[1:] for g in set(grams(text, n + 1, order)))
        here = {g[-1]: c for g, c in counts.items() if g[:-1] == before}
        below = level(n - 1, before[1:]) if n > 1 else Fraction(1, V)
        total = sum(here.values())
        if not total:
            return below
        D = Fraction(discount)
        return Fraction(max(here.get(word, 0) - D, 0) + D * len(here) * below) / total

    return level(order, before)


@given(texts, contexts, st.integers(1, 3))
@settings(max_examples=30)
def test_kneser_ney_is_its_definition_in_fractions(text, context, order):
    model = NGram(text, order, discount=0.75)
    known = {w for s in text for w in s}
    if not known.issuperset(context):
        return
    for word in (*known, END):
        before = padded(context, order)
        expected = kneser_ney(text, order, Fraction(3, 4), word, before, len(known) + 2)
        assert model.probability(word, context) == pytest.approx(float(expected), rel=1e-12)


@given(texts, contexts, st.integers(1, 4), st.sampled_from([{"add": 0.1}, {"discount": 0.5}]))
@settings(max_examples=40)
def test_smoothed_probabilities_sum_to_one_after_any_context(text, context, order, how):
    model = NGram(text, order, **how)
    total = sum(model.probability(w, context) for w in model.words)
    assert total == pytest.approx(1, rel=1e-12)
    assert all(model.probability(w, context) > 0 for w in model.words)


@pytest.mark.equation("eq-seq2seq-chain-rule")
@given(texts)
@settings(max_examples=40)
def test_the_chain_of_conditionals_is_the_share_of_the_sentence(text):
    """With a context long enough for all words before, the product telescopes to a share."""
    model = NGram(text, 7)
    for s in text:
        share = sum(t == s for t in text) / len(text)
        found = sentence_log_prob(model.probability, s)
        assert math.exp(found) == pytest.approx(share, rel=1e-12)
    everything = {tuple(s) for s in text}
    total = sum(math.exp(sentence_log_prob(model.probability, s)) for s in everything)
    assert total == pytest.approx(1, rel=1e-12)


def test_what_was_not_seen_is_impossible_without_smoothing_only():
    text = [["a", "b"], ["b", "a"]]
    assert NGram(text, 2).probability("a", ["a"]) == 0
    assert perplexity(NGram(text, 2).log_probs([["a", "a"]])) == math.inf
    for how in ({"add": 0.5}, {"discount": 0.5}):
        assert NGram(text, 2, **how).probability("zebra", ["a"]) > 0
        assert math.isfinite(perplexity(NGram(text, 2, **how).log_probs([["a", "zebra"]])))


def test_kneser_ney_counts_company_not_frequency():
    """*Francisco* is common, but follows *San* only; after an unseen word it is unlikely."""
    text = [["san", "francisco"]] * 20 + [[w, "glass"] for w in "abcde"]
    model = NGram(text, 2, discount=0.75)
    assert model.probability("glass", ["francisco"]) > model.probability("francisco", ["glass"])
    unigram = NGram(text, 1)
    assert unigram.probability("francisco") > unigram.probability("glass")


@pytest.mark.equation("eq-seq2seq-perplexity")
@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_perplexity_is_the_inverse_geometric_mean_of_the_probabilities(p):
    expected = math.prod(p) ** (-1 / len(p))
    assert perplexity(np.log(p)) == pytest.approx(expected, rel=1e-9)


@given(st.integers(1, 1000), st.integers(1, 9))
def test_guessing_among_n_words_has_perplexity_n(n, m):
    assert perplexity([-math.log(n)] * m) == pytest.approx(n, rel=1e-9)


def test_samples_follow_the_probabilities():
    model = NGram([["a"], ["a"], ["a"], ["b", "b"]], 2)
    rng = np.random.default_rng(0)
    drawn = Counter(tuple(model.sample(rng)) for _ in range(2000))
    # p(a) = 3/4; p(b) = 1/4, then b or the end at 1/2 each
    for s, p in ((("a",), 0.75), (("b",), 0.125), (("b", "b"), 0.0625)):
        error = math.sqrt(p * (1 - p) / 2000)
        assert abs(drawn[s] / 2000 - p) < 5 * error


def test_a_sample_is_made_of_seen_pairs():
    text = [list("abc"), list("cab")]
    seen = {p for s in text for p in itertools.pairwise(["<bos>", *s, END])}
    s = NGram(text, 2).sample(np.random.default_rng(1))
    assert set(itertools.pairwise(["<bos>", *s, END])) <= seen


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: NGram([], 2), ValueError, "no sentences"),
        (lambda: NGram([["a"]], 0), ValueError, "order is 0"),
        (lambda: NGram([["a"]], 2, add=-1), ValueError, "add is -1"),
        (lambda: NGram([["a"]], 2, discount=1), ValueError, "discount 1"),
        (lambda: NGram([["a"]], 2, add=1, discount=0.5), ValueError, "one of them"),
        (lambda: perplexity([]), ValueError, "one logarithm"),
        (lambda: perplexity([0.5]), ValueError, "0 or less"),
        (lambda: perplexity([math.nan]), ValueError, "0 or less"),
        (lambda: sentence_log_prob(lambda w, c: 1.0, "a b"), TypeError, "split it"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
