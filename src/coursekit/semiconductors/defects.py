"""Monte Carlo of defects on a wafer: even, clustered, and counted die by die."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, count, generator, positive
from coursekit.basics.estimate import Estimate, mean_estimate
from coursekit.semiconductors.wafer import Die, Wafer
from coursekit.semiconductors.yields import MM2_PER_CM2


def scatter(rng: np.random.Generator, density_per_cm2: float, wafer: Wafer) -> Array:
    """Throw defects on a wafer, each anywhere and independent of all others.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    density_per_cm2 : float
        Expected defects on a cm2.
    wafer : Wafer
        Where; the rim gets its share too.

    Returns
    -------
    ndarray, shape (n, 2)
        Places, mm from the middle.

    Examples
    --------
    >>> scatter(np.random.default_rng(0), 0.0, Wafer()).shape
    (0, 2)
    """
    radius = wafer.diameter_mm / 2
    mean = float(positive(density_per_cm2, "density_per_cm2", zero=True)) * _disc_cm2(radius)
    return _uniform_in_disc(generator(rng), generator(rng).poisson(mean), radius)


def scatter_clusters(
    rng: np.random.Generator,
    density_per_cm2: float,
    wafer: Wafer,
    *,
    per_cluster: float = 8.0,
    spread_mm: float = 6.0,
) -> Array:
    """Throw clusters of defects on a wafer: a scratch here, a splash there.

    Middles of clusters fall like :func:`scatter`; around each lie a Poisson number of defects,
    normally distributed (a Neyman-Scott process). The mean density is that of :func:`scatter`.

    Parameters
    ----------
    rng, density_per_cm2, wafer
        As in :func:`scatter`.
    per_cluster : float, default 8
        Expected defects of a cluster.
    spread_mm : float, default 6
        Standard deviation of a defect's distance from the middle, along each axis.

    Returns
    -------
    ndarray, shape (n, 2)
        Places, mm from the wafer's middle.

    Examples
    --------
    >>> points = scatter_clusters(np.random.default_rng(0), 0.5, Wafer())
    >>> bool((np.hypot(*points.T) <= 150).all())
    True
    """
    rng, radius = generator(rng), wafer.diameter_mm / 2
    spread = float(positive(spread_mm, "spread_mm"))
    size = float(positive(per_cluster, "per_cluster"))
    density = float(positive(density_per_cm2, "density_per_cm2", zero=True))
    beyond = radius + 5 * spread  # clusters beside the wafer reach onto it
    middles = _uniform_in_disc(rng, rng.poisson(density / size * _disc_cm2(beyond)), beyond)
    parents = np.repeat(middles, rng.poisson(size, len(middles)), axis=0)  # (n, 2)
    points = parents + rng.normal(0.0, spread, parents.shape)
    return points[np.hypot(*points.T) <= radius]


def count_defects(points: ArrayLike, corners: ArrayLike, die: Die) -> np.ndarray:
    """Return how many defects lie on each die.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        Defects, mm.
    corners : array_like, shape (dies, 2)
        Lower left corners, as :func:`~coursekit.semiconductors.place_dies` gives them.
    die : Die
        Their size. Defects in streets and on the rim hit none.

    Returns
    -------
    ndarray of int, shape (dies,)

    Examples
    --------
    >>> count_defects([[0.5, 0.5], [9.0, 9.0]], [[0.0, 0.0], [1.0, 0.0]], Die(1.0, 1.0))
    array([1, 0])
    """
    places = array(points, "points", shape=(None, 2))
    lower = array(corners, "corners", shape=(None, 2))
    inside = places[None] - lower[:, None]  # (dies, n, 2)
    hit = (inside >= 0) & (inside < [die.width_mm, die.height_mm])
    return hit.all(2).sum(1)


def simulated_yield(
    rng: np.random.Generator,
    area_mm2: float,
    density_per_cm2: float,
    *,
    alpha: float = math.inf,
    dies: int = 100_000,
) -> Estimate:
    """Estimate the yield by drawing dies one by one.

    Each die gets a density of its own, gamma distributed around the mean with the shape `alpha`,
    and then a Poisson number of defects. Checks :eq:`eq-semiconductors-negative-binomial`, whose
    formula is not used.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    area_mm2, density_per_cm2 : float
        Of a die; its mean density.
    alpha : float, default infinity
        Spread of the density; infinite for the same everywhere.
    dies : int, default 100 000
        How many.

    Returns
    -------
    Estimate
        Share of dies without a defect, and its standard error.

    Examples
    --------
    >>> found = simulated_yield(np.random.default_rng(0), 100.0, 0.5)
    >>> abs(found.value - math.exp(-0.5)) < 4 * found.standard_error
    True
    """
    rng, n = generator(rng), count(dies, "dies", least=2)
    mean = float(positive(area_mm2, "area_mm2")) / MM2_PER_CM2
    mean *= float(positive(density_per_cm2, "density_per_cm2", zero=True))
    if alpha == math.inf:
        expected = np.full(n, mean)
    else:
        shape = float(positive(alpha, "alpha"))
        expected = rng.gamma(shape, mean / shape, n)
    return mean_estimate(rng.poisson(expected) == 0)


def clustering(counts: ArrayLike) -> float:
    r"""Estimate α from the numbers of defects of many dies.

    Of a negative binomial the variance is :math:`\lambda+\lambda^2/\alpha`; solved for α.

    Parameters
    ----------
    counts : array_like, shape (dies,)
        Defects of each die, at least two dies.

    Returns
    -------
    float
        α; infinite where the counts vary no more than independent defects would.

    Raises
    ------
    ValueError
        If no die has a defect, so that nothing can be said.

    Examples
    --------
    >>> clustering([0, 0, 0, 4])
    0.3333333333333333
    """
    values = positive(array(counts, "counts", ndim=1), "counts", zero=True)
    mean = float(values.mean())
    if mean == 0 or len(values) < 2:
        raise ValueError(
            f"{len(values)} dies have {values.sum():g} defects; at least two dies and one defect "
            "are needed to see clusters."
        )
    excess = float(values.var(ddof=1)) - mean
    return mean**2 / excess if excess > 0 else math.inf


def _disc_cm2(radius_mm: float) -> float:
    return math.pi * radius_mm**2 / MM2_PER_CM2


def _uniform_in_disc(rng: np.random.Generator, n: int, radius: float) -> Array:
    distance = radius * np.sqrt(rng.random(n))  # the root: equal areas are equally likely
    angle = 2 * np.pi * rng.random(n)
    return np.stack([distance * np.cos(angle), distance * np.sin(angle)], axis=1)  # (n, 2)
