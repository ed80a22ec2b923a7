"""The learning rate of each step."""

from __future__ import annotations

import math

from coursekit._validate import count


def cosine_with_warmup(
    step: int, *, steps: int, lr: float, warmup: int = 0, lr_min: float = 0.0
) -> float:
    r"""Return the learning rate of step 0, 1, …: a straight rise, then half a cosine down.

    Implements :eq:`eq-pretraining-schedule`. The first step already moves, with
    ``lr / (warmup + 1)``; from `steps` on the rate stays at `lr_min`.

    Parameters
    ----------
    step : int
        Which step, from 0.
    steps : int
        Length of the run.
    lr : float
        The highest rate, reached at step `warmup`.
    warmup : int, default 0
        Steps of the rise.
    lr_min : float, default 0
        Where it ends.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the warm-up does not end before the run.

    Examples
    --------
    >>> [round(cosine_with_warmup(k, steps=12, lr=1.0, warmup=2), 3) for k in (0, 1, 2, 7, 12)]
    [0.333, 0.667, 1.0, 0.5, 0.0]
    """
    if count(warmup, "warmup", least=0) >= count(steps, "steps"):
        raise ValueError(f"warmup is {warmup} of {steps} steps; fewer than {steps} wanted.")
    if step < warmup:
        return lr * (step + 1) / (warmup + 1)
    share = min(1.0, (step - warmup) / (steps - warmup))
    return lr_min + (lr - lr_min) * (1 + math.cos(math.pi * share)) / 2
