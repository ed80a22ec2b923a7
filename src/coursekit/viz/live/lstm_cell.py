"""Live figure: one LSTM cell whose gates the reader moves, beside a plain recurrent unit."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from scipy.special import expit

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

KEEP = (-6.0, 12.0, 6.0, -12.0, 6.0)
VALUES = (0.3, -0.8, 1.1, -0.4, 0.7, -0.9, 0.2, 0.6, -1.0, 0.5, -0.3, 0.9, -0.6, 0.4, 0.8, -0.7)
FLAGS = (0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)
REACH = 15.0
LONGEST = 40


class Trace(NamedTuple):
    """What the cell does over time, each of shape (T,); ``plain`` is the unit without gates."""

    i: np.ndarray
    f: np.ndarray
    o: np.ndarray
    c: np.ndarray
    h: np.ndarray
    plain: np.ndarray


class LstmCell(LiveFigure):
    """The figure that :func:`lstm_cell` makes; ``weights`` and ``recurrent`` follow its controls.

    ``weights`` are b_i, w_i, b_f, w_f and b_o: the gates' biases, and what a flag adds to them.
    """

    _esm = module_source("lstm_cell", "powers")
    name = "lstm_cell"
    title = "An LSTM cell: move its gates, watch its memory"
    weights = traitlets.List(traitlets.Float(), default_value=list(KEEP)).tag(sync=True)
    recurrent = traitlets.Float(1.0, min=0.0, max=2.0).tag(sync=True)

    def trace(self) -> Trace:
        """Run the cell and the plain unit over the numbers."""
        x, flags = np.array(self.data["values"]), np.array(self.data["flags"])
        b_i, w_i, b_f, w_f, b_o = self.weights
        i, f = expit(b_i + w_i * flags), expit(b_f + w_f * flags)  # (T,)
        o = np.full(len(x), expit(b_o))
        c, plain = np.zeros(len(x)), np.zeros(len(x))
        for t in range(len(x)):
            c[t] = f[t] * c[t - 1] * (t > 0) + i[t] * np.tanh(x[t])
            plain[t] = np.tanh(self.recurrent * plain[t - 1] * (t > 0) + x[t])
        return Trace(i, f, o, c, o * np.tanh(c), plain)

    def slopes(self) -> tuple[float, float]:
        """Return the slope of the end's memory in the last flagged one, with gates and without."""
        trace, last = self.trace(), self._last_flag()
        plain = self.recurrent * (1 - trace.plain**2)
        return float(trace.f[last + 1 :].prod()), float(plain[last + 1 :].prod())

    def description(self) -> str:
        """Say what the gates let through and what is left in memory."""
        trace, (gated, plain) = self.trace(), self.slopes()
        flags, last = self.data["flags"], self._last_flag()
        b_i, w_i, b_f, w_f, b_o = self.weights
        return (
            f"{len(flags)} numbers pass an LSTM cell of width one; those at times "
            f"{' and '.join(str(t + 1) for t, flag in enumerate(flags) if flag)} carry a flag. The "
            f"input gate is {expit(b_i):.3f} without a flag and {expit(b_i + w_i):.3f} with one, "
            f"the forget gate {expit(b_f):.3f} and {expit(b_f + w_f):.3f}, the output gate "
            f"{expit(b_o):.3f}. At the end the memory is {trace.c[-1]:.3f}; the last flagged "
            f"number gives {np.tanh(self.data['values'][last]):.3f}. The slope of that memory "
            f"in the flagged one is {gated:.3g}; in a plain recurrent unit of weight "
            f"{self.recurrent:.2f} it is {plain:.3g}."
        )

    def _last_flag(self) -> int:
        flags: list[int] = self.data["flags"]
        return len(flags) - 1 - flags[::-1].index(1)

    def still(self) -> Figure:
        """Draw the numbers, the gates and the memory, one under the other."""
        trace, x, flags = self.trace(), self.data["values"], np.array(self.data["flags"])
        times = np.arange(len(x)) + 1
        figure, axes = plt.subplots(3, 1, sharex=True, figsize=(7.2, 5.2))
        colours = [style.COPPER if flag else style.MUTED for flag in flags]
        axes[0].bar(times, x, color=colours, width=0.6)
        axes[0].set_title("What arrives (copper with a flag)")
        looks = zip("ifo", ("input", "forget", "output"), style.SERIES, style.DASHES, strict=False)
        for name, words, colour, dashes in looks:
            axes[1].plot(times, getattr(trace, name), color=colour, ls=dashes, label=words)
        axes[1].set(title="Gates", ylim=(-0.05, 1.05))
        axes[2].plot(times, trace.c, color=style.COPPER, ls="-", marker="o", label="memory c")
        axes[2].plot(times, trace.h, color=style.BLUE, ls="--", label="output h")
        axes[2].plot(times, trace.plain, color=style.VIOLET, ls=":", label="plain unit")
        axes[2].set(title="What is remembered", xlabel="time t")
        for ax in axes[1:]:
            ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        return figure


def lstm_cell(
    weights: Sequence[float] = KEEP,
    *,
    recurrent: float = 1.0,
    values: Sequence[float] = VALUES,
    flags: Sequence[int] = FLAGS,
) -> LstmCell:
    """Move the gates of an LSTM cell of width one, and watch its memory.

    What a reader can learn: the memory is a sum that gates feed and empty (:eq:`eq-seq2seq-lstm`);
    with the forget gate open it keeps a number unchanged over any time, and the slope through it
    is a product of forget gates; a plain unit (:eq:`eq-seq2seq-rnn`) multiplies by its weight and
    by the slope of tanh at every step, and so forgets.

    Parameters
    ----------
    weights
        b_i, w_i, b_f, w_f, b_o from -15 to 15: the biases of the input, forget and output gate,
        and what a flag adds to the first two.
    recurrent
        Weight of the plain unit on its own past, 0 to 2.
    values, flags
        The numbers that arrive, and 1 beside those that carry a flag; 2 to 40 of each.

    Raises
    ------
    ValueError
        If a number is out of reach, the lists differ in length, or no number carries a flag.
    """
    if len(weights) != 5 or not all(abs(w) <= REACH for w in weights):
        raise ValueError(f"weights are {list(weights)}; five numbers from -15 to 15 wanted.")
    if not 0 <= recurrent <= 2:
        raise ValueError(f"recurrent is {recurrent}; its slider reaches from 0 to 2.")
    if not 2 <= len(values) <= LONGEST or len(values) != len(flags):
        raise ValueError(
            f"{len(values)} values and {len(flags)} flags; 2 to {LONGEST} wanted, as many of each."
        )
    if not set(flags) <= {0, 1} or 1 not in flags:
        raise ValueError(f"flags are {list(flags)}; zeros and at least one 1 wanted.")
    data = {"values": [float(v) for v in values], "flags": [int(u) for u in flags]}
    return LstmCell(data=data, weights=[float(w) for w in weights], recurrent=float(recurrent))
