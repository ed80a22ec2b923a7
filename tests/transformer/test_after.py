"""Experts, linear attention and state spaces: fast forms against slow ones, and against sums."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.transformer import (
    DiagonalSSM,
    MixtureOfExperts,
    balance_loss,
    linear_attention,
    linear_attention_recurrent,
)
from tests.tolerances import assert_rounds_to

seeds = st.integers(0, 2**32 - 1)


def normal(seed, *shape):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


def experts(n_experts, top_k, kind="swiglu"):
    torch_random = torch.Generator().manual_seed(0)
    layer = MixtureOfExperts(4, 6, n_experts=n_experts, top_k=top_k, kind=kind).double()
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=torch_random, dtype=p.dtype))
    return layer


# --- mixture of experts ---------------------------------------------------------------------------


@pytest.mark.equation("eq-transformer-experts")
@given(st.integers(1, 5), st.data(), seeds)
@settings(max_examples=25)
def test_each_token_hears_its_best_experts_by_weight(n_experts, data, seed):
    layer = experts(n_experts, data.draw(st.integers(1, n_experts)))
    x = normal(seed, 2, 3, 4)
    found = layer(x).detach().numpy()
    for place in np.ndindex(2, 3):
        token = x[place]
        scores = (layer.router.weight @ token).detach().numpy()
        best = np.argsort(-scores)[: layer.top_k]
        share = np.exp(scores[best] - scores[best].max())
        said = np.stack([layer.experts[e](token[None])[0].detach().numpy() for e in best])
        assert_rounds_to(found[place], share @ said / share.sum(), terms=64)


@pytest.mark.equation("eq-transformer-experts")
def test_with_all_experts_awake_it_is_the_dense_mixture_gradients_included():
    layer, x = experts(3, 3), normal(0, 5, 4)
    shares = (x @ layer.router.weight.T).softmax(-1)
    dense = sum(shares[:, e, None] * expert(x) for e, expert in enumerate(layer.experts))
    leaves = [x, *layer.parameters()]
    grad = torch.tensor(np.random.default_rng(1).normal(size=(5, 4)))
    mine = torch.autograd.grad(layer(x), leaves, grad)
    for a, b in zip(mine, torch.autograd.grad(dense, leaves, grad), strict=True):
        assert_rounds_to(a, b, terms=1000)


def test_an_expert_that_no_token_wakes_learns_nothing():
    layer = experts(2, 1)
    with torch.no_grad():
        layer.router.weight.copy_(torch.tensor([[1.0], [-1.0]]) * torch.ones(2, 4))
    layer(torch.ones(3, 4, dtype=torch.float64)).sum().backward()
    assert layer.experts[0].up.weight.grad.abs().max() > 0
    assert (layer.experts[1].up.weight.grad == 0).all()


def test_balance_is_one_for_even_routing_and_the_number_of_experts_for_one():
    even = torch.eye(4).repeat(3, 1) * 1e-3
    assert abs(float(balance_loss(even, 1)) - 1) < 1e-6
    alone = torch.tensor([[50.0, 0, 0, 0]]).expand(7, 4)
    assert abs(float(balance_loss(alone, 1)) - 4) < 1e-6


@pytest.mark.parametrize("top_k", [0, 4])
def test_waking_no_expert_or_too_many_is_refused(top_k):
    with pytest.raises(ValueError, match=f"top_k is {top_k} of 3 experts; 1 to 3"):
        MixtureOfExperts(4, 4, n_experts=3, top_k=top_k)


def test_no_tokens_go_through_experts_unharmed():
    assert experts(3, 2)(torch.zeros(0, 5, 4, dtype=torch.float64)).shape == (0, 5, 4)


# --- linear attention -----------------------------------------------------------------------------


def heads(seed, N):
    return normal(seed, 2, 2, N, 3), normal(seed + 1, 2, 2, N, 3), normal(seed + 2, 2, 2, N, 4)


@pytest.mark.equation("eq-transformer-linear-attention")
@given(st.integers(1, 9), st.integers(0, 2**31))
@settings(max_examples=25)
def test_the_parallel_form_is_the_recurrence_gradients_included(N, seed):
    q, k, v = heads(seed, N)
    parallel, recurrent = (
        linear_attention(q, k, v, causal=True),
        linear_attention_recurrent(q, k, v),
    )
    assert_rounds_to(parallel.detach(), recurrent.detach(), terms=64, condition=100)
    grad = torch.tensor(np.random.default_rng(seed).normal(size=parallel.shape))
    a = torch.autograd.grad(parallel, (q, k, v), grad)
    b = torch.autograd.grad(recurrent, (q, k, v), grad)
    for mine, theirs in zip(a, b, strict=True):
        assert_rounds_to(mine, theirs, terms=1000, condition=100)


@pytest.mark.equation("eq-transformer-linear-attention")
def test_linear_attention_is_the_weighted_average_entry_by_entry():
    q, k, v = (x.detach() for x in heads(5, 4))
    phi = lambda x: np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))  # noqa: E731
    for causal in (False, True):
        found = linear_attention(q, k, v, causal=causal)
        for b, h, i in np.ndindex(2, 2, 4):
            seen = range(i + 1 if causal else 4)
            w = [phi(q[b, h, i].numpy()) @ phi(k[b, h, j].numpy()) for j in seen]
            mean = sum(x * v[b, h, j].numpy() for x, j in zip(w, seen, strict=True)) / sum(w)
            assert_rounds_to(found[b, h, i], mean, terms=64)


def test_no_tokens_give_no_outputs():
    q, k, v = heads(0, 0)
    assert linear_attention(q, k, v, causal=True).shape == v.shape
    assert linear_attention_recurrent(q, k, v).shape == v.shape


# --- state spaces ---------------------------------------------------------------------------------


def system(seed, d=3, states=4):
    layer = DiagonalSSM(d, states, generator=torch.Generator().manual_seed(seed)).double()
    return layer


@pytest.mark.equation("eq-transformer-ssm")
@given(st.integers(0, 40), seeds)
@settings(max_examples=25)
def test_the_convolution_is_the_recurrence_gradients_included(N, seed):
    layer, x = system(seed), normal(seed, 2, N, 3)
    assert_rounds_to(layer(x).detach(), layer.recur(x).detach(), terms=64 * (N + 1))
    if N:
        leaves = [x, *layer.parameters()]
        grad = torch.tensor(np.random.default_rng(seed).normal(size=(2, N, 3)))
        a = torch.autograd.grad(layer(x), leaves, grad)
        b = torch.autograd.grad(layer.recur(x), leaves, grad)
        for mine, theirs in zip(a, b, strict=True):
            assert_rounds_to(mine, theirs, terms=1000 * N * N)


@pytest.mark.equation("eq-transformer-ssm")
def test_the_discrete_system_is_the_continuous_one_under_a_held_input():
    """h' = A h + x with x held for a step, integrated by many small steps of Euler's method."""
    layer = system(3, d=1, states=2)
    step = float(layer.log_step.detach().exp())
    A = torch.complex(-layer.log_decay.exp(), layer.frequency)[0].detach().numpy()
    C = torch.view_as_complex(layer.read.detach())[0].numpy()
    x, small, h, out = [1.0, -0.5, 2.0], 20_000, np.zeros(2, complex), []
    for value in x:
        for _ in range(small):
            h = h + step / small * (A * h + value)
        out.append(2 * (C * h).sum().real + float(layer.skip.detach()) * value)
    found = layer(torch.tensor(x, dtype=torch.float64)[None, :, None])[0, :, 0].detach().numpy()
    euler = np.abs(step * A).max() ** 2 / small * len(x)  # its error: half of this a step, and room
    assert np.abs(found - out).max() < 2 * euler * np.abs(C / A).sum() + 1e-9


def test_no_state_explodes_however_long_the_sequence():
    A_bar, _ = system(4).system()
    assert (A_bar.abs() < 1).all()


def test_the_future_does_not_reach_the_past():
    layer, x = system(5), normal(5, 1, 8, 3)
    (slope,) = torch.autograd.grad(layer(x)[0, 3].sum(), x)
    assert (slope[0, 4:].abs() < 1e-12).all()
    assert (slope[0, :4].abs() > 1e-6).all()
