"""Live figure: the forward and the backward pass of a tiny network, number by number."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

WEIGHTS = (0.5, -0.8, -0.4, 0.6, 0.1, -0.2, 1.2, -0.7, 0.3)
REACH = 3.0
LAST_STEP = 24


class Pass(NamedTuple):
    """The numbers of both passes; gradients carry the name of what they belong to."""

    z1: np.ndarray
    o1: np.ndarray
    z2: float
    o2: float
    loss: float
    grad_z2: float
    grad_o1: np.ndarray
    grad_z1: np.ndarray
    gradient: np.ndarray


class BackpropGraph(LiveFigure):
    """The figure that :func:`backprop_graph` makes; ``step`` and ``weights`` follow its controls.

    ``weights`` are W[1] by rows, w[1], W[2], w[2]: nine numbers.
    """

    _esm = module_source("backprop_graph")
    name = "backprop_graph"
    title = "Backpropagation, number by number"
    weights = traitlets.List(traitlets.Float(), default_value=list(WEIGHTS)).tag(sync=True)
    step = traitlets.Int(0, min=0, max=LAST_STEP).tag(sync=True)

    def numbers(self) -> Pass:
        """Go forward and back by the formulas in matrices, (5) to (8)."""
        x, y = np.array(self.data["x"]), self.data["y"]
        w = np.array(self.weights)
        W1, b1, W2, b2 = w[:4].reshape(2, 2), w[4:6], w[6:8], w[8]
        z1 = W1 @ x + b1
        o1 = _sigmoid(z1)
        z2 = float(W2 @ o1 + b2)
        o2 = float(_sigmoid(np.array(z2)))
        grad_z2 = 2 * (o2 - y) * o2 * (1 - o2)
        grad_o1 = W2 * grad_z2
        grad_z1 = grad_o1 * o1 * (1 - o1)
        parts = [np.outer(grad_z1, x).ravel(), grad_z1, grad_z2 * o1, [grad_z2]]
        return Pass(z1, o1, z2, o2, (o2 - y) ** 2, grad_z2, grad_o1, grad_z1, np.concatenate(parts))

    def description(self) -> str:
        """Say the numbers of both passes."""
        n, x = self.numbers(), self.data["x"]
        return (
            f"A network of two inputs ({x[0]:g} and {x[1]:g}), two sigmoid units and one sigmoid "
            f"output, with target {self.data['y']:g}. Forward: z[1] is {_few(n.z1)}, o[1] is "
            f"{_few(n.o1)}, z[2] is {n.z2:.3f}, o[2] is {n.o2:.3f}, and the squared error is "
            f"{n.loss:.4f}. Backward: the gradient for z[2] is {n.grad_z2:.4f}, for o[1] "
            f"{_few(n.grad_o1, 4)}, for z[1] {_few(n.grad_z1, 4)}, for the weights W[1] by rows "
            f"{_few(n.gradient[:4], 4)}, and for W[2] {_few(n.gradient[6:8], 4)}."
        )

    def still(self) -> Figure:
        """Draw the network with every value and every gradient."""
        n, w, g = self.numbers(), self.weights, self.numbers().gradient
        figure, ax = plt.subplots()
        ax.set(xlim=(-0.4, 6.5), ylim=(-0.6, 1.6))
        ax.axis("off")
        for j in range(2):
            for k in range(2):
                _edge(
                    ax,
                    (0.3, 1 - k),
                    (1.5, 1 - j),
                    w[2 * j + k],
                    g[2 * j + k],
                    0.3 + 0.35 * (j == k),
                )
            _edge(ax, (2.7, 1 - j), (3.8, 0.5), w[6 + j], g[6 + j], 0.5)
            _node(ax, 0, 1 - j, f"x{j + 1}  {self.data['x'][j]:.2f}")
            values = f"z {n.z1[j]:.3f}   o {n.o1[j]:.3f}\nw {w[4 + j]:.2f}"
            _node(ax, 2.1, 1 - j, values, f"∂z {n.grad_z1[j]:.4f}")
        _edge(ax, (5.0, 0.5), (5.7, 0.5))
        _node(ax, 4.4, 0.5, f"z {n.z2:.3f}   o {n.o2:.3f}\nw {w[8]:.2f}", f"∂z {n.grad_z2:.4f}")
        _node(ax, 6, 0.5, f"f  {n.loss:.4f}")
        return figure


def backprop_graph(
    weights: Sequence[float] = WEIGHTS, *, x: Sequence[float] = (1.0, -0.5), y: float = 1.0
) -> BackpropGraph:
    """Walk through the forward and the backward pass of a network of nine weights.

    What a reader can learn: each gradient needs only the one that came before it and a number that
    the forward pass left behind (:eq:`eq-backprop-1` to :eq:`eq-backprop-4`); a weight's gradient
    is the signal that entered it times the error that came back; a saturated unit passes back
    almost nothing; a step against the gradient lowers the loss.

    Parameters
    ----------
    weights
        W[1] by rows, w[1], W[2] and w[2]: nine numbers from -3 to 3.
    x
        The two inputs.
    y
        The target, from 0 to 1.

    Raises
    ------
    ValueError
        If there are more or fewer numbers, or one is out of reach.
    """
    if len(weights) != 9 or not all(abs(w) <= REACH for w in weights):
        raise ValueError(
            f"weights are {list(weights)}; nine numbers from -3 to 3 wanted: W[1] by rows, w[1], "
            "W[2], w[2]."
        )
    if len(x) != 2 or not all(abs(v) <= REACH for v in x):
        raise ValueError(f"x is {list(x)}; two inputs from -3 to 3 wanted.")
    if not 0 <= y <= 1:
        raise ValueError(f"y is {y}; a sigmoid reaches targets from 0 to 1.")
    data = {"x": [float(v) for v in x], "y": float(y)}
    return BackpropGraph(data=data, weights=[float(w) for w in weights])


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _few(values: np.ndarray, digits: int = 3) -> str:
    return "(" + ", ".join(f"{v:.{digits}f}" for v in values) + ")"


def _minus(words: str) -> str:
    return words.replace("-", "−")


Point = tuple[float, float]


def _edge(
    ax: Axes, a: Point, b: Point, weight: float = np.nan, slope: float = 0, share: float = 0
) -> None:
    ax.plot(*zip(a, b, strict=True), color=style.RULE, lw=1.4, ls="-")
    if np.isnan(weight):
        return
    u, v = (p + share * (q - p) for p, q in zip(a, b, strict=True))
    ax.text(u, v + 0.03, _minus(f"{weight:.2f}"), ha="center", va="bottom", fontsize=9)
    ax.text(u, v, _minus(f"∂ {slope:.4f}"), ha="center", va="top", fontsize=9, color=style.COPPER)


def _node(ax: Axes, u: float, v: float, words: str, slope: str = "") -> None:
    box = {"boxstyle": "round,pad=0.4", "fc": style.PANEL, "ec": style.RULE}
    ax.text(u, v, _minus(words), ha="center", va="center", bbox=box)
    ax.text(u, v - 0.27, _minus(slope), ha="center", va="top", fontsize=9, color=style.COPPER)
