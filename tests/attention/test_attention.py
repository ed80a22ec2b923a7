"""The entry point against torch's operator, sums in extended precision, and properties."""

import math
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention.bias import causal_lower_right

from coursekit.attention import attention, attention_weights, causal_mask
from tests.tolerances import assert_rounds_to

F = torch.nn.functional
BACKENDS = ["torch", "reference"]
seeds = st.integers(0, 2**32 - 1)


@dataclass
class Problem:
    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    mask: torch.Tensor | None
    bias: torch.Tensor | None
    causal: bool
    grad: torch.Tensor

    @property
    def scores(self):
        """Shape (B, H, N, M)."""
        return (*self.q.shape[:3], self.k.shape[2])

    @property
    def terms(self):
        """Length of the longest chain of sums on the way to a gradient."""
        return 8 * sum(self.q.shape[1:]) + 8 * self.k.shape[2]


def normal(rng, *shape):
    return torch.tensor(rng.normal(size=shape), requires_grad=True)


@st.composite
def problems(draw, masked=True, square=False):
    rng = np.random.default_rng(draw(seeds))
    B, G, N, D, E = (draw(st.integers(1, 4)) for _ in range(5))
    H, M = G * draw(st.integers(1, 3)), N if square else draw(st.integers(1, 6))
    q, k, v = normal(rng, B, H, N, D), normal(rng, B, G, M, D), normal(rng, B, G, M, E)
    like = draw(st.sampled_from([(B, H, N, M), (B, 1, 1, M), (N, M), (1, H, 1, 1)]))
    mask = torch.tensor(rng.random(like) < 0.7) if masked and draw(st.booleans()) else None
    bias = normal(rng, *like) if masked and draw(st.booleans()) else None
    grad = torch.tensor(rng.normal(size=(B, H, N, E)))
    return Problem(q, k, v, mask, bias, draw(st.booleans()), grad)


def torchs(p):
    """The same by torch's operator, given every condition as one float mask."""
    seen = torch.ones(p.scores, dtype=torch.bool) if p.mask is None else p.mask.expand(p.scores)
    if p.causal:
        *_, N, M = p.scores
        seen = seen & torch.ones(N, M, dtype=torch.bool).tril(M - N)
    bias = torch.zeros(p.scores, dtype=torch.float64) if p.bias is None else p.bias
    group = p.q.shape[1] // p.k.shape[1]
    k, v = p.k.repeat_interleave(group, 1), p.v.repeat_interleave(group, 1)
    out = F.scaled_dot_product_attention(
        p.q, k, v, attn_mask=(bias + 0.0).expand(p.scores).masked_fill(~seen, -math.inf)
    )
    return out, seen.any(-1)


def leaves(p):
    return [x for x in (p.q, p.k, p.v, p.bias) if x is not None]


@pytest.mark.equation("eq-transformer-attention-rows")
@pytest.mark.parametrize("backend", BACKENDS)
@given(problems())
@settings(max_examples=60)
def test_outputs_and_gradients_are_torchs(backend, p):
    expected, alive = torchs(p)
    expected = expected.masked_fill(~alive[..., None], 0.0)
    found = attention(p.q, p.k, p.v, causal=p.causal, mask=p.mask, bias=p.bias, backend=backend)
    assert_rounds_to(found.detach(), expected.detach(), terms=p.terms)
    theirs = torch.autograd.grad(expected, leaves(p), p.grad, allow_unused=True)
    mine = torch.autograd.grad(found, leaves(p), p.grad, allow_unused=True)
    for a, b, x in zip(mine, theirs, leaves(p), strict=True):
        a, b = (torch.zeros_like(x) if g is None else g for g in (a, b))
        assert_rounds_to(a, b, terms=p.terms * p.grad.numel())


def by_hand(q, k, v, seen, *, scale, softcap=None, bias=None):
    """One query after the other in NumPy's extended precision: output and log-sum-exp."""
    q, k, v = (np.asarray(x.detach(), np.longdouble) for x in (q, k, v))
    (B, H, N, _), G, E = q.shape, k.shape[1], v.shape[3]
    out, lse = np.zeros((B, H, N, E), np.longdouble), np.full((B, H, N), -np.inf, np.longdouble)
    for b, h, i in np.ndindex(B, H, N):
        g = h // (H // G)
        js = np.flatnonzero(seen[b, h, i])
        if len(js):
            s = np.array([(q[b, h, i] * k[b, g, j]).sum() * scale for j in js])
            s = s if softcap is None else softcap * np.tanh(s / softcap)
            s = s if bias is None else s + np.asarray(bias, np.longdouble)[b, h, i, js]
            e = np.exp(s - s.max())
            out[b, h, i] = (e[:, None] * v[b, g, js]).sum(0) / e.sum()
            lse[b, h, i] = s.max() + np.log(e.sum())
    return out, lse


