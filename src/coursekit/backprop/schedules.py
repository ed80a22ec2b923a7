"""Learning rates over time, clipping, and the rates that theory gives for a quadratic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from coursekit._validate import Array, count, positive

Schedule = Callable[[int], float]
"""Learning rate as a function of the step number 0, 1, …."""


def constant(lr: float) -> Schedule:
    """Return a schedule that never changes.

    Examples
    --------
    >>> constant(0.1)(1000)
    0.1
    """
    return lambda k: lr


def step_decay(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """Return a schedule that multiplies `lr` by `factor` after each `every` steps.

    Examples
    --------
    >>> [step_decay(1.0, every=10, factor=0.5)(k) for k in (0, 9, 10, 20)]
    [1.0, 1.0, 0.5, 0.25]
    """
    every = count(every, "every")
    return lambda k: lr * factor ** (k // every)


def cosine(lr: float, steps: int, *, warmup: int = 0, final: float = 0.0) -> Schedule:
    """Return a schedule that rises for `warmup` steps and falls along half a cosine.

    Parameters
    ----------
    lr : float
        The highest rate, reached at step `warmup`.
    steps : int
        Length of the whole run; from there on the rate is `final`.
    warmup : int, default 0
        Steps of linear rise; the first step already moves, with ``lr / (warmup + 1)``.
    final : float, default 0
        Rate at the end.

    Returns
    -------
    callable, int -> float

    Raises
    ------
    ValueError
        If the warm-up does not end before the run.

    Examples
    --------
    >>> rate = cosine(1.0, steps=12, warmup=2)
    >>> [round(rate(k), 3) for k in (0, 1, 2, 7, 12)]
    [0.333, 0.667, 1.0, 0.5, 0.0]
    """
    if count(warmup, "warmup", least=0) >= count(steps, "steps"):
        raise ValueError(f"warmup is {warmup} of {steps} steps; fewer than {steps} wanted.")

    def rate(k: int) -> float:
        if k < warmup:
            return lr * (k + 1) / (warmup + 1)
        return _half_cosine(lr, final, (k - warmup) / (steps - warmup))

    return rate


def one_cycle(lr: float, steps: int, *, rise: float = 0.3, divide: float = 25.0) -> Schedule:
    """Return a schedule from `lr` / `divide` up to `lr` and down to almost nothing, by cosines.

    Parameters
    ----------
    lr : float
        The highest rate.
    steps : int
        Length of the run.
    rise : float, default 0.3
        Share of the run before the top.
    divide : float, default 25
        Ratio of the highest rate to the first; the last is 1e4 times smaller than the first.

    Returns
    -------
    callable, int -> float

    Raises
    ------
    ValueError
        If `rise` is not between 0 and 1.

    Examples
    --------
    >>> rate = one_cycle(1.0, steps=101)
    >>> [round(rate(k), 3) for k in (0, 29, 100)]
    [0.04, 1.0, 0.0]
    """
    if not 0 < rise < 1:
        raise ValueError(f"rise is {rise}; a share between 0 and 1 wanted.")
    first, last = lr / divide, lr / divide / 1e4
    top = rise * count(steps, "steps", least=2) - 1

    def rate(k: int) -> float:
        if k <= top:
            return _half_cosine(first, lr, k / top)
        return _half_cosine(lr, last, (k - top) / (steps - 1 - top))

    return rate


def clip_by_global_norm(gradients: Sequence[Array], limit: float) -> tuple[list[Array], float]:
    """Scale all gradients together so that their common norm is at most `limit`.

    Parameters
    ----------
    gradients : sequence of ndarray
        Not changed.
    limit : float
        Largest norm of all entries of all arrays taken as one vector.

    Returns
    -------
    gradients : list of ndarray
        Scaled, in the same direction.
    norm : float
        The norm before.

    Raises
    ------
    ValueError
        If `limit` is not positive.

    Examples
    --------
    >>> clip_by_global_norm([np.array([3.0]), np.array([4.0])], 1.0)
    ([array([0.6]), array([0.8])], 5.0)
    """
    limit = float(positive(limit, "limit"))
    norm = float(np.sqrt(sum(float((g**2).sum()) for g in gradients)))
    scale = min(1.0, limit / norm) if norm > 0 else 1.0
    return [g * scale for g in gradients], norm


class QuadraticRates(NamedTuple):
    """The best settings on a quadratic, and the factor that each step takes off the error.

    Attributes
    ----------
    lr, momentum : float
        Settings.
    rate : float
        Asymptotic ratio of one error to the one before.
    """

    lr: float
    momentum: float
    rate: float


def gradient_descent_rate(smallest: float, largest: float) -> QuadraticRates:
    r"""Return gradient descent's best step on a quadratic, and its rate (κ - 1)/(κ + 1).

    Parameters
    ----------
    smallest, largest : float
        Extreme eigenvalues of the Hessian; κ is their ratio.

    Returns
    -------
    QuadraticRates

    Raises
    ------
    ValueError
        If an eigenvalue is not positive, or they are in the wrong order.

    Examples
    --------
    >>> gradient_descent_rate(1.0, 9.0)
    QuadraticRates(lr=0.2, momentum=0.0, rate=0.8)
    """
    low, high = _eigenvalues(smallest, largest)
    return QuadraticRates(2 / (low + high), 0.0, (high - low) / (high + low))


def heavy_ball_rate(smallest: float, largest: float) -> QuadraticRates:
    r"""Return the heavy ball's best settings on a quadratic, and its rate (√κ - 1)/(√κ + 1).

    Implements :eq:`eq-backprop-momentum-rate`, Polyak (1964): the momentum is the rate squared
    and the learning rate :math:`(2/(\sqrt L + \sqrt\mu))^2`. Parameters, result and errors as in
    :func:`gradient_descent_rate`.

    Examples
    --------
    >>> heavy_ball_rate(1.0, 9.0)
    QuadraticRates(lr=0.25, momentum=0.25, rate=0.5)
    """
    low, high = np.sqrt(_eigenvalues(smallest, largest)).tolist()
    rate = (high - low) / (high + low)
    return QuadraticRates((2 / (high + low)) ** 2, rate**2, rate)


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * float(1 + np.cos(np.pi * min(share, 1.0))) / 2


def _eigenvalues(smallest: float, largest: float) -> tuple[float, float]:
    low, high = float(positive(smallest, "smallest")), float(positive(largest, "largest"))
    if low > high:
        raise ValueError(f"smallest is {low:g} and largest {high:g}; the other way round wanted.")
    return low, high
