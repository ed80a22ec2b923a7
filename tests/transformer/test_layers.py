"""Norms, feed-forward parts and attention layers against torch's own, gradients included."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from coursekit.transformer import (
    Block,
    FeedForward,
    LayerNorm,
    MultiHeadAttention,
    RMSNorm,
    TransformerConfig,
    column_attention,
    column_multi_head,
)
from tests.tolerances import assert_rounds_to

F = nn.functional
seeds = st.integers(0, 2**32 - 1)
# A row may be nearly constant; 1/σ is then at most 1/sqrt(eps), which rounding suffers.
NORM_CONDITION = 1 / np.sqrt(1e-5)


def normal(rng, *shape):
    return torch.tensor(rng.normal(size=shape), requires_grad=True)


def randomise(module, rng):
    """Return the module in float64 with normal weights."""
    module.double()
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.tensor(rng.normal(size=p.shape) / max(1, p.shape[-1]) ** 0.5))
    return module


def assert_same(found, expected, leaves, rng, *, terms, condition=1.0):
    """Assert equal values, and equal gradients of a random sum of them."""
    assert_rounds_to(found.detach(), expected.detach(), terms=terms, condition=condition)
    grad = torch.tensor(rng.normal(size=expected.shape))
    mine = torch.autograd.grad(found, leaves[0], grad)
    theirs = torch.autograd.grad(expected, leaves[1], grad)
    for a, b in zip(mine, theirs, strict=True):
        assert_rounds_to(a, b, terms=terms * grad.numel(), condition=condition)


@pytest.mark.equation("eq-transformer-layer-norm")
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(2, 8), seeds)
@settings(max_examples=30)
def test_layer_norm_is_torchs(rows, d, seed):
    rng = np.random.default_rng(seed)
    mine, theirs = randomise(LayerNorm(d), rng), nn.LayerNorm(d).double()
    theirs.load_state_dict(mine.state_dict())
    x = normal(rng, *rows, d)
    leaves = [x, *mine.parameters()], [x, *theirs.parameters()]
    condition = NORM_CONDITION
    assert_same(mine(x), theirs(x), leaves, rng, terms=4 * x.numel(), condition=condition)


@pytest.mark.equation("eq-transformer-rms-norm")
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 8), seeds)
@settings(max_examples=30)
def test_rms_norm_is_torchs(rows, d, seed):
    rng = np.random.default_rng(seed)
    mine, theirs = randomise(RMSNorm(d), rng), nn.RMSNorm(d, eps=1e-5).double()
    theirs.load_state_dict(mine.state_dict())
    x = normal(rng, *rows, d)
    leaves = [x, *mine.parameters()], [x, *theirs.parameters()]
    condition = NORM_CONDITION
    assert_same(mine(x), theirs(x), leaves, rng, terms=4 * x.numel(), condition=condition)


@pytest.mark.equation("eq-transformer-layer-norm")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_layer_norm_of_a_large_offset_matches_extended_precision(dtype):
    """The case in which a variance from the mean of squares loses everything."""
    d = 512
    x = torch.tensor(np.random.default_rng(0).normal(size=(4, d)) + 1e4, dtype=dtype)
    wide = np.asarray(x.double(), np.longdouble)
    centred = wide - wide.mean(-1, keepdims=True)
    truth = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + np.longdouble(1e-5))
    found = LayerNorm(d).to(dtype)(x).detach().double().numpy()
    # The mean of numbers of size 1e4 carries an error of half a unit in its last place and more;
    # divided by a deviation of 1 it stays. A summation error of log2(d) units covers it.
    unit = 1e4 * torch.finfo(dtype).eps
    assert np.abs(found - truth.astype(float)).max() < np.log2(d) * unit


def test_rms_norm_in_half_precision_is_computed_in_single():
    x = torch.full((1, 64), 300.0, dtype=torch.float16)  # its square is beyond float16
    assert torch.allclose(RMSNorm(64).half()(x), torch.ones(1, 64, dtype=torch.float16))


@pytest.mark.equation("eq-transformer-feed-forward")
@pytest.mark.parametrize("kind", ["relu", "gelu", "gelu-tanh"])
def test_a_feed_forward_part_widens_bends_and_narrows(kind):
    rng = np.random.default_rng(1)
    part, x = randomise(FeedForward(3, 7, kind), rng), normal(rng, 2, 5, 3)
    bend = {
        "relu": lambda a: np.maximum(a, 0),
        "gelu": lambda a: a * torch.special.ndtr(torch.tensor(a)).numpy(),
        "gelu-tanh": lambda a: a / (1 + np.exp(-2 * np.sqrt(2 / np.pi) * (a + 0.044715 * a**3))),
    }[kind]
    W1, b1, W2, b2 = (
        p.detach().numpy() for p in (part.up.weight, part.up.bias, part.down.weight, part.down.bias)
    )
    expected = bend(x.detach().numpy() @ W1.T + b1) @ W2.T + b2
    assert_rounds_to(part(x).detach(), expected, terms=16)


@pytest.mark.equation("eq-transformer-swiglu")
def test_swiglu_gates_one_map_by_the_swish_of_another():
    rng = np.random.default_rng(2)
    part, x = randomise(FeedForward(3, 7, "swiglu", bias=False), rng), normal(rng, 2, 5, 3)
    a = x.detach().numpy()
    W, V, W2 = (p.detach().numpy() for p in (part.gate.weight, part.up.weight, part.down.weight))
    gate = a @ W.T
    expected = (gate / (1 + np.exp(-gate)) * (a @ V.T)) @ W2.T
    assert_rounds_to(part(x).detach(), expected, terms=16)


@pytest.mark.equation("eq-transformer-swiglu")
def test_swiglu_of_two_thirds_the_width_weighs_as_much():
    d = 384
    plain, gated = (
        FeedForward(d, 4 * d, bias=False),
        FeedForward(d, 8 * d // 3, "swiglu", bias=False),
    )
    assert sum(p.numel() for p in plain.parameters()) == sum(p.numel() for p in gated.parameters())


# --- attention layers -----------------------------------------------------------------------------


def torchs_attention(layer, d, heads):
    """torch's layer with the weights of ours."""
    theirs = nn.MultiheadAttention(d, heads, batch_first=True).double()
    parts = (layer.query, layer.key, layer.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([p.weight for p in parts]))
        theirs.in_proj_bias.copy_(torch.cat([p.bias for p in parts]))
        theirs.out_proj.load_state_dict(layer.out.state_dict())
    return theirs


