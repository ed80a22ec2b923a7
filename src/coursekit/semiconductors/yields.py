"""Yield: which share of dies has no defect, by four models and backwards from a reported one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from coursekit._validate import Array, array, positive

Model = Callable[[ArrayLike], Array]
"""From the expected number of defects on a die to the share of dies without one."""

MM2_PER_CM2 = 100.0


def expected_defects(area_mm2: ArrayLike, density_per_cm2: ArrayLike) -> Array:
    """Return how many defects a die has on average, area times density.

    Parameters
    ----------
    area_mm2 : array_like
        Area of a die, in mm2.
    density_per_cm2 : array_like
        Defects that kill a die, on a square *centimetre*: the unit in which foundries speak.

    Raises
    ------
    ValueError
        If an area is not positive or a density negative.

    Examples
    --------
    >>> float(expected_defects(814.0, 0.1).round(3))
    0.814
    """
    area = positive(area_mm2, "area_mm2")
    density = positive(density_per_cm2, "density_per_cm2", zero=True)
    return array(area * density / MM2_PER_CM2, "defects")


def poisson(defects: ArrayLike) -> Array:
    r"""Return the yield if defects fall independently, :math:`e^{-\lambda}`.

    Implements :eq:`eq-semiconductors-poisson`.

    Parameters
    ----------
    defects : array_like
        Expected defects of a die, λ.

    Examples
    --------
    >>> float(poisson(0.0)), float(poisson(1.0).round(4))
    (1.0, 0.3679)
    """
    return array(np.exp(-positive(defects, "defects", zero=True)), "yield")


def murphy(defects: ArrayLike) -> Array:
    r"""Return the yield if densities differ by a triangle, :math:`((1-e^{-\lambda})/\lambda)^2`.

    Implements :eq:`eq-semiconductors-murphy` (Murphy, 1964): the density of a place is spread
    between zero and twice its mean, the mean being likeliest.

    Parameters
    ----------
    defects : array_like
        Expected defects of a die, λ.

    Examples
    --------
    >>> float(murphy(0.0)), float(murphy(1.0).round(4))
    (1.0, 0.3996)
    """
    x = positive(defects, "defects", zero=True)
    safe = np.where(x > 0, x, 1.0)
    return array(np.where(x > 0, (-np.expm1(-safe) / safe) ** 2, 1.0), "yield")


def seeds(defects: ArrayLike) -> Array:
    r"""Return the yield if densities are exponentially distributed, :math:`1/(1+\lambda)`.

    Implements :eq:`eq-semiconductors-seeds`. Some books give the name of Seeds to
    :math:`e^{-\sqrt\lambda}` instead.

    Parameters
    ----------
    defects : array_like
        Expected defects of a die, λ.

    Examples
    --------
    >>> float(seeds(1.0))
    0.5
    """
    return array(1 / (1 + positive(defects, "defects", zero=True)), "yield")


def negative_binomial(defects: ArrayLike, alpha: float = 3.0) -> Array:
    r"""Return the yield if densities are gamma distributed, :math:`(1+\lambda/\alpha)^{-\alpha}`.

    Implements :eq:`eq-semiconductors-negative-binomial` (Stapper, 1983). α = 1 is :func:`seeds`,
    α → ∞ is :func:`poisson`.

    Parameters
    ----------
    defects : array_like
        Expected defects of a die, λ.
    alpha : float, default 3
        How evenly defects are spread; small where they cluster. 2 to 4 is usual.

    Raises
    ------
    ValueError
        If `alpha` is not positive.

    Examples
    --------
    >>> float(negative_binomial(1.0, alpha=1.0))
    0.5
    """
    x, a = positive(defects, "defects", zero=True), float(positive(alpha, "alpha"))
    return array(np.exp(-a * np.log1p(x / a)), "yield")


MODELS: dict[str, Model] = {
    "Poisson": poisson,
    "Murphy": murphy,
    "Seeds": seeds,
    "negative binomial": negative_binomial,
}
"""The four models by name; the last with α = 3."""


def density_from_yield(share: float, area_mm2: float, model: Model = murphy) -> float:
    """Return the density of defects that gives this yield at this area.

    Parameters
    ----------
    share : float
        Yield, more than 0 and at most 1.
    area_mm2 : float
        Area of the die.
    model : callable, default :func:`murphy`
        One of the models.

    Returns
    -------
    float
        Defects on a cm2.

    Raises
    ------
    ValueError
        If the yield is no share.

    Examples
    --------
    >>> round(density_from_yield(0.8, 17.92), 3)
    1.269
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; a yield more than 0 and at most 1 wanted.")
    if share == 1:
        return 0.0
    top = 1.0
    while float(model(top)) > share:
        top *= 2
    defects = brentq(lambda x: float(model(x)) - share, 0.0, top, xtol=1e-14, rtol=1e-14)
    return float(defects) * MM2_PER_CM2 / float(positive(area_mm2, "area_mm2"))
