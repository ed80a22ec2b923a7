"""Back through time: how much the state at the end still feels of what was long ago."""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit.seq2seq.recurrent_layers import LSTM, RNN


def step_jacobians(weight_hh: Tensor, states: Tensor) -> Tensor:
    r"""Return the Jacobian of each step of a plain recurrent network.

    Implements a factor of :eq:`eq-seq2seq-bptt`,
    :math:`\partial h_t/\partial h_{t-1} = \mathrm{diag}(1-h_t^2)\,W_{hh}`.

    Parameters
    ----------
    weight_hh : Tensor, shape (H, H)
        Weights from state to state.
    states : Tensor, shape (T, H)
        The states :math:`h_1, \dots, h_T` that the network went through.

    Returns
    -------
    Tensor, shape (T, H, H)

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> step_jacobians(torch.eye(2), torch.tensor([[0.0, 0.5]]))
    tensor([[[1.0000, 0.0000],
             [0.0000, 0.7500]]])
    """
    H = len(weight_hh)
    if weight_hh.shape != (H, H) or states.ndim != 2 or states.shape[1] != H:
        raise ValueError(
            f"weight_hh has shape {tuple(weight_hh.shape)} and states {tuple(states.shape)}; "
            "(H, H) and (T, H) wanted."
        )
    return (1 - states.square())[:, :, None] * weight_hh  # (T, H, H)


def gradient_by_lag(layer: RNN | LSTM, x: Tensor) -> Tensor:
    r"""Measure how strongly the last state depends on the states before it.

    Parameters
    ----------
    layer : RNN, GRU or LSTM
        One layer, one direction.
    x : Tensor, shape (B, T, n)
        Inputs, over which the norms are averaged.

    Returns
    -------
    Tensor, shape (T,)
        Entry k is the mean over the batch of the Frobenius norm of
        :math:`\partial h_T/\partial s_{T-k}`, where the state s is h, and for the LSTM h and c
        together. Without a cell, entry 0 is :math:`\sqrt H`, that of the identity.

    Raises
    ------
    ValueError
        If the layer is stacked or goes both ways, or `x` does not fit.

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> lags = gradient_by_lag(RNN(3, 4, generator=g), torch.randn(2, 6, 3, generator=g))
    >>> lags.shape, lags[0].item()
    (torch.Size([6]), 2.0)
    """
    if layer.num_layers > 1 or layer.bidirectional:
        raise ValueError("one layer in one direction is wanted; what is a lag in two?")
    states = _states(layer, x)  # T of tuples of (1, B, H)
    h = states[-1][0][0]  # (B, H)
    parts = [part for state in states for part in state]
    squared = torch.zeros(len(states), len(h), dtype=x.dtype)  # (T, B)
    for j in range(h.shape[1]):
        slopes = torch.autograd.grad(
            h[:, j].sum(), parts, retain_graph=True, materialize_grads=True
        )
        per_part = torch.stack([s[0].square().sum(-1) for s in slopes])  # (T parts, B)
        squared += per_part.reshape(len(states), -1, len(h)).sum(1)
    return squared.sqrt().mean(1).flip(0)  # (T,)


def _states(layer: RNN | LSTM, x: Tensor) -> list[tuple[Tensor, ...]]:
    """Run step by step, so that every state is a tensor that gradients can be asked for."""
    state, found = None, []
    for t in range(x.shape[1]):
        _, state = layer(x[:, t : t + 1], state)
        found.append(state if isinstance(state, tuple) else (state,))
    return found
