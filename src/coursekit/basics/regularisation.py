"""Regularisation: a price on large weights, in closed form (ridge) and by coordinates (lasso)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, count, positive
from coursekit.basics.risk import Loss, empirical_risk


class LinearFit(NamedTuple):
    """A linear model: weights (n,) or (n, q), and the intercept, which no penalty touches."""

    weights: Array
    intercept: Array

    def predict(self, X: ArrayLike) -> Array:
        """Return ``X @ weights + intercept``, shape (m,) or (m, q).

        Raises
        ------
        ValueError
            If `X` has another number of columns than there are weights.
        """
        return array(X, "X", shape=(None, len(self.weights))) @ self.weights + self.intercept


def l2_penalty(theta: ArrayLike) -> float:
    r"""Return :math:`r(\theta) = \|\theta\|_2^2`, the price that :func:`ridge` puts on weights.

    Parameters
    ----------
    theta : array_like, any shape
        Parameters.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a parameter is NaN or infinite.

    Examples
    --------
    >>> l2_penalty([3.0, -4.0])
    25.0
    """
    return float((array(theta, "theta") ** 2).sum())


def l1_penalty(theta: ArrayLike) -> float:
    r"""Return :math:`r(\theta) = \|\theta\|_1`, the price that :func:`lasso` puts on weights.

    Parameters
    ----------
    theta : array_like, any shape
        Parameters.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a parameter is NaN or infinite.

    Examples
    --------
    >>> l1_penalty([3.0, -4.0])
    7.0
    """
    return float(np.abs(array(theta, "theta")).sum())


def regularised_risk(
    loss: Loss, predictions: ArrayLike, Y: ArrayLike, gamma: float, penalty: float
) -> float:
    r"""Return the empirical risk plus the weighted penalty, :math:`f(\theta)`.

    Implements :eq:`eq-basics-regularised`.

    Parameters
    ----------
    loss : callable, (predictions, Y) -> (m,)
        Loss of each example.
    predictions, Y : array_like, shape (m, ...)
        Outputs and targets.
    gamma : float
        Regularisation weight :math:`\gamma`, 0 or more.
    penalty : float
        The value :math:`r(\theta)`, from :func:`l2_penalty` or :func:`l1_penalty`.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `gamma` is negative, or the loss is not one number per example.

    Examples
    --------
    >>> from coursekit.basics import squared_error
    >>> regularised_risk(squared_error, [1.0], [3.0], gamma=0.1, penalty=l2_penalty([2.0]))
    4.4
    """
    weight = float(positive(array(gamma, "gamma", shape=()), "gamma", zero=True))
    return empirical_risk(loss, predictions, Y) + weight * penalty


def ridge(X: ArrayLike, Y: ArrayLike, gamma: float) -> LinearFit:
    r"""Return the weights that minimise :math:`\frac1m\|Xw + b - y\|_2^2 + \gamma\|w\|_2^2`.

    Implements :eq:`eq-basics-ridge`: on centred columns,
    :math:`w = (X^TX + m\gamma I)^{-1}X^Ty`. The intercept carries no penalty. With
    :math:`\gamma = 0` this is least squares, and where that has many solutions, the shortest.

    Parameters
    ----------
    X : array_like, shape (m, n)
        Features; bring them to one scale first, for the penalty treats all columns alike.
    Y : array_like, shape (m,) or (m, q)
        Targets.
    gamma : float
        Regularisation weight, 0 or more. (scikit-learn's ``Ridge(alpha)`` is
        :math:`\alpha = m\gamma`.)

    Returns
    -------
    LinearFit
        Weights (n,) or (n, q), intercept () or (q,).

    Raises
    ------
    ValueError
        If the numbers of rows differ, or `gamma` is negative.

    Examples
    --------
    >>> fit = ridge([[-1.0], [1.0]], [1.0, 5.0], gamma=1.0)
    >>> fit.weights, float(fit.intercept)
    (array([1.]), 3.0)
    """
    X, Y, gamma = _check(X, Y, gamma)
    m, n = X.shape
    Xc, Yc = X - X.mean(axis=0), Y - Y.mean(axis=0)
    if gamma == 0 or n == 0:
        w = np.linalg.lstsq(Xc, Yc, rcond=None)[0]
    else:
        w = np.linalg.solve(Xc.T @ Xc + m * gamma * np.eye(n), Xc.T @ Yc)  # (n,) or (n, q)
    return LinearFit(w, Y.mean(axis=0) - X.mean(axis=0) @ w)


def soft_threshold(z: ArrayLike, threshold: float) -> Array:
    r"""Return :math:`\mathrm{sign}(z)\max(|z| - t, 0)`: pull to 0 by `threshold`, and stay there.

    The minimiser over :math:`w` of :math:`\frac12(w - z)^2 + t|w|`, one coordinate's share of
    :eq:`eq-basics-lasso`.

    Parameters
    ----------
    z : array_like, shape (...)
        Values.
    threshold : float
        :math:`t`, 0 or more.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    ValueError
        If `threshold` is negative.

    Examples
    --------
    >>> soft_threshold([3.0, -0.5, -2.0], 1.0)
    array([ 2.,  0., -1.])
    """
    z, t = array(z, "z"), positive(threshold, "threshold", zero=True)
    return np.sign(z) * np.maximum(np.abs(z) - t, 0.0) + 0.0  # + 0.0 turns -0.0 into 0.0


def lasso(
    X: ArrayLike,
    y: ArrayLike,
    gamma: float,
    *,
    start: ArrayLike | None = None,
    tolerance: float = 1e-9,
    max_sweeps: int = 10_000,
) -> LinearFit:
    r"""Return the weights that minimise :math:`\frac1m\|Xw + b - y\|_2^2 + \gamma\|w\|_1`.

    Implements :eq:`eq-basics-lasso` by coordinate descent (Friedman, Hastie and Tibshirani,
    Journal of Statistical Software 33, 2010): one weight at a time is set to its exact
    minimiser, a soft threshold, until a sweep over all weights changes nothing.

    Parameters
    ----------
    X : array_like, shape (m, n)
        Features; bring them to one scale first.
    y : array_like, shape (m,)
        Targets.
    gamma : float
        Regularisation weight, 0 or more. (scikit-learn's ``Lasso(alpha)`` is
        :math:`\alpha = \gamma/2`.)
    start : array_like, shape (n,), optional
        Weights to start from; zeros by default.
    tolerance : float
        Stop when no weight moved the predictions by more than this share of the targets'
        standard deviation.
    max_sweeps : int
        Give up after this many sweeps.

    Returns
    -------
    LinearFit
        Weights (n,), many of them exactly 0, and the intercept.

    Raises
    ------
    ValueError
        If shapes disagree or `gamma` is negative.
    RuntimeError
        If the weights have not settled after `max_sweeps`.

    Examples
    --------
    >>> lasso([[-1.0], [1.0]], [1.0, 5.0], gamma=2.0).weights
    array([1.])
    >>> lasso([[-1.0], [1.0]], [1.0, 5.0], gamma=4.0).weights
    array([0.])
    """
    X, y, gamma = _check(X, array(y, "y", ndim=1), gamma)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    w = np.zeros(X.shape[1]) if start is None else array(start, "start", shape=X.shape[1:]).copy()
    limit = tolerance * max(float(yc.std()), np.finfo(float).tiny)
    for _ in range(count(max_sweeps, "max_sweeps")):
        if _sweep(Xc, yc - Xc @ w, w, gamma) <= limit:
            return LinearFit(w + 0.0, y.mean() - X.mean(axis=0) @ w)  # no -0.0
    raise RuntimeError(
        f"the lasso's weights still move after {max_sweeps} sweeps. Standardise the columns of X, "
        "raise gamma, or raise max_sweeps: columns that are nearly alike settle slowly."
    )


def ridge_path(X: ArrayLike, y: ArrayLike, gammas: ArrayLike) -> Array:
    """Return the ridge weights for each regularisation weight.

    Parameters
    ----------
    X : array_like, shape (m, n)
        Features.
    y : array_like, shape (m,)
        Targets.
    gammas : array_like, shape (G,)
        Regularisation weights, 0 or more.

    Returns
    -------
    ndarray, shape (G, n)

    Raises
    ------
    ValueError
        As :func:`ridge`.

    Examples
    --------
    >>> ridge_path([[-1.0], [1.0]], [1.0, 5.0], [0.0, 1.0]).round(4)
    array([[2.],
           [1.]])
    """
    y, gammas = array(y, "y", ndim=1), array(gammas, "gammas", ndim=1)
    return np.stack([ridge(X, y, gamma).weights for gamma in gammas])


def lasso_path(X: ArrayLike, y: ArrayLike, gammas: ArrayLike) -> Array:
    """Return the lasso weights for each regularisation weight.

    Solved from the largest weight to the smallest, each from the last one's solution, which is
    faster than starting from zero each time.

    Parameters
    ----------
    X : array_like, shape (m, n)
        Features.
    y : array_like, shape (m,)
        Targets.
    gammas : array_like, shape (G,)
        Regularisation weights, 0 or more, in any order.

    Returns
    -------
    ndarray, shape (G, n)
        In the order of `gammas`.

    Raises
    ------
    ValueError, RuntimeError
        As :func:`lasso`.

    Examples
    --------
    >>> lasso_path([[-1.0], [1.0]], [1.0, 5.0], [2.0, 4.0])
    array([[1.],
           [0.]])
    """
    gammas = array(gammas, "gammas", ndim=1)
    path = np.zeros((len(gammas), array(X, "X", ndim=2).shape[1]))
    w = path[0] if len(gammas) else None
    for g in np.argsort(-gammas, kind="stable"):
        w = path[g] = lasso(X, y, gammas[g], start=w).weights
    return path


def _check(X: ArrayLike, Y: ArrayLike, gamma: float) -> tuple[Array, Array, float]:
    X, Y = array(X, "X", ndim=2), array(Y, "Y", ndim=(1, 2))
    if len(X) != len(Y) or len(X) == 0:
        raise ValueError(f"X has {len(X)} rows and Y has {len(Y)}; equal numbers above 0 wanted.")
    return X, Y, float(positive(array(gamma, "gamma", shape=()), "gamma", zero=True))


def _sweep(X: Array, residual: Array, w: Array, gamma: float) -> float:
    """Set each weight to its minimiser, in place; return the largest change of a prediction."""
    m = len(X)
    power = (X**2).sum(axis=0) / m  # (n,)
    largest = 0.0
    for j in np.flatnonzero(power > 0):
        old = w[j]
        pull = X[:, j] @ residual / m + power[j] * old
        w[j] = np.sign(pull) * max(abs(pull) - gamma / 2, 0.0) / power[j]
        residual -= X[:, j] * (w[j] - old)
        largest = max(largest, abs(w[j] - old) * np.sqrt(power[j]))
    return largest
