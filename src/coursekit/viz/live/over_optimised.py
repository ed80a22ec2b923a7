"""Live figure: a learned reward climbs on while what it stands for falls."""

from collections.abc import Mapping

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

MOST_PRICES, MOST_STEPS = 8, 400
Curves = tuple[ArrayLike, ArrayLike, ArrayLike]


class OverOptimised(LiveFigure):
    """The figure that :func:`over_optimised` makes; its traits follow the controls."""

    _esm = module_source("over_optimised")
    name = "over_optimised"
    title = "When to stop trusting a reward"
    price = traitlets.Int(0, min=0).tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)

    def curves(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return divergence, learned and gold reward along the chosen run, shape (steps,) each."""
        run = self.data["runs"][self.price]
        return np.array(run["kl"]), np.array(run["learned"]), np.array(run["gold"])

    def turning_point(self) -> int:
        """Return the step at which the gold measure is highest."""
        return int(np.argmax(self.curves()[2]))

    def description(self) -> str:
        """Say where the run stands, and where its gold measure was best."""
        kl, learned, gold = self.curves()
        t, top = min(self.step, len(kl) - 1), self.turning_point()
        return (
            f"A policy trained on a learned reward, at a price of {self.data['prices'][self.price]}"
            f" a nat of divergence. After {t} of {len(kl) - 1} records it has moved {kl[t]:.2f} "
            f"nats; the learned reward is {learned[t]:.2f} and the gold measure {gold[t]:.2f}. The "
            f"gold measure was highest at {kl[top]:.2f} nats, {gold[top]:.2f}, and ends at "
            f"{gold[-1]:.2f} while the learned reward ends at {learned[-1]:.2f}. A higher price "
            "holds the policy nearer to where it began."
        )

    def still(self) -> Figure:
        """Draw the learned reward and the gold measure against the divergence."""
        kl, learned, gold = self.curves()
        t, top = min(self.step, len(kl) - 1), self.turning_point()
        figure, ax = plt.subplots()
        ax.plot(kl, learned, color=style.BLUE, ls="--", label="learned reward")
        ax.plot(kl, gold, color=style.COPPER, ls="-", lw=2.4, label="gold measure")
        ax.plot(kl[[t, t]], [learned[t], gold[t]], "o", color=style.INK, ms=6)
        ax.plot(kl[top], gold[top], "D", mfc="none", mec=style.COPPER, ms=9)
        ax.set(title="Reward", xlabel="divergence from the reference, nats")
        ax.legend()
        return figure


def over_optimised(runs: Mapping[float, Curves], *, step: int | None = None) -> OverOptimised:
    """Follow trainings on a learned reward at several prices of divergence.

    What a reader can learn: the learned reward of a policy that is trained on it keeps climbing
    while what it stands for turns (:eq:`eq-posttraining-over-optimisation`); a price on the
    divergence (:eq:`eq-posttraining-reward`) stops the policy before or after that point.

    Parameters
    ----------
    runs
        By the price of a nat: divergence, learned reward and gold measure along a training, arrays
        of one length; 1 to 8 of them.
    step
        Record shown at first, the last by default.

    Raises
    ------
    ValueError
        If there are too many runs or records, or lengths differ.
    """
    if not 1 <= len(runs) <= MOST_PRICES:
        raise ValueError(f"{len(runs)} runs; 1 to {MOST_PRICES} wanted.")
    found = []
    for price, curves in runs.items():
        table = np.array([np.asarray(c, dtype=float) for c in curves])
        if table.ndim != 2 or not 2 <= table.shape[1] <= MOST_STEPS:
            raise ValueError(
                f"the run at price {price:g} has arrays of shape {table.shape[1:]}; 2 to "
                f"{MOST_STEPS} records wanted."
            )
        if not np.isfinite(table).all():
            raise ValueError(f"the run at price {price:g} has a number that is not finite.")
        rows = [[round(float(v), 4) for v in row] for row in table]
        found.append(dict(zip(("kl", "learned", "gold"), rows, strict=True)))
    prices = [f"{price:g}" for price in runs]
    last = len(found[0]["kl"]) - 1
    return OverOptimised(
        data={"prices": prices, "runs": found}, step=last if step is None else step
    )
