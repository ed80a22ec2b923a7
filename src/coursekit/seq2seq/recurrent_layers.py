"""Recurrent layers over whole sequences: stacked, in both directions, over padded batches.

Parameters have the names and shapes of ``torch.nn.RNN``, ``LSTM`` and ``GRU``, so that
``load_state_dict`` carries weights over either way. Unlike those, the batch always comes first,
and padding is told by `lengths` in place of packed sequences.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.seq2seq.initialise import uniform
from coursekit.seq2seq.recurrent import State, Step, gru_step, lstm_step, rnn_step

Cell = Literal["rnn", "gru", "lstm"]


def unroll(
    step: Step,
    x: Tensor,
    state: State,
    weights: tuple[Tensor, Tensor, Tensor, Tensor],
    *,
    real: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, State]:
    """Apply one step after the other, carrying the state.

    Parameters
    ----------
    step : callable
        :func:`rnn_step`, :func:`lstm_step` or :func:`gru_step`.
    x : Tensor, shape (B, T, n)
        Inputs.
    state : tuple of Tensor, shape (B, H) each
        The state before the first step.
    weights : tuple of Tensor
        ``weight_ih, weight_hh, bias_ih, bias_hh``, in the order of ``torch.nn``.
    real : Tensor of bool, shape (B, T), optional
        False at padding, where the state stays and the output is 0.
    reverse : bool
        Whether to go from the last time to the first.

    Returns
    -------
    outputs : Tensor, shape (B, T, H)
        The hidden state after each step, at the step's own time.
    state : tuple of Tensor, shape (B, H) each
        The state after the last step taken.

    Examples
    --------
    >>> h = torch.zeros(1, 1)
    >>> one, zero = torch.ones(1, 1), torch.zeros(1)
    >>> unroll(rnn_step, torch.ones(1, 3, 1), (h,), (one, one, zero, zero))[0].shape
    torch.Size([1, 3, 1])
    """
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    shares = (x @ weight_ih.T + bias_ih).unbind(1)  # T of (B, gates H)
    outputs: list[Tensor] = [x] * len(shares)
    for t in reversed(range(len(shares))) if reverse else range(len(shares)):
        new = step(shares[t], state, weight_hh, bias_hh)
        if real is None:
            state, outputs[t] = new, new[0]
        else:
            now = real[:, t, None]  # (B, 1)
            state = tuple(torch.where(now, a, b) for a, b in zip(new, state, strict=True))
            outputs[t] = new[0] * now
    return torch.stack(outputs, dim=1), state  # (B, T, H)


class _Layers(nn.Module):
    """Layers above each other, each one direction or two."""

    gates: int
    step: Step
    parts = 1
    """Tensors in a state."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.input_size = count(input_size, "input_size")
        self.hidden_size = count(hidden_size, "hidden_size")
        self.num_layers = count(num_layers, "num_layers")
        self.bidirectional = bidirectional
        rows, bound = self.gates * hidden_size, 1 / math.sqrt(hidden_size)
        for layer, suffix in self._places():
            n = input_size if layer == 0 else hidden_size * (1 + bidirectional)
            for name, shape in (
                ("weight_ih", (rows, n)),
                ("weight_hh", (rows, hidden_size)),
                ("bias_ih", (rows,)),
                ("bias_hh", (rows,)),
            ):
                value = nn.Parameter(uniform(shape, bound, generator))
                self.register_parameter(f"{name}_l{layer}{suffix}", value)

    def _places(self) -> list[tuple[int, str]]:
        suffixes = ("", "_reverse") if self.bidirectional else ("",)
        return [(layer, suffix) for layer in range(self.num_layers) for suffix in suffixes]

    def _weights(self, layer: int, suffix: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        a, b, c, d = (getattr(self, f"{name}_l{layer}{suffix}") for name in names)
        return a, b, c, d

    def _run(self, x: Tensor, state: State | None, lengths: Tensor | None) -> tuple[Tensor, State]:
        self._check(x, state)
        B, T, _ = x.shape
        real = None if lengths is None else _real(lengths, B, T, x.device)
        places, final = self._places(), []
        if state is None:
            state = tuple(x.new_zeros(len(places), B, self.hidden_size) for _ in range(self.parts))
        for layer in range(self.num_layers):
            sides = []
            for k, (_, suffix) in enumerate(places):
                if places[k][0] == layer:
                    out, last = unroll(
                        type(self).step,
                        x,
                        tuple(part[k] for part in state),
                        self._weights(layer, suffix),
                        real=real,
                        reverse=bool(suffix),
                    )
                    sides.append(out)
                    final.append(last)
            x = torch.cat(sides, dim=-1)  # (B, T, D H)
        return x, tuple(torch.stack(part) for part in zip(*final, strict=True))  # (L D, B, H)

    def _check(self, x: Tensor, state: State | None) -> None:
        if x.ndim != 3 or x.shape[2] != self.input_size:
            raise ValueError(f"x has shape {tuple(x.shape)}; (B, T, {self.input_size}) wanted.")
        if 0 in x.shape:
            raise ValueError(f"x has shape {tuple(x.shape)}: nothing to read; B and T of 1 wanted.")
        wanted = (len(self._places()), len(x), self.hidden_size)
        for part in state or ():
            if part.shape != wanted:
                raise ValueError(f"the state has shape {tuple(part.shape)}; {wanted} wanted.")


def _real(lengths: Tensor, B: int, T: int, device: torch.device) -> Tensor:
    """Return which of the (B, T) places are no padding."""
    if lengths.shape != (B,):
        raise ValueError(f"lengths has shape {tuple(lengths.shape)}; ({B},) wanted.")
    if int(lengths.min()) < 1 or int(lengths.max()) > T:
        raise ValueError(f"lengths run from {lengths.min()} to {lengths.max()}; 1 to {T} wanted.")
    return torch.arange(T, device=device) < lengths.to(device)[:, None]  # (B, T)


class RNN(_Layers):
    r"""Plain recurrent layers, equal to ``torch.nn.RNN(batch_first=True)``.

    Parameters
    ----------
    input_size, hidden_size : int
        Widths of the input, n, and of each state, H.
    num_layers : int
        Layers above each other; each reads the outputs of the one below.
    bidirectional : bool
        Whether each layer also reads from the end; its outputs stand beside the first ones.
    generator : torch.Generator, optional
        Source of the initial weights, uniform within :math:`1/\sqrt H`.

    Examples
    --------
    >>> outputs, h = RNN(3, 5, num_layers=2, bidirectional=True)(torch.zeros(4, 7, 3))
    >>> outputs.shape, h.shape
    (torch.Size([4, 7, 10]), torch.Size([4, 4, 5]))
    """

    gates = 1
    step = staticmethod(rnn_step)

    def forward(
        self, x: Tensor, h: Tensor | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Read inputs, shape (B, T, n).

        Parameters
        ----------
        x : Tensor, shape (B, T, n)
            Inputs.
        h : Tensor, shape (L D, B, H), optional
            States before the first step, zero if None; D is 2 in both directions, else 1.
        lengths : Tensor of int, shape (B,), optional
            How many times of each row are real; outputs beyond are 0, states stay.

        Returns
        -------
        outputs : Tensor, shape (B, T, D H)
            States of the top layer at every time.
        h : Tensor, shape (L D, B, H)
            The last state of every layer and direction.

        Raises
        ------
        ValueError
            If a shape does not fit, the batch is empty or a length is out of range.
        """
        outputs, (last,) = self._run(x, None if h is None else (h,), lengths)
        return outputs, last


class GRU(RNN):
    """Layers of gated recurrent units, equal to ``torch.nn.GRU(batch_first=True)``.

    Parameters and results as for :class:`RNN`.

    Examples
    --------
    >>> outputs, h = GRU(3, 5)(torch.zeros(4, 7, 3))
    >>> outputs.shape, h.shape
    (torch.Size([4, 7, 5]), torch.Size([1, 4, 5]))
    """

    gates = 3
    step = staticmethod(gru_step)


class LSTM(_Layers):
    """Layers of long short-term memory, equal to ``torch.nn.LSTM(batch_first=True)``.

    Parameters as for :class:`RNN`; the state is a pair (h, c), shape (L D, B, H) each.

    Examples
    --------
    >>> outputs, (h, c) = LSTM(3, 5)(torch.zeros(4, 7, 3))
    >>> outputs.shape, c.shape
    (torch.Size([4, 7, 5]), torch.Size([1, 4, 5]))
    """

    gates = 4
    step = staticmethod(lstm_step)
    parts = 2

    def forward(
        self, x: Tensor, state: State | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Read inputs, shape (B, T, n); as :meth:`RNN.forward`, with (h, c) for a state."""
        return self._run(x, state, lengths)


def recurrent_layer(cell: Cell) -> type[RNN] | type[GRU] | type[LSTM]:
    """Return the layer of a kind of cell.

    Parameters
    ----------
    cell : {"rnn", "gru", "lstm"}
        The kind.

    Returns
    -------
    class

    Raises
    ------
    ValueError
        If there is no such cell.

    Examples
    --------
    >>> recurrent_layer("gru") is GRU
    True
    """
    layers: dict[str, type[RNN] | type[GRU] | type[LSTM]] = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
    if cell not in layers:
        raise ValueError(f"cell is {cell!r}; one of {', '.join(layers)} wanted.")
    return layers[cell]
