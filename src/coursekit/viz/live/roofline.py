"""Live figure: what limits attention on a chip, arithmetic or memory."""

import math

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

LEAST, MOST = 0.25, 16_384.0  # operations per byte on the axis


class Roofline(LiveFigure):
    """The figure that :func:`roofline` makes; its traits follow the controls."""

    _esm = module_source("roofline")
    name = "roofline"
    title = "What limits attention: arithmetic or memory?"
    power = traitlets.Int(12).tag(sync=True)
    width = traitlets.Int(128).tag(sync=True)
    passes = traitlets.Int(4).tag(sync=True)
    decoding = traitlets.Bool(False).tag(sync=True)

    def intensity(self) -> float:
        """Operations per byte, with 2 bytes a number."""
        keys = 2.0**self.power
        queries = 1.0 if self.decoding else keys
        moved = 2 * ((2 * queries + 2 * keys) * self.width + self.passes * queries * keys)
        return 4 * queries * keys * self.width / moved

    def attainable(self) -> float:
        """The bound on the speed, TFLOP/s."""
        return min(self.data["peak"], self.intensity() * self.data["bandwidth"])

    def description(self) -> str:
        """Say where the point stands and what limits it."""
        peak, bound = self.data["peak"], self.attainable()
        limit = "arithmetic" if bound == peak else "memory"
        kind = "one query" if self.decoding else "all queries"
        return (
            f"The roofline of {self.data['name']}: {peak:g} TFLOP/s and "
            f"{self.data['bandwidth']:g} TB/s. Attention of {kind} over {2**self.power:,} keys, "
            f"heads {self.width} wide, the table moved {self.passes} times: "
            f"{self.intensity():.1f} operations per byte, at most {bound:.1f} TFLOP/s, "
            f"limited by {limit}."
        )

    def still(self) -> Figure:
        """Draw the roof and the point."""
        grid = np.geomspace(LEAST, MOST, 200)
        figure, ax = plt.subplots()
        roof = np.minimum(self.data["peak"], grid * self.data["bandwidth"])
        ax.loglog(grid, roof, color=style.INK, ls="-")
        ax.loglog([self.intensity()], [self.attainable()], "o", ms=10, color=style.COPPER)
        ax.set(xlabel="operations per byte", ylabel="TFLOP/s at most")
        return figure


def roofline(peak: float, bandwidth: float, *, name: str) -> Roofline:
    """Move a problem under the roof of a chip.

    What a reader can learn: the table's way through memory, not the length, decides whether
    attention is limited by memory; decoding is, whatever the code.

    Parameters
    ----------
    peak
        Arithmetic of the chip in TFLOP/s.
    bandwidth
        Of its memory, in TB/s.
    name
        What to call it.

    Raises
    ------
    ValueError
        If a number is not positive and finite.
    """
    if not all(math.isfinite(x) and x > 0 for x in (peak, bandwidth)):
        raise ValueError(f"peak is {peak} and bandwidth {bandwidth}; positive numbers are wanted.")
    return Roofline(data={"peak": float(peak), "bandwidth": float(bandwidth), "name": name})
