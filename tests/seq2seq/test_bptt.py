"""Back through time against the product of Jacobians, autograd and known networks."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.seq2seq import GRU, LSTM, RNN, gradient_by_lag, step_jacobians
from tests.seq2seq.near import assert_same


@pytest.mark.equation("eq-seq2seq-bptt")
@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**31))
@settings(max_examples=20)
def test_the_chain_of_step_jacobians_is_autograds(H, T, seed):
    g = torch.Generator().manual_seed(seed)
    layer = RNN(3, H, generator=g).double()
    x = torch.randn(1, T, 3, generator=g, dtype=torch.float64)
    start = torch.randn(1, 1, H, generator=g, dtype=torch.float64)
    states = layer(x, start)[0][0]  # (T, H)
    product = torch.eye(H, dtype=torch.float64)
    for jacobian in step_jacobians(layer.weight_hh_l0, states):
        product = jacobian @ product
    found = torch.autograd.functional.jacobian(lambda h: layer(x, h)[1].flatten(), start)
    assert_same(product, found.reshape(H, H), terms=H * T)


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_the_norm_at_each_lag_is_that_of_the_full_jacobian(kind):
    g = torch.Generator().manual_seed(1)
    layer = kind(2, 3, generator=g).double()
    x = torch.randn(1, 4, 2, generator=g, dtype=torch.float64)
    found = gradient_by_lag(layer, x)
    for lag in range(1, 4):
        _, state = layer(x[:, : 4 - lag])
        parts = state if isinstance(state, tuple) else (state,)

        def rest(*parts, lag=lag):
            return layer(x[:, 4 - lag :], parts if len(parts) > 1 else parts[0])[0][0, -1]

        jacobians = torch.autograd.functional.jacobian(rest, parts)
        norm = math.sqrt(sum(j.square().sum() for j in jacobians))
        assert found[lag].item() == pytest.approx(norm, rel=1e-10)


def test_a_batch_gives_the_mean():
    g = torch.Generator().manual_seed(2)
    layer, x = LSTM(2, 3, generator=g), torch.randn(3, 5, 2, generator=g)
    alone = torch.stack([gradient_by_lag(layer, x[i : i + 1]) for i in range(3)])
    assert_same(gradient_by_lag(layer, x), alone.mean(0), terms=9)


def constant(layer, recurrent):
    for p in layer.parameters():
        torch.nn.init.zeros_(p)
    layer.weight_hh_l0.data[:] = recurrent
    return layer.double()


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5])
def test_a_linear_regime_shrinks_or_grows_by_the_factor_a_step(factor):
    """With states of 0 tanh is the identity: the norm at lag k is factor**k, times sqrt(H)."""
    layer = constant(RNN(1, 2), factor * torch.eye(2))
    lags = gradient_by_lag(layer, torch.zeros(1, 8, 1, dtype=torch.float64))
    expected = math.sqrt(2) * factor ** torch.arange(8, dtype=torch.float64)
    assert_same(lags, expected, terms=8)


def test_an_open_forget_gate_carries_the_gradient_along():
    """With f = 1 the cell hands its gradient on undiminished, where a plain network's is gone."""
    lstm = constant(LSTM(1, 2), torch.zeros(8, 2))
    lstm.bias_ih_l0.data[2:4] = 30.0  # the forget gate
    x = torch.zeros(1, 40, 1, dtype=torch.float64)
    lags = gradient_by_lag(lstm, x)
    assert lags[-1] == pytest.approx(lags[1].item(), rel=1e-9)
    plain = constant(RNN(1, 2), 0.5 * torch.eye(2))
    assert gradient_by_lag(plain, x)[-1] < 1e-10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gradient_by_lag(RNN(2, 3, 2), torch.zeros(1, 4, 2)), "one layer"),
        (lambda: gradient_by_lag(RNN(2, 3, bidirectional=True), torch.zeros(1, 4, 2)), "one layer"),
        (lambda: gradient_by_lag(RNN(2, 3), torch.zeros(1, 4, 1)), r"\(B, T, 2\) wanted"),
        (lambda: step_jacobians(torch.zeros(2, 3), torch.zeros(4, 2)), r"\(H, H\)"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
