"""Beam search with a language model: the search of chapter 3, with keys and values kept."""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.pretraining.cache import KeyValueCache
from coursekit.pretraining.decoding import Prompt, check_prompt, last_logits
from coursekit.seq2seq.search import Hypothesis, beam_search
from coursekit.transformer import GPT


def beam(
    model: GPT,
    prompt: Prompt,
    *,
    width: int = 4,
    max_new_tokens: int = 64,
    stop: int,
    alpha: float = 0.0,
) -> list[Hypothesis]:
    """Continue a prompt by what is most probable as a whole, as far as a beam finds it.

    Parameters
    ----------
    model : GPT
        What continues.
    prompt : sequence of int
        Tokens, at least one.
    width : int, default 4
        Beginnings kept at each step; with 1 the search is greedy.
    max_new_tokens : int, default 64
        New tokens at most, the stop token included.
    stop : int
        The token that ends a text.
    alpha : float, default 0
        Strength of the length penalty, see :func:`coursekit.seq2seq.beam_search`.

    Returns
    -------
    list of Hypothesis
        The best first; their `ids` are the new tokens without the stop token.

    Raises
    ------
    TypeError, ValueError
        If the prompt is empty or longer than the context, or an option is out of range.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> config = TransformerConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2, max_len=16)
    >>> model = GPT(config, generator=torch.Generator().manual_seed(0))
    >>> best = beam(model, [3, 1], width=3, max_new_tokens=5, stop=0)[0]
    >>> best.log_prob < 0
    True
    """
    check_prompt(prompt, model)
    room = model.config.max_len - len(prompt) + 1
    return beam_search(
        _Cached(model, prompt),
        width=width,
        max_length=min(count(max_new_tokens, "max_new_tokens"), room),
        alpha=alpha,
        start=int(prompt[-1]),
        end=stop,
        banned=(),
    )


class _Cached:
    """Scores beginnings; finds each one's parent among those of the step before, and its cache."""

    def __init__(self, model: GPT, prompt: Prompt) -> None:
        self.model = model
        self.cache = KeyValueCache.like(model, 1)
        self.parents = {(): 0}
        if len(prompt) > 1:
            last_logits(model, [list(prompt[:-1])], self.cache)

    def __call__(self, beginnings: Tensor) -> Tensor:
        """Return log-probabilities, shape (K, V), after beginnings, shape (K, m)."""
        rows = [tuple(row) for row in beginnings.tolist()]
        self.cache.select(torch.tensor([self.parents[row[:-1]] for row in rows]))
        self.parents = {row: i for i, row in enumerate(rows)}
        return last_logits(self.model, [row[-1:] for row in rows], self.cache).log_softmax(-1)
