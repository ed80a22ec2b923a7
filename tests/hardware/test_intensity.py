"""Formulas against the products that the course's own model does, counted as they run."""

import pytest
import torch

from coursekit.hardware import intensity
from coursekit.hardware.counted import counted, counted_training, decode_step
from coursekit.transformer import GPT, LLAMA_2_7B, LLAMA_3_8B, TransformerConfig
from coursekit.transformer.blocks import Block
from coursekit.transformer.count import measured_flops, num_parameters, skeleton


def config(kv_heads=4, feed_forward="swiglu", **options):
    return TransformerConfig(
        50, 32, 2, 4, n_kv_heads=kv_heads, bias=False, feed_forward=feed_forward,
        positions="none", d_ff=96, **options,
    )  # fmt: skip


SHAPES = pytest.mark.parametrize("kv_heads", [4, 2, 1])
FEEDS = pytest.mark.parametrize("feed_forward", ["gelu", "swiglu", "none"])
B, N = 3, 10


def copies(c, times=1):
    """What plain attention moves on top: it copies shared keys and values to every head."""
    return times * 2 * B * 2 * (c.n_heads - c.kv_heads) * N * c.d_head


@pytest.mark.equation("eq-hardware-intensity")
@pytest.mark.equation("eq-hardware-gemm")
@pytest.mark.parametrize(("m", "k", "n"), [(1, 7, 5), (8, 3, 2), (6, 6, 6)])
def test_a_product_does_and_moves_what_torch_does_and_moves(m, k, n):
    a, b = torch.randn(m, k, dtype=torch.float16), torch.randn(k, n, dtype=torch.float16)
    work = intensity.gemm(m, k, n)
    assert work == counted(torch.mm, a, b)
    assert work.operations == measured_flops(torch.mm, a, b)
    assert work.moved == a.nbytes + b.nbytes + (a @ b).nbytes
    assert work.intensity == work.operations / work.moved


@pytest.mark.equation("eq-hardware-prefill")
@SHAPES
@FEEDS
def test_prefill_is_what_a_block_does(kv_heads, feed_forward):
    c = config(kv_heads, feed_forward)
    found = counted(Block(c), torch.randn(B, N, 32), causal=True)
    formula = intensity.decoder_layer(c, "prefill", N, B, fused=False)
    assert found.operations == formula.operations
    assert found.moved == formula.moved + copies(c)


@SHAPES
@FEEDS
def test_training_is_three_times_prefill_forwards_and_backwards(kv_heads, feed_forward):
    c = config(kv_heads, feed_forward)
    found = counted_training(Block(c), torch.randn(B, N, 32), causal=True)
    formula = intensity.decoder_layer(c, "training", N, B, fused=False)
    assert found.operations == formula.operations
    assert found.moved == formula.moved + copies(c, 3)


@pytest.mark.equation("eq-hardware-decode")
@SHAPES
@FEEDS
def test_decode_is_what_a_block_does_with_a_cache(kv_heads, feed_forward):
    c = config(kv_heads, feed_forward)
    past = torch.randn(2, B, kv_heads, N - 1, c.d_head)
    found = counted(decode_step, Block(c), torch.randn(B, 1, 32), *past)
    assert found == intensity.decoder_layer(c, "decode", N, B, fused=False)


@pytest.mark.equation("eq-hardware-attention")
@pytest.mark.parametrize("fused", [True, False])
def test_attention_reads_each_head_of_keys_once(fused):
    c, queries, keys = config(2), 3, 7
    work = intensity.attention(c, queries, keys, B, itemsize=1, fused=fused)
    q = torch.zeros(B, c.n_heads, queries, c.d_head, dtype=torch.int8)
    k = torch.zeros(B, c.kv_heads, keys, c.d_head, dtype=torch.int8)
    table = torch.zeros(B, c.n_heads, queries, keys, dtype=torch.int8)
    assert work.moved == 2 * q.nbytes + 2 * k.nbytes + (0 if fused else 2 * table.nbytes)
    assert work.operations == 2 * 2 * table.nbytes * c.d_head


@SHAPES
def test_a_token_through_the_cache_is_the_last_token_of_the_whole(kv_heads):
    block = Block(config(kv_heads)).double()
    x = torch.randn(B, N, 32, dtype=torch.float64)
    k = v = torch.zeros(B, kv_heads, 0, 8, dtype=torch.float64)
    for n in range(N):
        out, k, v = decode_step(block, x[:, n : n + 1], k, v)
    torch.testing.assert_close(out, block(x, causal=True)[:, -1:], rtol=0, atol=1e-12)


def test_a_whole_model_is_its_layers_and_its_output():
    c = config()
    tokens = torch.zeros(B, N, dtype=torch.int64)
    found = counted(GPT(c), tokens)
    formula = c.n_layers * intensity.decoder_layer(c, "prefill", N, B, fused=False)
    assert found == formula + intensity.gemm(B * N, c.d_model, c.vocab_size)


def test_training_a_large_model_takes_six_operations_a_parameter_and_token():
    """6ND, and attention's share on top: 12 % at 4096 tokens."""
    parameters = num_parameters(skeleton(GPT, LLAMA_2_7B)) - 32_000 * 4096  # the table is looked up
    work = intensity.decoder(LLAMA_2_7B, "training", 4096)
    scores = 3 * 32 * intensity.attention(LLAMA_2_7B, 4096, 4096).operations
    assert work.operations - scores == pytest.approx(6 * parameters * 4096, rel=1e-4)
    assert scores / work.operations == pytest.approx(0.14, abs=0.03)


def test_one_token_of_decode_reads_every_weight_once():
    weights = num_parameters(skeleton(GPT, LLAMA_3_8B)) - 128_256 * 4096
    assert intensity.decoder(LLAMA_3_8B, "decode", 1).moved == pytest.approx(2 * weights, rel=2e-3)


@pytest.mark.equation("eq-hardware-kv-cache")
@SHAPES
def test_the_cache_is_as_large_as_the_tensors_that_decoding_keeps(kv_heads):
    c = config(kv_heads)
    k = v = torch.zeros(B, kv_heads, N - 1, c.d_head, dtype=torch.float64)
    _, k, v = decode_step(Block(c).double(), torch.zeros(B, 1, 32, dtype=torch.float64), k, v)
    assert intensity.kv_cache_bytes(c, N, B, itemsize=8) == c.n_layers * (k.nbytes + v.nbytes)


def test_bad_numbers_and_phases_are_refused():
    with pytest.raises(ValueError, match="phase is 'inference'"):
        intensity.decoder_layer(config(), "inference", 5)
    with pytest.raises(ValueError, match="rows is 0"):
        intensity.gemm(0, 1, 1)
    with pytest.raises(ValueError, match="tokens is 0"):
        intensity.kv_cache_bytes(config(), 0)
    with pytest.raises(ValueError, match="pre-norm"):
        decode_step(Block(config(norm="post")), *torch.zeros(3, 1, 1, 32))
