"""What a good die costs, and what it is worth to sell one with a broken part."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import roots_genlaguerre
from scipy.stats import binom

from coursekit._validate import Array, array, count, positive
from coursekit.semiconductors.yields import expected_defects

NODES = 80  # of the quadrature over densities; more change nothing in float64


def cost_per_good_die(wafer_price: ArrayLike, dies: ArrayLike, share: ArrayLike) -> Array:
    """Return the wafer's price divided by the dies on it that work.

    Implements :eq:`eq-semiconductors-cost`. Test, packaging and design are apart.

    Parameters
    ----------
    wafer_price : array_like
        Price of a processed wafer, in any currency.
    dies : array_like
        Whole dies on it.
    share : array_like
        Yield, more than 0 and at most 1.

    Returns
    -------
    ndarray
        In the currency of `wafer_price`.

    Raises
    ------
    ValueError
        If a price or a number of dies is not positive, or a yield is no share.

    Examples
    --------
    >>> float(cost_per_good_die(20_000.0, 586, 0.85).round(1))
    40.2
    """
    price, n = positive(wafer_price, "wafer_price"), positive(dies, "dies")
    good = positive(share, "share")
    if (good > 1).any():
        raise ValueError(f"share is {good.max():g}; a yield of at most 1 wanted. Is it in percent?")
    return array(price / (n * good), "cost")


def harvested_yield(
    area_mm2: float,
    density_per_cm2: float,
    *,
    cores: int,
    needed: int,
    core_share: float = 1.0,
    alpha: float = math.inf,
) -> float:
    r"""Return the share of dies that can be sold when some cores may be broken.

    Implements :eq:`eq-semiconductors-harvest`. The rest of the die must be whole, and `needed` of
    its `cores` equal parts. Defects are independent at a given density; the density is gamma
    distributed with shape `alpha`, over which a Gauss-Laguerre quadrature averages.

    Parameters
    ----------
    area_mm2, density_per_cm2 : float
        Of the die.
    cores, needed : int
        Equal parts there are, and how many must work.
    core_share : float, default 1
        Share of the area that the parts take together.
    alpha : float, default infinity
        Clustering, as in :func:`~coursekit.semiconductors.negative_binomial`.

    Returns
    -------
    float
        With ``needed == cores`` the plain yield.

    Raises
    ------
    ValueError
        If more cores are needed than there are, or the share is none.

    Examples
    --------
    >>> round(harvested_yield(814.0, 0.1, cores=144, needed=144), 3)
    0.443
    >>> round(harvested_yield(814.0, 0.1, cores=144, needed=132, core_share=0.6), 3)
    0.722
    """
    n, k = count(cores, "cores"), count(needed, "needed", least=0)
    if k > n:
        raise ValueError(f"needed is {k} of {n} cores; at most {n} wanted.")
    if not 0 < core_share <= 1:
        raise ValueError(f"core_share is {core_share}; a share more than 0, at most 1 wanted.")
    mean = float(expected_defects(area_mm2, density_per_cm2))
    if alpha == math.inf:
        return float(_sold(np.array([mean]), n, k, core_share)[0])
    shape = float(positive(alpha, "alpha"))
    at, weight = roots_genlaguerre(NODES, shape - 1)
    share = weight @ _sold(at * mean / shape, n, k, core_share) / weight.sum()
    return float(share)


def _sold(defects: Array, cores: int, needed: int, core_share: float) -> Array:
    rest = np.exp(-defects * (1 - core_share))
    core = np.exp(-defects * core_share / cores)  # one core without a defect
    return array(rest * binom.sf(needed - 1, cores, core), "share")
