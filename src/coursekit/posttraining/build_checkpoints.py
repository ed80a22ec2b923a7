"""Train the course's assistant; run by ``coursekit checkpoints build NAME``.

Each is the training of one of the examples that ``coursekit posttrain --example`` prints. What
comes after the first starts from it: build ``posttraining-sft`` before the others.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from coursekit.data.checkpoints import Built
from coursekit.posttraining.build_small_checkpoints import SMALL_BUILDERS
from coursekit.posttraining.measure import exact_match, held_out_problems, sampled_reward
from coursekit.posttraining.rollouts import brief
from coursekit.posttraining.run import EXAMPLES, Plan, prepared, read_posttraining
from coursekit.posttraining.start import starting_model, trained_part
from coursekit.pretraining import Tokenizer, Trainer
from coursekit.seq2seq.build_checkpoints import rounded
from coursekit.transformer import GPT, num_parameters

EXAM = 480
"""Problems of the examination whose results are told."""

WATCHED = 240
"""Those that are looked at on the way."""

POINTS = 100
"""A curve has no more."""

MORE_SEEDS = (1, 2)


def course_plan(name: str, seed: int = 0) -> Plan:
    """Return the plan of one of the examples, with another seed.

    Parameters
    ----------
    name : {"sft", "lora", "dpo", "grpo"}
        Which.
    seed : int
        Of problems, draws and first weights.

    Examples
    --------
    >>> course_plan("grpo", seed=2).data.seed
    2
    """
    plan = read_posttraining(EXAMPLES / f"{name}.toml")
    low_rank = plan.low_rank and replace(plan.low_rank, seed=seed)
    training = replace(plan.training, validate_every=0, save_every=0, seed=seed, peak=1e10)
    return replace(plan, data=replace(plan.data, seed=seed), training=training, low_rank=low_rank)


def train(plan: Plan) -> tuple[Trainer, dict[str, Any]]:
    """Train as planned, and return the trainer with what the training showed.

    The processor seconds are those of training; what is measured on the way is not in them.
    """
    start, tokenizer, _ = starting_model(plan.start)
    seen, spent = [measured(start, tokenizer, start, WATCHED) | {"step": 0}], 0.0
    told = plan.training.log_every
    every = max(plan.training.steps // (6 * told), 1) * told

    def watch(trainer: Trainer) -> None:
        nonlocal spent
        begin = time.process_time()
        if trainer.steps_done % every == 0:
            found = measured(trainer.model, tokenizer, start, WATCHED)
            seen.append(found | {"step": trainer.steps_done})
            print(plan.method, seen[-1], flush=True)
        spent += time.process_time() - begin

    with tempfile.TemporaryDirectory() as folder:
        begin = time.process_time()
        trainer = prepared(replace(plan, folder=Path(folder)))
        trainer.run(watch)
        seconds = time.process_time() - begin - spent
    run = {"seed": plan.data.seed, "cpu_seconds": seconds, "watched": seen, **curves(trainer)}
    return trainer, run


def measured(model: GPT, tokenizer: Tokenizer, reference: GPT, n: int) -> dict[str, Any]:
    """Return how an assistant does on held-out problems, and how far it is from its reference."""
    exam = held_out_problems(n)
    score = exact_match(model, tokenizer, exam)
    drawn = sampled_reward(model, tokenizer, exam, reference, reward=brief)
    return {"exact": score.exact, **drawn._asdict()}


def curves(trainer: Trainer) -> dict[str, list[float]]:
    """Return what a training told of its batches, in means over equal numbers of steps."""
    run = trainer.result
    every = math.ceil(len(run.losses) / POINTS)
    told = {"loss": run.losses, **run.measured}
    parts = range(0, len(run.losses) - every + 1, every)
    means = {k: [float(np.mean(v[i : i + every])) for i in parts] for k, v in told.items()}
    return {"steps": [i + every for i in parts], **means}


def build_assistant(name: str) -> Built:
    """Train one assistant, and keep all its weights, or those of its adaptation."""
    plan = course_plan(name)
    trainer, run = train(plan)
    model = trainer.model
    with torch.no_grad():
        for p in trained_part(model).values():
            p.copy_(p.half().float())  # as they are stored
    start, tokenizer, _ = starting_model(plan.start)
    exam = held_out_problems(EXAM)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    metrics = {
        "trained_parameters": trained,
        "share": trained / num_parameters(start),
        **measured(model, tokenizer, start, EXAM),
        "tasks": exact_match(model, tokenizer, exam).tasks,
        "start_exact": exact_match(start, tokenizer, exam).exact,
        "start_reward": sampled_reward(start, tokenizer, exam, start, reward=brief).reward,
        "run": run,
    }
    told: dict[str, Any] = {"start": plan.start, "plan": {"data": asdict(plan.data)}}
    told["plan"] |= {"training": asdict(plan.training), **plan.about()}
    if plan.low_rank:
        told["low_rank"] = asdict(plan.low_rank)
    else:
        told["config"] = asdict(model.config)
    tensors = {k: w.half() for k, w in trained_part(model).items()}
    return Built(tensors, told, rounded(metrics), 0, run["cpu_seconds"])


def build_runs() -> Built:
    """Train with further seeds, and keep what became of them."""
    start = time.process_time()
    runs = {n: [train(course_plan(n, seed))[1] for seed in MORE_SEEDS] for n in ("dpo", "grpo")}
    tensors = {
        f"{name}.{what}": torch.tensor([[at[what] for at in run["watched"]] for run in found])
        for name, found in runs.items()
        for what in ("reward", "kl", "exact")
    }
    told = {"seeds": list(MORE_SEEDS)}
    return Built(tensors, told, rounded(runs), MORE_SEEDS[0], time.process_time() - start)


BUILDERS: dict[str, Callable[[], Built]] = {
    **{f"posttraining-{name}": partial(build_assistant, name) for name in ("sft", "lora")},
    **{f"posttraining-{name}": partial(build_assistant, name) for name in ("dpo", "grpo")},
    "posttraining-runs": build_runs,
    **SMALL_BUILDERS,
}
"""The assistants that come with the course, further seeds, and the small models."""
