"""Train what chapter 04 starts from; run by ``coursekit checkpoints build NAME``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from coursekit.data.checkpoints import Built
from coursekit.seq2seq.task_words import translation_vocabularies
from coursekit.seq2seq.trained import evaluate
from coursekit.seq2seq.training import History, train_translator
from coursekit.seq2seq.translation import Split, translation_split
from coursekit.seq2seq.translator import Kind, Translator
from coursekit.seq2seq.vocabulary import BOS, EOS
from coursekit.transformer.bert import MaskedLanguageModel
from coursekit.transformer.config import TransformerConfig
from coursekit.transformer.count import num_parameters
from coursekit.transformer.encoder_decoder import EncoderDecoder
from coursekit.transformer.gpt import GPT
from coursekit.transformer.initialise import xavier_weights
from coursekit.transformer.trained import evaluate_gpt, evaluate_induction, evaluate_masked_lm
from coursekit.transformer.training import (
    train_induction,
    train_language_model,
    train_masked_lm,
)

SEEDS = (0, 1, 2)
DATA_SEED = 0
STEPS = 600
"""Of every translator when they are compared."""

LONG = 1200
"""Of the translator that is kept."""

TRANSLATION: dict[str, Any] = {"batch_size": 64, "lr": 4e-3, "warmup": 100}
"""What all translators are given alike."""

WIDTHS: dict[Kind, int] = {"additive": 102, "multiplicative": 114}
"""Widths at which the recurrent translators hold as many parameters as the Transformer."""

SMALL = TransformerConfig(vocab_size=1, d_model=64, n_layers=2, n_heads=4)
"""What all four models share."""


@cache
def split() -> Split:
    """Return the translation task's data."""
    return translation_split(np.random.default_rng(DATA_SEED))


def translator_config() -> TransformerConfig:
    """Return the shape of the Transformer: that of 2017, but for norms before each part."""
    _, french = translation_vocabularies()
    return replace(SMALL, vocab_size=len(french), positions="sinusoidal", feed_forward="relu")


def new_translator(kind: str, seed: int) -> EncoderDecoder | Translator:
    """Return an untrained translator: "transformer", or a recurrent one by its attention."""
    english, french = translation_vocabularies()
    g = torch.Generator().manual_seed(seed)
    if kind == "transformer":
        return EncoderDecoder(translator_config(), source_vocab_size=len(english), generator=g)
    attention: Kind = "additive" if kind == "additive" else "multiplicative"
    return Translator(len(english), len(french), WIDTHS[attention], attention, generator=g)


def train_and_measure(
    kind: str, seed: int, steps: int
) -> tuple[EncoderDecoder | Translator, dict[str, Any]]:
    """Train one translator and return it, rounded to float16, with what it can do."""
    model, words = new_translator(kind, seed), translation_vocabularies()
    rng = np.random.default_rng(seed)
    history = train_translator(model, split().train, *words, rng=rng, steps=steps, **TRANSLATION)
    round_weights(model)
    return model, {
        "seed": seed,
        "steps": steps,
        "parameters": num_parameters(model),
        **record(history),
        "test": evaluate(model, split().test, *words),
        "held_out": evaluate(model, split().held_out, *words),
    }


def build_translator() -> Built:
    """Compare the Transformer with recurrent translators; keep one that was trained longer."""
    compared = {
        kind: [train_and_measure(kind, seed, STEPS)[1] for seed in SEEDS]
        for kind in ("transformer", "additive", "multiplicative")
    }
    model, kept = train_and_measure("transformer", SEEDS[0], LONG)
    settings = {
        "config": asdict(translator_config()),
        "data_seed": DATA_SEED,
        **TRANSLATION,
        "steps": STEPS,
        "kept_steps": LONG,
        "widths": WIDTHS,
    }
    return built(model, settings, {"kept": kept, "compared": compared})


def induction_config() -> TransformerConfig:
    """Return the shape of the smallest model that grows induction heads."""
    return replace(SMALL, vocab_size=64, positions="rotary", rotary_base=100.0, feed_forward="none")


def new_induction(seed: int) -> tuple[GPT, torch.Generator]:
    """Return the model untrained, with wide first weights, and its random numbers."""
    g = torch.Generator().manual_seed(seed)
    model = GPT(induction_config(), generator=g)
    xavier_weights(model, generator=g)  # 1/8 wide: from 0.02 the heads form far later
    return model, g


