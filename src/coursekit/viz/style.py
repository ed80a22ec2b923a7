"""One drawing style for every picture of the course.

The colours are those of ``palette.json``, which the site and the live figures read too. A
Matplotlib figure uses the light half; on the site the same colours become variables that follow
dark mode. Data series differ in line style or marker as well as in colour, so that a figure reads
without colour vision.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib import font_manager

_HERE = Path(__file__).parent

PALETTE: dict[str, dict[str, str]] = json.loads((_HERE / "palette.json").read_text("utf-8"))
"""Colour name to its value on light and on dark ground."""

PAPER = PALETTE["paper"]["light"]
PANEL = PALETTE["panel"]["light"]
RULE = PALETTE["rule"]["light"]
MUTED = PALETTE["muted"]["light"]
INK = PALETTE["ink"]["light"]
BLUE = PALETTE["blue"]["light"]
COPPER = PALETTE["copper"]["light"]
TEAL = PALETTE["teal"]["light"]
VIOLET = PALETTE["violet"]["light"]
GOLD = PALETTE["gold"]["light"]
ROSE = PALETTE["rose"]["light"]

SERIES = (BLUE, COPPER, TEAL, VIOLET, GOLD, ROSE)
"""The colours of data, in the order in which a figure uses them."""

DASHES = ("-", (0, (6, 2)), (0, (1.2, 1.4)), (0, (7, 2, 1.5, 2)), (0, (3, 1.5)), (0, (9, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")

FONT = "IBM Plex Sans"

RC: dict[Any, Any] = {
    "font.family": [FONT],
    "font.size": 10.5,
    "mathtext.fontset": "custom",
    "mathtext.rm": FONT,
    "mathtext.it": f"{FONT}:italic",
    "mathtext.bf": f"{FONT}:semibold",
    "mathtext.cal": f"{FONT}:italic",
    "mathtext.sf": FONT,
    "mathtext.fallback": "stixsans",
    "figure.figsize": (6.4, 3.5),
    "figure.dpi": 100,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.labelcolor": INK,
    "axes.labelpad": 6,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": 600,
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=SERIES) + cycler(linestyle=DASHES),
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.0,
    "lines.markeredgewidth": 0.0,
    "lines.solid_capstyle": "round",
    "lines.dash_capstyle": "butt",
    "lines.scale_dashes": False,
    "scatter.edgecolors": "none",
    "patch.linewidth": 0.0,
    "hist.bins": 30,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "xtick.major.size": 3.5,
    "ytick.major.size": 3.5,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "legend.handlelength": 2.4,
    "image.cmap": "cividis",
}


def use() -> None:
    """Make this the style of every Matplotlib figure from here on.

    Call it once, after the imports. Titles stand at the left, grids are off, and the ground is
    transparent; single settings can still be changed through ``matplotlib.rcParams``.
    """
    _register_fonts()
    mpl.rcParams.update(mpl.rcParamsDefault | {"backend": mpl.rcParams["backend"]})
    mpl.rcParams.update(RC)


def _register_fonts() -> None:
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in sorted((_HERE / "fonts").glob("*.ttf")):
        if str(path) not in known:
            font_manager.fontManager.addfont(path)


def variables(mode: str) -> str:
    """Return the palette as CSS custom properties ``--ck-paper: …; --ck-ink: …``.

    Parameters
    ----------
    mode
        ``"light"`` or ``"dark"``.
    """
    if mode not in ("light", "dark"):
        raise ValueError(f"mode is {mode!r}; the palette has 'light' and 'dark'.")
    return " ".join(f"--ck-{name}: {colour[mode]};" for name, colour in PALETTE.items())


def themed(svg: str, prefix: str = "--ck-") -> str:
    """Return the SVG with every palette colour as a CSS variable, so that it follows the page."""
    for name, colour in PALETTE.items():
        svg = svg.replace(colour["light"], f"var({prefix}{name})")
    return svg