@st.composite
def layers(draw):
    rng = np.random.default_rng(draw(seeds))
    heads, width, B, N, M = (draw(st.integers(1, 4)) for _ in range(5))
    d, causal, cross = heads * width, draw(st.booleans()), draw(st.booleans())
    M = M if cross else N
    mine = randomise(MultiHeadAttention(d, heads), rng)
    x = normal(rng, B, N, d)
    keys, values = (normal(rng, B, M, d), normal(rng, B, M, d)) if cross else (x, x)
    seen = torch.tensor(rng.random((B, M)) < 0.7)
    seen[:, 0] = True  # the first key is there, so that no row is dead: torch would give NaN
    return rng, mine, x, keys, values, seen, causal and not cross


@pytest.mark.equation("eq-transformer-multi-head")
@given(layers())
@settings(max_examples=40)
def test_multi_head_attention_is_torchs(problem):
    rng, mine, x, keys, values, seen, causal = problem
    theirs = torchs_attention(mine, x.shape[2], mine.n_heads)
    N = x.shape[1]
    future = torch.ones(N, N, dtype=torch.bool).triu(1) if causal else None
    expected, weights = theirs(
        x, keys, values, attn_mask=future, key_padding_mask=~seen, average_attn_weights=False
    )
    mask = seen[:, None, None, :]
    found = mine(x, keys, values, causal=causal, mask=mask)
    leaves = [x, *([] if keys is x else [keys, values])]
    mine_leaves = [*leaves, mine.out.weight, mine.out.bias, mine.value.weight, mine.query.weight]
    terms = 32 * (x.shape[2] + keys.shape[1])
    assert_rounds_to(found.detach(), expected.detach(), terms=terms)
    maps = mine.weights(x, keys, causal=causal, mask=mask).detach()
    assert_rounds_to(maps, weights.detach(), terms=terms)
    grad = torch.tensor(rng.normal(size=found.shape))
    ours = torch.autograd.grad(found, mine_leaves, grad)
    fused = theirs.in_proj_weight
    other = torch.autograd.grad(
        expected, [*leaves, theirs.out_proj.weight, theirs.out_proj.bias, fused], grad
    )
    query, _, value = other[-1].chunk(3)
    for a, b in zip(ours, [*other[:-1], value, query], strict=True):
        assert_rounds_to(a, b, terms=terms * grad.numel())


@pytest.mark.equation("eq-transformer-attention")
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), seeds)
@settings(max_examples=40)
def test_columns_and_rows_are_the_same_numbers(d_k, d_v, n, m, seed):
    rng = np.random.default_rng(seed)
    Q, K, V = normal(rng, d_k, n), normal(rng, d_k, m), normal(rng, d_v, m)
    mask = torch.tensor(rng.random((m, n)) < 0.7)
    mask[0] = True
    rows = F.scaled_dot_product_attention(Q.T[None], K.T[None], V.T[None], attn_mask=mask.T)[0]
    assert_rounds_to(column_attention(Q, K, V, mask=mask).detach(), rows.T.detach(), terms=16)


