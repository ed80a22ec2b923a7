"""Live figure: what a token earns when its probability moves, and where the earning stops."""

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

LEAST, MOST = 0.4, 1.8


class ClippedStep(LiveFigure):
    """The figure that :func:`clipped_step` makes; its traits follow the controls."""

    _esm = module_source("clipped_step")
    name = "clipped_step"
    title = "How far may a token move?"
    advantage = traitlets.Float(1.0).tag(sync=True)
    ratio = traitlets.Float(1.0, min=0.0).tag(sync=True)
    low = traitlets.Float(0.2, min=0.0, max=1.0).tag(sync=True)
    high = traitlets.Float(0.2, min=0.0).tag(sync=True)

    def objective(self, ratio: float | np.ndarray) -> np.ndarray:
        """Return what a token with this ratio of new to old probability earns."""
        held = np.clip(ratio, 1 - self.low, 1 + self.high)
        return np.minimum(np.multiply(ratio, self.advantage), held * self.advantage)

    def slope(self, ratio: float) -> float:
        """Return how the earning changes with the ratio: 0 where there is nothing to gain."""
        gone = ratio > 1 + self.high if self.advantage > 0 else ratio < 1 - self.low
        return 0.0 if gone else self.advantage

    def description(self) -> str:
        """Say what the token earns here, and whether it still teaches."""
        kind = "better" if self.advantage > 0 else "worse"
        teaches = "still pushes" if self.slope(self.ratio) else "pushes no more"
        return (
            f"The clipped objective of one token that was {kind} than expected, advantage "
            f"{self.advantage:g}, against the ratio of its new to its old probability; limits "
            f"{1 - self.low:.2f} and {1 + self.high:.2f}. At ratio {self.ratio:.2f} it earns "
            f"{float(self.objective(self.ratio)):.2f} and {teaches}. A good token stops at the "
            "upper limit, a bad one at the lower; one that moved the wrong way is always pulled "
            "back."
        )

    def still(self) -> Figure:
        """Draw the objective with and without its clip."""
        ratios = np.linspace(LEAST, MOST, 200)
        figure, ax = plt.subplots()
        ax.axvspan(1 - self.low, 1 + self.high, color=style.RULE, alpha=0.45, lw=0)
        ax.plot(ratios, ratios * self.advantage, color=style.MUTED, ls="--", lw=1.4)
        ax.plot(ratios, self.objective(ratios), color=style.COPPER, ls="-", lw=2.4)
        ax.plot(self.ratio, self.objective(self.ratio), "o", color=style.COPPER, ms=8)
        ax.set(title="What the token earns", xlabel="new probability over old", xlim=(LEAST, MOST))
        return figure


def clipped_step(
    *, advantage: float = 1.0, ratio: float = 1.0, low: float = 0.2, high: float = 0.2
) -> ClippedStep:
    """Move a token's probability and see when the clipped objective stops paying for it.

    What a reader can learn: inside the limits the objective of PPO (:eq:`eq-posttraining-ppo`) is
    the policy gradient's; outside it is flat on one side only, so that a step which went the wrong
    way is undone while one that went far enough earns nothing more.

    Parameters
    ----------
    advantage
        How much better than expected the token was, not 0.
    ratio
        Its new probability over the old one.
    low, high
        How far the ratio may fall and rise.

    Raises
    ------
    ValueError
        If the advantage is 0 or a limit out of range.
    """
    if not advantage or not -2 <= advantage <= 2:
        raise ValueError(f"advantage is {advantage:g}; a number within 2 of 0, and not 0, wanted.")
    if not (0 < low < 1 and 0 < high < 1):
        raise ValueError(f"the limits are {low:g} and {high:g}; numbers between 0 and 1 wanted.")
    return ClippedStep(advantage=advantage, ratio=ratio, low=low, high=high)
