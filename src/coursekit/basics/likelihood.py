"""Likelihood: how probable a model makes the data, and the parameters that make it most so."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, positive

LOG_2PI = np.log(2 * np.pi)


class GaussianFit(NamedTuple):
    """The Gaussian of largest likelihood: its mean and its variance."""

    mean: float
    variance: float


def gaussian_log_pdf(x: ArrayLike, mean: ArrayLike, variance: ArrayLike) -> Array:
    r"""Return the log-density of a one-dimensional Gaussian, element by element.

    The case :math:`q = 1` of :eq:`eq-basics-gaussian-density`. The three arguments broadcast.

    Parameters
    ----------
    x : array_like, shape (...)
        Where to evaluate.
    mean, variance : array_like, shape (...)
        The Gaussian's parameters; the variance is :math:`\sigma^2`, not :math:`\sigma`.

    Returns
    -------
    ndarray, shape (...)
        Log-density in nats, float64.

    Raises
    ------
    ValueError
        If a variance is not positive, or an input is NaN or infinite.

    Examples
    --------
    >>> gaussian_log_pdf([0.0, 1.0], mean=0.0, variance=1.0).round(4)
    array([-0.9189, -1.4189])
    """
    x, mean = array(x, "x"), array(mean, "mean")
    variance = positive(variance, "variance")
    return -((x - mean) ** 2) / (2 * variance) - 0.5 * np.log(variance) - 0.5 * LOG_2PI


def multivariate_gaussian_log_pdf(y: ArrayLike, mean: ArrayLike, covariance: ArrayLike) -> Array:
    r"""Return the log-density of a Gaussian in :math:`\mathbf R^q`, one value per row.

    Implements :eq:`eq-basics-gaussian-density` through the Cholesky factor
    :math:`\Sigma = LL^T`: the quadratic form is :math:`\|L^{-1}(y-\mu)\|^2` and
    :math:`\log|\Sigma| = 2\sum_j \log L_{jj}`, so that no inverse and no determinant is formed.

    Parameters
    ----------
    y : array_like, shape (m, q)
        Points, one per row.
    mean : array_like, shape (q,) or (m, q)
        One mean for all points, or one for each.
    covariance : array_like, shape (q, q)
        Symmetric and positive definite.

    Returns
    -------
    ndarray, shape (m,)
        Log-densities in nats, float64.

    Raises
    ------
    ValueError
        If shapes disagree, or the covariance is not symmetric and positive definite.

    Examples
    --------
    >>> multivariate_gaussian_log_pdf([[0.0, 0.0]], [0.0, 0.0], [[4.0, 0.0], [0.0, 1.0]]).round(4)
    array([-2.531])
    """
    y = array(y, "y", ndim=2)
    m, q = y.shape
    mean = array(mean, "mean", ndim=(1, 2))
    if mean.shape not in ((q,), (m, q)):
        raise ValueError(f"mean has shape {mean.shape} and y {y.shape}; {(q,)} or {(m, q)} wanted.")
    L = cholesky(array(covariance, "covariance", shape=(q, q)))  # (q, q)
    whitened: Array = np.linalg.solve(L, (y - mean).T).astype(np.float64)  # (q, m)
    log_det = 2 * np.log(np.diag(L)).sum()
    return -0.5 * (whitened**2).sum(axis=0) - 0.5 * log_det - 0.5 * q * LOG_2PI  # (m,)


def cholesky(covariance: Array) -> Array:
    """Return the lower Cholesky factor of a covariance matrix, shape (q, q).

    Raises
    ------
    ValueError
        If the matrix is not symmetric, or not positive definite.

    Examples
    --------
    >>> cholesky(np.array([[4.0, 2.0], [2.0, 10.0]]))
    array([[2., 0.],
           [1., 3.]])
    """
    if not np.allclose(covariance, covariance.T, rtol=1e-10, atol=0):
        raise ValueError("covariance is not symmetric. Use (covariance + covariance.T) / 2.")
    try:
        factor: Array = np.linalg.cholesky(covariance).astype(np.float64)
        return factor
    except np.linalg.LinAlgError:
        smallest = np.linalg.eigvalsh(covariance)[0]
        raise ValueError(
            f"covariance has the eigenvalue {smallest:.3g}; all must be more than 0. A direction "
            "with no variance has no density: drop it, or add a small multiple of the identity."
        ) from None


def likelihood(density: Callable[[Array], ArrayLike], X: ArrayLike) -> float:
    r"""Return the likelihood of a data set, the product :math:`\prod_i p(x^{(i)};\theta)`.

    Implements :eq:`eq-basics-likelihood` as it is written, and so underflows to 0 for a few
    hundred points already; :func:`log_likelihood` is the form to compute with.

    Parameters
    ----------
    density : callable, (m, ...) -> (m,)
        The model's density at each point.
    X : array_like, shape (m,) or (m, n)
        The data set, examples first.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `density` returns anything but m values of 0 or more.

    Examples
    --------
    >>> likelihood(lambda x: np.full(len(x), 0.5), [1.0, 2.0, 3.0])
    0.125
    >>> likelihood(lambda x: np.full(len(x), 0.5), np.zeros(2000))
    0.0
    """
    X = array(X, "X", ndim=(1, 2))
    values = positive(array(density(X), "density(X)", shape=(len(X),)), "density(X)", zero=True)
    return float(np.prod(values))


def log_likelihood(log_density: Callable[[Array], ArrayLike], X: ArrayLike) -> float:
    r"""Return the log-likelihood of a data set, :math:`\sum_i \log p(x^{(i)};\theta)`.

    Implements :eq:`eq-basics-log-likelihood`.

    Parameters
    ----------
    log_density : callable, (m, ...) -> (m,)
        The model's log-density at each point; ``-inf`` says "impossible" and is allowed.
    X : array_like, shape (m,) or (m, n)
        The data set, examples first.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError
        If `log_density` returns anything but m values, or a NaN.

    Examples
    --------
    >>> round(log_likelihood(lambda x: gaussian_log_pdf(x, 0.0, 1.0), [0.0, 1.0]), 4)
    -2.3379
    """
    X = array(X, "X", ndim=(1, 2))
    values = array(log_density(X), "log_density(X)", shape=(len(X),), finite=False)
    if np.isnan(values).any():
        raise ValueError("log_density(X) has NaN. Is a variance negative, or a logarithm of < 0?")
    return float(values.sum())


def gaussian_mle(x: ArrayLike) -> GaussianFit:
    r"""Return the mean and variance that make a sample most likely.

    The maximiser of :eq:`eq-basics-log-likelihood` over one-dimensional Gaussians: the sample
    mean, and the mean squared deviation with divisor :math:`m` (not :math:`m-1`).

    Parameters
    ----------
    x : array_like, shape (m,)
        The sample.

    Returns
    -------
    GaussianFit
        Named tuple ``(mean, variance)`` of floats.

    Raises
    ------
    ValueError
        If the sample is empty, or has NaN or infinite values.

    Examples
    --------
    >>> gaussian_mle([1.0, 2.0, 3.0, 6.0])
    GaussianFit(mean=3.0, variance=3.5)
    """
    x = array(x, "x", ndim=1)
    if len(x) == 0:
        raise ValueError("x is empty; at least one example wanted.")
    mean = x.mean()
    return GaussianFit(float(mean), float(((x - mean) ** 2).mean()))


def gaussian_log_likelihood(Y: ArrayLike, predictions: ArrayLike, alpha: float) -> float:
    r"""Return the log-likelihood of targets under :math:`\mathcal N(g_\theta(x),\alpha I)`.

    Implements :eq:`eq-basics-gaussian-mse` with every constant kept: minus the squared errors
    over :math:`2\alpha`, minus :math:`\frac{qm}{2}\log(2\pi\alpha)`. The term
    :math:`\sum_i \log p(x^{(i)})`, which no parameter changes, is left out.

    Parameters
    ----------
    Y : array_like, shape (m,) or (m, q)
        Targets; shape (m,) means q = 1.
    predictions : array_like, shape of `Y`
        The model's outputs :math:`g_\theta(x^{(i)})`.
    alpha : float
        The variance of each output's noise.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError
        If the shapes differ or `alpha` is not positive.

    Examples
    --------
    >>> round(gaussian_log_likelihood([1.0, 2.0], [1.0, 2.0], alpha=1.0), 4)
    -1.8379
    """
    Y = array(Y, "Y", ndim=(1, 2))
    predictions = array(predictions, "predictions", shape=Y.shape)
    alpha = float(positive(array(alpha, "alpha", shape=()), "alpha"))
    squared_errors = ((Y - predictions) ** 2).sum()
    return float(-squared_errors / (2 * alpha) - Y.size / 2 * np.log(2 * np.pi * alpha))
