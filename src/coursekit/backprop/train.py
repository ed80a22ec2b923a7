"""A short training loop that keeps a record and stops where numbers stop making sense."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coursekit._validate import Array, count, generator
from coursekit.backprop.optimisers import Optimiser
from coursekit.backprop.schedules import Schedule, clip_by_global_norm
from coursekit.data import load

Labels = NDArray[Any]
Data = tuple[Array, Labels]

TOO_LARGE = 1e4
"""A loss this many times that of the first step has diverged, though it may still be a number."""


class Model(Protocol):
    """What :func:`train` asks of a model: :class:`MLP`, :class:`Sequential` or your own."""

    def loss_and_gradients(self, X: Array, y: Labels) -> tuple[float, list[Array]]:
        """Return the mean loss of a batch and the gradients of the parameters."""

    def predict(self, X: Array) -> Labels:
        """Return the class of each row."""


@dataclass
class History:
    """What happened in training.

    Attributes
    ----------
    losses, learning_rates, gradient_norms : list of float
        One a step: the batch's mean loss before the step, the rate, and the norm of the gradient
        before clipping.
    train_accuracy, validation_accuracy : list of float
        One an epoch, after it; the second is empty without validation data.
    """

    losses: list[float] = field(default_factory=list)
    learning_rates: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)


class Digits(NamedTuple):
    """The handwritten digits in three parts, each a pair of X, shape (m, 64), and y, shape (m,)."""

    train: Data
    validation: Data
    test: Data

    @property
    def train_and_validation(self) -> Data:
        """The first two parts together: what to learn from once the settings are chosen."""
        parts = zip(self.train, self.validation, strict=True)
        X, y = (np.concatenate(pair) for pair in parts)
        return X, y


def digits_split() -> Digits:
    """Return the digits by the course's fixed, stratified split.

    :meth:`coursekit.data.Dataset.split` deals each class out in fives: 1,085 digits to train
    with, 357 to choose with and 355 to judge by. Pixels run from 0 to 1.

    Returns
    -------
    Digits

    Examples
    --------
    >>> [len(y) for _, y in digits_split()]
    [1085, 357, 355]
    """
    digits = load("digits")
    return Digits(digits.train, digits.validation, digits.test)


def images(X: ArrayLike) -> Array:
    """Return rows of 64 pixels as images of one channel, shape (m, 1, 8, 8).

    Examples
    --------
    >>> images(np.zeros((5, 64))).shape
    (5, 1, 8, 8)
    """
    return np.asarray(X).reshape(-1, 1, 8, 8)


def accuracy(model: Model, X: Array, y: Labels) -> float:
    """Return the share of rows whose predicted class is right.

    Examples
    --------
    >>> from coursekit.backprop import MLP
    >>> mlp = MLP([2, 3], np.random.default_rng(0))
    >>> accuracy(mlp, np.zeros((4, 2)), np.array([0, 0, 1, 2]))
    0.5
    """
    return float((model.predict(X) == y).mean())


def batches(m: int, batch_size: int, rng: np.random.Generator) -> Iterator[Labels]:
    """Yield the indices of one epoch in random order, `batch_size` at a time; the last may be less.

    Raises
    ------
    ValueError
        If the batch is larger than the data set.

    Examples
    --------
    >>> [len(rows) for rows in batches(10, 4, np.random.default_rng(0))]
    [4, 4, 2]
    """
    if count(batch_size, "batch_size") > m:
        raise ValueError(f"batch_size is {batch_size} and there are {m} examples; at most {m}.")
    order = generator(rng).permutation(m)
    for first in range(0, m, batch_size):
        yield order[first : first + batch_size]


def train(
    model: Model,
    optimiser: Optimiser,
    X: Array,
    y: Labels,
    *,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    schedule: Schedule | None = None,
    clip: float | None = None,
    validation: Data | None = None,
) -> History:
    """Train a classifier by minibatches, :eq:`eq-backprop-sgd` or what the optimiser makes of it.

    Parameters
    ----------
    model : Model
        Has ``loss_and_gradients(X, y)`` and ``predict(X)``.
    optimiser : Optimiser
        Made with the model's parameters, which it changes in place.
    X, y : ndarray
        Training data, examples first.
    epochs, batch_size : int
        Passes over the data, and examples a step.
    rng : numpy.random.Generator
        Source of the shuffles.
    schedule : callable, int -> float, optional
        Learning rate of each step; the optimiser's own if not given.
    clip : float, optional
        Largest norm of the gradient of all parameters together.
    validation : pair of ndarray, optional
        Judged after each epoch.

    Returns
    -------
    History

    Raises
    ------
    FloatingPointError
        If the loss becomes NaN or ten thousand times that of the first step; names the step and
        the learning rate.
    ValueError
        If a shape does not fit.

    Examples
    --------
    >>> from coursekit.backprop import MLP, Adam
    >>> rng = np.random.default_rng(0)
    >>> X, y = digits_split().train
    >>> mlp = MLP([64, 32, 10], rng)
    >>> history = train(mlp, Adam(mlp.parameters, lr=0.01), X, y, epochs=3, batch_size=32, rng=rng)
    >>> len(history.losses), history.train_accuracy[-1] > 0.8
    (102, True)
    """
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} examples and y has {len(y)}; equal numbers wanted.")
    history = History()
    for _ in range(count(epochs, "epochs", least=0)):
        for rows in batches(len(X), batch_size, rng):
            if schedule is not None:
                optimiser.lr = schedule(len(history.losses))
            _step(model, optimiser, X[rows], y[rows], clip, history)
        history.train_accuracy.append(accuracy(model, X, y))
        if validation is not None:
            history.validation_accuracy.append(accuracy(model, *validation))
    return history


def _step(
    model: Model, optimiser: Optimiser, X: Array, y: Labels, clip: float | None, history: History
) -> None:
    limit = float(np.finfo(float).max) if clip is None else clip
    with np.errstate(over="ignore", invalid="ignore"):  # reported below, with the step
        loss, gradients = model.loss_and_gradients(X, y)
        clipped, norm = clip_by_global_norm(gradients, limit)
    start = history.losses[0] if history.losses else loss
    if not (np.isfinite(norm) and loss <= TOO_LARGE * max(start, 1.0)):  # also false for NaN
        raise FloatingPointError(_diverged(loss, norm, optimiser.lr, history.losses))
    history.losses.append(loss)
    history.learning_rates.append(optimiser.lr)
    history.gradient_norms.append(norm)
    optimiser.step(clipped)


def _diverged(loss: float, norm: float, lr: float, losses: Sequence[float]) -> str:
    what = f"the loss is {loss:g} and the norm of its gradient {norm:g}"
    if not losses:
        return (
            f"step 1: {what} before any step was taken, so that the learning rate is not to "
            "blame. Look for NaN in the data, np.isnan(X).any(), or in the initial weights."
        )
    return (
        f"step {len(losses) + 1} with learning rate {lr:g}: {what}; the loss was {losses[0]:.3g} "
        f"at step 1 and {losses[-1]:.3g} before this one. The steps overshoot: try a learning "
        "rate ten times smaller, or clip the gradient."
    )
