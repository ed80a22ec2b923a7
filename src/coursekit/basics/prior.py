"""The penalty as a belief: ridge and lasso are the most probable weights under a prior."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import array, count, positive
from coursekit.basics.likelihood import gaussian_log_pdf


def gaussian_log_prior(w: ArrayLike, variance: float) -> float:
    r"""Return :math:`\log p(w)` for independent weights :math:`w_j\sim\mathcal N(0,\tau^2)`.

    Parameters
    ----------
    w : array_like, any shape
        Weights.
    variance : float
        The prior's variance :math:`\tau^2`.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError
        If `variance` is not positive.

    Examples
    --------
    >>> round(gaussian_log_prior([0.0, 1.0], variance=1.0), 4)
    -2.3379
    """
    return float(gaussian_log_pdf(w, 0.0, variance).sum())


def laplace_log_prior(w: ArrayLike, scale: float) -> float:
    r"""Return :math:`\log p(w)` for independent weights of density :math:`e^{-|w_j|/b}/2b`.

    Parameters
    ----------
    w : array_like, any shape
        Weights.
    scale : float
        The prior's scale :math:`b`.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError
        If `scale` is not positive.

    Examples
    --------
    >>> round(laplace_log_prior([0.0, 1.0], scale=0.5), 4)
    -2.0
    """
    w, b = array(w, "w"), float(positive(array(scale, "scale", shape=()), "scale"))
    return float(-np.abs(w).sum() / b - w.size * np.log(2 * b))


def ridge_gamma(alpha: float, prior_variance: float, m: int) -> float:
    r"""Return the ridge weight :math:`\gamma = \alpha/(m\tau^2)` that a Gaussian prior amounts to.

    Implements :eq:`eq-basics-map`: with noise of variance :math:`\alpha`, the most probable
    weights given the data minimise the ridge objective :eq:`eq-basics-ridge` of this
    :math:`\gamma`. The more data, the less the prior weighs.

    Parameters
    ----------
    alpha : float
        Variance of the targets' noise.
    prior_variance : float
        The prior's variance :math:`\tau^2`.
    m : int
        Number of examples.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If a variance is not positive, or `m` is not a positive whole number.

    Examples
    --------
    >>> ridge_gamma(alpha=2.0, prior_variance=0.5, m=100)
    0.04
    """
    return float(
        positive(alpha, "alpha") / (count(m, "m") * positive(prior_variance, "prior_variance"))
    )


def lasso_gamma(alpha: float, prior_scale: float, m: int) -> float:
    r"""Return the lasso weight :math:`\gamma = 2\alpha/(mb)` that a Laplace prior amounts to.

    Implements :eq:`eq-basics-map` for the density :math:`e^{-|w_j|/b}/2b`.

    Parameters
    ----------
    alpha : float
        Variance of the targets' noise.
    prior_scale : float
        The prior's scale :math:`b`.
    m : int
        Number of examples.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If a parameter is not positive, or `m` is not a positive whole number.

    Examples
    --------
    >>> lasso_gamma(alpha=2.0, prior_scale=0.5, m=100)
    0.08
    """
    return float(
        2 * positive(alpha, "alpha") / (count(m, "m") * positive(prior_scale, "prior_scale"))
    )
