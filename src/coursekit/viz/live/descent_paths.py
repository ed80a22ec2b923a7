"""Live figure: the paths of four optimisers on one surface."""

from collections.abc import Sequence

import numpy as np
import traitlets
from contourpy import contour_generator
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

SURFACES = {"quadratic": "quadratic", "rosenbrock": "Rosenbrock", "wells": "two-well"}
OPTIMISERS = {
    "sgd": "gradient descent",
    "momentum": "momentum",
    "rmsprop": "RMSProp",
    "adam": "Adam",
}
MOST_STEPS = 150
FAR = 1000.0


class DescentPaths(LiveFigure):
    """The figure that :func:`descent_paths` makes; its traits follow the controls."""

    _esm = module_source("descent_paths", "powers")
    name = "descent_paths"
    title = "Descent: four optimisers from one start"
    surface = traitlets.Enum(tuple(SURFACES), default_value="quadratic").tag(sync=True)
    shown = traitlets.List(traitlets.Enum(tuple(OPTIMISERS))).tag(sync=True)
    kappa = traitlets.Float(25.0).tag(sync=True)
    eta = traitlets.Float(0.07).tag(sync=True)
    scaled = traitlets.Float(0.1).tag(sync=True)
    mu = traitlets.Float(0.7).tag(sync=True)
    u = traitlets.Float(-2.0).tag(sync=True)
    v = traitlets.Float(1.0).tag(sync=True)
    steps = traitlets.Int(60, min=1, max=MOST_STEPS).tag(sync=True)

    def path(self, optimiser: str) -> np.ndarray:
        """Return the points of one optimiser, shape (at most steps + 1, 2).

        The path ends early at a point farther out than 1000: it has diverged.
        """
        theta = np.array([self.u, self.v])
        points, m, s = [theta], np.zeros(2), np.zeros(2)
        for k in range(1, self.steps + 1):
            g = gradient(self.surface, self.kappa, theta)
            if optimiser == "sgd":
                change = self.eta * g
            elif optimiser == "momentum":
                m = self.mu * m + g
                change = self.eta * m
            elif optimiser == "rmsprop":
                s = 0.99 * s + 0.01 * g**2
                change = self.scaled * g / (np.sqrt(s) + 1e-8)
            else:
                m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
                unbiased = m / (1 - 0.9**k), s / (1 - 0.999**k)
                change = self.scaled * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
            theta = theta - change
            points.append(theta)
            if np.hypot(*theta) > FAR:
                break
        return np.array(points)

    def description(self) -> str:
        """Say where each optimiser is after the steps, and what theory has for the quadratic."""
        first = loss(self.surface, self.kappa, np.array([self.u, self.v]))
        ends = "; ".join(f"{OPTIMISERS[name]} {self._ending(name)}" for name in self.shown)
        words = (
            f"Paths of optimisers from ({self.u:g}, {self.v:g}) on the "
            f"{SURFACES[self.surface]} surface with steepness {self.kappa:g} across its valley. "
            f"Learning rate {self.eta:.3g}, momentum {self.mu:.3g}, learning rate of RMSProp and "
            f"Adam {self.scaled:.3g}. The loss starts at {first:.3g}; after {self.steps} steps: "
            f"{ends or 'no optimiser is shown'}."
        )
        if self.surface != "quadratic":
            return words
        root = self.kappa**0.5
        return (
            f"{words} Gradient descent diverges on this quadratic above the learning rate "
            f"{2 / self.kappa:.3g}; the best rates shrink the distance by "
            f"{(self.kappa - 1) / (self.kappa + 1):.3f} a step, and with momentum by "
            f"{(root - 1) / (root + 1):.3f}."
        )

    def still(self) -> Figure:
        """Draw the paths over the contours, and the losses by step."""
        across, up = (-2.25, 2.25), (-1.0, 2.0) if self.surface == "rosenbrock" else (-1.5, 1.5)
        grid = np.stack(np.meshgrid(np.linspace(*across, 91), np.linspace(*up, 61)))
        heights = loss(self.surface, self.kappa, grid)
        contours = contour_generator(x=grid[0], y=grid[1], z=heights)
        figure, (left, right) = plt.subplots(1, 2, width_ratios=[3, 2])
        levels = heights.max() * ((np.arange(5) + 0.6) / 5) ** 3
        rings = [_apart(np.array(line), 0.15) for level in levels for line in contours.lines(level)]
        gap = np.full((1, 2), np.nan)  # lifts the pen between two rings
        joined = np.concatenate([part for ring in rings for part in (ring, gap)])
        left.plot(*joined.T, color=style.RULE, lw=0.9, ls="-")
        looks = zip(OPTIMISERS, style.SERIES, style.DASHES, style.MARKERS, strict=False)
        for name, colour, dashes, marker in looks:
            if name not in self.shown:
                continue
            points = self.path(name)
            look = {"color": colour, "ls": dashes, "marker": marker, "lw": 1.6}
            left.plot(*_apart(np.clip(points, -20, 20), 0.04).T, **look, ms=6, markevery=[-1])
            steps = np.unique(np.linspace(0, len(points) - 1, 31).astype(int))
            losses = np.maximum(loss(self.surface, self.kappa, points[steps].T), 1e-13)
            right.semilogy(steps, losses, **look, ms=5, markevery=[-1], label=OPTIMISERS[name])
        left.plot(self.u, self.v, "o", mfc=style.PAPER, mec=style.INK, mew=1.5, ms=6)
        left.set(title=f"Paths, {SURFACES[self.surface]} surface", xlabel="u", ylabel="v")
        left.set(
            xlim=across, ylim=up, xticks=range(-2, 3), yticks=range(-1, 3 if up[1] > 1.5 else 2)
        )
        right.set(
            title="Loss", xlabel="step", ylim=(1e-12, 1e4), yticks=10.0 ** np.arange(-12, 5, 4)
        )
        right.legend(handlelength=3, fontsize=9, loc="lower left")
        return figure

    def _ending(self, name: str) -> str:
        points = self.path(name)
        if len(points) <= self.steps or np.hypot(*points[-1]) > FAR:
            return f"diverges, gone at step {len(points) - 1}"
        return f"{loss(self.surface, self.kappa, points[-1]):.3g}"


