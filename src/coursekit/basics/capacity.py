"""Capacity: what a model misses on average (bias) and how much it wavers (variance)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, count, generator

FitPredict = Callable[[Array, Array, Array], ArrayLike]


@dataclass(frozen=True)
class BiasVariance:
    """The parts of the expected squared error, averaged over the test points.

    Attributes
    ----------
    bias_squared : float
        Squared distance from the mean prediction to the truth.
    variance : float
        Spread of the predictions from one training set to the next.
    noise : float
        Spread of the targets about the truth, which no model can remove.
    error : float
        Squared error on fresh noisy targets, measured on its own and not as the sum.
    predictions : ndarray, shape (repeats, t)
        What each training set led to, for drawing.
    """

    bias_squared: float
    variance: float
    noise: float
    error: float
    predictions: Array = field(repr=False)


def bias_variance(
    fit_predict: FitPredict,
    sampler: Callable[[np.random.Generator], tuple[Array, Array]],
    target: Callable[[Array], ArrayLike],
    x_test: ArrayLike,
    repeats: int,
    rng: np.random.Generator,
) -> BiasVariance:
    r"""Measure bias, variance and noise of a way of fitting, over many training sets.

    Implements :eq:`eq-basics-bias-variance`. Each repeat trains on one fresh data set and is
    scored on fresh noise taken from a second one; the noise is taken to be the same everywhere.

    Parameters
    ----------
    fit_predict : callable, (X, y, x_test) -> (t,)
        Trains on (X, y) and predicts at `x_test`.
    sampler : callable, rng -> (X, y)
        Draws a data set, y of shape (m,).
    target : callable, X -> (m,)
        The truth :math:`\mathbf E[y|x]`.
    x_test : array_like, shape (t,) or (t, n)
        Where to measure.
    repeats : int
        Number of training sets, at least 2.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    BiasVariance
        In the squared unit of y. The sum of the parts equals `error` up to sampling error,
        which falls like :math:`1/\sqrt{\text{repeats}}`.

    Raises
    ------
    TypeError, ValueError
        If `repeats` is below 2, `rng` is no generator, or a prediction has the wrong shape.

    Examples
    --------
    >>> from coursekit.data import sine, sine_curve
    >>> def constant(x, y, x_test):
    ...     return np.full(len(x_test), y.mean())
    >>> grid, rng = np.linspace(0, 1, 20, endpoint=False), np.random.default_rng(0)
    >>> parts = bias_variance(constant, lambda rng: sine(10, 0.1, rng), sine_curve, grid, 500, rng)
    >>> round(parts.bias_squared, 1), round(parts.variance, 2), round(parts.noise, 2)
    (0.5, 0.05, 0.01)
    """
    x_test = array(x_test, "x_test", ndim=(1, 2))
    truth = array(target(x_test), "target(x_test)", shape=(len(x_test),))
    predictions, noises, errors = [], [], []
    for _ in range(count(repeats, "repeats", least=2)):
        guess = fit_predict(*sampler(generator(rng)), x_test)
        guess = array(guess, "fit_predict(X, y, x_test)", shape=truth.shape)
        noise = _noise(sampler, target, rng)
        fresh = truth + rng.choice(noise, size=len(truth))
        predictions.append(guess)
        noises.append(noise)
        errors.append(((fresh - guess) ** 2).mean())
    return _decompose(np.stack(predictions), truth, np.concatenate(noises), errors)


def _noise(
    sampler: Callable[[np.random.Generator], tuple[Array, Array]],
    target: Callable[[Array], ArrayLike],
    rng: np.random.Generator,
) -> Array:
    X, y = sampler(rng)
    return array(y, "y", ndim=1) - array(target(X), "target(X)", shape=(len(y),))


def _decompose(predictions: Array, truth: Array, noise: Array, errors: list[float]) -> BiasVariance:
    mean = predictions.mean(axis=0)  # (t,)
    return BiasVariance(
        bias_squared=float(((mean - truth) ** 2).mean()),
        variance=float(predictions.var(axis=0).mean()),
        noise=float((noise**2).mean()),
        error=float(np.mean(errors)),
        predictions=predictions,
    )
