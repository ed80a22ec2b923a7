"""Live figure: a fitted scaling law, and how to spend a budget of computation."""

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

COEFFICIENTS = ("E", "A", "B", "alpha", "beta")
Run = tuple[float, float, float, bool]


class ScalingLaw(LiveFigure):
    """The figure that :func:`scaling_law` makes; its traits follow the controls."""

    _esm = module_source("scaling_law")
    name = "scaling_law"
    title = "How to spend a budget"
    compute = traitlets.Float().tag(sync=True)
    size = traitlets.Float().tag(sync=True)

    def loss(self, N: float | np.ndarray, D: float | np.ndarray) -> np.ndarray:
        """Return the loss that the fit foretells, nats a token, for `N` weights and `D` tokens."""
        f = self.data["fit"]
        return np.asarray(f["E"] + f["A"] / N ** f["alpha"] + f["B"] / D ** f["beta"])

    def best(self, C: float) -> tuple[float, float]:
        """Return the weights and tokens that make the loss least with `C` operations."""
        f = self.data["fit"]
        both = f["alpha"] + f["beta"]
        G = (f["alpha"] * f["A"] / (f["beta"] * f["B"])) ** (1 / both)
        N = float(G * (C / 6) ** (f["beta"] / both))
        return N, C / (6 * N)

    def description(self) -> str:
        """Say what the budget buys at this size and at the best one."""
        C, N = 10**self.compute, 10**self.size
        D, (top, read) = C / (6 * N), self.best(C)
        return (
            f"Loss against the number of weights, one curve for each budget of computation, each "
            f"with a lowest point. With {C:.2g} operations a model of {N:.2g} weights reads "
            f"{D:.2g} tokens, and the fit foretells {float(self.loss(N, D)):.3f} nats a token. "
            f"The best size is {top:.2g} weights with {read:.2g} tokens: "
            f"{float(self.loss(top, read)):.3f} nats. Best sizes grow with the budget."
        )

    def still(self) -> Figure:
        """Draw the curves of equal computation, the best sizes, and the runs."""
        low, high = self.data["compute"]
        sizes = 10 ** np.linspace(self.data["sizes"][0], self.data["sizes"][1], 120)
        figure, ax = plt.subplots()
        for budget in [*np.arange(low, high + 1e-9), self.compute]:
            here = budget == self.compute
            loss = self.loss(sizes, 10**budget / (6 * sizes))
            colour = style.COPPER if here else style.RULE
            ax.plot(sizes, loss, color=colour, lw=2.4 if here else 1.3, ls="-")
        tops = [self.best(10**b) for b in np.linspace(low, high, 40)]
        N, D = (np.array(column) for column in zip(*tops, strict=True))
        ax.plot(N, self.loss(N, D), "--", color=style.BLUE, lw=1.6)
        for n, _, found, held in self.data["runs"]:
            colour = style.INK if held else style.MUTED
            ax.plot(n, found, "D" if held else "o", mfc="none", mec=colour, ms=5)
        here = 10**self.size
        ax.plot(here, self.loss(here, 10**self.compute / (6 * here)), "o", color=style.COPPER, ms=8)
        least, most = float(self.loss(N[-1], D[-1])), float(self.loss(N[0], D[0]))
        ax.set(xscale="log", ylim=(least - 0.06 * (most - least), most + 0.75 * (most - least)))
        ax.set(title="Loss, nats a token", xlabel="weights, N")
        return figure


def scaling_law(
    fit: Mapping[str, float],
    runs: Sequence[Run] = (),
    *,
    compute: tuple[float, float],
    sizes: tuple[float, float],
) -> ScalingLaw:
    """Spend a budget of computation on a larger model or on more data, by a fitted law.

    What a reader can learn: at a given budget (:eq:`eq-pretraining-compute`) a model can be too
    large as well as too small; the fitted form (:eq:`eq-pretraining-chinchilla`) has a lowest
    point that moves to larger models and more data together; beside the lowest point the curve is
    flat, so that a somewhat smaller model costs little.

    Parameters
    ----------
    fit
        E, A, B, alpha and beta, all positive.
    runs
        Weights, tokens, loss found, and whether the fit was kept from seeing the run.
    compute, sizes
        Decimal logarithms: the least and the largest budget, and number of weights.

    Raises
    ------
    ValueError
        If a coefficient is missing or not positive, or a range is empty.
    """
    if set(fit) != set(COEFFICIENTS) or min(fit.values()) <= 0:
        raise ValueError(f"fit has {sorted(fit)}; positive {', '.join(COEFFICIENTS)} wanted.")
    if compute[0] + 1 > compute[1] or sizes[0] + 1 > sizes[1]:
        raise ValueError(f"compute {compute} and sizes {sizes}; each must span a decade or more.")
    data = {
        "fit": {name: float(f"{fit[name]:.8g}") for name in COEFFICIENTS},
        "runs": [[float(n), float(d), round(float(loss), 4), bool(h)] for n, d, loss, h in runs],
        "compute": [float(v) for v in compute],
        "sizes": [float(v) for v in sizes],
    }
    middle = (compute[0] + compute[1]) / 2
    figure = ScalingLaw(data=data, compute=middle, size=sum(sizes) / 2)
    figure.size = float(np.clip(round(np.log10(figure.best(10**middle)[0]) + 0.3, 2), *sizes))
    return figure
