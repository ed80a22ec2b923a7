"""Live figure: beam search through a language small enough to try every sentence."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

MOST_TOKENS, LONGEST = 7, 6


class Beginning(NamedTuple):
    """Words so far, the start apart, and their log-probability."""

    words: tuple[int, ...]
    log_p: float


class BeamTree(LiveFigure):
    """The figure that :func:`beam_tree` makes; its traits follow the controls."""

    _esm = module_source("beam_tree")
    name = "beam_tree"
    title = "Beam search, step by step"
    width = traitlets.Int(1, min=1, max=4).tag(sync=True)
    step = traitlets.Int(1, min=1, max=LONGEST).tag(sync=True)
    alpha = traitlets.Float(0.0, min=0.0, max=1.5).tag(sync=True)

    def search(self, width: int | None = None) -> tuple[list[list[Beginning]], Beginning | None]:
        """Return every step's candidates, best first, and the best finished sentence, if any.

        Without a ``width`` nothing is pruned.
        """
        logs = [[-np.inf if v is None else v for v in row] for row in self.data["logs"]]
        end, length = len(logs) - 1, self.data["length"]
        beam, steps = [Beginning((), 0.0)], list[list[Beginning]]()
        finished: list[Beginning] = []
        for t in range(1, length + 1):
            found = [
                Beginning((*words, b), log_p + logs[words[-1] if words else 0][b])
                for words, log_p in beam
                for b in ([end] if t == length else range(1, end + 1))
            ]
            found = sorted((c for c in found if np.isfinite(c.log_p)), key=lambda c: -c.log_p)
            steps.append(found)
            kept = found[: None if width is None else width - len(finished)]
            finished += [c for c in kept if c.words[-1] == end]
            beam = [c for c in kept if c.words[-1] != end]
            if not beam:
                break
        return steps, max(finished, key=self.score, default=None)

    def score(self, sentence: Beginning) -> float:
        """Return the log-probability over the length penalty."""
        return float(sentence.log_p / ((5 + len(sentence.words)) / 6) ** self.alpha)

    def say(self, sentence: Beginning | None) -> str:
        """Return the words of a sentence."""
        if sentence is None:
            return "none"
        end = len(self.data["tokens"]) - 1
        return " ".join(self.data["tokens"][w] for w in sentence.words if w != end)

    def description(self) -> str:
        """Say what the search keeps and what it misses."""
        steps, best = self.search(self.width)
        _, top = self.search()
        assert top is not None  # the last step ends every sentence
        kept = "; ".join(f"{self.say(c)} {c.log_p:.2f}" for c in steps[0][: self.width])
        found = "no sentence" if best is None else f"{self.say(best)}, score {self.score(best):.3f}"
        return (
            f"A tree of beginnings with their scores, searched with beam width "
            f"{self.width}. After the first step it keeps: {kept}. In the end it finds: {found}. "
            f"The best sentence of all is {self.say(top)}, score {self.score(top):.3f}."
        )

    def still(self) -> Figure:
        """Draw every candidate of every step, those kept in bold."""
        steps, best = self.search(self.width)
        figure, ax = plt.subplots(figsize=(7.2, 4))
        ended, end = 0, len(self.data["tokens"]) - 1
        places: dict[tuple[int, ...], tuple[float, float]] = {(): (-0.4, 1.0)}
        for t, found in enumerate(steps):
            room = self.width - ended
            for rank, candidate in enumerate(found):
                here, kept = (t, rank), rank < room
                ended += kept and candidate.words[-1] == end
                on_path = best is not None and best.words[: t + 1] == candidate.words
                colour = style.COPPER if on_path else style.BLUE if kept else style.MUTED
                edge = colour if kept else style.RULE
                a, b = places[candidate.words[:-1]], here
                ax.plot([a[0] + 0.3, b[0] - 0.05], [a[1], b[1]], color=edge, lw=1 + kept, ls="-")
                word = self.say(Beginning(candidate.words[-1:], 0)) or "[end]"
                words = f"{word} {self.score(candidate):.2f}".replace("-", "−")
                weight = 600 if kept else 400
                ax.text(t, rank, words, color=colour, va="center", fontweight=weight, fontsize=9)
                places[candidate.words] = here
        ax.set(xlim=(-0.5, len(steps)), ylim=(max(map(len, steps)), -1))
        ax.axis("off")
        return figure


def beam_tree(
    tokens: Sequence[str], probabilities: np.ndarray, *, length: int = 5, width: int = 1
) -> BeamTree:
    """Step through a beam search in a language small enough to try every sentence.

    What a reader can learn: greedy search (width 1) takes the best next word and may miss the best
    sentence; a beam (:eq:`eq-seq2seq-beam`) keeps several beginnings; without a length penalty the
    score favours short sentences, since every further word multiplies by a number below 1.

    Parameters
    ----------
    tokens
        The start, the words, and last the end: 3 to 7 of them.
    probabilities
        Row a holds p(next | a), shape (V, V); nothing leads back to the start, and rows sum to 1.
        The last row is not used.
    length
        Longest sentence, the end counted, 2 to 6; where it is reached a sentence must end.
    width
        Beam width to start with, 1 to 4.

    Raises
    ------
    ValueError
        If a shape is wrong, a row is no distribution, or a number is out of reach.
    """
    p, count = np.asarray(probabilities, dtype=float), len(tokens)
    if not 3 <= count <= MOST_TOKENS or p.shape != (count, count):
        raise ValueError(f"{count} tokens and probabilities {p.shape}; 3 to 7 tokens, (V, V).")
    if p.min() < 0 or np.abs(p[:-1].sum(axis=1) - 1).max() > 1e-9 or p[:, 0].any():
        raise ValueError("each row must be a distribution over words other than the start.")
    if not 2 <= length <= LONGEST or not 1 <= width <= 4:
        raise ValueError(f"length {length}, width {width}; 2 to {LONGEST} and 1 to 4 wanted.")
    logs = [[float(f"{np.log(v):.6g}") if v > 0 else None for v in row] for row in p]
    data = {"tokens": [*tokens], "logs": logs, "length": length}
    return BeamTree(data=data, width=width)