def test_large_scores_match_sums_in_extended_precision():
    rng = np.random.default_rng(0)
    q, k, v = normal(rng, 1, 2, 5, 8), normal(rng, 1, 1, 7, 8), normal(rng, 1, 1, 7, 3)
    q = q.detach() * 50
    expected, _ = by_hand(q, k, v, np.ones((1, 2, 5, 7), bool), scale=8**-0.5)
    # An error of EPS in a score of size s becomes s * EPS in its exponential.
    worst = float((q @ k.detach().transpose(-2, -1)).abs().max())
    for backend in BACKENDS:
        found = attention(q, k, v, backend=backend).detach()
        assert_rounds_to(found, expected.astype(float), terms=8, condition=worst)


@given(problems(), st.integers(1, 4), st.sampled_from([None, 0.5, 3.0]), st.floats(0.1, 2.0))
@settings(max_examples=40)
def test_window_cap_scale_and_log_sum_exp_are_what_they_say(p, window, softcap, scale):
    B, H, N, M = p.scores
    place = np.arange(N)[:, None] + M - N
    lag = place - np.arange(M)
    near = (lag < window) & (lag > -window) & ((lag >= 0) | (not p.causal))
    given_mask = True if p.mask is None else p.mask.expand(p.scores).numpy()
    seen = np.broadcast_to(near & given_mask, (B, H, N, M))
    bias = None if p.bias is None else p.bias.detach().expand(p.scores)
    out, lse = by_hand(p.q, p.k, p.v, seen, scale=scale, softcap=softcap, bias=bias)
    found, found_lse = attention(
        *(p.q, p.k, p.v),
        causal=p.causal,
        window=window,
        softcap=softcap,
        scale=scale,
        mask=p.mask,
        bias=p.bias,
        return_lse=True,
    )
    assert_rounds_to(found.detach(), out.astype(float), terms=p.terms)
    dead = ~seen.any(-1)
    assert (found_lse.detach().numpy()[dead] == -np.inf).all()
    assert_rounds_to(found_lse.detach()[~dead], lse[~dead].astype(float), terms=p.terms)


@pytest.mark.equation("eq-transformer-causal-mask")
def test_causal_is_aligned_to_the_bottom_right_and_torchs_flag_is_not():
    rng = np.random.default_rng(1)
    q, k, v = normal(rng, 1, 1, 2, 4), normal(rng, 1, 1, 5, 4), normal(rng, 1, 1, 5, 5)
    ours = attention(q, k, v, causal=True)
    top_left = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    bottom_right = causal_lower_right(2, 5)
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=bottom_right)
    assert_rounds_to(ours.detach(), theirs.detach(), terms=16)
    assert (ours - top_left).abs().max() > 0.1
    assert torch.equal(top_left[0, 0, 0], v[0, 0, 0])  # torch's first query sees the first key only


@pytest.mark.equation("eq-transformer-causal-mask")
@pytest.mark.parametrize("backend", BACKENDS)
@given(problems(masked=False, square=True), st.data())
@settings(max_examples=25)
def test_causal_hides_the_future(backend, p, data):
    N = p.q.shape[2]
    i = data.draw(st.integers(0, N - 1))
    k, v = p.k.detach().clone(), p.v.detach().clone()
    k[:, :, i + 1 :], v[:, :, i + 1 :] = 7.0, -1e9
    before = attention(p.q, p.k, p.v, causal=True, backend=backend)[:, :, : i + 1]
    after = attention(p.q, k, v, causal=True, backend=backend)[:, :, : i + 1]
    assert_rounds_to(after.detach(), before.detach(), terms=p.terms)


