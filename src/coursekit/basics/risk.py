"""Risk: the expected loss nobody can compute, the average that stands in for it, and the gap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, count, generator
from coursekit.basics.estimate import Estimate, mean_estimate

Loss = Callable[[Array, Array], ArrayLike]
Model = Callable[[Array], ArrayLike]
Sampler = Callable[[int, np.random.Generator], tuple[Array, Array]]


def empirical_risk(loss: Loss, predictions: ArrayLike, Y: ArrayLike) -> float:
    r"""Return the mean loss over a data set, :math:`\frac1m\sum_i l(g_\theta(x^{(i)}), y^{(i)})`.

    Implements :eq:`eq-basics-surrogate`, the problem that is solved instead of the true one.

    Parameters
    ----------
    loss : callable, (predictions, Y) -> (m,)
        Loss of each example, such as :func:`~coursekit.basics.squared_error`.
    predictions : array_like, shape (m, ...)
        The model's outputs.
    Y : array_like, shape (m, ...)
        Targets.

    Returns
    -------
    float
        In the loss's unit.

    Raises
    ------
    ValueError
        If there are no examples, or the loss is not one finite number per example.

    Examples
    --------
    >>> from coursekit.basics import squared_error
    >>> empirical_risk(squared_error, [1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return float(_losses(loss, predictions, Y).mean())


def monte_carlo_risk(
    loss: Loss, model: Model, sampler: Sampler, m: int, rng: np.random.Generator
) -> Estimate:
    r"""Estimate the true risk :math:`\mathbf E\,l(g_\theta(X), Y)` from m fresh examples.

    Estimates :eq:`eq-basics-true-risk`. It needs a `sampler`, that is, the data's true
    distribution: there is one in a simulation and none in practice.

    Parameters
    ----------
    loss : callable, (predictions, Y) -> (m,)
        Loss of each example.
    model : callable, X -> predictions
        The fixed model; it must not have seen these examples.
    sampler : callable, (m, rng) -> (X, Y)
        Draws m examples from the true distribution.
    m : int
        Number of examples, at least 2.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Estimate
        Named tuple ``(value, standard_error)``.

    Raises
    ------
    TypeError, ValueError
        If `m` is not a whole number of at least 2, or `rng` is not a generator.

    Examples
    --------
    >>> from coursekit.basics import squared_error
    >>> def noise(m, rng):
    ...     return np.zeros(m), rng.normal(0.0, 2.0, m)
    >>> risk = monte_carlo_risk(squared_error, lambda x: x, noise, 10_000, np.random.default_rng(0))
    >>> abs(risk.value - 4.0) < 4 * risk.standard_error
    True
    """
    X, Y = sampler(count(m, "m", least=2), generator(rng))
    return mean_estimate(_losses(loss, model(X), Y))


def generalisation_gap(
    loss: Loss, model: Model, training: tuple[Array, Array], held_out: tuple[Array, Array]
) -> float:
    r"""Return the risk on held-out examples minus the risk on the training examples.

    Implements :eq:`eq-basics-gap` with held-out data in place of the expectation. The training
    risk is too good because the parameters were chosen to make it small.

    Parameters
    ----------
    loss : callable, (predictions, Y) -> (m,)
        Loss of each example.
    model : callable, X -> predictions
        The trained model.
    training, held_out : tuple of arrays (X, Y)
        What the model was trained on, and what it has never seen.

    Returns
    -------
    float
        In the loss's unit; positive when the model does worse on what it has not seen.

    Raises
    ------
    ValueError
        If a data set is empty or the loss is not one number per example.

    Examples
    --------
    >>> from coursekit.basics import squared_error
    >>> seen, unseen = (np.zeros(2), np.zeros(2)), (np.zeros(2), np.ones(2))
    >>> generalisation_gap(squared_error, lambda x: x, seen, unseen)
    1.0
    """
    (X, Y), (X_new, Y_new) = training, held_out
    return empirical_risk(loss, model(X_new), Y_new) - empirical_risk(loss, model(X), Y)


def _losses(loss: Loss, predictions: ArrayLike, Y: ArrayLike) -> Array:
    predictions, Y = np.asarray(predictions), np.asarray(Y)
    values: Array = array(loss(predictions, Y), "loss(predictions, Y)", shape=(len(Y),))
    if len(values) == 0:
        raise ValueError("Y is empty; the mean over no examples is not defined.")
    return values
