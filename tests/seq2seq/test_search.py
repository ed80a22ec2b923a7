"""Beam search against exhaustive search and against its definition written as sets; greedy."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.seq2seq import BOS, EOS, PAD, Translator, beam_search, greedy, pad_batch, translate
from coursekit.seq2seq.search import length_penalty

V, LONGEST = 7, 4
seeds = st.integers(0, 2**31)
alphas = st.sampled_from([0.0, 0.6, 1.0])


def random_model(seed):
    """Log-probabilities of the next token that depend on the whole beginning."""

    def next_log_probs(beginnings):
        rows = []
        for row in beginnings.tolist():
            g = torch.Generator().manual_seed(hash((seed, *row)) % 2**31)
            rows.append((2 * torch.randn(V, generator=g, dtype=torch.float64)).log_softmax(-1))
        return torch.stack(rows)

    return next_log_probs


def log_prob(model, ids):
    tokens = [BOS, *ids]
    return sum(
        model(torch.tensor([tokens[: i + 1]]))[0, word].item() for i, word in enumerate([*ids, EOS])
    )


def all_sentences():
    letters = [i for i in range(V) if i not in (PAD, BOS, EOS)]
    return [s for n in range(LONGEST) for s in itertools.product(letters, repeat=n)]


@given(seeds, alphas)
@settings(max_examples=15)
def test_a_beam_as_wide_as_all_sentences_finds_the_best_of_them(seed, alpha):
    model = random_model(seed)
    found = beam_search(model, width=V**LONGEST, max_length=LONGEST, alpha=alpha)[0]
    scored = {s: log_prob(model, s) / length_penalty(len(s) + 1, alpha) for s in all_sentences()}
    best = max(scored, key=scored.__getitem__)
    assert found.ids == best
    assert found.score == pytest.approx(scored[best], rel=1e-6)
    assert found.finished


@pytest.mark.equation("eq-seq2seq-beam")
@given(seeds, st.integers(1, 6))
@settings(max_examples=25)
def test_a_beam_is_the_k_best_extensions_of_the_beam_before(seed, width):
    model, letters = random_model(seed), [i for i in range(V) if i not in (PAD, BOS)]
    beam, ended = {(BOS,): 0.0}, {}
    for _ in range(LONGEST):
        extended = {
            (*b, w): lp + model(torch.tensor([b]))[0, w].item()
            for b, lp in beam.items()
            for w in letters
        }
        best = sorted(extended, key=extended.__getitem__)[-(width - len(ended)) :]
        ended |= {b: extended[b] for b in best if b[-1] == EOS}
        beam = {b: extended[b] for b in best if b[-1] != EOS}
        if not beam:
            break
    found = beam_search(model, width=width, max_length=LONGEST)[0]
    pool = ended or beam
    best = max(pool, key=pool.__getitem__)
    assert found.finished == bool(ended)
    assert found.ids == tuple(i for i in best[1:] if i != EOS)
    assert found.log_prob == pytest.approx(pool[best], rel=1e-5)


@given(seeds)
@settings(max_examples=25)
def test_a_beam_of_one_is_greedy(seed):
    model, ids = random_model(seed), [BOS]
    for _ in range(LONGEST):
        scores = model(torch.tensor([ids]))[0]
        scores[[PAD, BOS]] = -math.inf
        ids.append(int(scores.argmax()))
        if ids[-1] == EOS:
            break
    found = beam_search(model, width=1, max_length=LONGEST)
    assert len(found) == 1
    assert found[0].ids == tuple(i for i in ids if i not in (BOS, EOS))
    assert found[0].finished == (ids[-1] == EOS)


def test_a_wider_beam_sees_what_greedy_misses():
    """The better first word leads to the worse sentence: 0.6 * 0.5 against 0.4 * 0.9."""
    table = {(BOS,): {4: 0.6, 5: 0.4}, (BOS, 4): {6: 0.5, 4: 0.5}, (BOS, 5): {EOS: 0.9, 6: 0.1}}

    def model(beginnings):
        rows = torch.full((len(beginnings), V), -math.inf)
        for row, b in zip(rows, beginnings.tolist(), strict=True):
            for word, p in table.get(tuple(b), {EOS: 1.0}).items():
                row[word] = math.log(p)
        return rows

    one, two = (beam_search(model, width=k, max_length=4)[0] for k in (1, 2))
    assert one.ids[0] == 4
    assert two.ids == (5,)
    assert math.exp(two.log_prob) == pytest.approx(0.36, rel=1e-5)
    assert math.exp(one.log_prob) == pytest.approx(0.3, rel=1e-5)


def test_the_length_penalty_makes_longer_sentences_win():
    def model(beginnings):
        row = torch.full((V,), -math.inf)
        row[4], row[EOS] = math.log(0.6), math.log(0.4)
        return row.expand(len(beginnings), V)

    short, long = (beam_search(model, width=8, max_length=6, alpha=a)[0] for a in (0.0, 3.0))
    assert len(short.ids) < len(long.ids)


def translator(kind=None):
    return Translator(9, V, 8, attention=kind, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("kind", [None, "additive", "multiplicative"])
def test_greedy_over_a_batch_is_a_beam_of_one_over_each(kind):
    model = translator(kind)
    rows = [[4, 5, 6, EOS], [7, EOS], [8, 8, EOS]]
    together = greedy(model, pad_batch(rows)[0], max_length=6)
    alone = [translate(model, torch.tensor(r), width=1, max_length=6)[0].ids for r in rows]
    assert [tuple(ids) for ids in together] == alone


def test_a_sentence_found_has_the_probability_that_teacher_forcing_gives():
    model, source = translator("multiplicative"), torch.tensor([4, 5, EOS])
    for found in translate(model, source, width=4, max_length=12, alpha=0.6):
        target = torch.tensor([[BOS, *found.ids, EOS]])
        scores = model(source[None], target[:, :-1]).log_softmax(-1)
        words = target[:, 1:] if found.finished else target[:, 1:-1]
        total = scores[:, : words.shape[1]].gather(-1, words[..., None]).sum()
        assert found.log_prob == pytest.approx(total.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: beam_search(random_model(0), width=0, max_length=3), "width is 0"),
        (lambda: beam_search(random_model(0), width=2, max_length=0), "max_length is 0"),
        (lambda: beam_search(random_model(0), width=2, max_length=3, alpha=-1), "alpha is -1"),
        (lambda: greedy(translator(), torch.tensor([[4]]), max_length=0), "max_length is 0"),
        (lambda: greedy(translator(), torch.zeros(1, 2).long()), "begins with padding"),
        (lambda: translate(translator(), torch.tensor([[4]])), r"one sentence, \(N,\)"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
