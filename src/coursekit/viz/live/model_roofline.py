"""Live figure: a whole model under the roofs of real chips."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source
from coursekit.viz.live.decoder_shape import shapes, work

LEAST, MOST = 0.5, 16_384.0  # operations per byte on the axis


class ModelRoofline(LiveFigure):
    """The figure that :func:`model_roofline` makes; its traits follow the controls."""

    _esm = module_source("model_roofline", "decoder_work")
    name = "model_roofline"
    title = "What limits a model on a chip"
    chip = traitlets.Int(0).tag(sync=True)
    model = traitlets.Int(0).tag(sync=True)
    batch = traitlets.Int(0).tag(sync=True)
    tokens = traitlets.Int(11).tag(sync=True)
    phase = traitlets.Enum(["decode", "prefill", "training"], "decode").tag(sync=True)

    def intensity(self) -> float:
        """Operations per byte of the chosen model, phase, batch and length."""
        shape = self.data["models"][self.model]
        operations, moved = work(shape, self.phase, 2**self.tokens, 2**self.batch)
        return operations / moved

    def attainable(self) -> float:
        """The bound on the speed, TFLOP/s."""
        chip = self.data["chips"][self.chip]
        return min(chip["peak"], self.intensity() * chip["bandwidth"])

    def description(self) -> str:
        """Say where the model stands and what limits it."""
        chip, shape = self.data["chips"][self.chip], self.data["models"][self.model]
        bound = self.attainable()
        limit = "arithmetic" if bound == chip["peak"] else "memory"
        return (
            f"The roofline of {chip['name']}: {chip['peak']:g} TFLOP/s and {chip['bandwidth']:g} "
            f"TB/s. {shape['name']}, {self.phase}, {2**self.batch:,} sequences of "
            f"{2**self.tokens:,} tokens: {self.intensity():.1f} operations per byte, at most "
            f"{bound:.1f} TFLOP/s, limited by {limit}."
        )

    def still(self) -> Figure:
        """Draw the roofs and the point."""
        grid = np.geomspace(LEAST, MOST, 200)
        figure, ax = plt.subplots()
        for i, chip in enumerate(self.data["chips"]):
            roof = np.minimum(chip["peak"], grid * chip["bandwidth"])
            ax.loglog(grid, roof, color=style.INK if i == self.chip else style.RULE, ls="-")
        ax.loglog([self.intensity()], [self.attainable()], "o", ms=10, color=style.COPPER)
        ax.set(xlabel="operations per byte", ylabel="TFLOP/s at most")
        return figure


def model_roofline(
    chips: Sequence[tuple[str, float, float]], models: Mapping[str, Any]
) -> ModelRoofline:
    """Move a model, its batch and its length under the roofs of chips.

    What a reader can learn: prefill and training stand under the flat roof, decode of one sequence
    at the foot of the slope, and a batch moves it up until the caches hold it back.

    Parameters
    ----------
    chips
        Name, peak in TFLOP/s and bandwidth in TB/s of each.
    models
        Names and :class:`~coursekit.transformer.TransformerConfig` of each.

    Raises
    ------
    ValueError
        If there is no chip or no model, or a number is not positive and finite.
    """
    if not chips:
        raise ValueError("chips is empty; at least one wanted.")
    for name, *numbers in chips:
        if not all(math.isfinite(x) and x > 0 for x in numbers):
            raise ValueError(f"{name} has {numbers}; positive, finite numbers wanted.")
    listed = [{"name": n, "peak": float(p), "bandwidth": float(b)} for n, p, b in chips]
    return ModelRoofline(data={"chips": listed, "models": shapes(models)})