@pytest.mark.equation("eq-transformer-attention")
def test_each_column_is_the_lectures_weighted_average():
    """Entry by entry, as the close look at the equations writes it."""
    rng = np.random.default_rng(3)
    Q, K, V = rng.normal(size=(3, 2)), rng.normal(size=(3, 4)), rng.normal(size=(5, 4))
    found = column_attention(*(torch.tensor(x) for x in (Q, K, V))).numpy()
    for i in range(2):
        e = np.array([np.exp(K[:, j] @ Q[:, i] / np.sqrt(3)) for j in range(4)])
        a = [e[j] / sum(e[other] for other in range(4)) for j in range(4)]
        assert_rounds_to(found[:, i], sum(a[j] * V[:, j] for j in range(4)), terms=16)


@pytest.mark.equation("eq-transformer-multi-head")
@pytest.mark.parametrize("cross", [False, True])
def test_the_lectures_stacked_heads_are_the_batch_first_layer(cross):
    rng = np.random.default_rng(4)
    heads, width, d = 3, 2, 6
    layer = randomise(MultiHeadAttention(d, heads, bias=False), rng)
    Z = normal(rng, d, 4)
    Y, X = (normal(rng, d, 5), normal(rng, d, 5)) if cross else (Z, Z)
    split = [list(p.weight.split(width)) for p in (layer.query, layer.key, layer.value)]
    columns = column_multi_head(Z, Y, X, *split, layer.out.weight)
    rows = layer(Z.T[None], Y.T[None], X.T[None])[0]
    assert_rounds_to(columns.detach(), rows.T.detach(), terms=32)


@pytest.mark.equation("eq-transformer-equivariance")
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 7), seeds)
@settings(max_examples=30)
def test_permuting_the_tokens_permutes_the_outputs(heads, width, N, seed):
    rng = np.random.default_rng(seed)
    d = heads * width
    config = TransformerConfig(9, d, n_layers=1, n_heads=heads)
    block, x = randomise(Block(config), rng), normal(rng, 2, N, d)
    order = torch.tensor(rng.permutation(N))
    after = block(x)[:, order]
    assert_rounds_to(block(x[:, order]).detach(), after.detach(), terms=256)


def test_causal_or_rotary_attention_is_not_equivariant():
    rng = np.random.default_rng(5)
    x, order = normal(rng, 1, 4, 4), torch.tensor([2, 0, 3, 1])
    for layer, options in (
        (MultiHeadAttention(4, 2), {"causal": True}),
        (MultiHeadAttention(4, 2, rotary_base=10_000.0), {}),
    ):
        randomise(layer, rng)
        apart = layer(x[:, order], **options) - layer(x, **options)[:, order]
        assert apart.abs().max() > 1e-3


def test_grouped_queries_share_neighbouring_heads():
    rng = np.random.default_rng(6)
    grouped, full = randomise(MultiHeadAttention(8, 4, 2), rng), MultiHeadAttention(8, 4).double()
    state = grouped.state_dict()
    for name in ("key.weight", "key.bias", "value.weight", "value.bias"):
        part = state[name].unflatten(0, (2, 2))  # (groups, D, ...)
        state[name] = part.repeat_interleave(2, 0).flatten(0, 1)
    full.load_state_dict(state)
    x = normal(rng, 2, 5, 8)
    assert_rounds_to(grouped(x).detach(), full(x).detach(), terms=64)


def test_a_causal_query_that_joins_a_cache_turns_by_its_place():
    rng = np.random.default_rng(7)
    layer, x = randomise(MultiHeadAttention(8, 2, rotary_base=100.0), rng), normal(rng, 1, 6, 8)
    whole = layer(x, causal=True)
    last = layer(x[:, 4:], x, causal=True)
    assert_rounds_to(last.detach(), whole[:, 4:].detach(), terms=64)


X = torch.zeros(2, 3, 8)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: MultiHeadAttention(8, 3), "must divide it"),
        (lambda: MultiHeadAttention(8, 0), "must divide it"),
        (lambda: MultiHeadAttention(8, 4, 3), "n_kv_heads 3"),
        (lambda: MultiHeadAttention(8, 4)(X[0]), r"x has shape \(3, 8\); \(batch, tokens, 8\)"),
        (lambda: MultiHeadAttention(8, 4)(X, X[..., :4]), "keys has shape"),
        (lambda: MultiHeadAttention(8, 4)(X, X, X[:, :2]), "each key has one value"),
        (lambda: MultiHeadAttention(8, 4)(X, X[:1]), "batch of 2 and k of 1"),
        (lambda: FeedForward(8, 8, "tanh"), "kind is 'tanh'; one of 'relu'"),
        (lambda: column_attention(X[0].T, X[0], X[0]), r"\(d_k, n\) and \(d_k, m\)"),
        (lambda: column_attention(X[0], X[0], X[0, :, :2]), "each key has one value"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("shape", [(0, 3, 8), (2, 0, 8)])
def test_an_empty_batch_or_sequence_stays_empty(shape):
    config = TransformerConfig(9, 8, n_layers=1, n_heads=2)
    assert Block(config)(torch.zeros(shape), causal=True).shape == shape
