"""Train what chapter 06 starts from; run by ``coursekit checkpoints build NAME``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch

from coursekit.data.checkpoints import Built
from coursekit.pretraining.configs import llama_config
from coursekit.pretraining.corpus import Document
from coursekit.pretraining.course_tokenizer import END_OF_TEXT, course_split, load_tokenizer
from coursekit.pretraining.evaluate import bits_per_byte, corpus_nats
from coursekit.pretraining.kneser_ney import KneserNey
from coursekit.pretraining.metrics import Run
from coursekit.pretraining.sampler import BatchSampler
from coursekit.pretraining.scaling import fit_scaling
from coursekit.pretraining.settings import Settings
from coursekit.pretraining.trainer import Trainer, train
from coursekit.seq2seq.build_checkpoints import rounded
from coursekit.transformer import GPT, TransformerConfig, num_parameters
from coursekit.transformer.stored import round_weights

SEED = 0
VOCAB_SIZE = 1024
CONTEXT, BATCH_SIZE = 256, 8
LONG = Settings(
    steps=3000, lr=2e-3, lr_min=1e-4, warmup=100, quick=False, log_every=100, validate_every=500
)
"""The training of the course's language model: 6 million tokens, 23 times the text."""

LANGUAGE_MODEL = llama_config(VOCAB_SIZE, d_model=128, n_layers=5, max_len=CONTEXT, dropout=0.1)
DRAFT = llama_config(VOCAB_SIZE, d_model=32, n_layers=2, n_heads=2, max_len=CONTEXT)
"""A model small enough to guess ahead for the other."""


SMALL = replace(LONG, steps=4000, lr=4e-3)
"""The training of the small one, and for the scaling law but for the steps."""

SIZES = ((16, 2), (32, 2), (64, 3))
GRID = [(width, layers, steps) for width, layers in SIZES for steps in (500, 1000, 2000)]
"""Width, layers and steps of the runs that the scaling law is fitted to."""

LARGEST = (96, 4, 3000)
"""Those of the run that it is to foretell."""

SMALL_BATCH = {"batch_size": 4, "context": 128}
"""Of these runs: many steps with few tokens, so that a short run is one of many steps too."""


def encoded(documents: list[Document]) -> list[list[int]]:
    """Return documents as tokens, each after an end-of-text, from which its first is foretold."""
    tokenizer = load_tokenizer()
    end = tokenizer.token(END_OF_TEXT)
    return [[end, *tokenizer.encode(d.text, specials=False)] for d in documents]


def train_model(
    config: TransformerConfig,
    settings: Settings,
    *,
    batch_size: int = BATCH_SIZE,
    context: int = CONTEXT,
) -> tuple[GPT, Run, float]:
    """Train on the book's text, and return the model with the processor seconds that it took."""
    learned, held_out = (np.concatenate(encoded(part)) for part in course_split())
    model = GPT(config, generator=torch.Generator().manual_seed(SEED))
    sampler = BatchSampler(learned, batch_size, context, SEED)
    start = time.process_time()
    run = train(model, sampler, settings, validation=held_out.tolist(), tell=report)
    return model, run, time.process_time() - start


def report(trainer: Trainer) -> None:
    """Print where a training is."""
    run = trainer.result
    validation = f", validation {run.validation[-1][1]:.3f}" if run.validation else ""
    print(
        f"step {trainer.steps_done}: loss {np.mean(run.losses[-100:]):.3f}{validation}, "
        f"{run.tokens_per_second:.0f} tokens/s",
        flush=True,
    )


def quality(model: GPT, context: int = CONTEXT) -> dict[str, float]:
    """Return the bits that a model spends on a byte of the held-out documents, and the loss."""
    held_out = course_split()[1]
    documents = encoded(held_out)
    nats = corpus_nats(model, documents, context=context)
    n_tokens = sum(len(d) - 1 for d in documents)
    return {"bits_per_byte": bits_per_byte(nats, size(held_out)), "loss": nats / n_tokens}


def size(documents: list[Document]) -> int:
    """Return the bytes of documents."""
    return sum(len(d.text.encode()) for d in documents)


def baselines(order: int = 5) -> dict[str, float]:
    """Return the same of models that count: on bytes, and on the model's own tokens."""
    learned, held_out = course_split()
    as_bytes = KneserNey([d.text.encode() for d in learned], order, 256)
    as_tokens = KneserNey([d[1:] for d in encoded(learned)], order, VOCAB_SIZE)
    nats = {
        "bytes": -sum(as_bytes.log_probs(d.text.encode()).sum() for d in held_out),
        "tokens": -sum(as_tokens.log_probs(d[1:]).sum() for d in encoded(held_out)),
    }
    return {f"kneser_ney_{order}_{k}": bits_per_byte(n, size(held_out)) for k, n in nats.items()}


def stored(model: GPT, settings: Settings, run: Run, seconds: float, **more: Any) -> Built:
    """Return what is stored of a training, measured with the weights as they are stored."""
    round_weights(model)
    metrics: dict[str, Any] = {
        "parameters": num_parameters(model),
        "train_loss": float(np.mean(run.losses[-100:])),
        "validation": run.validation,
        **quality(model),
        **more,
    }
    told: dict[str, Any] = {"config": asdict(model.config), "training": asdict(settings)}
    told |= {"batch_size": BATCH_SIZE, "context": CONTEXT}
    tensors = {k: w.half() for k, w in model.state_dict().items()}
    return Built(tensors, told, rounded(metrics), SEED, seconds)


def build_gpt() -> Built:
    """Train the course's language model."""
    model, run, seconds = train_model(LANGUAGE_MODEL, LONG)
    return stored(model, LONG, run, seconds, **baselines())


def build_draft() -> Built:
    """Train the small model that guesses ahead."""
    model, run, seconds = train_model(DRAFT, SMALL)
    return stored(model, SMALL, run, seconds)


def build_scaling() -> Built:
    """Train small models of several sizes for several lengths, and keep what became of them.

    The last run is larger and longer than all others: what a law fitted to the others is to
    foretell.
    """
    start, runs = time.process_time(), []
    per_step = SMALL_BATCH["batch_size"] * SMALL_BATCH["context"]
    for width, layers, steps in (*GRID, LARGEST):
        config = llama_config(VOCAB_SIZE, d_model=width, n_layers=layers, max_len=CONTEXT)
        settings = replace(SMALL, steps=steps, warmup=steps // 10, validate_every=0)
        model, _, seconds = train_model(config, settings, **SMALL_BATCH)
        loss = quality(model, SMALL_BATCH["context"])["loss"]
        runs.append([num_parameters(model), steps * per_step, loss])
        print(f"{width} x {layers}, {steps} steps: {runs[-1]}, {seconds:.0f} s", flush=True)
    names = ("parameters", "tokens", "loss")
    tensors = dict(zip(names, torch.tensor(runs, dtype=torch.float64).T.contiguous(), strict=True))
    law = fit_scaling(*(tensors[name][:-1].numpy() for name in names))
    foretold = float(law.predict(runs[-1][0], runs[-1][1]))
    metrics = {"law": law._asdict(), "held_out": runs[-1][2], "foretold": foretold}
    told = {"grid": GRID, "largest": LARGEST, "training": asdict(SMALL), **SMALL_BATCH}
    return Built(tensors, told, rounded(metrics), SEED, time.process_time() - start)


BUILDERS: dict[str, Callable[[], Built]] = {
    "pretraining-gpt": build_gpt,
    "pretraining-draft": build_draft,
    "pretraining-scaling": build_scaling,
}
