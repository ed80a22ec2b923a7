"""Live figure: the attention of a trained model, head by head and token by token."""

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

MOST_TOKENS, MOST_HEADS = 24, 12
LEAD = (
    "Choose a head, then walk through the tokens. Thick lines are large weights; copper, those of "
    "the token you chose."
)


class AttentionHeads(LiveFigure):
    """The figure that :func:`attention_heads` makes; its traits follow the controls."""

    _esm = module_source("attention_heads")
    name = "attention_heads"
    title = "Attention, head by head"
    head = traitlets.Int(0, min=0).tag(sync=True)
    query = traitlets.Int(0, min=0).tag(sync=True)

    def table(self) -> np.ndarray:
        """Return the weights of the chosen head, shape (queries, keys)."""
        return np.array(self.data["weights"][self.head])

    def description(self) -> str:
        """Say where the chosen token looks, and how many heads there are."""
        row = self.table()[self.query]
        largest = sorted(zip(row, self.data["keys"], strict=True), reverse=True)[:3]
        return (
            f"Attention weights of {len(self.data['heads'])} heads over the tokens "
            f"{' '.join(self.data['keys'])}. Shown is {self.data['heads'][self.head]}: lines run "
            f"from each token that looks to those it looks at, thicker for more weight. From "
            f"{self.data['queries'][self.query]} the largest weights go to "
            + ", ".join(f"{token} ({weight:.2f})" for weight, token in largest)
            + "."
        )

    def still(self) -> Figure:
        """Draw the weights of up to three heads as maps, the chosen one among them."""
        count = min(3, len(self.data["heads"]))
        first = max(0, min(self.head, len(self.data["heads"]) - count))
        figure, axes = plt.subplots(1, count, sharey=True, squeeze=False)
        for ax, h in zip(axes[0], range(first, first + count), strict=True):
            ax.imshow(self.data["weights"][h], vmin=0, vmax=1, aspect="auto")
            ax.set_title(self.data["heads"][h], fontsize=9)
            ax.set_xticks(range(len(self.data["keys"])), self.data["keys"], rotation=90, fontsize=7)
        axes[0, 0].set_yticks(range(len(self.data["queries"])), self.data["queries"], fontsize=7)
        axes[0, 0].get_yticklabels()[self.query].set_color(style.COPPER)
        return figure


def attention_heads(
    weights: Mapping[str, Sequence[Sequence[float]]],
    queries: Sequence[str],
    keys: Sequence[str] | None = None,
    *,
    head: str | None = None,
    query: int = 0,
) -> AttentionHeads:
    """Walk through a sentence and see where each head of a model looks.

    What a reader can learn: heads differ (:eq:`eq-transformer-multi-head`); some look at the token
    before, some at the first, some at what a word translates; a row sums to one, so that a head
    with nothing to do has to rest somewhere.

    Parameters
    ----------
    weights
        For each head by name a matrix of shape (queries, keys) whose rows sum to one; at most 12
        heads. Rounded to three digits.
    queries
        Tokens that look, at most 24.
    keys
        Tokens that are looked at; the queries themselves where not given.
    head, query
        What is chosen at first: the name of a head, the number of a token.

    Raises
    ------
    ValueError
        If a matrix has another shape, a row does not sum to one, there is too much to show, or
        ``head`` or ``query`` is none of them.
    """
    keys = list(queries if keys is None else keys)
    if not 1 <= len(weights) <= MOST_HEADS or max(len(queries), len(keys)) > MOST_TOKENS:
        raise ValueError(
            f"there are {len(weights)} heads and {len(queries)} by {len(keys)} tokens; the figure "
            f"shows up to {MOST_HEADS} heads and {MOST_TOKENS} tokens."
        )
    for name, table in weights.items():
        shape, wanted = np.shape(table), (len(queries), len(keys))
        if shape != wanted or not np.allclose(np.sum(table, axis=1), 1, atol=1e-3):
            raise ValueError(
                f"{name} has shape {shape}; it wants {wanted}, and rows that sum to one."
            )
    names = list(weights)
    if head is not None and head not in names:
        raise ValueError(f"head is {head!r}; there are {', '.join(names)}.")
    if not 0 <= query < len(queries):
        raise ValueError(f"query is {query}; the tokens are 0 to {len(queries) - 1}.")
    rounded = [np.round(np.asarray(table, dtype=float), 3).tolist() for table in weights.values()]
    data = {"heads": names, "queries": list(queries), "keys": keys, "weights": rounded}
    chosen = names.index(head) if head is not None else 0
    return AttentionHeads(data=data | {"lead": LEAD}, head=chosen, query=query)
