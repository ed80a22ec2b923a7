"""Descent: small steps against the gradient, over all examples or over a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coursekit._validate import Array, array, count, generator, positive

LearningRate = float | Callable[[int], float]

TOO_FAR = 1e12
"""A coordinate beyond this has diverged: no parameter of this course is anywhere near it."""


def gradient_descent(
    gradient: Callable[[Array], ArrayLike],
    theta0: ArrayLike,
    learning_rate: LearningRate,
    steps: int,
) -> Array:
    r"""Return the path of :math:`\theta^{(k+1)} = \theta^{(k)} - \eta_k\nabla f(\theta^{(k)})`.

    The full-batch case of :eq:`eq-basics-sgd`, where the batch is the whole data set.

    Parameters
    ----------
    gradient : callable, (d,) -> (d,)
        Gradient of the objective.
    theta0 : array_like, shape (d,)
        Where to start.
    learning_rate : float or callable
        Step size :math:`\eta`, or a function of the step number k = 0, 1, ….
    steps : int
        Number of steps.

    Returns
    -------
    ndarray, shape (steps + 1, d)
        The start and the place after each step.

    Raises
    ------
    FloatingPointError
        If the path runs away, which a smaller learning rate cures.
    ValueError
        If the gradient's shape is not that of `theta0`, or a learning rate is not positive.

    Examples
    --------
    >>> gradient_descent(lambda theta: 2 * theta, [1.0], learning_rate=0.25, steps=3).ravel()
    array([1.   , 0.5  , 0.25 , 0.125])
    """
    theta = array(theta0, "theta0", ndim=1)
    path = [theta]
    for k in range(count(steps, "steps", least=0)):
        theta = _step(gradient(theta), theta, learning_rate, k)
        path.append(theta)
    return np.stack(path)


def sgd(
    gradient: Callable[[Array, Array, Array], ArrayLike],
    theta0: ArrayLike,
    X: ArrayLike,
    Y: ArrayLike,
    batch_size: int,
    learning_rate: LearningRate,
    epochs: int,
    rng: np.random.Generator,
) -> Array:
    r"""Return the path of stochastic gradient descent over shuffled minibatches.

    Implements :eq:`eq-basics-sgd`: each step uses the gradient of the mean loss over a batch,
    an unbiased estimate of the gradient over all examples. Each epoch visits every example
    once, in a new random order; a last batch that is smaller is used too.

    Parameters
    ----------
    gradient : callable, (theta, X_batch, Y_batch) -> (d,)
        Gradient of the mean loss over a batch.
    theta0 : array_like, shape (d,)
        Where to start.
    X : array_like, shape (m, ...)
        Features.
    Y : array_like, shape (m, ...)
        Targets; integer labels stay integers.
    batch_size : int
        Examples a step; m gives gradient descent.
    learning_rate : float or callable
        Step size :math:`\eta`, or a function of the step number k = 0, 1, ….
    epochs : int
        Passes over the data.
    rng : numpy.random.Generator
        Source of the shuffles.

    Returns
    -------
    ndarray, shape (epochs * ceil(m / batch_size) + 1, d)
        The start and the place after each step.

    Raises
    ------
    FloatingPointError
        If the path runs away, which a smaller learning rate cures.
    TypeError, ValueError
        If `X` and `Y` differ in length, the batch is larger than the data set, or the
        gradient's shape is not that of `theta0`.

    Examples
    --------
    >>> def pull(theta, X, Y):
    ...     return 2 * (theta - Y.mean())
    >>> Y = np.array([1.0, 3.0])
    >>> sgd(pull, [0.0], Y, Y, 2, 0.25, epochs=2, rng=np.random.default_rng(0)).ravel()
    array([0. , 1. , 1.5])
    """
    theta, X, Y = array(theta0, "theta0", ndim=1), np.asarray(X), np.asarray(Y)
    path = [theta]
    for k, batch in enumerate(_batches(X, Y, batch_size, epochs, generator(rng))):
        theta = _step(gradient(theta, X[batch], Y[batch]), theta, learning_rate, k)
        path.append(theta)
    return np.stack(path)


def _batches(
    X: Array, Y: Array, batch_size: int, epochs: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    m = len(X)
    if len(Y) != m:
        raise ValueError(f"X has {m} examples and Y has {len(Y)}; equal numbers wanted.")
    if count(batch_size, "batch_size") > m:
        raise ValueError(f"batch_size is {batch_size} and there are {m} examples; at most {m}.")
    for _ in range(count(epochs, "epochs", least=0)):
        order = rng.permutation(m)
        for first in range(0, m, batch_size):
            yield order[first : first + batch_size]


def _step(slope: ArrayLike, theta: Array, learning_rate: LearningRate, k: int) -> Array:
    slope = array(slope, "gradient(theta)", shape=theta.shape, finite=False)
    rate = learning_rate(k) if callable(learning_rate) else learning_rate
    eta = float(positive(array(rate, "learning_rate", shape=()), "learning_rate"))
    with np.errstate(over="ignore", invalid="ignore"):
        moved = theta - eta * slope
    if not (np.abs(moved) < TOO_FAR).all():
        raise FloatingPointError(
            f"step {k + 1} with learning rate {eta:g} left the parameters beyond {TOO_FAR:g} or "
            "NaN: the steps overshoot and grow. Try a learning rate ten times smaller; if that "
            "diverges too, check the gradient against finite differences."
        )
    return moved
