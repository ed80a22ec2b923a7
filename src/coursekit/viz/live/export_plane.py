"""Live figure: chips in the plane that export rules cut up, by date."""

import math
from collections.abc import Sequence

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.data.tables import known, load_table
from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

STOPS = ("2022-01-01", "2022-10-07", "2023-10-17", "2024-12-02", "2026-01-15")
TPP_REACH, AREA_REACH = (100.0, 200_000.0), (50, 1700)
MARKS = {"free": "o", "notification": "^", "case-by-case": "D", "licence": "s"}
IDS = {
    "tpp": "a.1",
    "low_tpp": "a.2.tpp",
    "dense": "a.2.pd",
    "mid_tpp": "b.1.tpp_lo",
    "thin": "b.1.pd_lo",
    "mid": "b.2.pd_lo",
    "link": "2022.bw",
    "eased_tpp": "2026.tpp",
}


def thresholds() -> dict[str, float]:
    """Return the thresholds that the figure draws, by a short name."""
    table = load_table("export_thresholds")
    return {key: known(table.one(threshold_id=name), "value") for key, name in IDS.items()}


class ExportPlane(LiveFigure):
    """The figure that :func:`export_plane` makes; its traits follow the controls."""

    _esm = module_source("export_plane")
    name = "export_plane"
    title = "Which chips a rule catches"
    stop = traitlets.Int(2, min=0, max=len(STOPS) - 1).tag(sync=True)
    start = traitlets.Int(0, min=0).tag(sync=True)
    tpp = traitlets.Float(2368.0).tag(sync=True)
    area = traitlets.Float(814.0).tag(sync=True)
    linked = traitlets.Bool(True).tag(sync=True)

    def verdict(self) -> str:
        """What the rule of the date says of the reader's chip, if it is for data centres."""
        t, date, density = self.data["thresholds"], STOPS[self.stop], self.tpp / self.area
        if date < "2023-10-17":
            caught = date >= "2022-10-07" and self.tpp >= t["tpp"] and self.linked
            return "licence" if caught else "free"
        if self.tpp >= t["tpp"] or (self.tpp >= t["low_tpp"] and density >= t["dense"]):
            eased = date >= "2026-01-15" and self.tpp < t["eased_tpp"]
            return "case-by-case" if eased else "licence"
        between = self.tpp >= t["mid_tpp"] and density >= t["thin"]
        above = self.tpp >= t["low_tpp"] and density >= t["mid"]
        return "notification" if between or above else "free"

    def description(self) -> str:
        """Say what the rule of the date makes of the reader's chip and of all others."""
        found = [chip["verdicts"][self.stop] for chip in self.data["chips"]]
        numbers = ", ".join(f"{found.count(name)} {name}" for name in MARKS if name in found)
        return (
            f"By the rules announced until {STOPS[self.stop]}, of {len(found)} accelerators "
            f"{numbers}. A chip for data centres with a TPP of {self.tpp:,.0f} on "
            f"{self.area:.0f} mm², a performance density of {self.tpp / self.area:.2f}: "
            f"{self.verdict()}."
        )

    def still(self) -> Figure:
        """Draw the plane with its lines, the chips and the reader's chip."""
        figure, ax = plt.subplots()
        t = self.data["thresholds"]
        if self.stop >= 1:
            ax.axvline(t["tpp"], color=style.INK, lw=1.2, ls="-")
        if self.stop >= 2:
            for level, left in (("dense", "low_tpp"), ("mid", "low_tpp"), ("thin", "mid_tpp")):
                ax.plot([t[left], t["tpp"]], [t[level]] * 2, color=style.INK, lw=1, ls="-")
            ax.plot([t["low_tpp"]] * 2, [t["mid"], 100], color=style.INK, lw=1, ls="-")
            ax.plot([t["mid_tpp"]] * 2, [t["thin"], t["mid"]], color=style.INK, lw=1, ls="-")
        looks = zip(MARKS.items(), style.SERIES, strict=False)
        for (name, mark), colour in looks:
            points = [c for c in self.data["chips"] if c["verdicts"][self.stop] == name]
            xy = np.array([[c["tpp"], c["density"]] for c in points]).reshape(-1, 2)
            ax.plot(*xy.T, mark, color=colour, ms=5, label=name)
        ax.plot(self.tpp, self.tpp / self.area, "*", color=style.INK, ms=13)
        ax.set(xscale="log", yscale="log", xlim=TPP_REACH, ylim=(0.5, 100))
        ax.set(xlabel="total processing performance", ylabel="TPP per mm²")
        ax.legend(fontsize=9, loc="upper left")
        return figure


def export_plane(chips: Sequence[tuple[str, float, float, Sequence[str]]]) -> ExportPlane:
    """Move through the dates of the export rules, and design a chip that stays free.

    What a reader can learn: the rule of 2022 asks for speed and links, so that slower links free a
    fast chip; that of 2023 asks for speed, and for speed on an area, so that a chip below the first
    line can be caught for being small (:eq:`eq-semiconductors-performance-density`), and a larger
    die is a way out; the review of 2026 moves chips from denial to a case by case.

    Parameters
    ----------
    chips
        Name, TPP, area in mm2 and the verdict at each of the five dates of ``STOPS``.

    Raises
    ------
    ValueError
        If there is no chip, a number is not positive, or a chip has another number of verdicts.
    """
    if not chips:
        raise ValueError("chips is empty; at least one chip is wanted.")
    for name, tpp, area, verdicts in chips:
        if not (math.isfinite(tpp) and tpp > 0 and math.isfinite(area) and area > 0):
            raise ValueError(f"{name} has a TPP of {tpp} on {area} mm2; positive numbers wanted.")
        if len(verdicts) != len(STOPS):
            raise ValueError(f"{name} has {len(verdicts)} verdicts; {len(STOPS)} are wanted.")
    points = [
        {
            "name": name,
            "tpp": round(tpp, 1),
            "area": round(area, 1),
            "density": round(tpp / area, 3),
            "verdicts": list(verdicts),
        }
        for name, tpp, area, verdicts in chips
    ]
    _, tpp, area, _ = chips[0]
    return ExportPlane(
        data={"chips": points, "thresholds": thresholds(), "stops": list(STOPS)},
        tpp=float(np.clip(tpp, *TPP_REACH)),
        area=float(np.clip(area, *AREA_REACH)),
    )
