"""Live figure: how strongly to ask for a class, in a plane where everything is known exactly."""

import itertools

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

CENTERS = np.array([[-1.0, 0.6], [1.0, 0.6], [0.0, -1.0]])
SPREAD = 0.55
SAMPLES = 80
STEPS = 60
START = 0.005  # alpha-bar of the noise that all samples begin from
LARGEST = 8.0


def levels() -> np.ndarray:
    """Return alpha-bar from noise to data, a squared sine, shape (STEPS + 1,)."""
    angle = np.linspace(np.arcsin(np.sqrt(START)), np.pi / 2, STEPS + 1)
    return np.sin(angle) ** 2


def posterior(x: np.ndarray, alpha_bar: float) -> np.ndarray:
    """Return the probability of each class at a noise level, for x (m, 2); shape (m, 3)."""
    variance = alpha_bar * SPREAD**2 + 1 - alpha_bar
    away = ((x[:, None] - np.sqrt(alpha_bar) * CENTERS) ** 2).sum(-1)
    weight = np.exp(-(away - away.min(1, keepdims=True)) / (2 * variance))
    return weight / weight.sum(1, keepdims=True)


def noise_of(x: np.ndarray, alpha_bar: float, chosen: int, w: float) -> np.ndarray:
    """Return the guided noise: unconditional plus w times what the class adds, shape (m, 2)."""
    variance = alpha_bar * SPREAD**2 + 1 - alpha_bar
    scale = np.sqrt(1 - alpha_bar) / variance
    one = scale * (x - np.sqrt(alpha_bar) * CENTERS[chosen])
    anything = scale * (x - np.sqrt(alpha_bar) * posterior(x, alpha_bar) @ CENTERS)
    return anything + w * (one - anything)


def transport(start: np.ndarray, chosen: int, w: float) -> np.ndarray:
    """Take noise (m, 2) to samples by deterministic steps, all of them, (STEPS + 1, m, 2)."""
    path, alpha_bar = [start], levels()
    for now, then in itertools.pairwise(alpha_bar):
        noise = noise_of(path[-1], now, chosen, w)
        clean = (path[-1] - np.sqrt(1 - now) * noise) / np.sqrt(now)
        path.append(np.sqrt(then) * clean + np.sqrt(1 - then) * noise)
    return np.array(path)


class Guidance(LiveFigure):
    """The figure that :func:`guidance` makes; its traits follow the controls."""

    _esm = module_source("guidance")
    name = "guidance"
    title = "How strongly to ask"
    chosen = traitlets.Int(0, min=0, max=len(CENTERS) - 1).tag(sync=True)
    w = traitlets.Float(1.0).tag(sync=True)

    def samples(self) -> np.ndarray:
        """Return where the noise ends, shape (80, 2)."""
        return transport(np.array(self.data["start"]), self.chosen, self.w)[-1]

    def numbers(self) -> tuple[float, float, float]:
        """Return how sure a classifier is of the class, the spread, the distance from its mean."""
        x = self.samples()
        sure = float(posterior(x, 1.0)[:, self.chosen].mean())
        middle = x.mean(axis=0)
        spread = float(np.sqrt(((x - middle) ** 2).sum(1).mean() / 2))
        return sure, spread, float(np.hypot(*(middle - CENTERS[self.chosen])))

    def description(self) -> str:
        """Say what this strength gains and what it costs."""
        sure, spread, shift = self.numbers()
        return (
            f"{SAMPLES} samples of three overlapping classes, Gaussians of spread {SPREAD}, drawn "
            f"with guidance of strength {self.w:.2f} towards class {self.chosen + 1}. The exact "
            f"classifier gives them {sure:.0%} for the class, on average. Their spread is "
            f"{spread:.2f} and their mean lies {shift:.2f} from that of the class."
        )

    def still(self) -> Figure:
        """Draw the classes and the samples, and what each strength gives."""
        figure, (left, right) = plt.subplots(1, 2, width_ratios=[1.2, 1])
        turn = np.linspace(0, 2 * np.pi, 60)
        for k, center in enumerate(CENTERS):
            ring = center[:, None] + 2 * SPREAD * np.array([np.cos(turn), np.sin(turn)])
            left.plot(*ring, color=style.BLUE if k == self.chosen else style.RULE, lw=1.3, ls="-")
            left.text(*center, f"{k + 1}", color=style.MUTED, ha="center")
        left.plot(*self.samples().T, "o", color=style.COPPER, ms=3)
        left.set(title=f"Samples, w = {self.w:.2f}", xlim=(-3.2, 3.2), ylim=(-3.2, 3.2))
        strengths = np.linspace(0, LARGEST, 17)
        rows = [Guidance(data=self.data, chosen=self.chosen, w=w).numbers() for w in strengths]
        sure, spread, _ = np.array(rows).T
        right.plot(strengths, sure, label="sure of the class")
        right.plot(strengths, spread, label="spread")
        right.set(title="What it gains, what it costs", xlabel="strength w", ylim=(0, 1.2))
        right.legend(fontsize=9)
        return figure


def guidance(chosen: int = 0, *, w: float = 1.0, seed: int = 0) -> Guidance:
    """Ask for a class more or less strongly, where the right answer is known exactly.

    What a reader can learn: strength 0 ignores the class and strength 1 samples it as it is
    (:eq:`eq-generative-guidance`). More makes a classifier surer and the samples more alike: they
    leave the middle of the class for the side away from the others, and are no longer samples of
    the class.

    The noise of each sample is exact, from the mixture's score (:eq:`eq-generative-score`); 60
    deterministic steps (:eq:`eq-generative-ddim`) run on the page for every move.

    Parameters
    ----------
    chosen
        The class, 0 to 2.
    w
        Strength, 0 to 8.
    seed
        Of the noise that all samples begin from.

    Raises
    ------
    ValueError
        If there is no such class, or the strength is out of reach.
    """
    if chosen not in range(len(CENTERS)):
        raise ValueError(f"chosen is {chosen}; the classes are 0 to {len(CENTERS) - 1}.")
    if not 0 <= w <= LARGEST:
        raise ValueError(f"w is {w}; its slider reaches from 0 to {LARGEST:g}.")
    start = np.random.default_rng(seed).normal(size=(SAMPLES, 2))
    data = {
        "start": np.round(start, 3).tolist(),
        "centers": CENTERS.tolist(),
        "spread": SPREAD,
        "levels": np.round(levels(), 6).tolist(),
    }
    return Guidance(data=data, chosen=chosen, w=float(w))
