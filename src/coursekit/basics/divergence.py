"""Entropy, cross-entropy and the Kullback-Leibler divergence, in nats.

The divergence is not a distance: it is not symmetric and obeys no triangle inequality.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, positive, probabilities
from coursekit.basics.estimate import Estimate, mean_estimate

LogDensity = Callable[[Array], ArrayLike]


def entropy(p: ArrayLike) -> float:
    r"""Return the entropy :math:`H(p) = -\sum_k p_k\log p_k` of a discrete distribution.

    Outcomes of probability 0 contribute 0, the limit of :math:`p\log p`.

    Parameters
    ----------
    p : array_like, shape (K,)
        Probabilities.

    Returns
    -------
    float
        In nats, between 0 and :math:`\log K`.

    Raises
    ------
    ValueError
        If `p` has negative values or does not sum to 1.

    Examples
    --------
    >>> round(entropy([0.5, 0.5]), 4)
    0.6931
    """
    return cross_entropy(p, p)


def cross_entropy(p: ArrayLike, q: ArrayLike) -> float:
    r"""Return the cross-entropy :math:`-\sum_k p_k\log q_k` of discrete distributions.

    The expected surprise, in nats, of a model `q` when outcomes come from `p`; less the entropy of
    `p` it is the divergence, :eq:`eq-basics-kl-mle`. Outcomes with
    :math:`p_k = 0` contribute 0; one with :math:`p_k > 0 = q_k` makes the result infinite.

    Parameters
    ----------
    p, q : array_like, shape (K,)
        Probabilities.

    Returns
    -------
    float
        In nats; ``inf`` where the model calls impossible what happens.

    Raises
    ------
    ValueError
        If the lengths differ, or `p` or `q` is not a distribution.

    Examples
    --------
    >>> round(cross_entropy([0.5, 0.5], [0.25, 0.75]), 4)
    0.837
    >>> cross_entropy([0.5, 0.5], [1.0, 0.0])
    inf
    """
    p, q = _pair(p, q)
    happens = p > 0
    with np.errstate(divide="ignore"):
        return max(0.0, float(-(p[happens] * np.log(q[happens])).sum()))


def kl_divergence(p: ArrayLike, q: ArrayLike) -> float:
    r"""Return :math:`D_{\mathrm{KL}}(p\|q) = \sum_k p_k\log(p_k/q_k)` of discrete distributions.

    The discrete form of :eq:`eq-basics-kl`. Outcomes with :math:`p_k = 0` contribute 0; one with
    :math:`p_k > 0 = q_k` makes the divergence infinite.

    Parameters
    ----------
    p, q : array_like, shape (K,)
        Probabilities.

    Returns
    -------
    float
        In nats; 0 if and only if the two are equal.

    Raises
    ------
    ValueError
        If the lengths differ, or `p` or `q` is not a distribution.

    Examples
    --------
    >>> round(kl_divergence([0.5, 0.5], [0.25, 0.75]), 4)
    0.1438
    >>> round(kl_divergence([0.25, 0.75], [0.5, 0.5]), 4)
    0.1308
    """
    p, q = _pair(p, q)
    happens = p > 0
    with np.errstate(divide="ignore"):
        log_ratio = np.log(p[happens]) - np.log(q[happens])
    return max(0.0, float((p[happens] * log_ratio).sum()))


def kl_integral(
    log_p: LogDensity, log_q: LogDensity, lower: float = -math.inf, upper: float = math.inf
) -> float:
    r"""Return :math:`D_{\mathrm{KL}}(p\|q) = \int p\,\log(p/q)\,dx` by quadrature.

    Implements :eq:`eq-basics-kl` in one dimension with adaptive Gauss-Kronrod quadrature
    (:func:`scipy.integrate.quad`). On a very wide interval quadrature can step over a narrow
    density: choose limits that hold the mass of `p`.

    Parameters
    ----------
    log_p, log_q : callable, float -> float
        Log-densities in nats; ``-inf`` where a density is 0.
    lower, upper : float
        Limits of integration; infinite by default.

    Returns
    -------
    float
        In nats; ``inf`` where `q` is 0 and `p` is not.

    Raises
    ------
    ValueError
        If the limits are in the wrong order, a log-density is NaN, or the integral does not
        converge.

    Examples
    --------
    >>> from coursekit.basics import gaussian_log_pdf
    >>> p = lambda x: gaussian_log_pdf(x, 0.0, 1.0)
    >>> q = lambda x: gaussian_log_pdf(x, 1.0, 1.0)
    >>> round(kl_integral(p, q), 6)
    0.5
    """
    from scipy.integrate import IntegrationWarning, quad

    if not lower < upper:
        raise ValueError(f"lower is {lower} and upper {upper}; lower < upper wanted.")
    integrand = _kl_integrand(log_p, log_q)
    with warnings.catch_warnings():
        warnings.simplefilter("error", IntegrationWarning)
        try:
            return float(quad(integrand, lower, upper, limit=200, epsabs=1e-12, epsrel=1e-10)[0])
        except OverflowError:
            return math.inf
        except IntegrationWarning as warning:
            raise ValueError(
                f"the integral from {lower} to {upper} does not converge. Choose limits that hold "
                f"the mass of p. ({str(warning).split('.')[0].strip()}.)"
            ) from None


def kl_monte_carlo(log_p: LogDensity, log_q: LogDensity, samples: ArrayLike) -> Estimate:
    r"""Estimate :math:`D_{\mathrm{KL}}(p\|q)` from a sample of `p`.

    Implements :eq:`eq-basics-kl-mc`, the mean of
    :math:`\log p(x^{(i)}) - \log q(x^{(i)})`; the standard error falls like
    :math:`1/\sqrt m`. A single estimate may be negative although the divergence is not.

    Parameters
    ----------
    log_p, log_q : callable, (m, ...) -> (m,)
        Log-densities in nats.
    samples : array_like, shape (m,) or (m, n)
        Independent draws from `p` (not from `q`).

    Returns
    -------
    Estimate
        Named tuple ``(value, standard_error)`` in nats.

    Raises
    ------
    ValueError
        If a log-density is not finite at a sample, or there are fewer than two samples.

    Examples
    --------
    >>> from coursekit.basics import gaussian_log_pdf
    >>> x = np.random.default_rng(0).normal(0.0, 1.0, 10_000)
    >>> p = lambda x: gaussian_log_pdf(x, 0.0, 1.0)
    >>> q = lambda x: gaussian_log_pdf(x, 1.0, 1.0)
    >>> estimate = kl_monte_carlo(p, q, x)
    >>> abs(estimate.value - 0.5) < 4 * estimate.standard_error
    True
    """
    samples = array(samples, "samples", ndim=(1, 2))
    at_p = array(log_p(samples), "log_p(samples)", shape=(len(samples),))
    at_q = array(log_q(samples), "log_q(samples)", shape=(len(samples),))
    return mean_estimate(at_p - at_q)


def kl_gaussians(
    mean_p: ArrayLike, variance_p: ArrayLike, mean_q: ArrayLike, variance_q: ArrayLike
) -> Array:
    r"""Return the divergence of two one-dimensional Gaussians in closed form.

    The integral :eq:`eq-basics-kl` of two Gaussians is
    :math:`\frac12\bigl(\log\frac{v_q}{v_p} + \frac{v_p + (\mu_p-\mu_q)^2}{v_q} - 1\bigr)`.
    Arguments broadcast.

    Parameters
    ----------
    mean_p, variance_p, mean_q, variance_q : array_like, shape (...)
        Parameters of `p` and `q`; variances, not standard deviations.

    Returns
    -------
    ndarray, shape (...)
        In nats.

    Raises
    ------
    ValueError
        If a variance is not positive.

    Examples
    --------
    >>> float(kl_gaussians(0.0, 1.0, 1.0, 1.0))
    0.5
    """
    gap = array(mean_p, "mean_p") - array(mean_q, "mean_q")
    v_p, v_q = positive(variance_p, "variance_p"), positive(variance_q, "variance_q")
    return 0.5 * (np.log(v_q / v_p) + (v_p + gap**2) / v_q - 1)


def _pair(p: ArrayLike, q: ArrayLike) -> tuple[Array, Array]:
    p, q = probabilities(p, "p"), probabilities(q, "q")
    if p.shape != q.shape:
        raise ValueError(
            f"p has {len(p)} outcomes and q has {len(q)}; both speak of the same outcomes."
        )
    return p, q


def _kl_integrand(log_p: LogDensity, log_q: LogDensity) -> Callable[[float], float]:
    def integrand(x: float) -> float:
        at_p, at_q = float(np.asarray(log_p(x))), float(np.asarray(log_q(x)))  # type: ignore[arg-type]
        if math.isnan(at_p) or math.isnan(at_q):
            raise ValueError(f"a log-density is NaN at x = {x:g}; use -inf where it is 0.")
        p = math.exp(at_p)
        if p > 0 and at_q == -math.inf:
            raise OverflowError("p > 0 where q = 0")
        return p * (at_p - at_q) if p > 0 else 0.0

    return integrand
