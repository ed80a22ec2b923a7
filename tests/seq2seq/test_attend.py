"""Additive and multiplicative attention against loops and torch; padding, dead rows."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.seq2seq import AdditiveAttention, MultiplicativeAttention, attend, masked_softmax
from tests.seq2seq.near import assert_same

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**31)


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def lengths_mask(lengths, n):
    return torch.arange(n) < torch.tensor(lengths)[:, None]


@pytest.mark.equation("eq-seq2seq-additive")
@given(sizes, sizes, sizes, st.tuples(sizes, sizes, sizes), seeds)
@settings(max_examples=20)
def test_additive_scores_are_the_formula_query_by_query(B, M, N, widths, seed):
    attention = AdditiveAttention(*widths, generator=torch.Generator().manual_seed(seed)).double()
    s, h = numbers(B, M, widths[0], seed=seed), numbers(B, N, widths[1], seed=seed + 1)
    W_q, b, W_k = attention.query.weight, attention.query.bias, attention.key.weight
    v = attention.v.weight[0]
    expected = torch.empty(B, M, N, dtype=torch.float64)
    for i, j, k in torch.cartesian_prod(*map(torch.arange, (B, M, N))).reshape(-1, 3):
        expected[i, j, k] = v @ torch.tanh(W_q @ s[i, j] + b + W_k @ h[i, k])
    assert_same(attention.scores(s, attention.prepare(h)), expected, terms=sum(widths))


@pytest.mark.equation("eq-seq2seq-multiplicative")
@given(sizes, sizes, sizes, st.tuples(sizes, sizes), seeds)
@settings(max_examples=20)
def test_multiplicative_scores_are_the_bilinear_form(B, M, N, widths, seed):
    Q, K = widths
    s, h = numbers(B, M, Q, seed=seed), numbers(B, N, K, seed=seed + 1)
    general = MultiplicativeAttention(Q, K, generator=torch.Generator().manual_seed(seed)).double()
    W = general.key.weight  # (Q, K)
    expected = torch.stack([torch.einsum("mq,qk,nk->mn", s[i], W, h[i]) for i in range(B)])
    assert_same(general.scores(s, general.prepare(h)), expected, terms=Q * K)
    dot = MultiplicativeAttention(Q, Q, "dot")
    keys = numbers(B, N, Q, seed=seed + 2)
    expected = torch.einsum("bmq,bnq->bmn", s, keys)
    assert_same(dot.scores(s, dot.prepare(keys)), expected, terms=Q)


@pytest.mark.equation("eq-seq2seq-context")
@given(sizes, sizes, sizes, seeds)
@settings(max_examples=20)
def test_a_context_is_the_average_that_torch_computes(B, M, N, seed):
    q, keys, values = (numbers(B, n, 4, seed=seed + i) for i, n in enumerate((M, N, N)))
    lengths = torch.randint(1, N + 1, (B,), generator=torch.Generator().manual_seed(seed)).tolist()
    mask = lengths_mask(lengths, N)
    contexts, weights = attend(q @ keys.mT / 2, values, mask)
    expected = torch.nn.functional.scaled_dot_product_attention(
        q[:, None], keys[:, None], values[:, None], attn_mask=mask[:, None, None]
    )[:, 0]
    assert_same(contexts, expected, terms=N + 4)
    assert_same(weights.sum(-1), torch.ones(B, M, dtype=torch.float64), terms=N)
    assert not weights.masked_select(~mask[:, None].expand_as(weights)).any()


@pytest.mark.parametrize("attention", [AdditiveAttention(4, 3, 5), MultiplicativeAttention(4, 3)])
def test_what_stands_in_the_padding_does_not_matter(attention):
    attention = attention.double()
    queries, keys = numbers(2, 2, 4), numbers(2, 5, 3, seed=1)
    other = keys.clone()
    other[1, 2:] = 1e9
    mask = lengths_mask([5, 2], 5)
    for a, b in zip(attention(queries, keys, mask), attention(queries, other, mask), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_row_of_padding_gives_zero_and_no_nan_forward_or_backward(dtype):
    scores = torch.randn(2, 3, 4).to(dtype).requires_grad_()
    values = torch.randn(2, 4, 5).to(dtype).requires_grad_()
    contexts, weights = attend(scores, values, lengths_mask([4, 0], 4))
    assert not contexts[1].any()
    assert not weights[1].any()
    contexts.sum().backward()
    assert not scores.grad[1].any()
    assert not values.grad[1].any()
    assert scores.grad.isfinite().all()


def test_two_scores_one_apart_give_the_logistic_function():
    weights = masked_softmax(torch.tensor([[1.0, 0.0, 7.0]]), torch.tensor([[True, True, False]]))
    assert weights[0, 0].item() == pytest.approx(1 / (1 + math.exp(-1)), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: masked_softmax(torch.zeros(2), torch.ones(2)), TypeError, "bool wanted"),
        (lambda: attend(torch.zeros(1, 2, 3), torch.zeros(1, 4, 5)), ValueError, r"\(1, 3, K\)"),
        (
            lambda: attend(torch.zeros(1, 2, 3), torch.zeros(1, 3, 5), torch.ones(1, 4).bool()),
            ValueError,
            r"\(1, 3\) wanted",
        ),
        (lambda: MultiplicativeAttention(3, 4, "dot"), ValueError, "one width for both"),
        (lambda: MultiplicativeAttention(3, 4, "sum"), ValueError, "'general' or 'dot'"),
        (
            lambda: AdditiveAttention(3, 4, 5)(torch.zeros(1, 2, 4), torch.zeros(1, 2, 4)),
            ValueError,
            r"\(B, M, 3\) wanted",
        ),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
