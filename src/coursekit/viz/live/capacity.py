"""Live figure: fits of many samples, and the error they make on average."""

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

SIZES = (12, 15, 20, 30, 40, 60, 80)
HIGHEST = 10
FITS = 24


class Capacity(LiveFigure):
    """The figure that :func:`capacity` makes; ``degree`` and ``examples`` follow its sliders."""

    _esm = module_source("capacity")
    name = "capacity"
    title = "Capacity: bias, variance and their sum"
    degree = traitlets.Int(1, min=0, max=HIGHEST).tag(sync=True)
    examples = traitlets.Enum(SIZES, default_value=20).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)

    def description(self) -> str:
        """Say what the errors are at this degree, and where they are lowest."""
        noise = self.data["noise"]
        errors = [expected_errors(self.examples, d, noise) for d in range(HIGHEST + 1)]
        bias, variance = errors[self.degree]
        lowest = int(np.argmin([sum(pair) for pair in errors]))
        return (
            f"Polynomials fitted to samples of {self.examples} noisy examples of one sine wave. "
            f"At degree {self.degree} the squared bias is {bias:.3f} and the variance "
            f"{variance:.3f}; with the noise of {noise**2:.3f} the expected squared error is "
            f"{bias + variance + noise**2:.3f}. Bias falls with the degree and variance rises; "
            f"their sum is lowest at degree {lowest}."
        )

    def still(self) -> Figure:
        """Draw a few fits, and the expected errors of every degree."""
        rng, noise = np.random.default_rng(self.seed), self.data["noise"]
        x, grid = middles(self.examples), np.linspace(0, 1, 61)
        hat = _smoother(x, self.degree, grid)
        figure, (left, right) = plt.subplots(1, 2)
        for _ in range(8):
            sample = _truth(x) + noise * rng.standard_normal(len(x))
            left.plot(grid, hat @ sample, color=style.BLUE, lw=0.8, ls="-", alpha=0.5)
        left.plot(grid, _truth(grid), color=style.INK, ls=(0, (6, 2)), label="truth")
        left.plot(grid, hat @ _truth(x), color=style.COPPER, ls="-", label="expected fit")
        left.set(title=f"Fits of degree {self.degree}", xlabel="x", ylim=(-1.9, 1.9))
        left.legend()
        degrees = np.arange(HIGHEST + 1)
        bias, variance = np.array(
            [expected_errors(self.examples, int(d), noise) for d in degrees]
        ).T
        parts = (("noise", noise**2 + 0 * bias), ("bias²", bias), ("variance", variance))
        base = np.zeros(len(degrees))
        for (label, part), colour in zip(
            parts, (style.RULE, style.COPPER, style.TEAL), strict=True
        ):
            right.bar(degrees, part, bottom=base, color=colour, label=label, width=0.7)
            base += part
        right.set(title="Expected squared error", xlabel="degree", ylim=(0, 0.72))
        right.legend()
        return figure


def capacity(*, seed: int = 0, noise: float = 0.3) -> Capacity:
    """Give a model more freedom, and see where its error comes from.

    What a reader can learn: a polynomial of low degree misses the truth in the same way for every
    sample (bias), one of high degree follows each sample's noise (variance), and the expected
    error (:eq:`eq-basics-bias-variance`) is lowest in between; more examples move that place
    towards higher degrees; the training error falls all the way and shows none of this.

    The inputs stay at evenly spaced points and only the noise is drawn again, so that bias and
    variance follow exactly from linear algebra; the fits drawn are a sample. The test error is an
    average over 100 points of [0, 1].

    Parameters
    ----------
    seed
        Seed of the noise in the fits drawn; a button draws others.
    noise
        Standard deviation of the noise, between 0 and 1.

    Raises
    ------
    ValueError
        If the noise is outside that range or the seed is negative.
    """
    if not 0 < noise <= 1:
        raise ValueError(f"noise is {noise}; the figure's axes hold standard deviations in (0, 1].")
    if seed < 0:
        raise ValueError(f"seed is {seed}; take a number that is not negative.")
    data = {"noise": noise, "sizes": list(SIZES), "highest": HIGHEST, "fits": FITS}
    return Capacity(data=data, seed=seed)


def expected_errors(m: int, degree: int, noise: float) -> tuple[float, float]:
    """Return squared bias and variance of a polynomial fit to m examples, averaged over [0, 1]."""
    x, grid = middles(m), middles(100)
    hat = _smoother(x, degree, grid)
    bias = np.mean((hat @ _truth(x) - _truth(grid)) ** 2)
    return float(bias), float(noise**2 * np.mean(np.sum(hat**2, axis=1)))


def middles(m: int) -> np.ndarray:
    """Return the middles of m equal parts of [0, 1], shape (m,)."""
    return (np.arange(m) + 0.5) / m


def _truth(x: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * x)


def _smoother(x: np.ndarray, degree: int, grid: np.ndarray) -> np.ndarray:
    """Return the matrix that turns targets at ``x`` into the fit on ``grid``, (len(grid), m)."""
    powers = np.polynomial.legendre.legvander(2 * x - 1, degree)
    return np.polynomial.legendre.legvander(2 * grid - 1, degree) @ np.linalg.pinv(powers)
