"""Live figure: the scale of signals by depth, forward and backward."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from scipy.special import expit

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

NAMES = {"tanh": "tanh", "relu": "ReLU", "sigmoid": "sigmoid", "linear": "linear"}
Function = Callable[[np.ndarray], np.ndarray]
PHI: dict[str, tuple[Function, Function]] = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "sigmoid": (expit, lambda z: expit(z) * expit(-z)),
    "linear": (np.positive, np.ones_like),
}
WIDTH = 48
EXAMPLES = 16
DEEPEST = 50
LOWEST, HIGHEST = 0.2, 5.0
LIMIT = 1e3


class Signals(NamedTuple):
    """Root mean squares of outputs o[0] … o[d] and of the gradients for them, shape (d + 1,)."""

    forward: np.ndarray
    backward: np.ndarray


class SignalDepth(LiveFigure):
    """The figure that :func:`signal_depth` makes; its traits follow the controls."""

    _esm = module_source("signal_depth", "powers")
    name = "signal_depth"
    title = "Depth: signals that vanish and explode"
    activation = traitlets.Enum(tuple(NAMES), default_value="relu").tag(sync=True)
    gain = traitlets.Float(1.0).tag(sync=True)
    depth = traitlets.Int(30, min=2, max=DEEPEST).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)

    def signals(self) -> Signals:
        """Send inputs forward and gradients back, and return their scales."""
        n, m = WIDTH, EXAMPLES
        drawn = normals(self.seed, 2 * m * n + self.depth * n * n)
        x, top = drawn[: 2 * m * n].reshape(2, m, n)
        W = drawn[2 * m * n :].reshape(self.depth, n, n) * self.gain / np.sqrt(n)
        value, slope = PHI[self.activation]
        outputs, inputs = [x], []
        for i in range(self.depth):
            inputs.append(outputs[-1] @ W[i].T)  # (m, n)
            outputs.append(value(inputs[-1]))
        grads = [top]
        for i in reversed(range(self.depth)):
            grads.append((slope(inputs[i]) * grads[-1]) @ W[i])  # (m, n), by (5) and (8)
        return Signals(_rms(outputs), _rms(grads[::-1]))

    def description(self) -> str:
        """Say what becomes of the signal and of the gradient."""
        forward, backward = self.signals()
        kept, back = forward[-1] / forward[0], backward[0] / backward[-1]
        return (
            f"The scale of a signal in a network of {self.depth} {NAMES[self.activation]} layers "
            f"of {WIDTH} units whose weights have standard deviation {self.gain:.3g}/√{WIDTH}, on "
            f"a logarithmic axis. The outputs {_verdict(kept, many=True)}: after the last layer "
            f"they are {kept:.3g} of the input's size, a factor of {kept ** (1 / self.depth):.3f} "
            f"per layer. The gradient {_verdict(back)}: at the first layer it is {back:.3g} of its "
            f"size at the last, a factor of {back ** (1 / self.depth):.3f} per layer."
        )

    def still(self) -> Figure:
        """Draw both scales by layer over the zones."""
        figure, axes = plt.subplots(1, 2, sharey=True)
        looks = (("Outputs, forward", style.BLUE, "-"), ("Gradients, backward", style.COPPER, "--"))
        for ax, values, (title, colour, dashes) in zip(axes, self.signals(), looks, strict=True):
            ax.semilogy(np.maximum(values, 1e-20), color=colour, ls=dashes, marker="o", ms=3)
            for low, high, word in ((LIMIT, 1e12, "exploding"), (1e-12, 1 / LIMIT, "vanishing")):
                ax.axhspan(low, high, color=style.ROSE, alpha=0.1, lw=0)
                middle = np.sqrt(low * high)
                ax.text(0.97, middle, word, color=style.ROSE, ha="right", va="center",
                        transform=ax.get_yaxis_transform())  # fmt: skip
            ax.set(title=title, xlabel="layer", ylim=(1e-12, 1e12))
            ax.set(yticks=10.0 ** np.arange(-12, 13, 6))
        axes[0].set_ylabel("root mean square")
        return figure


def signal_depth(
    activation: str = "relu", *, gain: float = 1.0, depth: int = 30, seed: int = 0
) -> SignalDepth:
    """Send a signal through a deep network and back, and see what each layer does to its size.

    What a reader can learn: every layer multiplies the size of the signal and of the gradient, so
    that any factor but 1 ends in nothing or in overflow; the gain that keeps ReLU's size is √2
    (:eq:`eq-backprop-he`), that of tanh and of linear layers 1 (:eq:`eq-backprop-xavier`);
    the outputs of tanh and sigmoid stay in range at any gain above that, which says nothing about
    their gradient: tanh's explodes at gain 3, and as sigmoid's slope is at most 1/4, no gain below
    4 carries a gradient through sigmoids.

    Weights are Gaussian with standard deviation gain/√48, in layers of 48 units without bias; 16
    Gaussian inputs go forward and 16 Gaussian gradients come back. The random numbers come from a
    written-out generator, ``normals``, so that page and Python have the same network. The
    dotted line is the theory of infinitely wide layers.

    Parameters
    ----------
    activation
        ``"tanh"``, ``"relu"``, ``"sigmoid"`` or ``"linear"``.
    gain
        Standard deviation of the weights times √48, 0.2 to 5.
    depth
        Number of layers, 2 to 50.
    seed
        Seed of the weights; a button draws others.

    Raises
    ------
    ValueError
        If the activation is unknown or a number out of reach.
    """
    if activation not in NAMES:
        raise ValueError(f"activation is {activation!r}; there are {', '.join(NAMES)}.")
    for name, value, low, high in (("gain", gain, LOWEST, HIGHEST), ("depth", depth, 2, DEEPEST)):
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}; its slider reaches from {low} to {high}.")
    if seed < 0:
        raise ValueError(f"seed is {seed}; take a number that is not negative.")
    data = {"deepest": DEEPEST}
    return SignalDepth(data=data, activation=activation, gain=float(gain), depth=depth, seed=seed)


def normals(seed: int, count: int) -> np.ndarray:
    """Return standard normal numbers, shape (count,), that JavaScript draws alike.

    Uniform numbers by mulberry32, pairs of them made normal by Box and Muller. The n-th state is
    the seed plus n times a constant, so that all come at once; 32-bit integers wrap around.
    """
    with np.errstate(over="ignore"):
        state = np.uint32(seed) + np.arange(1, 2 * count + 1, dtype=np.uint32) * np.uint32(
            0x6D2B79F5
        )
        t = (state ^ (state >> 15)) * (state | 1)
        t ^= t + (t ^ (t >> 7)) * (t | 61)
    u, v = (((t ^ (t >> 14)) + 0.5) / 2**32).reshape(count, 2).T
    return np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)


def _rms(signals: list[np.ndarray]) -> np.ndarray:
    return np.array([np.sqrt(np.mean(s**2)) for s in signals])


def _verdict(ratio: float, *, many: bool = False) -> str:
    if ratio < 1 / LIMIT:
        return "vanish" if many else "vanishes"
    if ratio > LIMIT:
        return "explode" if many else "explodes"
    return "stay in range" if many else "stays in range"
