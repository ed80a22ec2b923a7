"""Tile by tile in torch: the chapter's derivation, in float64 against the whole computation."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.attention.blockwise import (
    blockwise_attention,
    blockwise_backward,
    merge,
    online_softmax,
)


@st.composite
def problems(draw):
    n, m, d, e = (draw(st.integers(1, 12)) for _ in range(4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    q, k, v, grad = (
        torch.randn(*shape, generator=generator, dtype=torch.float64)
        for shape in ((n, d), (m, d), (m, e), (n, e))
    )
    return q, k, v, grad, draw(st.integers(1, 13)), draw(st.booleans())


def whole(q, k, v, causal):
    """Output and log-sum-exp with the full matrix of scores."""
    scores = q @ k.T / 3
    if causal:
        place = torch.arange(len(q))[:, None] + len(k) - len(q)
        scores = scores.masked_fill(torch.arange(len(k)) > place, -torch.inf)
    out = scores.softmax(1).nan_to_num(0.0) @ v
    return out, scores.logsumexp(1)


@pytest.mark.equation("eq-attention-online-output")
@settings(max_examples=60, deadline=None)
@given(problems())
def test_tiles_give_what_the_whole_matrix_gives(problem):
    q, k, v, _, block, causal = problem
    out, lse = blockwise_attention(q, k, v, scale=1 / 3, block=block, causal=causal)
    wanted_out, wanted_lse = whole(q, k, v, causal)
    assert torch.allclose(out, wanted_out, rtol=0, atol=1e-13)
    alive = wanted_lse.isfinite()
    assert torch.equal(alive, lse.isfinite())
    assert torch.allclose(lse[alive], wanted_lse[alive], rtol=0, atol=1e-13)


@pytest.mark.equation("eq-attention-online-peak")
@pytest.mark.equation("eq-attention-online-sum")
@settings(max_examples=40, deadline=None)
@given(problems())
def test_after_every_tile_the_state_is_the_softmax_of_the_keys_so_far(problem):
    q, k, v, _, block, _ = problem
    for step in online_softmax(q, k, v, scale=1 / 3, block=block):
        scores = q @ k[: step.keys.stop].T / 3
        assert torch.equal(step.peak, scores.amax(1)) or torch.allclose(
            step.peak, scores.amax(1), rtol=1e-14
        )
        total = torch.exp(scores - scores.amax(1, keepdim=True)).sum(1)
        assert torch.allclose(step.total, total, rtol=1e-12)


@pytest.mark.equation("eq-attention-recompute")
@pytest.mark.equation("eq-attention-delta")
@pytest.mark.equation("eq-attention-grad-value")
@pytest.mark.equation("eq-attention-grad-score")
@pytest.mark.equation("eq-attention-grad-query")
@pytest.mark.equation("eq-attention-grad-key")
@settings(max_examples=60, deadline=None)
@given(problems())
def test_the_backward_equals_autograds(problem):
    q, k, v, grad, block, causal = problem
    out, lse = blockwise_attention(q, k, v, scale=1 / 3, block=block, causal=causal)
    found = blockwise_backward(grad, q, k, v, out, lse, scale=1 / 3, block=block, causal=causal)
    given_ = [x.clone().requires_grad_() for x in (q, k, v)]
    scores = given_[0] @ given_[1].T / 3
    if causal:
        place = torch.arange(len(q))[:, None] + len(k) - len(q)
        scores = scores.masked_fill(torch.arange(len(k)) > place, -1e300)
        dead = (place < 0).squeeze(1)
        weights = scores.softmax(1).masked_fill(dead[:, None], 0.0)
    else:
        weights = scores.softmax(1)
    wanted = torch.autograd.grad(weights @ given_[2], given_, grad)
    for ours, theirs in zip(found, wanted, strict=True):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)


def test_no_tile_is_refused():
    x = torch.eye(2)
    with pytest.raises(ValueError, match="block is 0"):
        list(online_softmax(x, x, x, scale=1.0, block=0))


@pytest.mark.equation("eq-attention-merge")
@settings(max_examples=40, deadline=None)
@given(problems(), st.integers(1, 11))
def test_states_of_two_parts_of_the_keys_merge_into_the_whole(problem, cut):
    q, k, v, _, block, _ = problem
    if cut >= len(k):
        return
    parts = [
        list(online_softmax(q, k[here], v[here], scale=1 / 3, block=block))[-1]
        for here in (slice(0, cut), slice(cut, None))
    ]
    merged = merge(*parts)
    wanted, _ = whole(q, k, v, causal=False)
    out = merged.out / merged.total[:, None]
    assert torch.allclose(out, wanted, rtol=0, atol=1e-13)
    other = merge(*parts[::-1])
    assert torch.allclose(other.out, merged.out, rtol=0, atol=1e-13)  # in any order
