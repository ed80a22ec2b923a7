"""Made-up data whose true distribution is known, so that a claim about it can be checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coursekit._validate import Array, array, count, generator, positive, probabilities


def sine_curve(x: ArrayLike) -> Array:
    r"""Return :math:`\sin 2\pi x`, the curve behind :func:`sine`.

    Parameters
    ----------
    x : array_like, shape (...)
        Where to evaluate.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    ValueError
        If `x` has NaN or infinite values.

    Examples
    --------
    >>> float(sine_curve(0.25))
    1.0
    """
    return np.sin(2 * np.pi * array(x, "x"))


def sine(m: int, noise: float, rng: np.random.Generator) -> tuple[Array, Array]:
    r"""Draw noisy points of a sine: :math:`x\sim U(0,1)`, :math:`y = \sin 2\pi x + \varepsilon`.

    Parameters
    ----------
    m : int
        Number of examples.
    noise : float
        Standard deviation of the Gaussian noise, 0 or more.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    x, y : ndarray, shape (m,)

    Raises
    ------
    TypeError, ValueError
        If `m` is not a positive whole number, `noise` is negative, or `rng` is no generator.

    Examples
    --------
    >>> x, y = sine(5, 0.0, np.random.default_rng(0))
    >>> np.array_equal(y, sine_curve(x))
    True
    """
    m, scale = count(m, "m"), positive(noise, "noise", zero=True)
    x = generator(rng).uniform(0.0, 1.0, m)
    return x, sine_curve(x) + rng.normal(0.0, scale, m)


def gaussian_mixture(
    m: int,
    means: ArrayLike,
    covariances: ArrayLike,
    weights: ArrayLike,
    rng: np.random.Generator,
) -> tuple[Array, NDArray[np.int64]]:
    r"""Draw points and their classes from a mixture of K Gaussians in :math:`\mathbf R^n`.

    Parameters
    ----------
    m : int
        Number of examples.
    means : array_like, shape (K, n)
        One mean per class.
    covariances : array_like, shape (n, n) or (K, n, n)
        One covariance shared by all classes, or one for each; symmetric, positive definite.
    weights : array_like, shape (K,)
        Probability of each class.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    X : ndarray, shape (m, n)
        Points.
    labels : ndarray of int64, shape (m,)
        The class that each point was drawn from.

    Raises
    ------
    TypeError, ValueError
        If shapes disagree, the weights do not sum to 1, a covariance is not positive definite,
        or `rng` is no generator.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, labels = gaussian_mixture(4, [[0, 0], [9, 9]], np.eye(2), [0.5, 0.5], rng)
    >>> X.shape, labels.shape
    ((4, 2), (4,))
    """
    means = array(means, "means", ndim=2)
    K, n = means.shape
    weights = array(probabilities(weights, "weights"), "weights", shape=(K,))
    L = _factors(array(covariances, "covariances", ndim=(2, 3)), K, n)  # (K, n, n)
    labels = generator(rng).choice(K, size=count(m, "m"), p=weights)
    noise = rng.normal(size=(m, n))
    return means[labels] + np.einsum("mij,mj->mi", L[labels], noise), labels


def _factors(covariances: Array, K: int, n: int) -> Array:
    if covariances.shape not in ((n, n), (K, n, n)):
        raise ValueError(
            f"covariances has shape {covariances.shape}; {(n, n)} or {(K, n, n)} wanted for "
            f"{K} means of length {n}."
        )
    each = np.broadcast_to(covariances, (K, n, n))
    try:
        return np.linalg.cholesky(each).astype(np.float64)
    except np.linalg.LinAlgError:
        raise ValueError(
            "a covariance is not positive definite; its eigenvalues must be > 0."
        ) from None
