"""Neural language models: the formula, the windows, and what they learn."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.seq2seq import BOS, FixedWindowLM, NGram, RecurrentLM, fit, next_token_loss, windows
from tests.seq2seq.near import assert_same

seeds = st.integers(0, 2**31)


@pytest.mark.equation("eq-seq2seq-window-lm")
@given(st.integers(1, 4), st.integers(1, 3), seeds)
def test_it_is_bengios_formula(n, B, seed):
    """y = b + U tanh(d + H x), x the words' vectors one after the other."""
    g = torch.Generator().manual_seed(seed)
    model = FixedWindowLM(9, n, width=3, hidden=5, generator=g).double()
    contexts = torch.randint(1, 9, (B, n), generator=g)
    C, H, d = model.embedding.weight, model.hidden.weight, model.hidden.bias
    U, b = model.out.weight, model.out.bias
    for row, context in zip(model(contexts), contexts, strict=True):
        x = torch.cat([C[i] for i in context])
        assert_same(row, b + U @ torch.tanh(d + H @ x), terms=3 * n + 5)


@given(st.lists(st.lists(st.integers(4, 9), min_size=1, max_size=5), min_size=1, max_size=3),
       st.integers(1, 4))  # fmt: skip
def test_every_word_is_a_target_once_and_sees_what_stood_before_it(sentences, size):
    contexts, targets = windows(sentences, size)
    assert targets.tolist() == [w for s in sentences for w in s]
    before = [s[:i] for s in sentences for i in range(len(s))]
    for row, words in zip(contexts.tolist(), before, strict=True):
        assert row == ([BOS] * size + words)[-size:]


def test_it_learns_the_frequencies_that_an_ngram_counts():
    """On a text of three tokens the optimum is known: the bigram's relative frequencies."""
    text = [[4, 5], [4, 6], [4, 5], [6]]
    sentences = [[*s, 2] for s in text]
    contexts, targets = windows(sentences, 1)
    model = FixedWindowLM(8, 1, width=4, hidden=8, generator=torch.Generator().manual_seed(0))

    def loss(model, contexts, targets):
        return torch.nn.functional.cross_entropy(model(contexts), targets)

    fit(model, loss, itertools.repeat((contexts, targets)), steps=1500, lr=0.03)
    counted = NGram([list(map(str, s)) for s in text], 2)
    learned = model(torch.tensor([[1], [4], [5]])).softmax(-1)
    for row, context in zip(learned, ([], ["4"], ["4", "5"]), strict=True):
        for word in (4, 5, 6):
            assert row[word].item() == pytest.approx(
                counted.probability(str(word), context), abs=0.02
            )


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_recurrent_model_sees_the_words_before_and_none_after(cell):
    g = torch.Generator().manual_seed(0)
    model = RecurrentLM(9, 6, cell, 2, generator=g).double()
    ids = torch.randint(4, 9, (3, 7), generator=g)
    logits = model(ids)
    for t in range(1, 7):
        assert_same(model(ids[:, :t]), logits[:, :t], terms=20)
    other = ids.clone()
    other[:, 0] = 4 + (other[:, 0] - 4 + 1) % 5
    assert not torch.equal(model(other)[:, -1], logits[:, -1])


def test_a_recurrent_model_remembers_longer_than_a_window():
    """The last word repeats the first, with other words between: no window of 2 can know it."""
    g = torch.Generator().manual_seed(0)
    first = torch.randint(4, 6, (64, 1), generator=g)
    between = torch.randint(6, 9, (64, 4), generator=g)
    ids = torch.cat([first, between, first], 1)
    model = RecurrentLM(9, 16, generator=g)

    def loss(model, ids):
        return next_token_loss(model(ids[:, :-1]), ids[:, 1:])

    fit(model, loss, itertools.repeat((ids,)), steps=300, lr=0.02)
    last = model(ids[:, :-1])[:, -1].log_softmax(-1).gather(1, ids[:, -1:]).mean()
    assert -last < 0.1 < math.log(2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: windows([], 2), "no words"),
        (lambda: windows([[4]], 0), "size is 0"),
        (lambda: FixedWindowLM(9, 2)(torch.ones(1, 3).long()), r"\(B, 2\)"),
        (lambda: RecurrentLM(9, 4, "elman"), "one of rnn, gru, lstm"),
        (lambda: RecurrentLM(9, 4)(torch.tensor([[9]])), "0 to 8 wanted"),
        (lambda: RecurrentLM(9, 4)(torch.zeros(0, 3).long()), "at least 1"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
