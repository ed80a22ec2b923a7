"""Live figure: what many answers are worth, if one may look at all, or only count."""

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

MOST = 40


class ManyAnswers(LiveFigure):
    """The figure that :func:`many_answers` makes; its traits follow the controls."""

    _esm = module_source("many_answers")
    name = "many_answers"
    title = "What are more answers worth?"
    right = traitlets.Float(0.4, min=0.0, max=1.0).tag(sync=True)
    favourite = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    n = traitlets.Int(9, min=1, max=MOST).tag(sync=True)

    @property
    def wrong(self) -> float:
        """Chance of the commonest wrong answer; the rest gives no answer that counts."""
        return (1 - self.right) * self.favourite

    def vote(self, n: int) -> float:
        """Return how often the commonest of `n` answers is right."""
        rest = 1 - self.right - self.wrong
        lead = np.array([1.0])
        for _ in range(n):
            lead = np.convolve(lead, [self.wrong, rest, self.right])
        return float(lead[n + 1 :].sum() + (lead[n] - rest**n) / 2)

    def one_of(self, n: int) -> float:
        """Return how often at least one of `n` answers is right."""
        return float(1 - (1 - self.right) ** n)

    def description(self) -> str:
        """Say what a vote and a verifier make of the answers."""
        return (
            f"A model is right with chance {self.right:.2f} and gives one favourite wrong answer "
            f"with chance {self.wrong:.2f}; other answers differ from each other. Of {self.n} "
            f"answers at least one is right with chance {self.one_of(self.n):.3f}, and the "
            f"commonest is right with chance {self.vote(self.n):.3f}. Where the right answer is "
            "the commonest a vote climbs to 1, else it falls to 0; a verifier gains in either case."
        )

    def still(self) -> Figure:
        """Draw both chances against the number of answers."""
        ns = range(1, MOST + 1)
        figure, ax = plt.subplots()
        ax.plot(ns, [self.one_of(n) for n in ns], color=style.BLUE, ls="--", label="one is right")
        votes = [self.vote(n) for n in ns]
        ax.plot(ns, votes, color=style.COPPER, ls="-", label="the commonest is right")
        ax.plot(self.n, self.vote(self.n), "o", color=style.COPPER, ms=8)
        ax.set(title="Chance", xlabel="answers drawn, n", ylim=(-0.03, 1.03))
        ax.legend()
        return figure


def many_answers(*, right: float = 0.4, favourite: float = 0.5, n: int = 9) -> ManyAnswers:
    """Draw several answers, and take any right one, or the commonest.

    What a reader can learn: a verifier turns more answers into more right ones
    (:eq:`eq-posttraining-pass-at-k`); a vote (:eq:`eq-posttraining-voting`) does so only where the
    right answer is commoner than any single wrong one, and makes things worse elsewhere.

    Parameters
    ----------
    right
        Chance that one answer is right.
    favourite
        Share of the wrong answers that agree with each other.
    n
        Answers drawn, 1 to 40.

    Raises
    ------
    ValueError
        If a chance is no probability.
    """
    if not (0 <= right <= 1 and 0 <= favourite <= 1):
        raise ValueError(
            f"right {right:g} and favourite {favourite:g}; numbers from 0 to 1 wanted."
        )
    return ManyAnswers(right=right, favourite=favourite, n=n)
