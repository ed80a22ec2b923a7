"""What the models promise: who sees whom, what they count, what they refuse."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.transformer import (
    BERT_BASE,
    GPT,
    GPT2,
    GPT2_LARGE,
    GPT2_MEDIUM,
    GPT2_XL,
    LLAMA_2_7B,
    LLAMA_3_8B,
    TRANSFORMER_BASE,
    Bert,
    EncoderDecoder,
    MaskedLanguageModel,
    TransformerConfig,
    attention_maps,
    flops,
    measured_flops,
    num_parameters,
    parameters_by_part,
    recurrent_flops,
    skeleton,
)
from tests.tolerances import assert_rounds_to

V = 23
POSITIONS = ["learned", "sinusoidal", "rotary", "alibi", "none"]


def config(**changes):
    return TransformerConfig(
        **{"vocab_size": V, "d_model": 8, "n_layers": 2, "n_heads": 2} | changes
    )


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def model_of(kind, seed=0, **changes):
    """A model in float64 with weights wide enough for tokens to matter."""
    model = kind(config(**changes)).double()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=generator(seed), dtype=p.dtype) * 0.5)
    return model


def ids(*shape, seed=0):
    return torch.randint(1, V, shape, generator=generator(seed))


# --- who sees whom --------------------------------------------------------------------------------


@pytest.mark.equation("eq-transformer-causal-mask")
@pytest.mark.parametrize("positions", POSITIONS)
def test_changing_a_token_changes_no_earlier_logit_and_all_later_ones(positions):
    model, tokens = model_of(GPT, positions=positions), ids(1, 6)
    changed = tokens.clone()
    changed[0, 3] = tokens[0, 3] % (V - 1) + 1
    apart = (model(tokens) - model(changed)).abs().amax(-1)[0]
    assert_rounds_to(model(changed)[:, :3].detach(), model(tokens)[:, :3].detach(), terms=1000)
    assert (apart[3:] > 1e-6).all()


def test_a_prefix_sees_itself_whole_and_the_rest_the_past():
    model, tokens = model_of(GPT), ids(2, 6)
    changed = tokens.clone()
    changed[:, 2] = tokens[:, 2] % (V - 1) + 1
    prefix = torch.tensor([4, 0])
    apart = (model(tokens, prefix=prefix) - model(changed, prefix=prefix)).abs().amax(-1)
    assert (apart[0] > 1e-6).all()  # place 2 is in the prefix, which all places see
    assert (apart[1, :2] < 1e-12).all()
    assert (apart[1, 2:] > 1e-6).all()


def test_no_prefix_is_causal_and_a_whole_prefix_an_encoder():
    model, tokens = model_of(GPT), ids(1, 5)
    none = model(tokens, prefix=torch.tensor([0]))
    assert_rounds_to(none.detach(), model(tokens).detach(), terms=1000)
    maps = attention_maps(model, tokens, prefix=torch.tensor([5]))
    assert all((weights > 0).all() for weights in maps.values())


@pytest.mark.parametrize("kind", [Bert, MaskedLanguageModel])
@pytest.mark.parametrize("positions", POSITIONS)
def test_bert_sees_both_ways_and_no_padding(kind, positions):
    model, tokens = model_of(kind, positions=positions, norm="post"), ids(2, 5)
    lengths = torch.tensor([3, 5])
    changed = tokens.clone()
    changed[0, 3:] = 7
    before, after = model(tokens, lengths=lengths), model(changed, lengths=lengths)
    assert_rounds_to(after[0, :3].detach(), before[0, :3].detach(), terms=1000)
    changed[0, 2] = tokens[0, 2] % (V - 1) + 1
    apart = (model(changed, lengths=lengths) - before).abs().amax(-1)
    assert (apart[0, :3] > 1e-6).all()


def test_segments_tell_two_sentences_apart():
    model, tokens = model_of(Bert, segments=2), ids(1, 4)
    second = model(tokens, segments=torch.tensor([[0, 0, 1, 1]]))
    assert (model(tokens) - second).abs().max() > 1e-3
    assert torch.equal(model(tokens), model(tokens, segments=torch.zeros(1, 4, dtype=torch.long)))


def test_the_decoder_reads_the_source_but_not_its_padding_nor_the_future():
    model = model_of(EncoderDecoder, positions="sinusoidal", norm="post")
    source, target = ids(1, 4), ids(1, 5, seed=1)
    padded = torch.cat([source, torch.zeros(1, 3, dtype=torch.long)], dim=1)
    assert_rounds_to(model(padded, target).detach(), model(source, target).detach(), terms=1000)
    other = source.clone()
    other[0, 3] = source[0, 3] % (V - 1) + 1
    assert ((model(other, target) - model(source, target)).abs().amax(-1) > 1e-6).all()
    shorter = model(source, target[:, :3])
    assert_rounds_to(model(source, target)[:, :3].detach(), shorter.detach(), terms=1000)


def test_a_source_that_is_all_padding_gives_finite_logits_and_gradients():
    model = model_of(EncoderDecoder, positions="sinusoidal")
    logits = model(torch.zeros(1, 4, dtype=torch.long), ids(1, 3))
    logits.sum().backward()
    assert logits.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_attention_maps_are_what_the_layers_averaged_with():
    model, tokens = model_of(EncoderDecoder, positions="sinusoidal"), ids(2, 4)
    maps = attention_maps(model, tokens, ids(2, 3))
    shapes = {name: tuple(w.shape) for name, w in maps.items() if ".1." in name}
    assert shapes == {
        "encoder.1.attention": (2, 2, 4, 4),
        "decoder.1.attention": (2, 2, 3, 3),
        "decoder.1.cross": (2, 2, 3, 4),
    }
    for name, w in maps.items():
        assert_rounds_to(w.sum(-1), np.ones(w.shape[:-1]), terms=16)
        hidden_future = torch.equal(w, w.tril())
        assert hidden_future == (name.startswith("decoder") and name.endswith("attention"))


# --- counting -------------------------------------------------------------------------------------


@pytest.mark.equation("eq-transformer-parameters")
@pytest.mark.parametrize(
    ("kind", "shape", "published"),
    [
        (GPT, GPT2, 124_439_808),
        (GPT, GPT2_MEDIUM, 354_823_168),
        (GPT, GPT2_LARGE, 774_030_080),
        (GPT, GPT2_XL, 1_557_611_200),
        (Bert, BERT_BASE, 109_482_240),
        (GPT, LLAMA_2_7B, 6_738_415_616),
        (GPT, LLAMA_3_8B, 8_030_261_248),
    ],
)
def test_parameters_are_the_published_number(kind, shape, published):
    model = skeleton(kind, shape)
    assert num_parameters(model) == published
    assert all(p.is_meta for p in model.parameters())
    if kind is GPT:
        assert sum(parameters_by_part(shape).values()) == published


def test_the_2017_model_is_of_the_published_size():
    """Table 3 says 65 million, for a vocabulary of about 37 000."""
    assert abs(num_parameters(skeleton(EncoderDecoder, TRANSFORMER_BASE)) / 65e6 - 1) < 0.05


configs = st.builds(
    lambda heads, groups, width, **rest: TransformerConfig(
        d_model=heads * groups * width, n_heads=heads * groups, n_kv_heads=groups, **rest
    ),
    heads=st.integers(1, 3),
    groups=st.integers(1, 3),
    width=st.sampled_from([2, 4]),
    vocab_size=st.integers(1, 50),
    n_layers=st.integers(0, 3),
    d_ff=st.none() | st.integers(1, 20),
    max_len=st.integers(8, 20),
    positions=st.sampled_from(POSITIONS),
    norm=st.sampled_from(["pre", "post"]),
    norm_kind=st.sampled_from(["layer", "rms"]),
    feed_forward=st.sampled_from(["relu", "swiglu", "none"]),
    bias=st.booleans(),
    tied=st.booleans(),
    segments=st.integers(0, 2),
)


@pytest.mark.equation("eq-transformer-parameters")
@given(configs)
@settings(max_examples=60)
def test_the_formula_counts_what_the_model_holds(shape):
    assert sum(parameters_by_part(shape).values()) == num_parameters(skeleton(GPT, shape))


@pytest.mark.equation("eq-transformer-flops")
@given(configs, st.integers(1, 8), st.integers(1, 3))
@settings(max_examples=25)
def test_the_formula_counts_torchs_operations(shape, n, batch):
    tokens = torch.zeros(batch, n, dtype=torch.long)
    assert measured_flops(GPT(shape), tokens) == sum(flops(shape, n, batch=batch).values())


def test_recurrent_operations_are_torchs():
    cell = torch.nn.LSTMCell(6, 6)

    def five_steps(x):
        state = None
        for _ in range(5):
            state = cell(x, state)

    assert measured_flops(five_steps, torch.zeros(1, 6)) == recurrent_flops(5, 6, gates=4)


# --- first weights --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [GPT, Bert, MaskedLanguageModel, EncoderDecoder])
def test_a_generator_decides_all_first_weights(kind):
    shape = config(positions="sinusoidal")
    one, two, other = (kind(shape, generator=generator(s)) for s in (0, 0, 1))
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)
    assert any(
        not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)
    )


def test_an_untrained_gpt_is_as_unsure_as_a_fair_die():
    shape = TransformerConfig(vocab_size=100, d_model=64, n_layers=4, n_heads=4)
    model, tokens = GPT(shape, generator=generator()), torch.arange(100)[None]
    logits = model(tokens).detach()[0]
    loss = torch.nn.functional.cross_entropy(logits[:-1], tokens[0, 1:])
    # Logits have a standard deviation of about 0.02 sqrt(64) = 0.16; the excess is half its square.
    assert abs(float(loss) - math.log(100)) < 5 * 0.16 / math.sqrt(99) + 0.16**2


def test_gpts_stream_grows_by_narrow_writers():
    shape = TransformerConfig(vocab_size=10, d_model=256, n_layers=8, n_heads=4)
    block = GPT(shape, generator=generator()).blocks[0]
    five_errors = 5 / math.sqrt(2 * 256**2)
    assert abs(float(block.attention.query.weight.detach().std()) / 0.02 - 1) < five_errors
    assert abs(float(block.attention.out.weight.detach().std()) / (0.02 / 4) - 1) < five_errors
    assert abs(float(block.feed_forward.down.weight.detach().std()) / (0.02 / 4) - 1) < five_errors


# --- what is refused ------------------------------------------------------------------------------

MODEL = GPT(TransformerConfig(V, 8, n_layers=1, n_heads=2, max_len=4))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: MODEL(torch.tensor([[V]])), ValueError, "token 23; with a vocabulary of 23"),
        (lambda: MODEL(torch.tensor([[-1]])), ValueError, "has the token -1"),
        (lambda: MODEL(torch.tensor([1, 2])), ValueError, r"\(batch, tokens\) wanted"),
        (lambda: MODEL(torch.tensor([[1.0]])), TypeError, "whole numbers wanted"),
        (lambda: MODEL(torch.ones(1, 5).long()), ValueError, "5 tokens and the model knows 4"),
        (lambda: MODEL(ids(1, 3), prefix=torch.tensor([4])), ValueError, "0 to 3 wanted"),
        (lambda: MODEL(ids(1, 3), prefix=torch.tensor(2)), ValueError, r"\(B,\) wanted"),
        (lambda: MODEL(ids(1, 3), lengths=torch.tensor([1.0])), ValueError, "whole numbers"),
        (lambda: MODEL(ids(2, 3), lengths=torch.tensor([1, 2, 3])), ValueError, "broadcast"),
        (
            lambda: Bert(config(), pooler=False).pool(torch.zeros(1, 2, 8)),
            ValueError,
            "pooler=True",
        ),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_an_empty_batch_gives_empty_logits(shape):
    for kind in (GPT, MaskedLanguageModel):
        logits = kind(config())(torch.zeros(shape, dtype=torch.long))
        assert logits.shape == (*shape, V)
