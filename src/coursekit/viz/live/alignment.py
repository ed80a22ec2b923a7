"""Live figure: attention weights of a translation as an alignment of its words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

MOST_PAIRS, MOST_WORDS = 4, 14
Pair = tuple[Sequence[str], Sequence[str], np.ndarray]


class Alignment(LiveFigure):
    """The figure that :func:`alignment` makes; its traits follow the controls."""

    _esm = module_source("alignment")
    name = "alignment"
    title = "Attention as alignment"
    pair = traitlets.Int(0, min=0).tag(sync=True)
    word = traitlets.Int(1, min=1).tag(sync=True)
    temperature = traitlets.Float(1.0).tag(sync=True)

    def weights(self) -> np.ndarray:
        """Return the weights of the pair at the temperature, shape (target, source)."""
        a = np.maximum(self.data["pairs"][self.pair]["weights"], 1e-12)
        sharp = np.exp(np.log(a / a.max(axis=1, keepdims=True)) / self.temperature)
        return sharp / sharp.sum(axis=1, keepdims=True)

    def crossings(self) -> int:
        """Return how many pairs of strongest lines cross."""
        at = self.weights().argmax(axis=1)
        return int(sum((at[t + 1 :] < j).sum() for t, j in enumerate(at)))

    def description(self) -> str:
        """Say which word each word looks at."""
        pair, a = self.data["pairs"][self.pair], self.weights()
        looks = "; ".join(
            f"{word} looks at {pair['source'][j]} with weight {row[j]:.2f}"
            for word, row, j in zip(pair["target"], a, a.argmax(axis=1), strict=True)
        )
        return (
            f"{' '.join(pair['source'])} becomes {' '.join(pair['target'])}. {looks}. "
            f"{self.crossings()} pairs of strongest lines cross."
        )

    def still(self) -> Figure:
        """Draw the weights as a map, target words down, source words across."""
        pair, a = self.data["pairs"][self.pair], self.weights()
        figure, ax = plt.subplots(figsize=(6.4, 1.6 + 0.3 * len(pair["target"])))
        ax.imshow(a, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        ax.set_xticks(range(len(pair["source"])), pair["source"], rotation=40, ha="right")
        ax.set_yticks(range(len(pair["target"])), pair["target"])
        for t, j in enumerate(a.argmax(axis=1)):
            ax.plot(j, t, "o", color=style.COPPER, ms=6)
        ax.set_title("Weight of each English word, strongest marked")
        return figure


def alignment(pairs: Sequence[Pair], *, pair: int = 0, word: int = 1) -> Alignment:
    """Follow the attention of a translation, word by word.

    What a reader can learn: a row of weights is a distribution over the source
    (:eq:`eq-seq2seq-context`); where two languages order their words differently the strongest
    lines cross; a low temperature makes attention a choice, a high one an average.

    Parameters
    ----------
    pairs
        Up to four translations: source words (N,), target words (M,), and the weights (M, N),
        whose rows sum to 1. At most 14 words on either side.
    pair, word
        The translation and the target word to start with; words count from 1.

    Raises
    ------
    ValueError
        If there are too many pairs or words, shapes differ, or a row does not sum to 1.
    """
    if not 1 <= len(pairs) <= MOST_PAIRS:
        raise ValueError(f"{len(pairs)} pairs; 1 to {MOST_PAIRS} wanted.")
    found: list[dict[str, Any]] = []
    for source, target, weights in pairs:
        a = np.asarray(weights, dtype=float)  # (M, N)
        if max(len(source), len(target)) > MOST_WORDS:
            raise ValueError(f"{len(source)} and {len(target)} words; at most {MOST_WORDS} fit.")
        if a.shape != (len(target), len(source)):
            raise ValueError(f"weights have shape {a.shape}; {(len(target), len(source))} wanted.")
        if a.min() < 0 or np.abs(a.sum(axis=1) - 1).max() > 1e-3:
            raise ValueError("weights of a target word must be at least 0 and sum to 1.")
        rounded = [[float(f"{v:.3f}") for v in row] for row in a]
        found.append({"source": [*source], "target": [*target], "weights": rounded})
    if not 0 <= pair < len(found) or not 1 <= word <= len(found[pair]["target"]):
        raise ValueError(
            f"pair {pair}, word {word}: there is none; pairs count from 0, words from 1."
        )
    return Alignment(data={"pairs": found}, pair=pair, word=word)