@given(problems(masked=False))
@settings(max_examples=25)
def test_grouped_heads_are_repeated_heads(p):
    group = p.q.shape[1] // p.k.shape[1]
    repeated = attention(
        p.q, p.k.repeat_interleave(group, 1), p.v.repeat_interleave(group, 1), causal=p.causal
    )
    grouped = attention(p.q, p.k, p.v, causal=p.causal)
    assert_rounds_to(grouped.detach(), repeated.detach(), terms=p.terms)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("how", ["mask", "bias", "causal", "padding"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_dead_rows_give_zero_and_finite_gradients(backend, how, dtype):
    rng = np.random.default_rng(2)
    q, k, v = (x.detach().to(dtype).requires_grad_() for x in (normal(rng, 2, 2, 3, 4),) * 3)
    if how == "causal":  # more queries than keys: the first one has no key
        k, v = (x.detach()[:, :, :2].clone().requires_grad_() for x in (k, v))
    bias = torch.zeros(3, 3, dtype=dtype)
    bias[0] = -torch.inf
    padding = torch.tensor([False, True])[:, None, None, None].expand(2, 1, 1, 3)
    options = {
        "mask": {"mask": bias == 0},
        "bias": {"bias": bias.requires_grad_()},
        "causal": {"causal": True},
        "padding": {"mask": padding},
    }[how]
    out = attention(q, k, v, **options, backend=backend)
    dead = out[0] if how == "padding" else out[:, :, 0]
    assert (dead == 0).all()
    assert (out[1, :, 1:] != 0).all()
    out.square().sum().backward()
    for x in (q, k, v, *([bias] if how == "bias" else [])):
        assert x.grad.isfinite().all()
    assert (q.grad[0] == 0).all() if how == "padding" else (q.grad[:, :, 0] == 0).all()


def test_the_log_sum_exp_of_a_dead_row_passes_no_gradient():
    q = torch.ones(1, 1, 2, 4, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True, True], [False, False]])
    _, lse = attention(q, q.detach(), q.detach(), mask=mask, return_lse=True)
    assert lse[0, 0, 1] == -torch.inf
    lse[0, 0, 0].backward()
    assert q.grad.isfinite().all()


@given(problems(masked=False, square=True))
@settings(max_examples=25)
def test_packed_sequences_do_not_see_each_other(p):
    B, N = p.q.shape[0], p.q.shape[2]

    def packed(x):  # (B, H, N, D) -> (1, H, B·N, D)
        return x.transpose(0, 1).flatten(1, 2)[None]

    starts = torch.arange(B + 1) * N
    together = attention(packed(p.q), packed(p.k), packed(p.v), cu_seqlens=starts, causal=p.causal)
    apart = attention(p.q, p.k, p.v, causal=p.causal)
    assert_rounds_to(together.detach(), packed(apart).detach(), terms=p.terms)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("q", "k", "shape"),
    [
        ((0, 2, 3, 4), (0, 2, 3, 4), (0, 2, 3, 4)),
        ((2, 2, 0, 4), (2, 2, 3, 4), (2, 2, 0, 4)),
        ((2, 2, 3, 4), (2, 1, 0, 4), (2, 2, 3, 4)),
    ],
    ids=["no batch", "no queries", "no keys"],
)
def test_empty_inputs_give_empty_or_zero_outputs(backend, q, k, shape):
    q, k = torch.ones(q, requires_grad=True), torch.ones(k)
    out = attention(q, k, k, causal=True, backend=backend)
    assert out.shape == shape
    assert (out == 0).all()
    out.sum().backward()
    assert (q.grad == 0).all()


