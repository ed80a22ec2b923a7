"""Blocks and stacks against torch's encoder and decoder layers, before and after norms."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from coursekit.transformer import Block, EncoderDecoder, TransformerConfig, padding_mask
from tests.tolerances import assert_rounds_to

seeds = st.integers(0, 2**32 - 1)
CONDITION = 1 / np.sqrt(1e-5)  # of a norm


def normal(rng, *shape):
    return torch.tensor(rng.normal(size=shape), requires_grad=True)


def randomise(module, rng):
    module.double()
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.tensor(rng.normal(size=p.shape) / max(1, p.shape[-1]) ** 0.5))
    return module


@torch.no_grad()
def copy_attention(theirs, mine):
    parts = (mine.query, mine.key, mine.value)
    theirs.in_proj_weight.copy_(torch.cat([p.weight for p in parts]))
    theirs.in_proj_bias.copy_(torch.cat([p.bias for p in parts]))
    theirs.out_proj.load_state_dict(mine.out.state_dict())


def torchs_layer(block, config):
    """torch's layer with the weights of our block."""
    cross = block.cross is not None
    kind = nn.TransformerDecoderLayer if cross else nn.TransformerEncoderLayer
    theirs = kind(
        *(config.d_model, config.n_heads, config.ff_width),
        dropout=0.0,
        activation=config.feed_forward,
        batch_first=True,
        norm_first=config.norm == "pre",
        dtype=torch.float64,
    )
    copy_attention(theirs.self_attn, block.attention)
    pairs = [(theirs.norm1, block.norm1), (theirs.linear1, block.feed_forward.up)]
    pairs += [(theirs.linear2, block.feed_forward.down)]
    if cross:
        copy_attention(theirs.multihead_attn, block.cross)
        pairs += [(theirs.norm2, block.norm_cross), (theirs.norm3, block.norm2)]
    else:
        pairs += [(theirs.norm2, block.norm2)]
    for to, source in pairs:
        to.load_state_dict(source.state_dict())
    return theirs.train()  # in eval mode torch takes a fused path without gradients


def assert_same(found, expected, inputs, mine, theirs, rng):
    """Values, gradients of the inputs, and of the weights that both have under one name."""
    terms = 64 * inputs[0].shape[-1]
    assert_rounds_to(found.detach(), expected.detach(), terms=terms, condition=CONDITION)
    grad = torch.tensor(rng.normal(size=found.shape))
    a = torch.autograd.grad(found, [*inputs, *mine], grad)
    b = torch.autograd.grad(expected, [*inputs, *theirs], grad)
    for x, y in zip(a, b, strict=True):
        assert_rounds_to(x, y, terms=terms * grad.numel(), condition=CONDITION)


@pytest.mark.equation("eq-transformer-pre-norm")
@pytest.mark.equation("eq-transformer-post-norm")
@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("kind", ["relu", "gelu"])
@pytest.mark.parametrize("cross", [False, True], ids=["encoder", "decoder"])
@given(st.integers(1, 3), st.integers(2, 3), st.integers(1, 4), st.integers(1, 4), seeds)
@settings(max_examples=12)
def test_a_block_is_torchs_layer(norm, kind, cross, heads, width, N, M, seed):
    rng = np.random.default_rng(seed)
    d = heads * width
    config = TransformerConfig(
        9, d, n_layers=1, n_heads=heads, d_ff=5, norm=norm, feed_forward=kind
    )
    block = randomise(Block(config, cross=cross), rng)
    theirs = torchs_layer(block, config)
    x, memory = normal(rng, 2, N, d), normal(rng, 2, M, d)
    future = torch.ones(N, N, dtype=torch.bool).triu(1)
    if cross:
        seen = torch.tensor(rng.random((2, M)) < 0.7)
        seen[:, 0] = True
        found = block(x, memory, memory_mask=seen[:, None, None], causal=True)
        expected = theirs(x, memory, tgt_mask=future, memory_key_padding_mask=~seen)
    else:
        found, expected = block(x, causal=True), theirs(x, src_mask=future)
    weights = [block.feed_forward.up.weight, block.norm1.weight, block.attention.out.weight]
    others = [theirs.linear1.weight, theirs.norm1.weight, theirs.self_attn.out_proj.weight]
    assert_same(found, expected, [x, memory] if cross else [x], weights, others, rng)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")  # torch, on its own fast path
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_encoder_decoder_is_torchs_transformer(norm):
    rng = np.random.default_rng(0)
    config = TransformerConfig(
        *(11, 8),
        n_layers=2,
        n_heads=2,
        d_ff=12,
        norm=norm,
        feed_forward="relu",
        positions="sinusoidal",
    )
    model = randomise(EncoderDecoder(config, source_vocab_size=13), rng)
    theirs = nn.Transformer(
        *(8, 2, 2, 2, 12), dropout=0.0, batch_first=True, norm_first=norm == "pre"
    ).double()
    for stack, ours in ((theirs.encoder, model.encoder), (theirs.decoder, model.decoder)):
        for i, block in enumerate(ours):
            stack.layers[i] = torchs_layer(block, config)
    if norm == "pre":
        theirs.encoder.norm.load_state_dict(model.encoder_norm.state_dict())
        theirs.decoder.norm.load_state_dict(model.decoder_norm.state_dict())
    else:  # torch has a last norm in either case; the 2017 model has not
        theirs.encoder.norm = theirs.decoder.norm = None
    source = torch.tensor([[3, 5, 7, 2], [4, 12, 0, 0]])
    target = torch.tensor([[1, 6, 9], [1, 8, 10]])
    hidden = theirs(
        model.source(source),
        model.target(target),
        tgt_mask=torch.ones(3, 3, dtype=torch.bool).triu(1),
        src_key_padding_mask=source == 0,
        memory_key_padding_mask=source == 0,
    )
    expected = hidden @ model.target.tokens.weight.T
    found = model(source, target)
    assert_rounds_to(found.detach(), expected.detach(), terms=1000, condition=CONDITION)


