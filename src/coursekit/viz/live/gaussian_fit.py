"""Live figure: fit a Gaussian by hand and watch likelihood and divergence."""

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

LONGEST = 1000


class GaussianFit(LiveFigure):
    """The figure that :func:`gaussian_fit` makes; ``mean`` and ``deviation`` follow its sliders."""

    _esm = module_source("gaussian_fit")
    name = "gaussian_fit"
    title = "Fit a Gaussian by hand"
    mean = traitlets.Float().tag(sync=True)
    deviation = traitlets.Float().tag(sync=True)

    def description(self) -> str:
        """Say how likely the data are under this curve and under the best one."""
        x = np.array(self.data["values"])
        return (
            f"A histogram of {len(x)} examples of {self.data['quantity']} under a Gaussian density "
            f"with mean {self.mean:.4g} and standard deviation {self.deviation:.4g}. Its "
            f"log-likelihood is {_level(x, self.mean, self.deviation):.3f} nats per example. The "
            f"highest possible, at mean {x.mean():.4g} and standard deviation {x.std():.4g}, is "
            f"{_level(x, x.mean(), x.std()):.3f}; the difference between the two is the "
            "Kullback-Leibler divergence from the best fit to this curve."
        )

    def still(self) -> Figure:
        """Draw the data under both curves, and the likelihood over the mean."""
        x, edges = np.array(self.data["values"]), self.data["edges"]
        low, high = self.data["sliders"]["window"]
        grid = np.linspace(low, high, 121)
        figure, (left, right) = plt.subplots(1, 2, width_ratios=[3, 2])
        left.hist(x, bins=edges, density=True, color=style.MUTED, alpha=0.25)
        left.plot(grid, np.exp(_log_density(grid, self.mean, self.deviation)), color=style.BLUE)
        left.plot(
            grid, np.exp(_log_density(grid, x.mean(), x.std())), color=style.TEAL, ls=(0, (6, 2))
        )
        left.set(title="Data and density", xlabel=self.data["quantity"], xlim=(low, high))
        means = np.linspace(low, high, 61)
        levels = [_level(x, mean, self.deviation) for mean in means]
        top = _level(x, x.mean(), x.std())
        right.plot(means, levels, color=style.BLUE, lw=1.3)
        right.plot(self.mean, _level(x, self.mean, self.deviation), "o", color=style.COPPER, ms=8)
        right.axhline(top, color=style.TEAL, ls=(0, (6, 2)), lw=1.3)
        right.set(
            title="Log-likelihood, nats per example", xlabel="mean", ylim=(top - 4, top + 0.3)
        )
        return figure


def gaussian_fit(
    x: ArrayLike, *, quantity: str = "x", draws: int = 600, seed: int = 0
) -> GaussianFit:
    """Fit a Gaussian to data by hand, and see what the likelihood measures.

    What a reader can learn: every move that raises the log-likelihood lowers the Kullback-Leibler
    divergence from the best fit by the same amount (:eq:`eq-basics-kl-mle`), so that the two have
    the same optimum; a narrow curve is punished far more for the examples in its tails than a wide
    one; an average over draws estimates the divergence with an error that it can state
    (:eq:`eq-basics-kl-mc`).

    Parameters
    ----------
    x
        Examples, shape (m,), 2 to 1000 of them, not all equal.
    quantity
        What ``x`` is, with its unit, for the axis: ``"petal length, cm"``.
    draws
        Number of draws of the best fit for the Monte Carlo estimate.
    seed
        Seed of these draws.

    Raises
    ------
    ValueError
        If ``x`` has another shape or length, is not finite, or does not vary.
    """
    values = np.asarray(x, dtype=float)
    if values.ndim != 1 or not 2 <= len(values) <= LONGEST:
        raise ValueError(
            f"x has shape {values.shape}; the figure draws one number per example, "
            f"2 to {LONGEST} of them. Take a column, or a sample of the rows."
        )
    if not np.isfinite(values).all() or values.std() == 0:
        raise ValueError("x has missing or infinite values, or does not vary; no Gaussian fits it.")
    mean, deviation = float(values.mean()), float(values.std())
    step = 10.0 ** np.floor(np.log10(deviation / 20))
    digits = max(0, int(-np.log10(step)))

    def tidy(value: float) -> float:
        return round(float(np.round(value / step) * step), digits)

    sliders = {
        "digits": digits,
        "window": [tidy(mean - 3.5 * deviation), tidy(mean + 3.5 * deviation)],
        "mean": {"min": tidy(mean - 2.5 * deviation), "max": tidy(mean + 2.5 * deviation)},
        "deviation": {"min": tidy(0.4 * deviation), "max": tidy(2.5 * deviation)},
    }
    for name in ("mean", "deviation"):
        sliders[name]["step"] = step  # type: ignore[index]
    noise = np.random.default_rng(seed).standard_normal(draws)
    edges = np.histogram_bin_edges(values, bins=min(24, max(6, round(1.2 * len(values) ** 0.5))))
    return GaussianFit(
        data={
            "values": [float(f"{v:.6g}") for v in values],
            "edges": [float(f"{v:.6g}") for v in edges],
            "noise": [round(float(z), 3) for z in noise],
            "quantity": quantity,
            "sliders": sliders,
        },
        mean=tidy(mean - 1.2 * deviation),
        deviation=tidy(1.5 * deviation),
    )


def _log_density(x: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    return -0.5 * np.log(2 * np.pi) - np.log(deviation) - (x - mean) ** 2 / (2 * deviation**2)


def _level(x: np.ndarray, mean: float, deviation: float) -> float:
    return float(_log_density(x, mean, deviation).mean())
