"""What is stored of a training: its weights in half precision, and what is told of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor, nn

from coursekit.data.checkpoints import Built
from coursekit.seq2seq.build_checkpoints import rounded
from coursekit.seq2seq.training import History

SEEDS = (0, 1, 2)
"""Of all trainings that are repeated; the weights of the first are kept."""


def round_weights(model: nn.Module) -> None:
    """Round a model's weights to float16, as they are stored.

    Examples
    --------
    >>> model = nn.Linear(1, 1, bias=False)
    >>> nn.init.constant_(model.weight, 1 / 3)
    Parameter containing:
    tensor([[0.3333]], requires_grad=True)
    >>> round_weights(model)
    >>> model.weight.item()
    0.333251953125
    """
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
