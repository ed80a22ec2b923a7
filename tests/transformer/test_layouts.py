"""Published weights fit by name, and give what the `transformers` library's models give."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from coursekit.transformer import (
    BERT_BASE,
    GPT,
    GPT2,
    LLAMA_2_7B,
    LLAMA_3_8B,
    Bert,
    bert_layout,
    from_published,
    gpt2_layout,
    llama_layout,
    skeleton,
    to_published,
)
from tests.tolerances import assert_rounds_to

PUBLISHED = {
    key: torch.tensor(w) for key, w in np.load(Path(__file__).with_name("published.npz")).items()
}
SMALL = {"vocab_size": 17, "n_layers": 2, "max_len": 9}
SHAPES = {
    "gpt2": (GPT, gpt2_layout, replace(GPT2, d_model=8, n_heads=2, **SMALL)),
    "bert": (Bert, bert_layout, replace(BERT_BASE, d_model=8, n_heads=2, d_ff=20, **SMALL)),
    "llama": (
        GPT,
        llama_layout,
        replace(LLAMA_3_8B, d_model=16, n_heads=4, n_kv_heads=2, d_ff=20, **SMALL),
    ),
}


def weights(name):
    """The published state of one model, under its published names."""
    head = f"{name}/"
    return {k.removeprefix(head): w for k, w in PUBLISHED.items() if k.startswith(head)}


def loaded(name):
    """Our model with the published weights."""
    kind, layout, shape = SHAPES[name]
    model = kind(shape).double().eval()
    model.load_state_dict(from_published(weights(name), layout(shape)))
    return model


def test_gpt2_is_the_published_model():
    found = loaded("gpt2").hidden(PUBLISHED["ids"]).detach()
    assert_rounds_to(found, PUBLISHED["gpt2.out"], terms=100)


def test_bert_is_the_published_model_padding_and_pooler_included():
    model, lengths = loaded("bert"), PUBLISHED["lengths"]
    found = model(PUBLISHED["ids"], segments=PUBLISHED["segments"], lengths=lengths).detach()
    for row, expected, n in zip(found, PUBLISHED["bert.out"], lengths, strict=True):
        assert_rounds_to(row[:n], expected[:n], terms=100)
    assert_rounds_to(model.pool(found).detach(), PUBLISHED["bert.pooled"], terms=100)


def test_llama_is_the_published_model():
    found = loaded("llama")(PUBLISHED["ids"]).detach()
    # The published model computes its rotary angles in float32, positions up to 6.
    apart = (found - PUBLISHED["llama.out"]).abs().max()
    assert apart < 6 * 10 * torch.finfo(torch.float32).eps


@pytest.mark.parametrize("name", SHAPES)
def test_the_way_there_and_back_changes_nothing(name):
    _, layout, shape = SHAPES[name]
    back = to_published(loaded(name).state_dict(), layout(shape))
    assert back.keys() == weights(name).keys()
    for key, w in weights(name).items():
        assert torch.equal(back[key], w), key


@pytest.mark.parametrize(
    ("kind", "layout", "shape"),
    [
        (GPT, gpt2_layout, GPT2),
        (Bert, bert_layout, BERT_BASE),
        (GPT, llama_layout, LLAMA_2_7B),
        (GPT, llama_layout, LLAMA_3_8B),
    ],
)
def test_every_tensor_of_a_full_size_model_has_its_place(kind, layout, shape):
    ours = skeleton(kind, shape).state_dict()
    published = to_published(ours, layout(shape))
    back = from_published(published, layout(shape))
    assert {k: w.shape for k, w in back.items()} == {k: w.shape for k, w in ours.items()}


def test_constants_that_old_files_keep_are_passed_over():
    _, layout, shape = SHAPES["gpt2"]
    state = weights("gpt2") | {"h.0.attn.bias": torch.ones(1, 1, 9, 9)}
    assert from_published(state, layout(shape)).keys() == loaded("gpt2").state_dict().keys()


def test_a_missing_and_an_unknown_name_are_named():
    _, layout, shape = SHAPES["gpt2"]
    state = weights("gpt2")
    state["transformer.wte.weight"] = state.pop("wte.weight")
    with pytest.raises(ValueError, match=r"lacks wte\.weight and has transformer\.wte\.weight"):
        from_published(state, layout(shape))
    with pytest.raises(ValueError, match="the model's weights do not fit"):
        to_published({}, layout(shape))
