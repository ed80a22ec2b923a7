"""Train what chapter 08 starts from; run by ``coursekit train-generative``, all or one.

Each model is trained with three seeds, to tell a model from its luck; the first one's weights are
kept, in float16, and all three are scored as stored.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.data.checkpoints import Built
from coursekit.generative.classifier import DigitClassifier
from coursekit.generative.digits import CLASSES, digit_levels, scale, to_levels
from coursekit.generative.recipes import BUDGET_SECONDS, RECIPES, WITHOUT_LABEL, Training, train
from coursekit.generative.scores import class_shares, frechet_distance
from coursekit.generative.trained import (
    MODELS,
    TAKES_LABELS,
    Trained,
    load_classifier,
    score_samples,
)
from coursekit.seq2seq.build_checkpoints import rounded
from coursekit.transformer.build_checkpoints import round_weights

SEEDS = (0, 1, 2)
SAMPLES = 712
"""As many as there are held-out digits."""


def asked_labels(n: int = SAMPLES) -> Tensor:
    """Return labels to ask for, every digit as often, shape (n,)."""
    return torch.arange(n) % CLASSES


def measure(model: Trained) -> dict[str, Any]:
    """Return the scores of a trained model: of any digit, and of those asked for."""
    found: dict[str, Any] = {}
    if model.name != "conditional-gan":
        found["any"] = _scored(model, None, None)
    if model.name in TAKES_LABELS:
        labels = digit_levels("held-out")[1]
        found["asked"] = _scored(model, asked_labels(), labels)
    return found


def _scored(model: Trained, asked: Tensor | None, labels: Tensor | None) -> dict[str, Any]:
    g = torch.Generator().manual_seed(7)
    levels = model.sample(SAMPLES, g, asked)
    found: dict[str, Any] = asdict(score_samples(levels))
    found["bits"] = model.bits(digit_levels("held-out")[0], g, labels)
    seen = load_classifier()(scale(levels)).argmax(1)
    found["shares"] = class_shares(seen, CLASSES).tolist()
    if asked is not None:
        found["obeyed"] = float((seen == asked).double().mean())
    return found


def frechet_now(network: nn.Module) -> float:
    """Return the Fréchet distance of a generator in training."""
    g = torch.Generator().manual_seed(4)
    labelled = bool(getattr(network, "labelled", False))
    with torch.no_grad():
        z = torch.randn(SAMPLES, int(network.n_latent), generator=g)  # type: ignore[arg-type]
        made = network(z, asked_labels()) if labelled else network(z)
        judge, real = load_classifier(), scale(digit_levels("held-out")[0])
        return frechet_distance(judge.features(real), judge.features(scale(to_levels(made))))


def record(training: Training, seed: int) -> dict[str, Any]:
    """Return what is kept of a training: its seconds, its curve, its losses in forty means."""
    part = max(1, len(training.losses) // 40)
    losses = torch.tensor(training.losses)[: len(training.losses) // part * part]
    return {
        "seed": seed,
        "cpu_seconds": round(training.cpu_seconds, 1),
        "curve": training.curve,
        "losses": losses.reshape(-1, part).mean(1).tolist(),
    }


def build(name: str, steps: int | None = None) -> Built:
    """Train one model with each seed, by its recipe or for so many steps, and score it."""
    runs, weights = [], []
    for seed in SEEDS if name in MODELS else SEEDS[:1]:
        training = train(name, seed, steps=steps, measure=frechet_now)
        round_weights(training.network)
        runs.append({**record(training, seed), **measure(Trained(name, training.network))})
        weights.append({k: w.half() for k, w in training.network.state_dict().items()})
    settings = {
        **asdict(RECIPES[name]),
        "budget_seconds": BUDGET_SECONDS,
        "without_label": WITHOUT_LABEL if name in TAKES_LABELS else None,
    }
    parameters = sum(w.numel() for w in weights[0].values())
    metrics = rounded({"parameters": parameters, "samples": SAMPLES, "seeds": runs})
    return Built(weights[0], settings, metrics, SEEDS[0], runs[0]["cpu_seconds"])


def build_classifier(steps: int | None = None) -> Built:
    """Train the judge."""
    training = train("classifier", seed=SEEDS[0], steps=steps)
    judge = training.network
    round_weights(judge)
    assert isinstance(judge, DigitClassifier)
    levels, labels = digit_levels("held-out")
    with torch.no_grad():
        right = float((judge(scale(levels)).argmax(1) == labels).double().mean())
    metrics = rounded({"accuracy": right, **record(training, SEEDS[0])})
    weights = {k: w.half() for k, w in judge.state_dict().items()}
    settings = asdict(RECIPES["classifier"])
    return Built(weights, settings, metrics, SEEDS[0], training.cpu_seconds)


def headline(metrics: dict[str, Any]) -> dict[str, float | None]:
    """Return the scores of the kept weights that one line can show.

    Of any digit; of those asked for, where the model draws no others; of the classifier, its
    accuracy.
    """
    if "accuracy" in metrics:
        return {"accuracy": metrics["accuracy"]}
    kept = metrics["seeds"][0]
    scores = kept.get("any") or kept["asked"]
    return {name: scores[name] for name in ("frechet", "precision", "recall", "coverage", "bits")}


BUILDERS: dict[str, Callable[..., Built]] = {
    "generative-classifier": build_classifier,
    **{
        f"generative-{name}": functools.partial(build, name)
        for name in RECIPES
        if name != "classifier"
    },
}
"""In the order in which they must be built: the classifier judges the others."""
