"""The models that come with the course do what is told of them."""

import dataclasses

import pytest
import torch

from coursekit.data.checkpoints import CHECKPOINTS
from coursekit.pretraining import (
    BatchSampler,
    Settings,
    Trainer,
    course_split,
    generate,
    load_lm,
)
from coursekit.pretraining.build_checkpoints import (
    LANGUAGE_MODEL,
    LONG,
    baselines,
    encoded,
    quality,
    train_model,
)
from coursekit.transformer import num_parameters

METRICS = CHECKPOINTS["pretraining-gpt"]["metrics"]


@pytest.fixture(scope="module")
def lm():
    return load_lm()


def test_it_beats_the_models_that_count_on_documents_it_has_not_seen(lm):
    """In bits per byte, which compares models with different tokens; all measured again here."""
    found, counted = quality(lm[0]), baselines()
    assert found["bits_per_byte"] < 0.9 * min(counted.values())
    for name, value in (found | counted).items():
        assert METRICS[name] == pytest.approx(value, rel=1e-3)


def test_it_is_small_enough_to_come_along(lm):
    assert num_parameters(lm[0]) == METRICS["parameters"] < 1.4e6
    assert CHECKPOINTS["pretraining-gpt"]["bytes"] < 3_000_000


def test_it_continues_a_formula_as_the_book_writes_them(lm):
    """After "$$" a formula comes, and it ends with "$$" and a label in the chapter's form."""
    model, tokenizer = lm
    end = tokenizer.token("<|endoftext|>")
    prompt = [end, *tokenizer.encode("The gradient of the loss")]
    (found,) = generate(model, [prompt], max_new_tokens=60)
    assert "$$" in tokenizer.decode(found.ids)


def test_the_draft_is_much_smaller_and_agrees_often_enough_to_help(lm):
    """Both find the same token likeliest in a good share of a held-out text's places."""
    draft, _ = load_lm("draft")
    assert num_parameters(draft) < num_parameters(lm[0]) / 10
    ids = torch.tensor([encoded(course_split()[1])[3][:256]])
    with torch.no_grad():
        agree = (draft(ids).argmax(-1) == lm[0](ids).argmax(-1)).float().mean().item()
    assert agree > 0.3


def test_the_recorded_settings_are_those_of_the_builder():
    settings = CHECKPOINTS["pretraining-gpt"]["settings"]
    assert settings["config"] == dataclasses.asdict(LANGUAGE_MODEL)
    assert settings["training"] == dataclasses.asdict(LONG) | {"betas": list(LONG.betas)}


def test_the_same_seed_trains_the_same_model():
    """The first steps of the builder's own training, twice."""
    settings = dataclasses.replace(LONG, steps=2, warmup=1, validate_every=0, log_every=1)
    first, second = (train_model(LANGUAGE_MODEL, settings)[1].losses for _ in range(2))
    assert first == second


def test_it_can_be_trained_further(lm):
    """What chapter 07 does with it: a repeated sentence is learned in a few steps."""
    model, tokenizer = load_lm()
    ids = tokenizer.encode("Every loss falls in the end. ") * 40
    sampler = BatchSampler(ids, batch_size=4, context=32)
    run = Trainer(model, sampler, Settings(steps=15, lr=1e-3, peak=1e10)).run()
    assert run.losses[-1] < run.losses[0] / 2
