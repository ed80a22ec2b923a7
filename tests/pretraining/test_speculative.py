"""Speculation changes how fast a text is written, and never which texts are likely."""

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.pretraining import (
    Sampling,
    accept,
    accept_probability,
    acceptance,
    expected_tokens,
    generate,
    next_probabilities,
    residual,
    speculate,
)
from coursekit.pretraining.sampling import draw, seeded
from tests.pretraining.models import small_model, some_prompts
from tests.tolerances import assert_rounds_to

weights = st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any)


def normalised(w):
    p = torch.tensor(w, dtype=torch.float64)
    return p / p.sum()


@given(weights, weights)
def test_a_guess_checked_is_distributed_as_the_large_model_says_exactly(p, q):
    # All ways to a token: guessed and accepted, or another guess refused and it drawn after.
    p, q = normalised(p), normalised(q)
    accepted = q * accept_probability(p, q)
    total = accepted + (1 - accepted.sum()) * residual(p, q)
    assert_rounds_to(total, p, terms=8)


@given(weights, weights)
def test_the_acceptance_is_one_minus_the_distance_of_the_two_models(p, q):
    p, q = normalised(p), normalised(q)
    assert_rounds_to(acceptance(p, q), 1 - (p - q).abs().sum() / 2, terms=8)
    assert_rounds_to(acceptance(p, q), (q * accept_probability(p, q)).sum(), terms=8)


def test_a_round_of_guesses_is_distributed_as_the_large_model_says():
    # Rows of p and q do not depend on the tokens here, so a round's first tokens are independent.
    p = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]])
    q = torch.tensor([[0.2, 0.3, 0.5], [0.3, 0.5, 0.2]])
    n, counts, lengths = 6000, Counter(), Counter()
    g = seeded(0)
    for _ in range(n):
        guesses = [int(draw(row[None], [g])[0]) for row in q]
        out = accept(p, q, guesses, g)
        lengths[len(out)] += 1
        rest = [
            int(draw(p[i : i + 1], [g])[0]) for i in range(len(out), 3)
        ]  # as later rounds would
        counts[tuple(out + rest)] += 1
    expected = {
        t: n * float(p[0, t[0]] * p[1, t[1]] * p[2, t[2]])
        for t in itertools.product(range(3), repeat=3)
    }
    assert min(expected.values()) > 5
    chi2 = sum((counts[t] - e) ** 2 / e for t, e in expected.items())
    assert chi2 < 54.1  # 26 degrees of freedom: exceeded once in 1000 seeds
    a, b = (float(acceptance(p[i], q[i])) for i in range(2))
    for length, share in ((1, 1 - a), (2, a * (1 - b)), (3, a * b)):
        assert abs(lengths[length] - n * share) < 5 * (n * share * (1 - share)) ** 0.5


@pytest.mark.parametrize("ahead", [1, 3, 9])
@given(st.integers(0, 2**20))
@settings(max_examples=6, deadline=None)
def test_greedy_speculation_writes_what_the_large_model_alone_writes(ahead, seed):
    model, draft = small_model(seed % 7), small_model(99, n_layers=1)
    [prompt] = some_prompts(1 + seed % 5, seed=seed)
    options = {"max_new_tokens": 12, "stop": [2]}
    [alone] = generate(model, [prompt], **options)
    got = speculate(model, draft, prompt, ahead=ahead, **options)
    assert (got.generation.ids, got.generation.reason) == (alone.ids, alone.reason)
    assert got.generation.log_prob == pytest.approx(alone.log_prob, abs=1e-9)


def test_a_penalty_sees_the_guesses_before_each_place():
    # With one token left to choose from nothing is drawn, and the text must be the same.
    how = Sampling(top_k=1, repetition_penalty=1.8)
    model, draft, [prompt] = small_model(3), small_model(99), some_prompts(3)
    options = {"max_new_tokens": 12, "sampling": how}
    [alone] = generate(model, [prompt], **options)
    assert alone.ids != generate(model, [prompt], max_new_tokens=12)[0].ids  # it does something
    for guesser in (draft, model):
        assert speculate(model, guesser, prompt, **options).generation.ids == alone.ids


