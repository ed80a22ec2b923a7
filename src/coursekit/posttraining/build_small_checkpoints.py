"""Run what chapter 07 shows of small tasks; run by ``coursekit checkpoints build NAME``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

import torch

from coursekit.data.checkpoints import Built
from coursekit.posttraining.methods import (
    METHODS,
    MethodRun,
    MethodSettings,
    run_method,
    start_policy,
    table_of_methods,
)
from coursekit.posttraining.over_optimisation import (
    ClerkSettings,
    Climb,
    best_of_n_climb,
    climb,
    judge,
    train_clerk,
    train_reward_model,
)

SEEDS = (0, 1, 2)
PRICES = (0.0, 0.03, 0.1, 0.3)
"""Of a nat of KL, in :func:`build_over_optimisation`."""

KINDS = dict.fromkeys(("reward", "kl", "cpu_seconds"), torch.float64)

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Answers of which the learned reward chooses the best."""


def columns_of(runs: Sequence[MethodRun]) -> dict[str, torch.Tensor]:
    """Return each field of the runs as one tensor, a method as its place in `METHODS`.

    Where a run has no divergence, `kl` holds 0 and `has_kl` False: what is stored is finite.

    Examples
    --------
    >>> run = MethodRun("SFT", 7, 0.5, 1.0, 2.0, 0, 100, 5)
    >>> columns_of([run])["method"], columns_of([run])["seed"]
    (tensor([1]), tensor([7]))
    """
    columns = {
        name: torch.tensor([getattr(r, name) for r in runs], dtype=KINDS.get(name))
        for name in MethodRun._fields
        if name != "method"
    }
    has_kl = columns["kl"].isfinite()
    columns["kl"] = torch.where(has_kl, columns["kl"], 0.0)
    methods = torch.tensor([METHODS.index(r.method) for r in runs])
    return {**columns, "has_kl": has_kl, "method": methods}


def build_methods() -> Built:
    """Run every method from the start of each seed, and keep what was measured."""
    settings, runs = MethodSettings(), []
    for seed in SEEDS:
        start = start_policy(seed, settings.start)
        runs += [run_method(method, seed, settings, start=start) for method in METHODS]
    rows = {
        row.method: {"reward": round(row.reward, 4), "half_range": round(row.reward_spread, 4)}
        for row in table_of_methods(runs)
    }
    seconds = sum(r.cpu_seconds for r in runs)
    return Built(
        columns_of(runs), asdict(settings), {"methods": rows, "seeds": len(SEEDS)}, 0, seconds
    )


def build_over_optimisation() -> Built:
    """Climb a learned reward at several prices of KL with each seed, and keep the way."""
    settings, begun = ClerkSettings(), time.process_time()
    found: dict[str, list[Climb]] = {"best of n": []}
    for seed in SEEDS:
        g = torch.Generator().manual_seed(seed)
        clerk = train_clerk(seed, settings)
        judged = judge(clerk, settings.comparisons, g)
        learned = train_reward_model(clerk, judged, g, steps=settings.reward_steps)
        found["best of n"].append(best_of_n_climb(clerk, learned, SIZES, seed=seed))
        for beta in PRICES:
            way = climb(clerk, learned, beta=beta, seed=seed, settings=settings)
            found.setdefault(f"{beta:g}", []).append(way)
    tensors = {
        f"{name}/{field}": torch.tensor([getattr(way, field).tolist() for way in ways])
        for name, ways in found.items()
        for field in Climb._fields
    }
    metrics = {
        name: {
            "gold_at_best": round(float(gold.mean(0).max()), 4),
            "gold_at_end": round(float(gold.mean(0)[-1]), 4),
        }
        for name in found
        for gold in [tensors[f"{name}/gold"]]
    }
    made_of = {**asdict(settings), "prices": list(PRICES), "sizes": list(SIZES)}
    return Built(tensors, made_of, metrics, 0, time.process_time() - begun)


SMALL_BUILDERS: dict[str, Callable[[], Built]] = {
    "posttraining-methods": build_methods,
    "posttraining-over-optimisation": build_over_optimisation,
}
