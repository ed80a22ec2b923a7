"""Train what chapter 03 starts from; run by ``coursekit checkpoints build NAME``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from coursekit.data.checkpoints import Built
from coursekit.seq2seq.memory import (
    NOISE,
    SYMBOLS,
    first_symbol,
    first_symbol_batches,
    set_forget_bias,
)
from coursekit.seq2seq.problem_types import ManyToOne
from coursekit.seq2seq.recurrent_layers import Cell
from coursekit.seq2seq.task_words import translation_vocabularies
from coursekit.seq2seq.trained import KINDS, by_length, evaluate
from coursekit.seq2seq.training import History, fit, train_translator
from coursekit.seq2seq.translation import SEEN, Split, sentences, translation_split
from coursekit.seq2seq.translator import Kind, Translator

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class TranslatorSettings:
    """How a translator is trained; all kinds take the same steps on the same sentences."""

    attention: Kind | None
    width: int = 96
    steps: int = 1500
    batch_size: int = 64
    lr: float = 4e-3
    warmup: int = 100
    train: int = 12_000
    data_seed: int = 0


def task(settings: TranslatorSettings) -> Split:
    """Return the split that the settings name."""
    return translation_split(np.random.default_rng(settings.data_seed), train=settings.train)


def train_once(settings: TranslatorSettings, split: Split, seed: int) -> tuple[Translator, History]:
    """Train one translator; `seed` draws its weights and the order of the sentences."""
    english, french = translation_vocabularies()
    g = torch.Generator().manual_seed(seed)
    model = Translator(len(english), len(french), settings.width, settings.attention, generator=g)
    history = train_translator(
        model,
        split.train,
        english,
        french,
        rng=np.random.default_rng(seed),
        steps=settings.steps,
        batch_size=settings.batch_size,
        lr=settings.lr,
        warmup=settings.warmup,
    )
    return model, history


def measure(model: Translator, split: Split) -> dict[str, Any]:
    """Return how good a translator is on sentences that it did not see.

    By length on the validation and test sentences together, which are of like kind; `longer` has
    four clauses, where training has three at most.
    """
    words = translation_vocabularies()
    longer = sentences(200, np.random.default_rng(99), clauses=[4], patterns=SEEN)
    return {
        "test": evaluate(model, split.test, *words),
        "held_out": evaluate(model, split.held_out, *words),
        "longer": evaluate(model, longer, *words),
        "by_length": by_length(model, [*split.validation, *split.test], *words),
    }


def rounded(value: Any) -> Any:
    """Return numbers with five digits, in whatever they are nested.

    Examples
    --------
    >>> rounded({"share": [2 / 3]})
    {'share': [0.66667]}
    """
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def build_translator(attention: Kind | None) -> Built:
    """Train a translator with each seed, and keep the weights of the first in float16."""
    settings = TranslatorSettings(attention)
    split, runs, kept = task(settings), [], []
    for seed in SEEDS:
        model, history = train_once(settings, split, seed)
        weights = {k: v.half() for k, v in model.state_dict().items()}
        model.load_state_dict({k: v.float() for k, v in weights.items()})
        loss = float(np.mean(history.losses[-50:]))
        run = {"seed": seed, "cpu_seconds": history.cpu_seconds, "train_loss": loss}
        runs.append({**run, **measure(model, split)})
        kept.append((weights, model, history.cpu_seconds))
    weights, model, seconds = kept[0]
    parameters = sum(p.numel() for p in model.parameters())
    metrics = rounded({"parameters": parameters, "seeds": runs})
    return Built(weights, asdict(settings), metrics, SEEDS[0], seconds)


MEMORY_CELLS: dict[str, tuple[Cell, float | None]] = {
    "rnn": ("rnn", None),
    "gru": ("gru", None),
    "lstm": ("lstm", None),
    "lstm, open gates": ("lstm", 3.0),
}
MEMORY_LAGS = (5, 10, 20, 40)


@dataclass(frozen=True)
class MemorySettings:
    """How a network is trained to remember the first symbol."""

    cell: Cell = "lstm"
    forget_bias: float | None = 3.0
    lag: int = 20
    width: int = 24
    steps: int = 200
    batch_size: int = 32
    lr: float = 0.01


def train_memory(settings: MemorySettings, seed: int) -> tuple[ManyToOne, float, History]:
    """Train one network; return it, its share of right answers on new sequences, the record."""
    g = torch.Generator().manual_seed(seed)
    model = ManyToOne(4 + SYMBOLS + NOISE, settings.width, SYMBOLS, settings.cell, generator=g)
    if settings.forget_bias is not None:
        set_forget_bias(model.rnn, settings.forget_bias)
    batches = first_symbol_batches(settings.batch_size, settings.lag, g)
    history = fit(model, memory_loss, batches, steps=settings.steps, lr=settings.lr)
    ids, answers = first_symbol(1000, settings.lag, torch.Generator().manual_seed(1000 + seed))
    return model, float((model(ids).argmax(-1) == answers).float().mean()), history


def memory_loss(model: ManyToOne, ids: Tensor, answers: Tensor) -> Tensor:
    """Return the cross-entropy of the answers."""
    return nn.functional.cross_entropy(model(ids), answers)


def build_memory() -> Built:
    """Train every cell at every lag with every seed; keep an LSTM with open gates."""
    settings = MemorySettings()
    accuracy = {
        name: {
            str(lag): [
                train_memory(MemorySettings(cell, bias, lag), seed)[1] for seed in (*SEEDS, 3, 4)
            ]
            for lag in MEMORY_LAGS
        }
        for name, (cell, bias) in MEMORY_CELLS.items()
    }
    model, kept, history = train_memory(settings, SEEDS[0])
    metrics = rounded({"kept": kept, "accuracy": accuracy})
    return Built(model.state_dict(), asdict(settings), metrics, SEEDS[0], history.cpu_seconds)


BUILDERS: dict[str, Callable[[], Built]] = {
    f"seq2seq-translator-{name}": functools.partial(build_translator, kind)
    for name, kind in KINDS.items()
} | {"seq2seq-memory": build_memory}
