"""Train what chapter 04 starts from; run by ``coursekit checkpoints build NAME``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import torch

from coursekit.data.checkpoints import Built
from coursekit.seq2seq.task_words import translation_vocabularies
from coursekit.seq2seq.vocabulary import BOS, EOS
from coursekit.transformer.bert import MaskedLanguageModel
from coursekit.transformer.config import TransformerConfig
from coursekit.transformer.gpt import GPT
from coursekit.transformer.initialise import xavier_weights
from coursekit.transformer.race import DATA_SEED, SMALL, build_long, build_short, split
from coursekit.transformer.stored import SEEDS, built, record, round_weights
from coursekit.transformer.trained import evaluate_gpt, evaluate_induction, evaluate_masked_lm
from coursekit.transformer.training import (
    train_induction,
    train_language_model,
    train_masked_lm,
)


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
    options: dict[str, Any] = {"steps": 1000, "batch_size": 64, "lr": 3e-3}
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
    options: dict[str, Any] = {"steps": 400, "batch_size": 64, "lr": 3e-3}
    g = torch.Generator().manual_seed(SEEDS[0])
    model = GPT(gpt_config(), generator=g)
    history = train_language_model(model, sentences, generator=g, **options)
    round_weights(model)
    run = {**record(history), **evaluate_gpt(model, split().train, split().test)}
    settings = {"config": asdict(gpt_config()), "data_seed": DATA_SEED, **options}
    return built(model, settings, {"kept": run})


BUILDERS: dict[str, Callable[[], Built]] = {
    "transformer-translator": build_short,
    "transformer-translator-long": build_long,
    "transformer-induction": build_induction,
    "transformer-masked-lm": build_masked_lm,
    "transformer-gpt": build_gpt,
}
