"""The translators of chapters 03 and 04 compared: on short sentences, and on long ones."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from typing import Any

import numpy as np
import torch

from coursekit.data.checkpoints import Built
from coursekit.seq2seq.task_words import translation_vocabularies
from coursekit.seq2seq.trained import evaluate
from coursekit.seq2seq.training import train_translator
from coursekit.seq2seq.translation import Split, translation_split
from coursekit.seq2seq.translator import Kind, Translator
from coursekit.transformer.config import TransformerConfig
from coursekit.transformer.count import num_parameters
from coursekit.transformer.encoder_decoder import EncoderDecoder
from coursekit.transformer.stored import SEEDS, built, record, round_weights

DATA_SEED = 0
SHORT, LONG = (1, 2, 3), (3, 4, 5)
"""Clauses of a sentence."""

ALIKE: dict[str, Any] = {"batch_size": 64, "lr": 4e-3, "warmup": 100}
"""On short sentences: the same for all."""

STEPS, KEPT_STEPS = 600, 1200
"""Of all that are compared on short sentences, and of the one that is kept."""

TUNED: dict[str, dict[str, Any]] = {
    "transformer": {"steps": 1800, "batch_size": 16, "lr": 4e-3, "warmup": 100},
    "additive": {"steps": 1200, "batch_size": 16, "lr": 5e-3, "warmup": 100},
    "multiplicative": {"steps": 1900, "batch_size": 16, "lr": 6e-3, "warmup": 100},
}
"""On long sentences: to each what suited it best on validation sentences, for as long a time."""

WIDTHS: dict[Kind, int] = {"additive": 102, "multiplicative": 114}
"""Widths at which the recurrent translators hold as many parameters as the Transformer."""

SMALL = TransformerConfig(vocab_size=1, d_model=64, n_layers=2, n_heads=4)
"""What all small models of the chapter share."""


@cache
def split(clauses: tuple[int, ...] = SHORT) -> Split:
    """Return the translation task's data, with sentences of so many clauses."""
    return translation_split(np.random.default_rng(DATA_SEED), clauses=clauses)


def translator_config(n_heads: int = SMALL.n_heads) -> TransformerConfig:
    """Return the shape of the Transformer: that of 2017, but for norms before each part.

    Examples
    --------
    >>> config = translator_config()
    >>> config.positions, config.norm, config.feed_forward
    ('sinusoidal', 'pre', 'relu')
    """
    _, french = translation_vocabularies()
    shape: dict[str, Any] = {"positions": "sinusoidal", "feed_forward": "relu", "n_heads": n_heads}
    return replace(SMALL, vocab_size=len(french), **shape)


def new_translator(kind: str, config: TransformerConfig, seed: int) -> EncoderDecoder | Translator:
    """Return an untrained translator: "transformer", or a recurrent one by its attention."""
    english, french = translation_vocabularies()
    g = torch.Generator().manual_seed(seed)
    if kind == "transformer":
        return EncoderDecoder(config, source_vocab_size=len(english), generator=g)
    attention: Kind = "additive" if kind == "additive" else "multiplicative"
    return Translator(len(english), len(french), WIDTHS[attention], attention, generator=g)


def train_and_measure(
    kind: str, config: TransformerConfig, data: Split, seed: int, **options: Any
) -> tuple[EncoderDecoder | Translator, dict[str, Any]]:
    """Train one translator and return it, rounded to float16, with what it can do."""
    model, words = new_translator(kind, config, seed), translation_vocabularies()
    rng = np.random.default_rng(seed)
    history = train_translator(model, data.train, *words, rng=rng, **options)
    round_weights(model)
    return model, {
        "seed": seed,
        "steps": options["steps"],
        "parameters": num_parameters(model),
        **record(history),
        "test": evaluate(model, data.test, *words),
        "held_out": evaluate(model, data.held_out, *words),
    }


def build_short() -> Built:
    """Compare the translators at the same steps; keep a Transformer that was trained longer."""
    config = translator_config()
    compared = {
        kind: [train_and_measure(kind, config, split(), s, steps=STEPS, **ALIKE)[1] for s in SEEDS]
        for kind in TUNED
    }
    model, kept = train_and_measure(
        "transformer", config, split(), SEEDS[0], steps=KEPT_STEPS, **ALIKE
    )
    settings = {
        "config": asdict(config),
        "data_seed": DATA_SEED,
        **ALIKE,
        "steps": STEPS,
        "kept_steps": KEPT_STEPS,
        "widths": WIDTHS,
    }
    return built(model, settings, {"kept": kept, "compared": compared})


def build_long() -> Built:
    """Compare the translators in as much time, each at its best; keep the Transformer."""
    config, data = translator_config(n_heads=2), split(LONG)
    runs = {
        kind: [train_and_measure(kind, config, data, seed, **options) for seed in SEEDS]
        for kind, options in TUNED.items()
    }
    compared = {kind: [metrics for _, metrics in trained] for kind, trained in runs.items()}
    settings = {
        "config": asdict(config),
        "data_seed": DATA_SEED,
        "clauses": LONG,
        "options": TUNED,
        "widths": WIDTHS,
    }
    metrics = {"kept": compared["transformer"][0], "compared": compared}
    return built(runs["transformer"][0][0], settings, metrics)
