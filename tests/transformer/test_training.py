"""The small trainings learn what they should, and the trained models are as good as recorded."""

import itertools
import math

import numpy as np
import pytest
import torch

from coursekit.data.checkpoints import CHECKPOINTS, load_checkpoint
from coursekit.seq2seq import EOS, evaluate, translate, translation_split, translation_vocabularies
from coursekit.transformer import (
    GPT,
    EncoderDecoder,
    MaskedLanguageModel,
    TransformerConfig,
    attention_maps,
    complete,
    evaluate_gpt,
    evaluate_induction,
    evaluate_masked_lm,
    induction_loss,
    load_gpt,
    load_induction,
    load_masked_lm,
    load_translator,
    num_parameters,
    random_batches,
    repeated_sequences,
    train_language_model,
    train_masked_lm,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def small(kind, **changes):
    shape = {"vocab_size": 12, "d_model": 16, "n_layers": 1, "n_heads": 2} | changes
    return kind(TransformerConfig(**shape), generator=generator())


def metrics(name):
    return CHECKPOINTS[f"transformer-{name}"]["metrics"]


@pytest.fixture(scope="module")
def split():
    return translation_split(np.random.default_rng(0))


# --- the trainings --------------------------------------------------------------------------------


def test_an_encoder_learns_a_gap_from_both_sides():
    """In 5 x 5 and 7 x 7 the middle is known from either neighbour; its own token is hidden."""
    sentences = [[a, 4 + a % 2, a] for a in (5, 6, 7, 8)]
    model = small(MaskedLanguageModel)
    history = train_masked_lm(model, sentences, mask_id=11, generator=generator(), steps=150)
    assert history.losses[0] == pytest.approx(math.log(12), abs=0.5)
    hidden = torch.tensor([[a, 11, a] for a in (5, 6, 7, 8)])
    assert model(hidden)[:, 1].argmax(-1).tolist() == [5, 4, 5, 4]


def test_a_decoder_learns_to_continue_and_stops_at_the_end():
    model = small(GPT)
    train_language_model(model, [[1, 5, 6, 7, 2], [1, 8, 9, 2]], generator=generator(), steps=150)
    assert complete(model, [1, 5]) == [1, 5, 6, 7]
    assert complete(model, [1, 8]) == [1, 8, 9]
    assert len(complete(small(GPT), [1], max_length=5)) <= 5
    drawn = [complete(model, [1], generator=generator(seed))[1] for seed in range(40)]
    assert min(drawn.count(5), drawn.count(8)) > 10  # each begins half of the sentences


def test_only_what_can_be_foretold_is_asked_for():
    """A model that knows the task alone is sure: a perfect continuation has loss 0."""
    ids = repeated_sequences(4, period=3, length=8, vocab_size=12, generator=generator())

    class Oracle(torch.nn.Module):
        def forward(self, ids):
            # What follows place i came first at i + 1 - 3; before that it knows nothing.
            told = torch.cat([torch.zeros_like(ids[:, :2]), ids[:, :-2]], dim=1)
            return 50.0 * torch.nn.functional.one_hot(told, 12).double()

    assert float(induction_loss(Oracle(), ids, 3)) < 1e-12


def test_batches_come_from_their_generator():
    sentences = [[4] * n for n in range(1, 9)]
    one, two = (random_batches(sentences, 4, generator(7)) for _ in range(2))
    for (ids, lengths), (same, _) in itertools.islice(zip(one, two, strict=True), 5):
        assert torch.equal(ids, same)
        assert torch.equal((ids != 0).sum(1), lengths)


# --- the trained models ---------------------------------------------------------------------------


def five_errors(p, n):
    return 5 * max(math.sqrt(p * (1 - p) / n), 0.5 / n)


def test_the_translator_is_as_good_as_its_record(split):
    model, english, french = load_translator()
    some = split.test[:150]
    p = metrics("translator")["kept"]["test"]["exact"]
    found = evaluate(model, some, english, french)["exact"]
    assert abs(found - p) < five_errors(p, len(some)) + 0.02
    source = torch.tensor([*english.encode(["the", "black", "cat", "sleeps"]), EOS])
    assert " ".join(french.decode(translate(model, source)[0].ids)) == "le chat noir dort"


def test_all_translators_had_as_many_parameters_and_steps():
    runs = [run for kind in metrics("translator")["compared"].values() for run in kind]
    assert len(runs) >= 9
    assert len({run["steps"] for run in runs}) == 1
    counts = [run["parameters"] for run in runs]
    assert max(counts) < 1.02 * min(counts)
    assert num_parameters(load_translator()[0]) in counts


def test_the_transformer_leaves_the_fixed_vector_behind_in_every_run_and_in_less_time():
    """With attention in both, its record at one common rate is no win over each recurrent one."""
    ours = metrics("translator")["compared"]["transformer"]
    fixed = CHECKPOINTS["seq2seq-translator-fixed"]["metrics"]["seeds"]
    worst = min(run["held_out"]["exact"] for run in ours)
    assert worst > max(run["held_out"]["exact"] for run in fixed) + 0.4
    slowest = max(run["cpu_seconds"] for run in ours)
    assert slowest < min(run["cpu_seconds"] for run in fixed)


def test_the_transformer_is_ahead_of_inner_product_attention_on_average():
    compared = metrics("translator")["compared"]
    ours, theirs = (
        [run["held_out"]["exact"] for run in compared[kind]]
        for kind in ("transformer", "multiplicative")
    )
    assert np.mean(ours) > np.mean(theirs)


def test_the_transformer_beats_both_recurrent_translators_on_long_sentences():
    """Every seed above every seed, in no more time, with no more parameters."""
    compared = metrics("translator-long")["compared"]
    ours = compared["transformer"]
    for kind in ("additive", "multiplicative"):
        theirs = compared[kind]
        best = max(run["held_out"]["exact"] for run in theirs)
        assert min(run["held_out"]["exact"] for run in ours) > best + 0.1
        spent = [np.mean([run["cpu_seconds"] for run in runs]) for runs in (ours, theirs)]
        assert spent[0] <= spent[1]
        assert ours[0]["parameters"] < 1.02 * theirs[0]["parameters"]


def test_the_translator_of_long_sentences_is_as_good_as_its_record():
    """Its weights with its settings, on held-out sentences of its kind."""
    words = translation_vocabularies()
    settings = CHECKPOINTS["transformer-translator-long"]["settings"]
    config = TransformerConfig(**settings["config"])
    model = EncoderDecoder(config, source_vocab_size=len(words[0]))
    model.load_state_dict(load_checkpoint("transformer-translator-long"))
    some = translation_split(np.random.default_rng(0), clauses=settings["clauses"]).held_out[:100]
    found = evaluate(model.eval(), some, *words)["exact"]
    p = metrics("translator-long")["kept"]["held_out"]["exact"]
    assert abs(found - p) < five_errors(p, len(some)) + 0.02


def test_induction_heads_grew_in_the_second_layer_and_previous_token_heads_in_the_first():
    for run in metrics("induction")["seeds"]:
        first, second = (max(scores) for scores in run["induction"])
        assert second > 0.4 > 0.1 > first
        assert max(run["previous_token"][0]) > 3 * max(run["previous_token"][1])
        assert run["loss"] < 0.5 < run["untrained"]["loss"]
        assert max(run["untrained"]["induction"][1]) < 0.1


def test_the_induction_model_is_as_good_as_its_record_and_copies_new_words():
    model, kept = load_induction(), metrics("induction")["kept"]
    found = evaluate_induction(model)
    assert found["loss"] == pytest.approx(kept["loss"], rel=1e-3)
    assert found["induction"][1] == pytest.approx(kept["induction"][1], abs=1e-3)
    new = evaluate_induction(model, seed=77, period=9)
    assert new["accuracy"] > 0.8
    assert max(new["induction"][1]) > 0.4


def test_an_induction_model_without_its_first_layer_foretells_little():
    """The second layer reads what the first one wrote: which token stood before."""
    model = load_induction()
    with torch.no_grad():
        model.blocks[0].attention.out.weight.zero_()
        model.blocks[0].attention.out.bias.zero_()
    assert evaluate_induction(model)["accuracy"] < 0.5 * metrics("induction")["kept"]["accuracy"]


def test_the_masked_model_is_as_good_as_its_record_and_beats_the_commonest_word(split):
    model, french, mask_id = load_masked_lm()
    test = [french.encode(p.target) for p in split.test]
    kept = metrics("masked-lm")["kept"]
    found = evaluate_masked_lm(model, test, mask_id=mask_id)
    assert found["loss"] == pytest.approx(kept["loss"], rel=1e-3)
    for run in metrics("masked-lm")["seeds"]:
        assert run["accuracy"] > run["commonest"] + five_errors(run["commonest"], run["gaps"])


def test_the_gpt_is_as_good_as_its_record_and_beats_counting_words(split):
    model, french = load_gpt()
    found, kept = evaluate_gpt(model, split.train, split.test), metrics("gpt")["kept"]
    assert found["perplexity"] == pytest.approx(kept["perplexity"], rel=1e-3)
    assert found["perplexity"] < min(found["bigram"], found["trigram"])
    assert len(french) == len(translation_vocabularies()[1])


def test_maps_of_the_trained_translator_hide_the_future():
    model, _, _ = load_translator()
    source, target = torch.tensor([[5, 6, 2, 0]]), torch.tensor([[1, 5, 6, 7]])
    maps = attention_maps(model, source, target)
    own = maps["decoder.1.attention"][0]
    assert torch.equal(own, own.tril())
    assert (maps["decoder.1.cross"][..., 3] == 0).all()  # padding