def build_induction() -> Built:
    """Train attention alone on sequences that repeat."""
    options: dict[str, Any] = {"steps": 1600, "batch_size": 64, "lr": 3e-3}
    runs, models = [], []
    for seed in SEEDS:
        model, g = new_induction(seed)
        before = evaluate_induction(model)
        history = train_induction(model, generator=g, **options)
        round_weights(model)
        runs.append({"seed": seed, **record(history), **evaluate_induction(model)})
        runs[-1]["untrained"] = before
        models.append(model)
    settings = {"config": asdict(induction_config()), **options}
    return built(models[0], settings, {"kept": runs[0], "seeds": runs})


def french_sentences() -> list[list[int]]:
    """Return the French sides of the training data as numbers."""
    _, french = translation_vocabularies()
    return [french.encode(p.target) for p in split().train]


def masked_lm_config() -> TransformerConfig:
    """Return the shape of a small BERT; one token more than the words, which hides."""
    _, french = translation_vocabularies()
    return replace(SMALL, vocab_size=len(french) + 1, max_len=64, feed_forward="gelu")


def build_masked_lm() -> Built:
    """Train an encoder to fill gaps in the French sentences."""
    _, french = translation_vocabularies()
    test = [french.encode(p.target) for p in split().test]
    runs, models = [], []
    options: dict[str, Any] = {"steps": 1500, "batch_size": 64, "lr": 3e-3}
    for seed in SEEDS:
        g = torch.Generator().manual_seed(seed)
        model = MaskedLanguageModel(masked_lm_config(), generator=g)
        mask_id = len(french)
        history = train_masked_lm(
            model, french_sentences(), mask_id=mask_id, generator=g, **options
        )
        round_weights(model)
        runs.append(
            {"seed": seed, **record(history), **evaluate_masked_lm(model, test, mask_id=mask_id)}
        )
        models.append(model)
    settings = {"config": asdict(masked_lm_config()), "data_seed": DATA_SEED, **options}
    return built(models[0], settings, {"kept": runs[0], "seeds": runs})


def gpt_config() -> TransformerConfig:
    """Return the shape of a small GPT over the French words."""
    _, french = translation_vocabularies()
    return replace(SMALL, vocab_size=len(french), max_len=64)


def build_gpt() -> Built:
    """Train a decoder to write the French sentences."""
    sentences = [[BOS, *ids, EOS] for ids in french_sentences()]
    options: dict[str, Any] = {"steps": 800, "batch_size": 64, "lr": 3e-3}
    g = torch.Generator().manual_seed(SEEDS[0])
    model = GPT(gpt_config(), generator=g)
    history = train_language_model(model, sentences, generator=g, **options)
    round_weights(model)
    run = {**record(history), **evaluate_gpt(model, split().train, split().test)}
    settings = {"config": asdict(gpt_config()), "data_seed": DATA_SEED, **options}
    return built(model, settings, {"kept": run})


def round_weights(model: nn.Module) -> None:
    """Round a model's weights to float16, as they are stored."""
    model.load_state_dict({k: w.half().float() for k, w in model.state_dict().items()})


def record(history: History) -> dict[str, float]:
    """Return what is kept of a training: processor seconds, and the last losses' mean."""
    return {
        "cpu_seconds": round(history.cpu_seconds, 1),
        "train_loss": float(np.mean(history.losses[-50:])),
    }


def built(model: nn.Module, settings: dict[str, Any], metrics: dict[str, Any]) -> Built:
    """Return what is stored: weights in float16, and what is told of them."""
    tensors: dict[str, Tensor] = {k: w.half() for k, w in model.state_dict().items()}
    seconds = metrics["kept"]["cpu_seconds"]
    return Built(tensors, settings, rounded(metrics), SEEDS[0], seconds)


def rounded(value: Any) -> Any:
    """Return numbers with five digits, in whatever they are nested."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


BUILDERS: dict[str, Callable[[], Built]] = {
    "transformer-translator": build_translator,
    "transformer-induction": build_induction,
    "transformer-masked-lm": build_masked_lm,
    "transformer-gpt": build_gpt,
}
