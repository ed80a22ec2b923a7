"""The counting baseline: equal to chapter 3's, to exact fractions, and a distribution."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.pretraining import KneserNey, estimated_discounts
from coursekit.seq2seq import NGram
from tests.tolerances import assert_rounds_to

TEXTS = [b"abracadabra", b"abba", b"cab", b"", b"a bad cad"]


def exact(sequences, order, vocab_size, discounts, ids, i):
    """P(ids[i] | what is before it) by the definition, in fractions, from lists of runs."""
    padded = [(-1,) * (order - 1) + tuple(s) for s in sequences]
    runs = Counter(s[i - order + 1 : i + 1] for s in padded for i in range(order - 1, len(s)))
    whole = (-1,) * (order - 1) + tuple(ids)
    history = whole[i : i + order - 1]
    tables = [runs]
    for _ in range(order - 1):  # a run counts once for each token that it is seen after
        tables.append(Counter(run[1:] for run in tables[-1]))

    def p(context):
        lower = p(context[1:]) if context else Fraction(1, vocab_size)
        table = tables[order - 1 - len(context)]
        followers = {run[-1]: n for run, n in table.items() if run[:-1] == context}
        if not followers:
            return lower
        taken = {w: discounts[len(context)][min(n, 3) - 1] for w, n in followers.items()}
        n = followers.get(ids[i], 0)
        kept = n - taken.get(ids[i], 0)
        return (kept + sum(taken.values()) * lower) / Fraction(sum(followers.values()))

    return p(history)


@pytest.mark.equation("eq-pretraining-kneser-ney")
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_are_those_of_the_definition_in_fractions(order):
    model = KneserNey(TEXTS, order, 256)
    discounts = [[Fraction(d) for d in o.discounts] for o in model._orders]
    for text in (b"abracadabra", b"cabbage", b"zzz", b"\xff"):
        expected = [exact(TEXTS, order, 256, discounts, text, i) for i in range(len(text))]
        assert_rounds_to(np.exp(model.log_probs(text)), [float(p) for p in expected], terms=order)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("discount", [0.3, 0.75])
def test_with_one_discount_it_is_the_model_of_chapter_3(order, discount):
    sentences = [list("abracadabra"), list("abba"), list("cab"), list("bad")]
    words = NGram(sentences, order, discount=discount)
    number = {w: i for i, w in enumerate(sorted(words.words))}  # <eos> and <unk> among them
    as_ids = lambda s: [number.get(w, number["<unk>"]) for w in [*s, "<eos>"]]  # noqa: E731
    model = KneserNey([as_ids(s) for s in sentences], order, len(number), discount=discount)
    for s in ("cabba", "zad", "dbca"):
        ours = model.log_probs(as_ids(s))
        assert_rounds_to(ours, words.log_probs([list(s)]), terms=order)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 4), max_size=12), min_size=1, max_size=5).filter(any),
    st.integers(1, 4),
    st.lists(st.integers(0, 4), max_size=6),
)
def test_the_next_token_has_probability_one_in_all(sequences, order, history):
    model = KneserNey(sequences, order, 5)
    p = [np.exp(model.log_probs([*history, w])[-1]) for w in range(5)]
    assert min(p) >= 0
    assert_rounds_to(sum(p), 1.0, terms=5 * order)


def test_discounts_of_a_zipfian_text_recover_the_papers_formula():
    n1, n2, n3, n4 = 700, 120, 50, 30
    counts = np.repeat([1.0, 2.0, 3.0, 4.0, 9.0], [n1, n2, n3, n4, 10])
    y = Fraction(n1, n1 + 2 * n2)
    wanted = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    assert_rounds_to(estimated_discounts(counts), [float(d) for d in wanted])


def test_a_longer_memory_helps_on_a_text_that_repeats():
    text = b"the gradient of the loss flows back; " * 20
    nats = [-KneserNey([text], n, 256).log_probs(text[:200]).mean() for n in (1, 2, 3, 5)]
    assert nats == sorted(nats, reverse=True)


def test_a_text_has_no_memory_of_the_one_before():
    model = KneserNey([b"xy", b"ab"], 3, 256)
    assert_rounds_to(model.log_probs(b"ab"), KneserNey([b"ab", b"xy"], 3, 256).log_probs(b"ab"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 2, 5), "no token to count"),
        (([[]], 2, 5), "no token to count"),
        (([[1, 7]], 2, 5), "token 7 is not in a vocabulary of 5"),
        (([[-1]], 2, 5), "token -1 is not in"),
        (([[1]], 0, 5), "order is 0"),
        (([[1]], 2, 5, 1.5), "discount is 1.5"),
    ],
)
def test_what_cannot_be_counted_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        KneserNey(*arguments)
    with pytest.raises(ValueError, match="token 9 is not in"):
        KneserNey([[1]], 2, 5).log_probs([9])


def test_a_text_of_no_tokens_has_no_probabilities():
    assert KneserNey([b"ab"], 2, 256).log_probs(b"").shape == (0,)
