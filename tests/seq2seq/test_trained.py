"""The trained translators: as good as the record says, and what the record says of attention."""

import numpy as np
import pytest
import torch

from coursekit.data.checkpoints import CHECKPOINTS
from coursekit.seq2seq import (
    EOS,
    by_length,
    encode_pairs,
    evaluate,
    load_translator,
    sentences,
    translation_split,
    translation_vocabularies,
    translations,
    vocabularies,
)
from coursekit.seq2seq.trained import KINDS


@pytest.fixture(scope="module")
def split():
    return translation_split(np.random.default_rng(0))


@pytest.fixture(scope="module")
def fresh(split):
    """Sentences that no training saw, drawn anew."""
    rng = np.random.default_rng(12345)
    return sentences(200, rng, clauses=[1, 2], without=split.train)


def record(kind):
    return CHECKPOINTS[f"seq2seq-translator-{kind}"]


def test_the_vocabularies_are_all_words_that_are_ever_drawn(split):
    listed, found = translation_vocabularies(), vocabularies(split.train)
    assert [v.tokens for v in listed] == [v.tokens for v in found]


@pytest.mark.parametrize("kind", KINDS)
def test_a_translator_is_as_good_as_its_record(kind, split):
    model, english, french = load_translator(kind)
    first = next(run for run in record(kind)["metrics"]["seeds"] if run["seed"] == 0)
    some = split.test[:150]
    found = evaluate(model, some, english, french)
    p = first["test"]["exact"]
    error = max(np.sqrt(p * (1 - p) / len(some)), 0.02)
    assert abs(found["exact"] - p) < 5 * error


def test_attention_translates_what_it_never_saw(fresh):
    for kind in ("additive", "multiplicative"):
        model, english, french = load_translator(kind)
        assert evaluate(model, fresh, english, french)["exact"] > 0.9


def test_the_fixed_vector_loses_long_sentences_in_every_run_and_attention_does_not():
    for run in record("fixed")["metrics"]["seeds"]:
        groups = run["by_length"]
        assert groups[0]["exact"] > 0.5
        assert groups[-1]["exact"] < 0.05
        bleu = [g["bleu"] for g in groups]
        assert all(a > b for a, b in zip(bleu, bleu[2:], strict=False))
    for kind in ("additive", "multiplicative"):
        for run in record(kind)["metrics"]["seeds"]:
            assert run["by_length"][-1]["exact"] > 0.7
            assert run["held_out"]["exact"] > 0.85


def test_every_kind_was_trained_alike():
    settings = [dict(record(kind)["settings"]) for kind in KINDS]
    assert [s.pop("attention") for s in settings] == list(KINDS.values())
    assert settings[0] == settings[1] == settings[2]
    assert all(len(record(kind)["metrics"]["seeds"]) >= 3 for kind in KINDS)


def test_the_attention_finds_the_crossing_words(split):
    """Of the words with one counterpart, most are looked at most when theirs is written."""
    model, english, french = load_translator("additive")
    hits = []
    for pair in split.test[:40]:
        source, target = encode_pairs([pair], english, french)
        looked = model.alignment(source, target[:, :-1])[0].argmax(-1).tolist()
        for i, j in pair.links:
            alone = sum(a == i for a, _ in pair.links) == sum(b == j for _, b in pair.links) == 1
            if alone:
                hits.append(looked[j] == i)
    assert len(hits) > 100
    assert np.mean(hits) > 0.5  # a guess would be right once in about fifteen


def test_groups_by_length_hold_every_sentence_once(fresh):
    model, english, french = load_translator("multiplicative")
    groups = by_length(model, fresh, english, french, edges=(2, 8, 40))
    assert sum(g["sentences"] for g in groups) == len(fresh)
    whole = evaluate(model, fresh, english, french)["exact"]
    parts = sum(g["exact"] * g["sentences"] for g in groups) / len(fresh)
    assert parts == pytest.approx(whole)


def test_unknown_words_are_translated_somehow_and_an_unknown_kind_is_refused():
    model, english, french = load_translator("multiplicative")
    source = torch.tensor([[*english.encode(["the", "zebra", "sleeps"]), EOS]])
    assert model(source, torch.tensor([[1]])).isfinite().all()
    with pytest.raises(KeyError, match="fixed, additive, multiplicative"):
        load_translator("cosine")
    with pytest.raises(ValueError, match="empty"):
        translations(model, [], english, french)