@given(problems())
@settings(max_examples=40)
def test_weights_average_the_values_and_sum_to_one(p):
    weights = attention_weights(p.q, p.k, causal=p.causal, mask=p.mask, bias=p.bias).detach()
    _, alive = torchs(p)
    assert_rounds_to(weights.sum(-1), alive.expand(p.scores[:-1]).double(), terms=p.terms)
    assert (weights >= 0).all()
    v = p.v.repeat_interleave(p.q.shape[1] // p.v.shape[1], 1)
    out = attention(p.q, p.k, p.v, causal=p.causal, mask=p.mask, bias=p.bias)
    assert_rounds_to((weights @ v).detach(), out.detach(), terms=p.terms)


@pytest.mark.equation("eq-transformer-scale")
def test_a_dot_product_of_unit_normals_has_the_variance_of_their_width():
    rng, samples = np.random.default_rng(3), 40_000
    for D in (4, 64):
        q, k = rng.normal(size=(2, samples, D))
        score = (q * k).sum(1)
        # The variance of a sample variance is (E s⁴ - (E s²)²) / samples; five of its roots.
        error = 5 * np.sqrt(((score**2).var()) / samples)
        assert abs(score.var() - D) < error
        scaled = torch.tensor(q)[:, None, None], torch.tensor(k)[:, None, None]
        lse = attention(*scaled, scaled[1], return_lse=True)[1]  # one key: it is the score itself
        assert abs(float(lse.var()) - 1.0) < error / D


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_no_worse_than_rounding_the_inputs(backend, dtype):
    rng = np.random.default_rng(4)
    q, k, v = (normal(rng, 2, 4, 33, 16).detach() for _ in range(3))
    truth = attention(*(x.to(dtype).double() for x in (q, k, v)), causal=True)
    found = attention(*(x.to(dtype) for x in (q, k, v)), causal=True, backend=backend)
    assert found.dtype == dtype
    # Weights and output are each rounded once, values are of size at most 4.
    assert (found.double() - truth).abs().max() < 4 * 4 * torch.finfo(dtype).eps


def test_strides_do_not_matter():
    rng = np.random.default_rng(5)
    q, k, v = (normal(rng, 2, 5, 3, 4).detach().transpose(1, 2) for _ in range(3))
    contiguous = attention(q.contiguous(), k.contiguous(), v.contiguous(), causal=True)
    assert_rounds_to(attention(q, k, v, causal=True), contiguous, terms=32)


def test_a_window_of_one_copies_the_value():
    x = torch.randn(1, 2, 4, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(attention(x, x, x, causal=True, window=1), x)


X = torch.zeros(2, 4, 3, 8)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: attention(X, X[:, :3], X[:, :3]), ValueError, "q has 4 heads and k has 3"),
        (lambda: attention(X, X[:, :0], X[:, :0]), ValueError, "q has 4 heads and k has 0"),
        (lambda: attention(X[0], X, X), ValueError, "four axes wanted"),
        (lambda: attention(X, X[:1], X[:1]), ValueError, "batch of 2 and k of 1"),
        (lambda: attention(X, X[..., :4], X), ValueError, "width 8 and k of width 4"),
        (lambda: attention(X[..., :0], X[..., :0], X), ValueError, "must not be empty"),
        (lambda: attention(X, X, X[:, :, :2]), ValueError, "each key has one value"),
        (lambda: attention(X, X.double(), X), ValueError, r"Use k\.to\(q\)"),
        (lambda: attention(X.long(), X, X), ValueError, "float dtype wanted"),
        (lambda: attention(X.tolist(), X, X), TypeError, "q is a list"),
        (lambda: attention(X, X, X, mask=torch.ones(3, 3)), TypeError, "bool wanted"),
        (lambda: attention(X, X, X, mask=[True]), TypeError, "mask is a list"),
        (lambda: attention(X, X, X, bias=X[0, 0, :, :3].bool()), TypeError, "goes into `mask`"),
        (lambda: attention(X, X, X, mask=torch.ones(2, 3).bool()), ValueError, "None, None, :"),
        (lambda: attention(X, X, X, mask=torch.ones(5, 1, 3, 3).bool()), ValueError, "broadcast"),
        (lambda: attention(X, X, X, bias=torch.ones(3, 2, 4, 3, 3)), ValueError, "broadcast"),
        (lambda: attention(X, X, X, window=0), ValueError, "window is 0"),
        (lambda: attention(X, X, X, softcap=0.0), ValueError, "softcap is 0"),
        (
            lambda: attention(X, X, X, backend="flash"),
            ValueError,
            "'auto', 'triton', 'torch', 'reference'",
        ),
        (lambda: attention(X, X, X, backend="torch", softcap=1.0), ValueError, "no softcap"),
        (lambda: attention(X, X, X, backend="torch", return_lse=True), ValueError, "'reference'"),
        (
            lambda: attention(X, X, X, cu_seqlens=torch.tensor([0, 3])),
            ValueError,
            "a batch of 1",
        ),
        (
            lambda: attention(X[:1], X[:1], X[:1], cu_seqlens=torch.tensor([0, 2])),
            ValueError,
            "ends at 2",
        ),
        (
            lambda: attention(X[:1], X[:1], X[:1], cu_seqlens=torch.tensor([0.0, 3.0])),
            ValueError,
            "whole numbers",
        ),
        (
            lambda: attention(X[:1], X[:1], X[:1], cu_seqlens=torch.tensor([1, 3])),
            ValueError,
            "from 0 upwards",
        ),
        (lambda: attention_weights(X, X[:, :3]), ValueError, "q has 4 heads and k has 3"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_mask_of_more_queries_than_keys_leaves_the_first_ones_nothing():
    assert causal_mask(3, 1).tolist() == [[False], [False], [True]]


@pytest.mark.parametrize("package", ["attention", "transformer"])
def test_without_torch_the_import_says_how_to_get_it(package):
    code = f"import sys; sys.modules['torch'] = None; import coursekit.{package}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError: This part of the course needs torch" in done.stderr
    assert "pip install torch" in done.stderr
