"""Live figure: two groups, two thresholds, and the measures of fairness that they leave apart."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

BINS = 40


class Rates(NamedTuple):
    """What a threshold does to one group; a share of nobody is NaN."""

    accepted: float
    tpr: float
    fpr: float
    ppv: float
    right: float


def rates(good: Sequence[int], bad: Sequence[int], first: int) -> Rates:
    """Return the rates of one group if the bins from ``first`` on are accepted.

    Parameters
    ----------
    good, bad
        People a bin whose outcome is good, and whose outcome is bad.
    first
        First accepted bin; their number accepts nobody.
    """
    positives, negatives = sum(good), sum(bad)
    hit, wrong = sum(good[first:]), sum(bad[first:])
    everyone = positives + negatives

    def share(part: int, whole: int) -> float:
        return part / whole if whole else math.nan

    return Rates(
        share(hit + wrong, everyone),
        share(hit, positives),
        share(wrong, negatives),
        share(hit, hit + wrong),
        share(hit + negatives - wrong, everyone),
    )


class FairnessThresholds(LiveFigure):
    """The figure that :func:`fairness_thresholds` makes; its traits follow the controls."""

    _esm = module_source("fairness_thresholds")
    name = "fairness_thresholds"
    title = "Two groups, two thresholds"
    first = traitlets.Int(BINS // 2, min=0, max=BINS).tag(sync=True)
    second = traitlets.Int(BINS // 2, min=0, max=BINS).tag(sync=True)

    def rates(self) -> tuple[Rates, Rates]:
        """Return the rates of both groups at their thresholds."""
        pair = zip(self.data["groups"], (self.first, self.second), strict=True)
        a, b = (rates(group["good"], group["bad"], first) for group, first in pair)
        return a, b

    def description(self) -> str:
        """Say what each threshold does to its group."""
        parts = []
        for group, first, r in zip(
            self.data["groups"], (self.first, self.second), self.rates(), strict=True
        ):
            parts.append(
                f"{group['name']}, accepted from a score of {first / BINS:.3f}: "
                f"{r.accepted:.0%} accepted, true-positive rate {r.tpr:.0%}, "
                f"false-positive rate {r.fpr:.0%}, and {r.ppv:.0%} of the accepted end well"
            )
        return "Scores of two groups with one threshold each. " + "; ".join(parts) + "."

    def still(self) -> Figure:
        """Draw both groups' scores with their thresholds."""
        figure, axes = plt.subplots(1, 2, sharey=True)
        edges = np.linspace(0, 1, BINS + 1)
        tops = zip(axes, self.data["groups"], (self.first, self.second), strict=True)
        for ax, group, first in tops:
            good, bad = np.array(group["good"]), np.array(group["bad"])
            ax.stairs(good, edges, fill=True, color=style.BLUE, label="ends well")
            ax.stairs(good + bad, edges, color=style.COPPER, label="all, with those ending badly")
            ax.axvline(first / BINS, color=style.INK, lw=1.6, ls="-")
            ax.set(xlabel=f"score, {group['name']}", xlim=(0, 1))
        axes[0].set_ylabel("people")
        axes[0].legend(fontsize=9)
        return figure


def fairness_thresholds(
    scores: np.ndarray,
    outcomes: np.ndarray,
    groups: np.ndarray,
    *,
    names: tuple[str, str] = ("group A", "group B"),
    thresholds: tuple[float, float] = (0.5, 0.5),
) -> FairnessThresholds:
    """Move one threshold a group, and see which measures of fairness can be made equal.

    What a reader can learn: one threshold for all gives the groups different rates where their
    scores are spread differently; two thresholds can make the shares of accepted equal, or the
    true-positive rates, or the false-positive rates, and each choice pulls the others apart
    (:eq:`eq-landscape-impossibility`).

    Parameters
    ----------
    scores
        Estimated chance of a good outcome, from 0 to 1, shape (m,).
    outcomes
        1 where it ended well, else 0, shape (m,).
    groups
        0 or 1, shape (m,).
    names
        What the two groups are called.
    thresholds
        Least accepted score of either group to start with.

    Raises
    ------
    ValueError
        If shapes differ, a score or threshold is outside 0 to 1, or a group lacks an outcome.
    """
    s, y, g = (np.asarray(v) for v in (scores, outcomes, groups))
    if not (s.ndim == 1 and s.shape == y.shape == g.shape):
        raise ValueError(f"shapes {s.shape}, {y.shape} and {g.shape}; one shape (m,) is wanted.")
    if not (len(s) and s.min() >= 0 and s.max() <= 1 and all(0 <= t <= 1 for t in thresholds)):
        raise ValueError("scores and thresholds must lie from 0 to 1.")
    place = np.minimum((s * BINS).astype(int), BINS - 1)
    data = []
    for number, name in enumerate(names):
        counts = {
            kind: np.bincount(place[(g == number) & (y == end)], minlength=BINS).tolist()
            for kind, end in (("good", 1), ("bad", 0))
        }
        if not (sum(counts["good"]) and sum(counts["bad"])):
            raise ValueError(f"{name} needs people of both outcomes.")
        data.append({"name": name, **counts})
    first, second = (round(t * BINS) for t in thresholds)
    return FairnessThresholds(data={"groups": data}, first=first, second=second)
