"""Live figure: dies on a wafer, and what defects leave of them."""

import math
from collections.abc import Sequence

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

RADIUS, EDGE, SCRIBE = 150.0, 3.0, 0.1  # mm
LEAST_AREA, MOST_AREA = 50, 858  # mm2
MOST_DENSITY = 0.6  # on a cm2


def placed(area: float) -> np.ndarray:
    """Lower left corners of square dies, the best of four symmetric grids, shape (n, 2)."""
    side, reach = math.sqrt(area), RADIUS - EDGE
    pitch = side + SCRIBE
    steps = np.arange(-math.ceil(reach / pitch) - 1, math.ceil(reach / pitch) + 2)
    best = np.empty((0, 2))
    for shift in ((0, 0), (0, 0.5), (0.5, 0), (0.5, 0.5)):
        x, y = ((steps - s) * pitch + SCRIBE / 2 for s in shift)
        corners = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
        far = np.maximum(np.abs(corners), np.abs(corners + side))
        inside = corners[(far**2).sum(1) <= reach**2]
        best = max(best, inside, key=len)
    return best


def _at(corner: np.ndarray, side: float) -> Affine2D:
    return Affine2D().scale(side).translate(*corner)


class WaferMap(LiveFigure):
    """The figure that :func:`wafer_map` makes; its traits follow the controls."""

    _esm = module_source("wafer_map")
    name = "wafer_map"
    title = "What defects leave of a wafer"
    area = traitlets.Int(800).tag(sync=True)
    density = traitlets.Float(0.1).tag(sync=True)
    clustered = traitlets.Bool(False).tag(sync=True)
    spare = traitlets.Int(0).tag(sync=True)

    def points(self) -> np.ndarray:
        """The defects that are thrown at this density, shape (n, 2)."""
        every = np.array(self.data["clustered" if self.clustered else "even"])
        return every[: round(self.density * math.pi * (RADIUS / 10) ** 2)]

    def counts(self) -> np.ndarray:
        """Defects on each die, shape (dies,)."""
        inside = self.points()[None] - placed(self.area)[:, None]
        return ((inside >= 0) & (inside < math.sqrt(self.area))).all(2).sum(1)

    def models(self) -> dict[str, float]:
        """What three formulas say of dies without a defect."""
        load = self.area * self.density / 100
        return {
            "Poisson": math.exp(-load),
            "Murphy": (-math.expm1(-load) / load) ** 2,
            "negative binomial": (1 + load / 3) ** -3,
        }

    def description(self) -> str:
        """Say how many dies there are, how many are good and what the formulas expect."""
        counts = self.counts()
        good = int((counts <= self.spare).sum())
        formulas = ", ".join(f"{name} {100 * y:.0f} %" for name, y in self.models().items())
        return (
            f"A wafer of 300 mm with {len(counts)} dies of {self.area} mm² and "
            f"{'clustered' if self.clustered else 'even'} defects, {self.density:.2f} on a cm². "
            f"With {self.spare} defects allowed on a die, {good} are sold, "
            f"{100 * good / len(counts):.0f} %. Formulas for dies without a defect: {formulas}."
        )

    def still(self) -> Figure:
        """Draw the wafer and its dies."""
        figure, ax = plt.subplots()
        ax.add_patch(Circle((0, 0), RADIUS, fill=False, ec=style.MUTED, lw=1.2))
        side, sold = math.sqrt(self.area), self.counts() <= self.spare
        for group, colour in ((sold, style.BLUE), (~sold, style.RULE)):
            squares = [
                Path.unit_rectangle().transformed(_at(c, side)) for c in placed(self.area)[group]
            ]
            if squares:
                path = Path.make_compound_path(*squares)
                ax.add_patch(PathPatch(path, fc=colour, ec=style.PAPER, lw=0.6))
        strokes = [[(-2, -2), (2, 2), (np.nan, np.nan), (-2, 2), (2, -2), (np.nan, np.nan)]]
        crosses = (self.points()[:, None] + np.array(strokes)).reshape(-1, 2)
        ax.plot(*crosses.T, color=style.COPPER, lw=1, ls="-")
        ax.set(xlim=(-155, 155), ylim=(-155, 155), aspect="equal")
        ax.axis("off")
        return figure


def wafer_map(
    even: Sequence[Sequence[float]], clustered: Sequence[Sequence[float]], *, price: float
) -> WaferMap:
    """Draw dies on a wafer, throw defects at them, and count.

    What a reader can learn: the same defects cost a large die far more than a small one
    (:eq:`eq-semiconductors-poisson`); clustered ones fall on fewer dies than even ones of the same
    density, so that formulas with a spread of densities fit better; and a die that may lose a part
    is worth selling.

    Parameters
    ----------
    even, clustered
        Places of defects, mm from the middle, in the order in which they appear as the density
        rises; each at least as many as the greatest density needs, 425.
    price
        Of a wafer, in dollars.

    Raises
    ------
    ValueError
        If there are too few places, one is off the wafer, or the price is not positive.
    """
    needed = math.ceil(MOST_DENSITY * math.pi * (RADIUS / 10) ** 2)
    for name, points in (("even", even), ("clustered", clustered)):
        if len(points) < needed:
            raise ValueError(f"{name} has {len(points)} places; at least {needed} are wanted.")
        if not all(math.hypot(*point) <= RADIUS for point in points):
            raise ValueError(f"{name} has a place off the wafer, {RADIUS:g} mm from the middle.")
    if not price > 0:
        raise ValueError(f"price is {price}; a positive price of a wafer is wanted.")
    kept = [
        [[round(float(v), 1) for v in point] for point in points[:needed]]
        for points in (even, clustered)
    ]
    return WaferMap(data={"even": kept[0], "clustered": kept[1], "price": float(price)})
