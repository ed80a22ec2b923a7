"""The language models that come with the course, and the runs behind its scaling law."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coursekit.data.checkpoints import CHECKPOINTS, load_checkpoint
from coursekit.pretraining.course_tokenizer import load_tokenizer
from coursekit.pretraining.tokenizer import Tokenizer
from coursekit.transformer import GPT, TransformerConfig


def load_lm(name: str = "gpt") -> tuple[GPT, Tokenizer]:
    """Return a language model that was trained on the book's own text, and its tokenizer.

    How good it is on documents that it has not seen, beside models that count, stands in
    ``coursekit.data.checkpoints.CHECKPOINTS["pretraining-gpt"]["metrics"]``.

    Parameters
    ----------
    name : {"gpt", "draft"}
        The course's model, or the much smaller one that guesses ahead for it.

    Returns
    -------
    model : GPT
        On the CPU, in evaluation.
    tokenizer : Tokenizer

    Examples
    --------
    >>> model, tokenizer = load_lm()
    >>> model.config.vocab_size == tokenizer.vocab_size
    True
    """
    full = f"pretraining-{name}"
    weights = load_checkpoint(full)
    model = GPT(TransformerConfig(**CHECKPOINTS[full]["settings"]["config"]))
    model.load_state_dict(weights)
    return model.eval(), load_tokenizer()


def load_runs() -> dict[str, NDArray[np.float64]]:
    """Return the runs made here for the scaling law; the last one is held out.

    Returns
    -------
    dict
        ``parameters``, ``tokens`` and ``loss`` (nats a token on held-out documents), a number for
        each run.

    Examples
    --------
    >>> sorted(load_runs())
    ['loss', 'parameters', 'tokens']
    """
    return {k: x.double().numpy() for k, x in load_checkpoint("pretraining-scaling").items()}
