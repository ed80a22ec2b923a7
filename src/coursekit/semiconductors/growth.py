"""Growth rates: between two figures, forward from one, and fitted to many."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import array, positive


def cagr(first: float, last: float, years: float) -> float:
    """Return the compound annual growth rate between two figures.

    Implements :eq:`eq-semiconductors-cagr`.

    Parameters
    ----------
    first, last : float
        Figures, in one unit.
    years : float
        Between them: 2024 to 2032 is 8, not 9.

    Returns
    -------
    float
        A share: 0.1 for ten percent.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> round(cagr(100.0, 121.0, 2), 12)
    0.1
    """
    ratio = float(positive(last, "last")) / float(positive(first, "first"))
    return ratio ** (1 / float(positive(years, "years"))) - 1


class Growth(NamedTuple):
    """A fitted growth.

    Attributes
    ----------
    rate : float
        Per year, as a share.
    low, high : float
        Two standard errors below and above, on the logarithm's scale.
    doubling_years : float
        Years to double; negative where figures fall.
    """

    rate: float
    low: float
    high: float
    doubling_years: float


def fit_growth(years: ArrayLike, values: ArrayLike) -> Growth:
    """Fit a straight line to the logarithms of figures over years.

    Parameters
    ----------
    years : array_like, shape (m,)
        When; at least three, not all the same.
    values : array_like, shape (m,)
        What, positive.

    Returns
    -------
    Growth
        Of least squares; the errors take independent scatter for granted.

    Raises
    ------
    ValueError
        If there are too few figures, or one is not positive.

    Examples
    --------
    >>> round(fit_growth([2020, 2021, 2022, 2023], [1.0, 2.0, 4.0, 8.0]).rate, 12)
    1.0
    """
    t = array(years, "years", ndim=1)
    y = np.log(positive(array(values, "values", shape=t.shape), "values"))
    if len(t) < 3 or np.ptp(t) == 0:
        raise ValueError(f"{len(t)} figures over {np.ptp(t):g} years; three over time wanted.")
    centred = t - t.mean()
    slope = float(centred @ y / (centred @ centred))
    residual = y - y.mean() - slope * centred
    error = math.sqrt(float(residual @ residual) / (len(t) - 2) / float(centred @ centred))
    low, high = math.expm1(slope - 2 * error), math.expm1(slope + 2 * error)
    doubling = math.log(2) / slope if slope else math.inf
    return Growth(math.expm1(slope), low, high, doubling)
