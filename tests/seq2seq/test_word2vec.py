"""Skip-gram: pairs by brute force, the loss and its minimum in closed form, planted analogies."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.seq2seq import (
    SkipGram,
    Vocabulary,
    analogy,
    documentation_sentences,
    keep_probabilities,
    nearest,
    negative_sampling_loss,
    noise_distribution,
    planted_sentences,
    skip_gram_pairs,
    train_skip_gram,
)
from coursekit.seq2seq.training import fit
from tests.seq2seq.near import assert_same

sentences = st.lists(st.lists(st.integers(4, 9), max_size=7), min_size=1, max_size=4)
seeds = st.integers(0, 2**31)


@given(sentences, st.integers(1, 5))
def test_pairs_are_all_words_within_the_window(text, window):
    expected = [
        (s[i], s[j])
        for s in text
        for i, j in itertools.product(range(len(s)), repeat=2)
        if 0 < abs(i - j) <= window
    ]
    if not expected:
        with pytest.raises(ValueError, match="nothing to pair"):
            skip_gram_pairs(text, window)
    else:
        assert sorted(map(tuple, skip_gram_pairs(text, window).tolist())) == sorted(expected)


@pytest.mark.equation("eq-seq2seq-skip-gram")
@given(seeds)
@settings(max_examples=10)
def test_the_full_softmax_is_the_definition(seed):
    g = torch.Generator().manual_seed(seed)
    model = SkipGram(5, 3, generator=g).double()
    model.context.data = torch.randn(5, 3, generator=g, dtype=torch.float64)
    scores = np.exp(
        [[c @ o for o in model.context.detach().numpy()] for c in model.vectors.numpy()]
    )
    expected = torch.tensor(scores / scores.sum(1, keepdims=True))
    assert_same(model.log_probs(torch.arange(5)).exp(), expected, terms=8)


@pytest.mark.equation("eq-seq2seq-negative-sampling")
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6), seeds)
@settings(max_examples=20)
def test_the_loss_is_the_cross_entropy_of_telling_pairs_apart(B, K, d, seed):
    g = torch.Generator().manual_seed(seed)
    shapes = ((B, d), (B, d), (B, K, d))
    center, context, noise = (torch.randn(s, generator=g, dtype=torch.float64) for s in shapes)
    scores = torch.cat([context[:, None], noise], 1) @ center[:, :, None]  # (B, 1 + K, 1)
    truth = torch.zeros(B, 1 + K, dtype=torch.float64)
    truth[:, 0] = 1
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        scores.squeeze(-1), truth, reduction="sum"
    )
    assert_same(negative_sampling_loss(center, context, noise), expected / B, terms=d + K)


def test_the_minimum_is_the_shifted_mutual_information():
    """Levy and Goldberg (2014): at the optimum a score is log p(w,c) / (p(w) q(c)) - log K.

    The expected loss over all pairs is minimised exactly, with vectors as wide as the vocabulary
    so that any scores can be had.
    """
    joint = torch.tensor([[4.0, 2, 1], [2, 1, 3], [1, 3, 3]]).double() / 20
    p, q, K = joint.sum(1), joint.sum(0), 2
    model = SkipGram(3, 3, generator=torch.Generator().manual_seed(0)).double()
    model.center.data += torch.eye(3)

    def expected_loss(model):
        scores = model.center @ model.context.T
        log_sigmoid = torch.nn.functional.logsigmoid
        noise = K * p[:, None] * q[None]
        return -(joint * log_sigmoid(scores) + noise * log_sigmoid(-scores)).sum()

    fit(model, expected_loss, itertools.repeat(()), steps=3000, lr=0.05)
    pmi = (joint / torch.outer(p, q)).log() - math.log(K)
    assert torch.allclose(model.center @ model.context.T, pmi, atol=1e-3)


def test_training_makes_the_loss_of_the_true_pairs_fall_below_chance():
    text = [["salt", "pepper"], ["sun", "moon"]] * 50
    words = Vocabulary.from_sentences(text)
    g = torch.Generator().manual_seed(0)
    model, history = train_skip_gram(
        text, words, generator=g, width=8, negatives=3, steps=150, batch_size=64, lr=0.05
    )
    assert history.losses[0] == pytest.approx(4 * math.log(2), rel=0.01)
    assert np.mean(history.losses[-20:]) < 0.7 * history.losses[0]
    for a, b in (("salt", "pepper"), ("sun", "moon")):
        probs = model.log_probs(torch.tensor(words.encode([a])))[0]
        assert words.tokens[int(probs[4:].argmax()) + 4] == b


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_analogies_are_recovered(seed):
    text = planted_sentences(2000, np.random.default_rng(seed))
    words = Vocabulary.from_sentences(text.sentences)
    g = torch.Generator().manual_seed(seed)
    model, _ = train_skip_gram(
        text.sentences, words, generator=g, width=16, window=6, steps=400, lr=0.05
    )
    questions = list(itertools.permutations(text.pairs, 2))
    right = [analogy(model.vectors, words, a, b, c)[0][0] == d for (a, b), (c, d) in questions]
    assert len(questions) == 56
    assert np.mean(right) > 0.9  # chance is 1 in 58


def test_nothing_but_company_is_planted():
    """The words of couples stand with words of their world and side, and never with each other."""
    text = planted_sentences(500, np.random.default_rng(0))
    members = {w for pair in text.pairs for w in pair}
    assert all(len(members & set(s)) == 1 for s in text.sentences)
    women = {b for _, b in text.pairs}
    for s in text.sentences:
        (word,) = members & set(s)
        assert (word in women) == bool({"she", "her", "hers", "herself"} & set(s))


def test_python_s_documentation_puts_like_words_together():
    text = documentation_sentences()
    words = Vocabulary.from_sentences(text, min_count=20)
    g = torch.Generator().manual_seed(0)
    model, _ = train_skip_gram(
        text, words, generator=g, width=24, threshold=1e-3, steps=600, batch_size=1024, lr=0.02
    )
    near = {w: {x for x, _ in nearest(model.vectors, words, w, 10)} for w in ("tuple", "float")}
    assert near["tuple"] & {"list", "sequence", "elements", "items", "dictionary"}
    assert near["float"] & {"int", "integer", "complex", "floating", "decimal"}


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.floats(0, 1))
def test_noise_follows_a_power_of_the_counts(counts, power):
    if not any(counts):
        with pytest.raises(ValueError, match="no word to draw"):
            noise_distribution(torch.tensor(counts))
        return
    weights = [c**power if c else 0.0 for c in counts]
    expected = torch.tensor([w / sum(weights) for w in weights])
    assert torch.allclose(noise_distribution(torch.tensor(counts), power), expected, atol=1e-6)


def test_common_words_are_thinned_as_in_the_paper():
    counts = torch.tensor([900.0, 90.0, 10.0])
    expected = [math.sqrt(0.01 / 0.9), math.sqrt(0.01 / 0.09), 1.0]
    assert keep_probabilities(counts, 0.01).tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "shapes", [((2, 3), (2, 4), (2, 1, 3)), ((2, 3), (2, 3), (2, 3)), ((0, 3), (0, 3), (0, 1, 3))]
)
def test_wrong_shapes_are_explained(shapes):
    with pytest.raises(ValueError, match=r"\(B, K, d\)"):
        negative_sampling_loss(*map(torch.zeros, shapes))
