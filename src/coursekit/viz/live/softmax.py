"""Live figure: logits, probabilities, and the cross-entropy of the right class."""

from collections.abc import Mapping

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

REACH = 5.0


class Softmax(LiveFigure):
    """The figure that :func:`softmax` makes; its traits follow the controls."""

    _esm = module_source("softmax")
    name = "softmax"
    title = "Softmax: from scores to probabilities"
    logits = traitlets.List(traitlets.Float()).tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)
    label = traitlets.Int(0).tag(sync=True)

    def probabilities(self) -> np.ndarray:
        """Return the probabilities of the classes, shape (number of classes,)."""
        scaled = np.array(self.logits) / self.temperature
        weights = np.exp(scaled - scaled.max())
        return weights / weights.sum()

    def description(self) -> str:
        """Say what the probabilities are and what the right class costs."""
        names, p = self.data["names"], self.probabilities()
        parts = (
            f"{n} has logit {z:g} and probability {q:.3f}"
            for n, z, q in zip(names, self.logits, p, strict=True)
        )
        return (
            f"Bars of the softmax probabilities of {len(names)} classes: {'; '.join(parts)}. "
            f"The right class is {names[self.label]}, and its cross-entropy is "
            f"{-np.log(p[self.label]):.3f} nats. The gradient raises its logit and lowers the "
            "others, each by its probability."
        )

    def still(self) -> Figure:
        """Draw the probabilities, and the pull of the gradient on each logit."""
        names, p = self.data["names"], self.probabilities()
        pull = (np.arange(len(p)) == self.label) - p
        colours = [style.COPPER if k == self.label else style.BLUE for k in range(len(p))]
        figure, axes = plt.subplots(1, 2, sharey=True)
        titles = ("Probability", "Pull on each logit")
        for ax, values, title in zip(axes, (p, pull / self.temperature), titles, strict=True):
            bars = ax.barh(names, values, color=colours, height=0.6)
            ax.bar_label(bars, fmt="%.3f", padding=4)
            ax.margins(x=0.3)
            ax.set(title=title)
        axes[0].invert_yaxis()
        axes[1].axvline(0, color=style.MUTED, lw=0.8, ls="-")
        return figure


def softmax(logits: Mapping[str, float], *, label: str | None = None) -> Softmax:
    """Turn scores into probabilities, and see what the right class costs.

    What a reader can learn: only differences of logits count (:eq:`eq-basics-softmax`); the loss is
    the negative logarithm of one probability (:eq:`eq-basics-cross-entropy`), so that a confident
    mistake costs much; its gradient is the probabilities minus one at the right class; a low
    temperature sharpens, a high one levels.

    Parameters
    ----------
    logits
        Score of each class by its name, 2 to 6 of them, each between -5 and 5.
    label
        The right class; the first one where it is not given.

    Raises
    ------
    ValueError
        If there are too few or too many classes, a logit is out of range, or ``label`` is none of
        them.
    """
    if not 2 <= len(logits) <= 6:
        raise ValueError(f"logits has {len(logits)} classes; the figure shows 2 to 6.")
    if not all(abs(z) <= REACH for z in logits.values()):
        raise ValueError(f"logits are {dict(logits)}; the sliders reach from -5 to 5.")
    names = list(logits)
    if label is not None and label not in names:
        raise ValueError(f"label is {label!r}; the classes are {', '.join(names)}.")
    return Softmax(
        data={"names": names},
        logits=[float(z) for z in logits.values()],
        label=names.index(label) if label is not None else 0,
    )
