"""One step of a recurrent network, written out three times: plain, LSTM and GRU.

A step takes the input's share of the sums, ``x @ W_ih.T + b_ih``, which needs no state and so can
be computed for all times at once, and the state, a tuple of tensors of shape (B, H). Weights are
stacked as in ``torch.nn``: the rows of the gates below each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.seq2seq.initialise import uniform

State = tuple[Tensor, ...]
Step = Callable[[Tensor, State, Tensor, Tensor], State]


def rnn_step(x: Tensor, state: State, weight_hh: Tensor, bias_hh: Tensor) -> State:
    """One step of the plain recurrent network.

    Implements :eq:`eq-seq2seq-rnn`.

    Parameters
    ----------
    x : Tensor, shape (B, H)
        The input's share, ``W_ih x + b_ih``.
    state : (Tensor,), shape (B, H)
        The hidden state of the step before.
    weight_hh, bias_hh : Tensor, shapes (H, H) and (H,)
        Weights from state to state.

    Returns
    -------
    (Tensor,), shape (B, H)
        The new hidden state.

    Examples
    --------
    >>> zero = torch.zeros(1, 2)
    >>> rnn_step(torch.tensor([[0.0, 100.0]]), (zero,), torch.eye(2), torch.zeros(2))
    (tensor([[0., 1.]]),)
    """
    (h,) = state
    return (torch.tanh(x + h @ weight_hh.T + bias_hh),)


def lstm_step(x: Tensor, state: State, weight_hh: Tensor, bias_hh: Tensor) -> State:
    """One step of the long short-term memory.

    Implements :eq:`eq-seq2seq-lstm`.

    Parameters
    ----------
    x : Tensor, shape (B, 4H)
        The input's share for the input, forget, candidate and output gates, in this order.
    state : (Tensor, Tensor), shape (B, H) each
        The hidden state and the cell of the step before.
    weight_hh, bias_hh : Tensor, shapes (4H, H) and (4H,)
        Weights from state to gates.

    Returns
    -------
    (Tensor, Tensor), shape (B, H) each
        The new hidden state and cell.

    Examples
    --------
    >>> h, c = torch.zeros(1, 1), torch.full((1, 1), 0.5)
    >>> closed_open = torch.tensor([[-100.0, 100.0, 0.0, 100.0]])  # write nothing, keep all
    >>> lstm_step(closed_open, (h, c), torch.zeros(4, 1), torch.zeros(4))[1]
    tensor([[0.5000]])
    """
    h, c = state
    i, f, g, o = (x + h @ weight_hh.T + bias_hh).chunk(4, dim=-1)  # (B, H) each
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru_step(x: Tensor, state: State, weight_hh: Tensor, bias_hh: Tensor) -> State:
    """One step of the gated recurrent unit.

    Implements :eq:`eq-seq2seq-gru`.

    Parameters
    ----------
    x : Tensor, shape (B, 3H)
        The input's share for the reset gate, the update gate and the candidate, in this order.
    state : (Tensor,), shape (B, H)
        The hidden state of the step before.
    weight_hh, bias_hh : Tensor, shapes (3H, H) and (3H,)
        Weights from state to gates.

    Returns
    -------
    (Tensor,), shape (B, H)
        The new hidden state.

    Examples
    --------
    >>> keep = torch.tensor([[0.0, 100.0, 0.0]])  # an update gate of 1 keeps the state
    >>> gru_step(keep, (torch.full((1, 1), 0.25),), torch.zeros(3, 1), torch.zeros(3))
    (tensor([[0.2500]]),)
    """
    (h,) = state
    x_r, x_z, x_n = x.chunk(3, dim=-1)  # (B, H) each
    h_r, h_z, h_n = (h @ weight_hh.T + bias_hh).chunk(3, dim=-1)  # (B, H) each
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return ((1 - z) * n + z * h,)


class _Cell(nn.Module):
    """The parameters of one step, named and stacked as in ``torch.nn``."""

    gates: int
    step: Step

    def __init__(
        self, input_size: int, hidden_size: int, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.input_size = count(input_size, "input_size")
        self.hidden_size = count(hidden_size, "hidden_size")
        rows, bound = self.gates * hidden_size, 1 / math.sqrt(hidden_size)
        self.weight_ih = nn.Parameter(uniform((rows, input_size), bound, generator))
        self.weight_hh = nn.Parameter(uniform((rows, hidden_size), bound, generator))
        self.bias_ih = nn.Parameter(uniform((rows,), bound, generator))
        self.bias_hh = nn.Parameter(uniform((rows,), bound, generator))

    def _advance(self, x: Tensor, state: State) -> State:
        wanted = (len(x), self.hidden_size)
        if x.ndim != 2 or x.shape[1] != self.input_size:
            raise ValueError(f"x has shape {tuple(x.shape)}; (B, {self.input_size}) wanted.")
        for part in state:
            if part.shape != wanted:
                raise ValueError(f"the state has shape {tuple(part.shape)}; {wanted} wanted.")
        share = x @ self.weight_ih.T + self.bias_ih  # (B, gates H)
        return type(self).step(share, state, self.weight_hh, self.bias_hh)

    def _zero(self, x: Tensor) -> Tensor:
        return x.new_zeros(len(x), self.hidden_size)  # (B, H)


class RNNCell(_Cell):
    r"""The plain recurrent step with its parameters, equal to ``torch.nn.RNNCell``.

    Parameters
    ----------
    input_size, hidden_size : int
        Widths of the input and of the state, H.
    generator : torch.Generator, optional
        Source of the initial weights, uniform within :math:`1/\sqrt H`.

    Examples
    --------
    >>> RNNCell(3, 5)(torch.zeros(2, 3)).shape
    torch.Size([2, 5])
    """

    gates = 1
    step = staticmethod(rnn_step)

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        """Take inputs, shape (B, n), and states, shape (B, H), zero if None, to new states."""
        return self._advance(x, (self._zero(x) if h is None else h,))[0]


class GRUCell(_Cell):
    """The gated recurrent unit with its parameters, equal to ``torch.nn.GRUCell``.

    Parameters as for :class:`RNNCell`; the rows of the weights are reset, update, candidate.

    Examples
    --------
    >>> GRUCell(3, 5)(torch.zeros(2, 3)).shape
    torch.Size([2, 5])
    """

    gates = 3
    step = staticmethod(gru_step)

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        """Take inputs, shape (B, n), and states, shape (B, H), zero if None, to new states."""
        return self._advance(x, (self._zero(x) if h is None else h,))[0]


class LSTMCell(_Cell):
    """The long short-term memory with its parameters, equal to ``torch.nn.LSTMCell``.

    Parameters as for :class:`RNNCell`; the rows of the weights are input, forget, candidate,
    output.

    Examples
    --------
    >>> h, c = LSTMCell(3, 5)(torch.zeros(2, 3))
    >>> h.shape, c.shape
    (torch.Size([2, 5]), torch.Size([2, 5]))
    """

    gates = 4
    step = staticmethod(lstm_step)

    def forward(self, x: Tensor, state: State | None = None) -> State:
        """Take inputs, shape (B, n), and (h, c), shape (B, H) each, to the new (h, c)."""
        return self._advance(x, (self._zero(x), self._zero(x)) if state is None else state)
