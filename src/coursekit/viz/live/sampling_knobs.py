"""Live figure: temperature, top-k, top-p and min-p on a model's next-token distributions."""

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

SHOWN, MOST_PROMPTS, MOST_TOKENS = 14, 4, 2500


def _kept(p: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return what is kept, scaled to sum to one."""
    left = np.where(keep, p, 0.0)
    return left / left.sum()


class SamplingKnobs(LiveFigure):
    """The figure that :func:`sampling_knobs` makes; its traits follow the controls."""

    _esm = module_source("sampling_knobs")
    name = "sampling_knobs"
    title = "Choosing the next token"
    prompt = traitlets.Int(0, min=0).tag(sync=True)
    temperature = traitlets.Float(1.0, min=0.01).tag(sync=True)
    k = traitlets.Int(1, min=1).tag(sync=True)
    mass = traitlets.Float(1.0, min=0.0, max=1.0).tag(sync=True)
    floor = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True)

    def probabilities(self, *, filtered: bool = True) -> np.ndarray:
        """Return the chances of all tokens, likeliest first, shape (V,)."""
        z = np.array(self.data["prompts"][self.prompt]["logits"])
        z = z / self.temperature if filtered else z
        p = np.exp(z - z.max())
        p /= p.sum()
        if not filtered:
            return p
        p = _kept(p, np.arange(len(p)) < self.k)
        p = _kept(p, (np.cumsum(p) - p < self.mass) & (p > 0))
        return _kept(p, (p >= self.floor * p[0]) & (p > 0))

    def description(self) -> str:
        """Say which tokens are likeliest and how many can be drawn."""
        prompt, p = self.data["prompts"][self.prompt], self.probabilities()
        names = zip(prompt["names"][:5], p, strict=False)
        best = ", ".join(f"“{name}” {v:.3f}" for name, v in names if v)
        return (
            f"Bars of a language model's chances for the token after “{prompt['text']}”. At "
            f"temperature {self.temperature:g}, {np.count_nonzero(p)} of {len(p)} tokens can be "
            f"drawn: {best}. A low temperature sharpens the list and a high one flattens it; "
            "top-k keeps a fixed number of tokens, top-p as few as reach a given mass, min-p those "
            "not much worse than the best."
        )

    def still(self) -> Figure:
        """Draw the likeliest tokens as bars, with marks where the model had them."""
        prompt, p = self.data["prompts"][self.prompt], self.probabilities()
        names = [name.replace(" ", "·") for name in prompt["names"]]
        figure, ax = plt.subplots(figsize=(7.2, 3.6))
        ax.barh(range(len(names)), p[: len(names)], color=style.BLUE, height=0.65)
        plain = self.probabilities(filtered=False)[: len(names)]
        ax.plot(plain, range(len(names)), "|", color=style.COPPER, ms=11, mew=2.2)
        ax.set_yticks(range(len(names)), names, fontsize=9)
        ax.invert_yaxis()
        ax.set(title=f"after “{prompt['text']}”", xlabel="chance")
        return figure


def sampling_knobs(
    names: Sequence[str],
    logits: Mapping[str, ArrayLike],
    *,
    temperature: float = 1.0,
    k: int | None = None,
    mass: float = 1.0,
    floor: float = 0.0,
) -> SamplingKnobs:
    """Turn the knobs of decoding and see which tokens can still be drawn.

    What a reader can learn: temperature (:eq:`eq-pretraining-temperature`) changes all chances and
    removes none; top-k keeps too few tokens where the model is unsure and too many where it is
    sure; top-p (:eq:`eq-pretraining-top-p`) and min-p (:eq:`eq-pretraining-min-p`) adapt, and
    min-p holds up better at high temperature.

    Parameters
    ----------
    names
        The V tokens as text.
    logits
        By the end of a prompt, the model's scores of the next token, shape (V,); 1 to 4 prompts.
    temperature, k, mass, floor
        The knobs at the start; `k` of None and `mass` of 1 and `floor` of 0 are off.

    Raises
    ------
    ValueError
        If there are too many prompts or tokens, or a shape is wrong.
    """
    if not 1 <= len(logits) <= MOST_PROMPTS or not SHOWN < len(names) <= MOST_TOKENS:
        raise ValueError(
            f"{len(logits)} prompts and {len(names)} tokens; 1 to {MOST_PROMPTS} prompts and "
            f"{SHOWN + 1} to {MOST_TOKENS} tokens wanted."
        )
    prompts = []
    for text, scores in logits.items():
        z = np.asarray(scores, dtype=float)
        if z.shape != (len(names),) or not np.isfinite(z).all():
            raise ValueError(f"logits of {text!r} are not ({len(names)},) finite numbers.")
        order = np.argsort(-z, kind="stable")
        prompts.append(
            {
                "text": text,
                "names": [names[i] for i in order[:SHOWN]],
                "logits": [round(float(v), 2) for v in z[order] - z.max()],
            }
        )
    return SamplingKnobs(
        data={"prompts": prompts},
        temperature=temperature,
        k=len(names) if k is None else k,
        mass=mass,
        floor=floor,
    )
