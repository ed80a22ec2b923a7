"""Live figure: what a million tokens cost, by batch, length, chips, bits and price."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source
from coursekit.viz.live.decoder_shape import shapes, weights, work

RESERVE = 0.1  # of the memory, for everything else


class CostPerToken(LiveFigure):
    """The figure that :func:`cost_per_token` makes; its traits follow the controls."""

    _esm = module_source("cost_per_token", "decoder_work")
    name = "cost_per_token"
    title = "What a million tokens cost"
    chip = traitlets.Int(0).tag(sync=True)
    model = traitlets.Int(0).tag(sync=True)
    batch = traitlets.Int(4).tag(sync=True)
    tokens = traitlets.Int(11).tag(sync=True)
    chips = traitlets.Enum([1, 2, 4, 8], 1).tag(sync=True)
    bits = traitlets.Enum([16, 8, 4], 16).tag(sync=True)
    price = traitlets.Float(2.0).tag(sync=True)
    share = traitlets.Float(0.5).tag(sync=True)

    def _cache(self) -> float:
        """Bytes of one sequence's keys and values."""
        m = self.data["models"][self.model]
        itemsize = 2 if self.bits == 16 else 1
        return float(2 * m["layers"] * m["kv"] * m["width"] * 2**self.tokens * itemsize)

    def step(self, batch: float) -> float:
        """Seconds of a decode step."""
        m, chip = self.data["models"][self.model], self.data["chips"][self.chip]
        operations, _ = work(m, "decode", 2**self.tokens, 1)
        moved = weights(m) * self.bits / 8 + batch * self._cache()
        together = self.chips * self.share * 1e12
        return max(
            batch * operations / (chip["peak"] * together), moved / (chip["bandwidth"] * together)
        )

    def cost(self, batch: float) -> float:
        """Dollars of a million tokens."""
        return 1e6 * self.chips * self.price / 3600 * self.step(batch) / batch

    def seats(self) -> int:
        """Sequences that fit beside the weights."""
        m, chip = self.data["models"][self.model], self.data["chips"][self.chip]
        table = m["vocab"] * m["heads"] * m["width"]
        held = (weights(m) + table) * self.bits / 8
        left = (1 - RESERVE) * self.chips * chip["memory"] * 1e9 - held
        return 0 if left < 0 else int(left // self._cache())

    def description(self) -> str:
        """Say what is served, how fast and at what price."""
        m, chip, batch = (
            self.data["models"][self.model],
            self.data["chips"][self.chip],
            2**self.batch,
        )
        what = (
            f"{m['name']} in {self.bits} bits on {self.chips} x {chip['name']} at "
            f"${self.price:.2f} an hour each, {self.share:.0%} of the roofline: {batch:,} "
            f"sequences of {2**self.tokens:,} tokens"
        )
        if batch > self.seats():
            return f"{what} do not fit; {self.seats():,} do."
        return (
            f"{what} cost ${self.cost(batch):.3f} a million tokens, {1 / self.step(batch):.1f} "
            f"tokens a second each. {self.seats():,} sequences fit."
        )

    def still(self) -> Figure:
        """Draw the cost against the batch, and the point."""
        figure, ax = plt.subplots()
        grid = np.geomspace(1, 4096, 100)
        ax.loglog(grid, [self.cost(b) for b in grid], color=style.RULE, ls=":")
        inside = grid[grid <= max(self.seats(), 1)]
        ax.loglog(inside, [self.cost(b) for b in inside], color=style.BLUE, ls="-")
        ax.loglog([2**self.batch], [self.cost(2**self.batch)], "o", ms=9, color=style.COPPER)
        ax.set(xlabel="sequences at a time", ylabel="dollars a million tokens")
        return figure


def cost_per_token(
    chips: Sequence[tuple[str, float, float, float]], models: Mapping[str, Any]
) -> CostPerToken:
    """Move a server's batch, lengths, chips, bits and price, and see what a token costs.

    What a reader can learn: a batch shares the reading of the weights and makes tokens cheap, until
    the caches take over, or the memory is full.

    Parameters
    ----------
    chips
        Name, peak in TFLOP/s, bandwidth in TB/s and memory in GB of each.
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
    keys = ("name", "peak", "bandwidth", "memory")
    listed = [dict(zip(keys, chip, strict=True)) for chip in chips]
    return CostPerToken(data={"chips": listed, "models": shapes(models)})
