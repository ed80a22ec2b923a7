"""Live figure: how a picture comes out of noise, step by step, by several samplers."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

VIEWS = {"noisy": "what the chain holds", "clean": "what the model expects at the end"}
LEVELS = "0123456789abcdefghijklmnopqrstuvwxyz"
BLACK, WHITE = 2.0, -2.0  # pixel values of the last and the first level
SIDE = 8
MOST_CHARACTERS = 32_000


class Chain(NamedTuple):
    """Pictures of one sampler: the chain and the model's guess of its end, (steps, samples, 64)."""

    noisy: ArrayLike
    clean: ArrayLike


def packed(pixels: np.ndarray) -> str:
    """Write each pixel, from -2 to 2, as one of 36 characters."""
    share = (np.clip(pixels, WHITE, BLACK) - WHITE) / (BLACK - WHITE)
    return "".join(LEVELS[int(k)] for k in np.rint(share * (len(LEVELS) - 1)).ravel())


def unpacked(text: str) -> np.ndarray:
    """Undo :func:`packed`, up to its rounding, shape (64,)."""
    share = np.array([LEVELS.index(c) for c in text]) / (len(LEVELS) - 1)
    return WHITE + share * (BLACK - WHITE)


class Denoising(LiveFigure):
    """The figure that :func:`denoising` makes; its traits follow the controls."""

    _esm = module_source("denoising", "digits")
    name = "denoising"
    title = "A picture comes out of noise"
    sampler = traitlets.Int(0, min=0).tag(sync=True)
    view = traitlets.Enum(tuple(VIEWS), default_value="noisy").tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)

    def pictures(self, step: int) -> np.ndarray:
        """Return the samples at one step of the chosen sampler and view, (samples, 64)."""
        frames = self.data["samplers"][self.sampler][self.view]
        return np.stack([unpacked(text) for text in frames[min(step, len(frames) - 1)]])

    def change(self, step: int) -> float:
        """Return the root mean square distance of the pixels from the end of the chain."""
        last = len(self.data["samplers"][self.sampler][self.view]) - 1
        return float(np.sqrt(np.mean((self.pictures(step) - self.pictures(last)) ** 2)))

    def description(self) -> str:
        """Say at which step we are, and how far the pixels still are from the end."""
        chosen = self.data["samplers"][self.sampler]
        step = min(self.step, len(chosen["signal"]) - 1)
        return (
            f"{len(self.pictures(0))} samples of the sampler {chosen['name']}, at step {step} of "
            f"{len(chosen['signal']) - 1}; shown is {VIEWS[self.view]}. The share of the signal "
            f"in the picture is {chosen['signal'][step]:.2f}; the pixels are "
            f"{self.change(step):.2f} from where the chain ends, as a root mean square."
        )

    def still(self) -> Figure:
        """Draw the samples at five steps from noise to picture."""
        frames = len(self.data["samplers"][self.sampler]["signal"])
        steps = np.unique(np.linspace(0, frames - 1, 5).astype(int))
        count = min(3, len(self.pictures(0)))
        rows = [self.pictures(step)[:count].reshape(-1, SIDE) for step in steps]  # count * 8 each
        figure, axes = plt.subplots(1, len(steps))
        for ax, column, step in zip(axes, rows, steps, strict=True):
            ax.imshow(column, cmap="Greys", vmin=-1, vmax=1, interpolation="none")
            ax.set(xticks=[], yticks=[])
            ax.set_title(f"step {step}", color=style.MUTED, fontsize=9)
        return figure


def denoising(
    samplers: Mapping[str, Chain], signal: Mapping[str, Sequence[float]], *, step: int = 0
) -> Denoising:
    """Put the steps of a sampler under a slider.

    What a reader can learn: the large features are decided early and the small ones late; the
    model's guess of the end is a blur at first, the mean of all that is still possible, and
    sharpens as the noise goes (:eq:`eq-generative-ddpm-posterior`, :eq:`eq-generative-ddim`).

    Parameters
    ----------
    samplers
        For each sampler by name its :class:`Chain`: two arrays of shape (steps, samples, 64),
        pixels from -1 (paper) to 1 (ink), noise beyond that; the first step is noise.
    signal
        For each sampler the share of the signal at each of its steps, the root of alpha-bar.
    step
        Where to begin.

    Raises
    ------
    ValueError
        If shapes differ, a sampler has no signal, ``step`` is none of them, or there is too much
        to show.
    """
    listed, characters = [], 0
    for name, chain in samplers.items():
        noisy, clean = (np.asarray(part, dtype=float) for part in chain)
        if noisy.ndim != 3 or noisy.shape[2] != SIDE**2 or noisy.shape != clean.shape:
            raise ValueError(
                f"{name} has chains of shape {noisy.shape} and {clean.shape}; both want "
                f"(steps, samples, {SIDE**2})."
            )
        if len(signal.get(name, ())) != len(noisy):
            raise ValueError(
                f"{name} has {len(noisy)} steps and {len(signal.get(name, ()))} shares of signal."
            )
        both = {"noisy": noisy, "clean": clean}
        frames = {key: [[packed(x) for x in at] for at in part] for key, part in both.items()}
        shares = np.round(np.asarray(signal[name], dtype=float), 3).tolist()
        listed.append({"name": name, "signal": shares, **frames})
        characters += 2 * noisy.size
    if not listed or characters > MOST_CHARACTERS:
        raise ValueError(
            f"there are {characters} pixels in all; the figure shows 1 to {MOST_CHARACTERS}."
        )
    longest = max(len(chosen["signal"]) for chosen in listed)
    if not 0 <= step < longest:
        raise ValueError(f"step is {step}; the steps are 0 to {longest - 1}.")
    return Denoising(data={"samplers": listed, "levels": LEVELS}, step=step)