def descent_paths(
    surface: str = "quadratic",
    *,
    kappa: float = 25.0,
    learning_rate: float = 0.07,
    momentum: float = 0.7,
    adaptive_learning_rate: float = 0.1,
    start: Sequence[float] = (-2.0, 1.0),
    steps: int = 60,
    shown: Sequence[str] = tuple(OPTIMISERS),
) -> DescentPaths:
    """Send four optimisers down one surface, and see what each learning rate can do.

    What a reader can learn: the steepest direction allows gradient descent no learning rate above
    2/kappa, and the flattest makes it wait (:eq:`eq-backprop-sgd`); momentum
    (:eq:`eq-backprop-momentum`) takes larger steps before it diverges and, tuned, shrinks the
    distance by :eq:`eq-backprop-momentum-rate` a step; RMSProp and Adam (:eq:`eq-backprop-adam`)
    divide each component by its size, so that a steep direction and a flat one look alike.
    RMSProp's first step is ten learning rates long, because its mean of squares starts at 0 and is
    not corrected; Adam's is one.

    The gradients are exact; the surfaces are ``"quadratic"``, (u² + kappa v²)/2, whose condition
    number is kappa; ``"rosenbrock"``, (1 - u)² + kappa (v - u²)²; and ``"wells"``,
    ((u² - 1)² + kappa v²)/2, with a saddle at 0. RMSProp has ``alpha=0.99``, Adam
    ``betas=(0.9, 0.999)``, as in ``torch.optim``.

    Parameters
    ----------
    surface
        One of the three names.
    kappa
        Steepness across the valley, 2 to 100.
    learning_rate, adaptive_learning_rate
        Of gradient descent and momentum, and of RMSProp and Adam; 0.001 to 1.
    momentum
        Of the heavy ball, 0 to 0.99.
    start
        Where all begin: u from -2 to 2, v from -1 to 1.5.
    steps
        Number of steps drawn, 1 to 150.
    shown
        Which of ``"sgd"``, ``"momentum"``, ``"rmsprop"`` and ``"adam"`` are drawn.

    Raises
    ------
    ValueError
        If a name is unknown or a number outside the reach of its slider.
    """
    for kind, got, known in (("surface", [surface], SURFACES), ("shown", shown, OPTIMISERS)):
        if unknown := [name for name in got if name not in known]:
            raise ValueError(f"{kind} has {unknown[0]!r}; there are {', '.join(known)}.")
    reaches = {
        "kappa": (kappa, 2, 100),
        "learning_rate": (learning_rate, 0.001, 1),
        "adaptive_learning_rate": (adaptive_learning_rate, 0.001, 1),
        "momentum": (momentum, 0, 0.99),
        "start u": (start[0], -2, 2),
        "start v": (start[1], -1, 1.5),
        "steps": (steps, 1, MOST_STEPS),
    }
    for name, (value, low, high) in reaches.items():
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}; its slider reaches from {low} to {high}.")
    return DescentPaths(
        surface=surface,
        shown=[name for name in OPTIMISERS if name in shown],
        kappa=float(kappa),
        eta=float(learning_rate),
        scaled=float(adaptive_learning_rate),
        mu=float(momentum),
        u=float(start[0]),
        v=float(start[1]),
        steps=steps,
    )


def loss(surface: str, kappa: float, theta: np.ndarray) -> np.ndarray:
    """Return the height of a surface at ``theta``, shape (2, …); the result has shape (…)."""
    u, v = theta
    if surface == "quadratic":
        return (u**2 + kappa * v**2) / 2
    if surface == "rosenbrock":
        return (1 - u) ** 2 + kappa * (v - u**2) ** 2
    return ((u**2 - 1) ** 2 + kappa * v**2) / 2


def gradient(surface: str, kappa: float, theta: np.ndarray) -> np.ndarray:
    """Return the gradient of :func:`loss` at ``theta``, shape (2,)."""
    u, v = theta
    if surface == "quadratic":
        return np.array([u, kappa * v])
    if surface == "rosenbrock":
        across = 2 * kappa * (v - u**2)
        return np.array([-2 * (1 - u) - 2 * u * across, across])
    return np.array([2 * u * (u**2 - 1), kappa * v])


def _apart(points: np.ndarray, distance: float) -> np.ndarray:
    """Drop the points that lie less than `distance` from the last one kept, but not the end."""
    kept = [points[0]]
    for point in points[1:]:
        if np.hypot(*(point - kept[-1])) > distance:
            kept.append(point)
    return np.array([*kept, points[-1]])
