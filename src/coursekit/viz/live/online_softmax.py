"""Live figure: a softmax that reads its scores tile by tile."""

from collections.abc import Sequence

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

SCORES = (0.4, 1.2, -0.6, 0.9, 2.4, 0.2, 1.0, -1.1, 3.3, 0.6, 1.6, 2.9)
VALUES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0)


class OnlineSoftmax(LiveFigure):
    """The figure that :func:`online_softmax` makes; its traits follow the controls."""

    _esm = module_source("online_softmax")
    name = "online_softmax"
    title = "A softmax that reads its scores once"
    tile = traitlets.Int(3).tag(sync=True)
    read = traitlets.Int(2).tag(sync=True)
    steepness = traitlets.Float(1.0).tag(sync=True)
    shrink = traitlets.Bool(True).tag(sync=True)

    def running(self) -> tuple[float, float, float]:
        """Peak, sum of weights and weighted sum of values after the tiles read so far."""
        scores = np.array(self.data["scores"]) * self.steepness
        values = np.array(self.data["values"])
        peak, total, out = -np.inf, 0.0, 0.0
        for first in range(0, min(self.tile * self.read, len(scores)), self.tile):
            here = slice(first, first + self.tile)
            new = max(peak, scores[here].max())
            factor = np.exp(peak - new) if self.shrink else 1.0
            weights = np.exp(scores[here] - new)
            total = total * factor + weights.sum()
            out = out * factor + weights @ values[here]
            peak = new
        return peak, total, out

    def description(self) -> str:
        """Say how far the reading is, and what the running numbers are."""
        scores = np.array(self.data["scores"]) * self.steepness
        weights = np.exp(scores - scores.max())
        exact = weights @ np.array(self.data["values"]) / weights.sum()
        seen = min(self.tile * self.read, len(scores))
        if not seen:
            return f"No score of {len(scores)} is read yet; the full average is {exact:.3f}."
        peak, total, out = self.running()
        return (
            f"{seen} of {len(scores)} scores are read, {self.tile} at a time. The greatest so far "
            f"is {peak:.2f}, the sum of weights {total:.3f}, the running average "
            f"{out / total:.3f}; the average over all scores is {exact:.3f}."
        )

    def still(self) -> Figure:
        """Draw the scores with the peak so far, and the weights that it gives."""
        scores = np.array(self.data["scores"]) * self.steepness
        seen = np.arange(len(scores)) < self.tile * self.read
        peak = scores[seen].max() if seen.any() else 0.0
        figure, axes = plt.subplots(1, 2)
        places = np.arange(1, len(scores) + 1)
        axes[0].bar(places, scores, color=[style.BLUE if s else style.RULE for s in seen])
        axes[0].axhline(peak, color=style.COPPER)
        axes[0].set(title="Scores, and the peak so far", xlabel="key")
        axes[1].bar(places[seen], np.exp(scores[seen] - peak), color=style.BLUE)
        axes[1].set(title="Weights below that peak", xlabel="key", xlim=axes[0].get_xlim())
        return figure


def online_softmax(
    scores: Sequence[float] = SCORES, values: Sequence[float] = VALUES
) -> OnlineSoftmax:
    """Read scores tile by tile, and watch the running peak, sum and average.

    What a reader can learn: two numbers are enough to read a softmax once; a new peak shrinks what
    was summed before; without that the result depends on the order of the keys.

    Parameters
    ----------
    scores, values
        Scores of 2 to 24 keys, each between -10 and 10, and their values, as many numbers.

    Raises
    ------
    ValueError
        If their numbers differ or are out of range.
    """
    if len(scores) != len(values) or not 2 <= len(scores) <= 24:
        raise ValueError(
            f"{len(scores)} scores and {len(values)} values came; as many of each, 2 to 24, wanted."
        )
    if not all(abs(s) <= 10 for s in scores):
        raise ValueError(f"scores are {list(scores)}; each between -10 and 10 is wanted.")
    data = {"scores": [float(s) for s in scores], "values": [float(v) for v in values]}
    return OnlineSoftmax(data=data)
