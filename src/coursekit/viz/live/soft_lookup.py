"""Live figure: one query among a few keys, the weights of attention and the mean they make."""

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

REACH = 3.0


class SoftLookup(LiveFigure):
    """The figure that :func:`soft_lookup` makes; its traits follow the controls."""

    _esm = module_source("soft_lookup")
    name = "soft_lookup"
    title = "Attention: a lookup that gives a mean"
    angle = traitlets.Float(20.0).tag(sync=True)
    length = traitlets.Float(1.5, min=0).tag(sync=True)
    sharpness = traitlets.Float(1.0).tag(sync=True)
    seen = traitlets.List(traitlets.Int()).tag(sync=True)

    def query(self) -> np.ndarray:
        """Return the query, shape (2,)."""
        turn = np.deg2rad(self.angle)
        return self.length * np.array([np.cos(turn), np.sin(turn)])

    def weights(self) -> np.ndarray:
        """Return the weights of the keys, shape (number of keys,); all zero if none is seen."""
        scores = self.sharpness * np.array(self.data["keys"]) @ self.query()
        if not self.seen:
            return np.zeros(len(scores))
        raised = np.zeros(len(scores))
        raised[self.seen] = np.exp(scores[self.seen] - scores[self.seen].max())
        return raised / raised.sum()

    def output(self) -> float:
        """Return the mean of the values under the weights."""
        return float(self.weights() @ self.data["values"])

    def description(self) -> str:
        """Say which weights the keys get and which value comes out."""
        parts = (f"{n} {w:.3f}" for n, w in zip(self.data["names"], self.weights(), strict=True))
        return (
            f"A query of length {self.length:g} at {self.angle:g} degrees among "
            f"{len(self.data['names'])} keys in the plane, drawn as dots whose size is their "
            f"weight. Softmax of {self.sharpness:g} times the inner products gives the weights: "
            f"{', '.join(parts)}. The output is the mean of the values under them, "
            f"{self.output():.2f}. Turning the query moves the weight to the keys it points at; "
            "at length zero all weights are equal."
        )

    def still(self) -> Figure:
        """Draw query and keys in the plane, and the weights as bars."""
        names, keys, w = self.data["names"], np.array(self.data["keys"]), self.weights()
        figure, (plane, bars) = plt.subplots(1, 2, width_ratios=[1, 1.3])
        plane.scatter(*keys.T, s=30 + 700 * w, color=style.BLUE, alpha=0.85)
        for name, key in zip(names, keys, strict=True):
            plane.annotate(name, key, (0, 14), textcoords="offset points", ha="center")
        arrow = {"arrowstyle": "->", "color": style.COPPER, "lw": 2.2, "shrinkA": 0, "shrinkB": 0}
        plane.annotate("", self.query(), (0, 0), arrowprops=arrow)
        plane.set(title="Query and keys", xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect=1)
        drawn = bars.barh(names, w, color=style.BLUE, height=0.6)
        values = self.data["values"]
        words = [f"{weight:.3f}   value {v:g}" for weight, v in zip(w, values, strict=True)]
        bars.bar_label(drawn, words, padding=4)
        bars.set(title=f"Weights; output {self.output():.2f}", xlim=(0, 1.6), xticks=[0, 0.5, 1])
        bars.invert_yaxis()
        return figure


def soft_lookup(
    keys: Mapping[str, Sequence[float]],
    values: Sequence[float],
    *,
    angle: float = 20.0,
    length: float = 1.5,
    sharpness: float = 1.0,
) -> SoftLookup:
    """Ask a few keys in the plane with one query, and see the weights and the mean of the values.

    What a reader can learn: attention (:eq:`eq-transformer-attention`) is a weighted mean; the
    weights come from inner products, so that a long key outbids a near one; a longer query and a
    larger scale do the same, and both end in a plain lookup of one value; a query of length zero
    weighs all keys equally; a masked key leaves the others' shares in proportion
    (:eq:`eq-transformer-causal-mask`).

    Parameters
    ----------
    keys
        Points of the plane by name, 2 to 7 of them, each coordinate between -3 and 3.
    values
        One number for each key, between 0 and 999.
    angle, length
        The query: direction in degrees, -180 to 180, and length, 0 to 3.
    sharpness
        What multiplies the inner products, 1/8 to 16.

    Raises
    ------
    ValueError
        If the numbers of keys and values differ or something is out of reach.
    """
    points = np.array([list(map(float, key)) for key in keys.values()])
    if not 2 <= len(points) <= 7 or points.shape[1:] != (2,) or np.abs(points).max() > REACH:
        raise ValueError("keys wants 2 to 7 points of the plane, coordinates from -3 to 3.")
    if len(values) != len(points):
        raise ValueError(f"there are {len(points)} keys and {len(values)} values; give as many.")
    return SoftLookup(
        data={"names": list(keys), "keys": points.tolist(), "values": [float(v) for v in values]},
        angle=angle,
        length=length,
        sharpness=sharpness,
        seen=list(range(len(points))),
    )
