"""What was measured on small tasks, as it comes with the course."""

from __future__ import annotations

import torch

from coursekit.data.checkpoints import CHECKPOINTS, load_checkpoint
from coursekit.posttraining.methods import METHODS, MethodRun
from coursekit.posttraining.over_optimisation import Climb


def load_methods() -> list[MethodRun]:
    """Return the runs of all methods, with three seeds each.

    Returns
    -------
    list of MethodRun
        For :func:`~coursekit.posttraining.table_of_methods`.

    Examples
    --------
    >>> {run.seed for run in load_methods()}
    {0, 1, 2}
    """
    stored = load_checkpoint("posttraining-methods")
    stored["kl"] = torch.where(stored.pop("has_kl"), stored["kl"], torch.nan)
    columns = {k: v.tolist() for k, v in stored.items()}
    rows = zip(*(columns[name] for name in MethodRun._fields), strict=True)
    return [MethodRun(METHODS[int(method)], int(seed), *rest) for method, seed, *rest in rows]


def load_climbs() -> tuple[dict[float, list[Climb]], list[Climb]]:
    """Return how policies climbed a learned reward, one climb a seed.

    Returns
    -------
    by_price : dict of float to list of Climb
        By the price of a nat of KL.
    best_of_n : list of Climb
        Of the best of 1, 2, 4 … 256 answers.

    Examples
    --------
    >>> by_price, best_of_n = load_climbs()
    >>> min(by_price), len(best_of_n)
    (0.0, 3)
    """
    name = "posttraining-over-optimisation"
    arrays = {k: v.double().numpy() for k, v in load_checkpoint(name).items()}

    def climbs(key: str) -> list[Climb]:
        fields = [arrays[f"{key}/{field}"] for field in Climb._fields]
        return [Climb(*rows) for rows in zip(*fields, strict=True)]

    prices = CHECKPOINTS[name]["settings"]["prices"]
    return {float(p): climbs(f"{p:g}") for p in prices}, climbs("best of n")
