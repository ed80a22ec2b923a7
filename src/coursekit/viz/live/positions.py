"""Live figure: the score of one query and one key as their places move, by position scheme."""

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

SCHEMES = {"none": "none", "sinusoidal": "sinusoidal", "rotary": "rotary", "alibi": "ALiBi"}
BASE = 10_000.0
PLACES = 24
SLOPE = 0.25  # of ALiBi
QUERY = (1.0, 0.2, -0.4, 0.9, 0.8, -0.3, 0.5, 0.6)
KEY = (0.7, 0.8, 0.3, 0.9, -0.2, 1.0, 0.9, 0.1)


def frequencies(d: int) -> np.ndarray:
    """Return the turn per place of each pair, shape (d / 2,)."""
    return BASE ** (-np.arange(0, d, 2) / d)


def placed(scheme: str, v: np.ndarray, place: int) -> np.ndarray:
    """Return the vector that enters the inner product, shape (d,)."""
    angles = place * frequencies(len(v))
    if scheme == "rotary":
        turned = (v[::2] + 1j * v[1::2]) * np.exp(1j * angles)
        return np.stack([turned.real, turned.imag], axis=-1).ravel()
    if scheme == "sinusoidal":
        return v + np.stack([np.sin(angles), np.cos(angles)], axis=-1).ravel()
    return v


class Positions(LiveFigure):
    """The figure that :func:`positions` makes; its traits follow the controls."""

    _esm = module_source("positions")
    name = "positions"
    title = "Positions: what a score knows about place"
    scheme = traitlets.Enum(tuple(SCHEMES), default_value="rotary").tag(sync=True)
    i = traitlets.Int(9, min=0, max=PLACES - 1).tag(sync=True)
    j = traitlets.Int(7, min=0, max=PLACES - 1).tag(sync=True)

    def scores(self) -> np.ndarray:
        """Return the score of the query at each place with the key at each, (places, places)."""
        q, k = np.array(self.data["q"]), np.array(self.data["k"])
        rows = np.stack([placed(self.scheme, q, i) for i in range(PLACES)])
        columns = np.stack([placed(self.scheme, k, j) for j in range(PLACES)])
        scores = rows @ columns.T / np.sqrt(len(q))  # (places, places)
        away = np.abs(np.subtract.outer(np.arange(PLACES), np.arange(PLACES)))
        return scores - SLOPE * away if self.scheme == "alibi" else scores

    def spread(self) -> float:
        """Return how much the score moves when both places move together."""
        return float(np.ptp(np.diagonal(self.scores(), self.j - self.i)))

    def description(self) -> str:
        """Say what the score is and whether it depends on more than the distance."""
        same = self.spread() < 1e-9
        return (
            f"A map of the score of one fixed query and one fixed key, by the place of the query "
            f"(rows) and of the key (columns), 0 to {PLACES - 1}, with {SCHEMES[self.scheme]} "
            f"positions. At places {self.i} and {self.j} the score is "
            f"{self.scores()[self.i, self.j]:.3f}. "
            + (
                "Each diagonal has one colour: only the distance counts."
                if same
                else f"Along this diagonal the score varies by {self.spread():.3f}: "
                "the place counts, not the distance alone."
            )
        )

    def still(self) -> Figure:
        """Draw the map, and the score as both places move together."""
        scores = self.scores()
        top = np.abs(scores).max()
        figure, (left, right) = plt.subplots(1, 2)
        left.imshow(scores, cmap="PuOr", vmin=-top, vmax=top)
        left.plot(self.j, self.i, "s", mfc="none", mec=style.INK, mew=1.6, ms=8)
        left.set(title="Score", xlabel="place of the key", ylabel="place of the query")
        along = np.diagonal(scores, self.j - self.i)
        first = max(self.i - self.j, 0)
        right.plot(first + np.arange(len(along)), along, color=style.BLUE)
        right.plot(self.i, scores[self.i, self.j], "o", color=style.COPPER, ms=8)
        right.set(title="Both moved together", xlabel="place of the query", xlim=(0, PLACES - 1))
        right.set_ylim(scores.min() - 0.2, scores.max() + 0.2)
        return figure


def positions(scheme: str = "rotary", *, i: int = 9, j: int = 7) -> Positions:
    """Move one query and one key through the text, and see what their score knows about place.

    What a reader can learn: without positions the score is the same everywhere; rotary positions
    (:eq:`eq-transformer-rotary`) and ALiBi (:eq:`eq-transformer-alibi`) know the distance alone, so
    that moving both together changes nothing; sinusoidal ones that are added to the content
    (:eq:`eq-transformer-sinusoidal`) know the place as well.

    The query and the key have four pairs of components, fixed; they turn by 1, 0.1, 0.01 and 0.001
    radians per place, since the base is 10 000.

    Parameters
    ----------
    scheme
        ``"none"``, ``"sinusoidal"``, ``"rotary"`` or ``"alibi"``.
    i, j
        Places of query and key, 0 to 23.

    Raises
    ------
    ValueError
        If the scheme is unknown or a place out of reach.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme is {scheme!r}; there are {', '.join(SCHEMES)}.")
    if not (0 <= i < PLACES and 0 <= j < PLACES):
        raise ValueError(f"i is {i} and j is {j}; places run from 0 to {PLACES - 1}.")
    data = {"q": list(QUERY), "k": list(KEY), "base": BASE, "slope": SLOPE, "places": PLACES}
    return Positions(data=data, scheme=scheme, i=i, j=j)