def test_an_encoder_sees_both_ways_and_a_decoder_the_past_only():
    rng = np.random.default_rng(1)
    config = TransformerConfig(9, 8, n_layers=1, n_heads=2)
    block, x = randomise(Block(config), rng), normal(rng, 1, 5, 8)
    for causal in (False, True):
        (jacobian,) = torch.autograd.grad(block(x, causal=causal)[0, 2].sum(), x)
        touched = jacobian[0].abs().amax(-1) > 0
        assert touched.tolist() == [True] * 3 + [not causal] * 2


def test_padding_changes_nothing_for_the_tokens_before_it():
    rng = np.random.default_rng(2)
    config = TransformerConfig(9, 8, n_layers=1, n_heads=2)
    block, x = randomise(Block(config), rng), normal(rng, 1, 3, 8)
    padded = torch.cat([x, torch.full((1, 2, 8), 1e6, dtype=torch.float64)], dim=1)
    found = block(padded, mask=padding_mask(torch.tensor([3]), 5))[:, :3]
    assert_rounds_to(found.detach(), block(x).detach(), terms=256, condition=CONDITION)


def test_in_a_pre_norm_stack_the_stream_runs_through_untouched():
    """Parts that write nothing leave every token as it was; after a post-norm block it is not."""
    x = normal(np.random.default_rng(3), 1, 4, 8)
    for norm in ("pre", "post"):
        block = Block(TransformerConfig(9, 8, n_layers=1, n_heads=2, norm=norm)).double()
        with torch.no_grad():
            for part in (block.attention.out, block.feed_forward.down):
                part.weight.zero_()
                part.bias.zero_()
        assert torch.equal(block(x), x) == (norm == "pre")


def test_dropout_acts_in_training_only():
    config = TransformerConfig(9, 8, n_layers=1, n_heads=2, dropout=0.5)
    block, x = Block(config), torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(block(x), block(x))
    assert torch.equal(block.eval()(x), block(x))


BLOCK = Block(TransformerConfig(9, 8, n_layers=1, n_heads=2))
CROSS = Block(TransformerConfig(9, 8, n_layers=1, n_heads=2), cross=True)
X = torch.zeros(2, 3, 8)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: BLOCK(X, X), "has no cross-attention; build it with cross=True"),
        (lambda: CROSS(X), "got no memory; pass the encoder's output"),
        (lambda: TransformerConfig(9, 8, 1, 3), "must divide it"),
        (lambda: TransformerConfig(9, 8, 1, 4, n_kv_heads=3), "n_kv_heads 3"),
        (lambda: TransformerConfig(9, 8, 1, 2, norm="both"), "norm is 'both'; one of 'pre'"),
        (lambda: TransformerConfig(9, 8, 1, 2, positions="rope"), "'rotary'"),
        (lambda: TransformerConfig(9, 8, 1, 2, feed_forward="silu"), "'swiglu'"),
        (
            lambda: EncoderDecoder(TransformerConfig(9, 8, 1, 2, positions="rotary")),
            "adds its positions",
        ),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
