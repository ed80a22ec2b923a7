"""The Monte Carlo estimate: a sample's mean, and how far off it may be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import array


class Estimate(NamedTuple):
    """An estimate and its standard error, in the unit of what was averaged."""

    value: float
    standard_error: float


def mean_estimate(values: ArrayLike) -> Estimate:
    r"""Return the mean of independent draws and its standard error :math:`s/\sqrt m`.

    Parameters
    ----------
    values : array_like, shape (m,)
        Independent draws of one random quantity, at least two.

    Returns
    -------
    Estimate
        Named tuple ``(value, standard_error)``.

    Raises
    ------
    ValueError
        If there are fewer than two draws, or one is NaN or infinite.

    Examples
    --------
    >>> mean_estimate([1.0, 2.0, 3.0, 4.0]).value
    2.5
    """
    values = array(values, "values", ndim=1)
    if len(values) < 2:
        raise ValueError(f"{len(values)} draws; a standard error needs at least 2.")
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))