def test_texts_are_as_frequent_as_the_large_model_says():
    how, n = Sampling(temperature=0.8, top_k=2, repetition_penalty=1.3), 500
    model, draft = (small_model(s, vocab_size=3, n_layers=1, scale=0.35) for s in (1, 2))
    expected = {}
    for text in itertools.product(range(3), repeat=3):
        total = 1.0
        for i, token in enumerate(text):
            ids = torch.tensor([0, *text[:i]])
            with torch.no_grad():
                logits = model(ids[None])[0, -1]
            total *= float(next_probabilities(logits, how, ids)[token])
        expected[text] = n * total
    found = [
        speculate(model, draft, [0], ahead=2, max_new_tokens=3, sampling=how, seed=s)
        for s in range(n)
    ]
    counts = Counter(s.generation.ids for s in found)
    assert all(expected[text] > 0 for text in counts)  # nothing that was ruled out
    common = {t: e for t, e in expected.items() if e >= 5}
    rare = sum(expected.values()) - sum(common.values())
    cells = [(counts[t], e) for t, e in common.items()]
    cells.append((n - sum(counts[t] for t in common), rare))
    chi2 = sum((c - e) ** 2 / e for c, e in cells if e > 0)
    limit = len(cells) + 4 * (2 * len(cells)) ** 0.5  # mean and four standard deviations
    assert chi2 < limit
    assert 0 < sum(s.accepted for s in found) < sum(s.guessed for s in found)


def test_a_model_that_guesses_for_itself_is_always_right():
    model, [prompt] = small_model(positions="rotary"), some_prompts(2)
    how = Sampling(temperature=0.9)
    got = speculate(model, model, prompt, ahead=4, max_new_tokens=10, sampling=how, seed=3)
    assert got.accepted == got.guessed == 8
    assert got.rounds == 2  # five tokens each


def test_the_expected_tokens_of_a_round_are_those_counted():
    alpha, n, g = 0.6, 4000, seeded(0)
    p = torch.tensor([[0.6, 0.4, 0.0]]).expand(5, 3)  # acceptance 0.6, whatever came before
    q = torch.tensor([[0.6, 0.0, 0.4]]).expand(4, 3)
    lengths = torch.tensor(
        [len(accept(p, q, [int(draw(q[:1], [g])[0]) for _ in range(4)], g)) for _ in range(n)],
        dtype=torch.float64,
    )
    assert float(acceptance(p[0], q[0])) == pytest.approx(alpha)
    assert expected_tokens(alpha, 4) == pytest.approx((1 - alpha**5) / (1 - alpha))
    error = float(lengths.std()) / n**0.5
    assert abs(float(lengths.mean()) - expected_tokens(alpha, 4)) < 5 * error


def test_speculation_ends_where_the_shorter_context_does():
    model, draft = small_model(max_len=16), small_model(1, max_len=8)
    got = speculate(model, draft, some_prompts(3)[0], max_new_tokens=50).generation
    assert (len(got.ids), got.reason) == (6, "context")


def test_what_does_not_fit_is_refused():
    model = small_model()
    with pytest.raises(ValueError, match="same tokenizer"):
        speculate(model, small_model(vocab_size=5), [1])
    with pytest.raises(ValueError, match="prompt is empty"):
        speculate(model, model, [])
    with pytest.raises(ValueError, match="context is 8"):
        speculate(model, small_model(max_len=8), [1] * 9)
    with pytest.raises(ValueError, match="ahead"):
        speculate(model, model, [1], ahead=0)
    with pytest.raises(ValueError, match="a probability"):
        expected_tokens(1.2, 3)
