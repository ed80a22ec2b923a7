"""Live figure: walk the latent plane of a small decoder and see the digit that it draws."""

from collections.abc import Sequence

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy.special import expit

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

BENDS = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0.0),
    "silu": lambda z: z * expit(z),
    "linear": lambda z: z,
    "sigmoid": expit,
}
REACH = 3.0
MOST_WEIGHTS = 7_000
MOST_CODES = 400
SIDE = 8


class LatentWalk(LiveFigure):
    """The figure that :func:`latent_walk` makes; its traits follow the controls."""

    _esm = module_source("latent_walk", "digits")
    name = "latent_walk"
    title = "Walk through the latent plane"
    z1 = traitlets.Float(0.0).tag(sync=True)
    z2 = traitlets.Float(0.0).tag(sync=True)

    def picture(self) -> np.ndarray:
        """Return the pixels that the decoder gives for this place, shape (64,)."""
        x = np.array([self.z1, self.z2])
        for layer in self.data["layers"]:
            x = BENDS[layer["bend"]](np.array(layer["W"]) @ x + np.array(layer["b"]))
        return np.clip(x, 0, 1)

    def nearest(self) -> str:
        """Return the label of the nearest digit of the data."""
        away = np.hypot(*(np.array(self.data["codes"]) - [self.z1, self.z2]).T)
        return self.data["labels"][int(away.argmin())]

    def description(self) -> str:
        """Say where we stand, what is near, and how much ink the picture has."""
        return (
            f"A plane with the codes of {len(self.data['codes'])} handwritten digits; digits of "
            f"one kind lie together. We stand at ({self.z1:.2f}, {self.z2:.2f}), nearest to the "
            f"code of a {self.nearest()}. The decoder's picture of this place, 8 by 8 pixels, has "
            f"{self.picture().sum():.1f} pixels' worth of ink."
        )

    def still(self) -> Figure:
        """Draw the codes and the picture of this place."""
        figure, (left, right) = plt.subplots(1, 2, width_ratios=[1.6, 1])
        kinds = sorted(set(self.data["labels"]))
        codes, labels = np.array(self.data["codes"]), np.array(self.data["labels"])
        for kind in kinds:
            own = codes[labels == kind]
            left.plot(*own.T, ".", color=style.RULE, ms=4)
            left.text(*np.median(own, axis=0), kind, ha="center", va="center", color=style.INK)
        left.plot(self.z1, self.z2, "o", color=style.COPPER, ms=8)
        left.set(title="Latent plane", xlabel="$z_1$", ylabel="$z_2$")
        left.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH))
        image = self.picture().reshape(SIDE, SIDE)
        right.imshow(image, cmap="Greys", vmin=0, vmax=1, interpolation="none")
        right.set(title="What the decoder draws", xticks=[], yticks=[])
        return figure


def latent_walk(
    layers: Sequence[tuple[ArrayLike, ArrayLike, str]],
    codes: ArrayLike,
    labels: Sequence[object],
    *,
    z: Sequence[float] = (0.0, 0.0),
) -> LatentWalk:
    """Walk the latent plane by hand; the decoder runs on the page itself.

    What a reader can learn: a generator (:eq:`eq-generative-generator`) is a map that one can walk
    through. Digits of a kind lie together, the picture changes smoothly, and between two kinds lie
    shapes that are neither. Where the data left holes, the decoder still draws something.

    Parameters
    ----------
    layers
        Of the decoder, from 2 numbers to 64: each a weight matrix of shape (out, in), a bias
        (out,), and the name of the bend: ``"tanh"``, ``"relu"``, ``"silu"``, ``"linear"`` or
        ``"sigmoid"``. Weights are rounded to two digits after the point.
    codes
        Places of digits of the data, shape (m, 2), at most 400; what lies beyond -3 to 3 is left
        out.
    labels
        What each of them is.
    z
        Where to begin.

    Raises
    ------
    ValueError
        If the layers do not fit together, there is too much to show, or ``z`` is beyond reach.
    """
    rounded = _fitting(layers)
    places = np.asarray(codes, dtype=float)
    if places.ndim != 2 or places.shape[1] != 2 or not 1 <= len(places) == len(labels):
        raise ValueError(
            f"codes have shape {places.shape} and there are {len(labels)} labels; (m, 2) and m "
            "wanted."
        )
    if len(places) > MOST_CODES:
        raise ValueError(f"there are {len(places)} codes; the figure shows up to {MOST_CODES}.")
    if max(abs(v) for v in z) > REACH:
        raise ValueError(f"z is {tuple(z)}; the sliders reach from {-REACH:g} to {REACH:g}.")
    inside = np.abs(places).max(axis=1) <= REACH
    data = {
        "layers": rounded,
        "codes": np.round(places[inside], 2).tolist(),
        "labels": [str(k) for k, seen in zip(labels, inside, strict=True) if seen],
    }
    return LatentWalk(data=data, z1=float(z[0]), z2=float(z[1]))


def _fitting(layers: Sequence[tuple[ArrayLike, ArrayLike, str]]) -> list[dict]:
    width, listed, count = 2, [], 0
    for i, (W, b, bend) in enumerate(layers):
        weight, bias = np.asarray(W, dtype=float), np.asarray(b, dtype=float)
        if weight.ndim != 2 or weight.shape[1] != width or bias.shape != weight.shape[:1]:
            raise ValueError(
                f"layer {i} has weights {weight.shape} and bias {bias.shape}; it gets {width} "
                "numbers, so (out, that) and (out,) are wanted."
            )
        if bend not in BENDS:
            raise ValueError(f"layer {i} bends by {bend!r}; there are {', '.join(BENDS)}.")
        listed.append(
            {"W": np.round(weight, 2).tolist(), "b": np.round(bias, 3).tolist(), "bend": bend}
        )
        width, count = len(weight), count + weight.size
    if width != SIDE**2 or count > MOST_WEIGHTS:
        raise ValueError(
            f"the decoder gives {width} numbers by {count} weights; {SIDE**2} and at most "
            f"{MOST_WEIGHTS} wanted."
        )
    return listed
