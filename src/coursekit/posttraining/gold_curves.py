"""How the true measure moves as a policy leaves its reference to please a learned one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array

FORMS = ("best of n", "rl")


def gold_curve(kl: ArrayLike, alpha: float, beta: float, form: str = "rl") -> Array:
    r"""Return the gold reward that Gao et al. (2022) found at a KL divergence.

    Implements :eq:`eq-posttraining-over-optimisation`. With :math:`d=\sqrt{\mathrm{KL}}`:
    :math:`d(\alpha-\beta d)` for the best of n and
    :math:`d(\alpha-\beta\log d)` for reinforcement learning.

    Parameters
    ----------
    kl : array_like
        Divergence from the start, in nats.
    alpha, beta : float
        What is gained at first, and how fast that wears off.
    form : {"best of n", "rl"}
        Which.

    Returns
    -------
    ndarray
        Of the shape of `kl`; 0 where it is 0.

    Raises
    ------
    ValueError
        If a divergence is negative, or `form` is something else.

    Examples
    --------
    >>> gold_curve([0, 1, 4], alpha=2, beta=1, form="best of n")
    array([0., 1., 0.])
    """
    d = np.sqrt(_divergences(kl))
    return alpha * _terms(d, form)[0] - beta * _terms(d, form)[1]


def _divergences(kl: ArrayLike) -> Array:
    values = np.asarray(kl, float)
    if not (values >= 0).all():
        raise ValueError(f"kl has {values.min():g}; 0 or more wanted.")
    return values


def _terms(d: Array, form: str) -> tuple[Array, Array]:
    """Return what alpha and beta are multiplied with."""
    if form not in FORMS:
        raise ValueError(f"form is {form!r}; one of {', '.join(map(repr, FORMS))} wanted.")
    if form == "best of n":
        return d, d * d
    return d, d * np.log(np.where(d > 0, d, 1.0))


def fit_gold_curve(kl: ArrayLike, gold: ArrayLike, form: str = "rl") -> tuple[float, float]:
    """Return the alpha and beta of :func:`gold_curve` that are nearest by least squares.

    Parameters
    ----------
    kl, gold : array_like, shape (K,)
        What was measured.
    form : {"best of n", "rl"}
        Which.

    Returns
    -------
    alpha, beta : float

    Raises
    ------
    ValueError
        If there are fewer than two places apart from 0, or as :func:`gold_curve`.

    Examples
    --------
    >>> kl = np.array([0.5, 1.0, 2.0])
    >>> [round(x, 6) for x in fit_gold_curve(kl, gold_curve(kl, 2.0, 0.5))]
    [2.0, 0.5]
    """
    d = np.sqrt(_divergences(kl))
    if len(np.unique(d[d > 0])) < 2:
        raise ValueError("two divergences above 0 at least are wanted to fit two numbers.")
    first, second = _terms(d, form)
    found = np.linalg.lstsq(np.stack([first, -second], 1), np.asarray(gold, float), rcond=None)[0]
    return float(found[0]), float(found[1])


def turning_point(alpha: float, beta: float, form: str = "rl") -> float:
    r"""Return the KL divergence from which on :func:`gold_curve` falls.

    Its slope in d is 0 at :math:`d=\alpha/2\beta` for the best of n, at
    :math:`d=e^{\alpha/\beta-1}` for reinforcement learning.

    Examples
    --------
    >>> turning_point(2.0, 1.0, "best of n")
    1.0
    """
    if beta <= 0:
        raise ValueError(f"beta is {beta:g}; what never wears off does not turn: above 0 wanted.")
    d = alpha / (2 * beta) if form == "best of n" else float(np.exp(alpha / beta - 1))
    return d**2
