"""Live figure: a min-max game of two numbers, and what three kinds of steps make of it."""

from collections.abc import Sequence

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

METHODS = {
    "simultaneous": "both at once",
    "alternating": "one after the other",
    "extragradient": "looking ahead",
}
MOST_STEPS = 120
FAR = 1e3


def update_matrix(method: str, curvature: float, coupling: float, step: float) -> np.ndarray:
    """Return the matrix that takes (x, y) to the next (x, y), shape (2, 2)."""
    J = np.array([[-curvature, -coupling], [coupling, -curvature]])
    eye = np.eye(2)
    if method == "simultaneous":
        return eye + step * J
    if method == "extragradient":
        return eye + step * J @ (eye + step * J)
    first = np.array([[1 - step * curvature, -step * coupling], [0, 1]])
    second = np.array([[1, 0], [step * coupling, 1 - step * curvature]])
    return second @ first


class MinmaxGame(LiveFigure):
    """The figure that :func:`minmax_game` makes; its traits follow the controls."""

    _esm = module_source("minmax_game", "powers")
    name = "minmax_game"
    title = "A min-max game of two numbers"
    shown = traitlets.List(traitlets.Enum(tuple(METHODS))).tag(sync=True)
    coupling = traitlets.Float(1.0).tag(sync=True)
    curvature = traitlets.Float(0.0).tag(sync=True)
    step = traitlets.Float(0.2).tag(sync=True)
    steps = traitlets.Int(60, min=1, max=MOST_STEPS).tag(sync=True)

    def path(self, method: str) -> np.ndarray:
        """Return the points of one way to step, shape (at most steps + 1, 2)."""
        update = update_matrix(method, self.curvature, self.coupling, self.step)
        points = [np.array(self.data["start"])]
        while len(points) <= self.steps and np.hypot(*points[-1]) <= FAR:
            points.append(update @ points[-1])
        return np.array(points)

    def factor(self, method: str) -> float:
        """Return the spectral radius: what a step does to the distance in the long run."""
        update = update_matrix(method, self.curvature, self.coupling, self.step)
        return float(np.abs(np.linalg.eigvals(update)).max())

    def description(self) -> str:
        """Say what each way to step does to the distance from the solution."""
        ends = "; ".join(
            f"{METHODS[name]} {np.hypot(*self.path(name)[-1]):.3g}, "
            f"a factor of {self.factor(name):.3f} a step"
            for name in self.shown
        )
        return (
            f"One player lowers and the other raises f(x, y) = {self.coupling:.2g} x y + "
            f"{self.curvature:.2g} (x² - y²) / 2, whose solution is the origin; the step size is "
            f"{self.step:.2g}. Distance from the origin after {self.steps} steps: "
            f"{ends or 'nothing is shown'}."
        )

    def still(self) -> Figure:
        """Draw the field with the paths, and the distance by step."""
        figure, (left, right) = plt.subplots(1, 2)
        x, y = np.meshgrid(np.linspace(-1.8, 1.8, 7), np.linspace(-1.8, 1.8, 7))
        u = -self.curvature * x - self.coupling * y
        v = self.coupling * x - self.curvature * y
        along = 0.15 / np.hypot(self.curvature, self.coupling)
        gap = np.full_like(x, np.nan)  # lifts the pen between two arrows
        strokes = [
            np.stack(ends, axis=-1).ravel()
            for ends in ((x, x + along * u, gap), (y, y + along * v, gap))
        ]
        left.plot(*strokes, color=style.RULE, lw=1.2, ls="-")
        left.plot(x + along * u, y + along * v, ".", color=style.RULE, ms=4)
        looks = zip(METHODS, style.SERIES, style.DASHES, style.MARKERS, strict=False)
        for name, colour, dashes, marker in looks:
            if name in self.shown:
                points = self.path(name)
                look = {"color": colour, "ls": dashes, "marker": marker, "lw": 1.5}
                left.plot(*np.clip(points, -9, 9).T, **look, ms=6, markevery=[-1])
                distance = np.maximum(np.hypot(*points.T), 1e-6)
                right.semilogy(distance, **look, ms=5, markevery=[-1], label=METHODS[name])
        left.set(title="The two players", xlabel="x, lowers f", ylabel="y, raises f")
        left.set(xlim=(-2, 2), ylim=(-2, 2))
        right.set(title="Distance from the solution", xlabel="step", ylim=(1e-3, 1e3))
        right.legend(fontsize=9, loc="upper left")
        return figure


def minmax_game(
    *,
    coupling: float = 1.0,
    curvature: float = 0.0,
    step: float = 0.2,
    steps: int = 60,
    start: Sequence[float] = (1.0, 0.6),
    shown: Sequence[str] = tuple(METHODS),
) -> MinmaxGame:
    """Let one player lower and the other raise one function, and watch them circle.

    What a reader can learn: a game (:eq:`eq-generative-gan-value` is one) has a field that is no
    gradient. Where the players only pull on each other (curvature 0) it turns around the solution
    and never points at it; simultaneous steps spiral outwards whatever their size, alternating ones
    stay on a ring, looking ahead or a little curvature brings both in.

    The function is ``coupling * x * y + curvature * (x**2 - y**2) / 2``; x descends and y ascends.

    Parameters
    ----------
    coupling
        How much the players pull on each other, 0.1 to 2.
    curvature
        How much each is held back alone, 0 to 1.
    step
        Step size, 0.02 to 0.8.
    steps
        Number of steps drawn, 1 to 120.
    start
        Where both begin; each coordinate from -2 to 2.
    shown
        Which of ``"simultaneous"``, ``"alternating"`` and ``"extragradient"`` are drawn.

    Raises
    ------
    ValueError
        If a name is unknown or a number outside the reach of its slider.
    """
    if unknown := [name for name in shown if name not in METHODS]:
        raise ValueError(f"shown has {unknown[0]!r}; there are {', '.join(METHODS)}.")
    reaches = {
        "coupling": (coupling, 0.1, 2),
        "curvature": (curvature, 0, 1),
        "step": (step, 0.02, 0.8),
        "steps": (steps, 1, MOST_STEPS),
        "start x": (start[0], -2, 2),
        "start y": (start[1], -2, 2),
    }
    for name, (value, low, high) in reaches.items():
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}; it reaches from {low} to {high}.")
    return MinmaxGame(
        data={"start": [float(v) for v in start]},
        shown=[name for name in METHODS if name in shown],
        coupling=float(coupling),
        curvature=float(curvature),
        step=float(step),
        steps=steps,
    )
