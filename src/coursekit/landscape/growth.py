"""Growth that doubles and growth that saturates: alike at first."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import curve_fit

from coursekit._validate import Array, array, positive


class Exponential(NamedTuple):
    """A curve: ``size * exp(rate * (t - start))``."""

    size: float
    rate: float
    start: float

    def __call__(self, t: ArrayLike) -> Array:
        """Return its value at times `t`."""
        return self.size * np.exp(self.rate * (array(t, "t") - self.start))


class Logistic(NamedTuple):
    """A curve that rises to a ceiling: see :func:`logistic`."""

    ceiling: float
    rate: float
    middle: float

    def __call__(self, t: ArrayLike) -> Array:
        """Return its value at times `t`."""
        return logistic(t, *self)


def logistic(t: ArrayLike, ceiling: float, rate: float, middle: float) -> Array:
    r"""Return a quantity that grows in proportion to itself and to the room that is left.

    Implements :eq:`eq-landscape-growth`, Verhulst (1838). Long before `middle` it is an
    exponential of the same rate.

    Parameters
    ----------
    t : array_like
        Times.
    ceiling, rate, middle : float
        Where it ends, how fast it starts, when it is half way.

    Returns
    -------
    ndarray, shape of `t`

    Examples
    --------
    >>> logistic([0.0, 5.0, 100.0], ceiling=10, rate=1, middle=5).round(2)
    array([ 0.07,  5.  , 10.  ])
    """
    from scipy.special import expit

    return ceiling * expit(rate * (array(t, "t") - middle))


def doubling_time(rate: float) -> float:
    """Return the time in which an exponential doubles.

    Raises
    ------
    ValueError
        If it does not grow.

    Examples
    --------
    >>> round(doubling_time(0.0953), 2)  # 10 % a year
    7.27
    """
    if not rate > 0:
        raise ValueError(f"rate is {rate}; more than 0 wanted: what does not grow never doubles.")
    return math.log(2) / rate


def fit_exponential(t: ArrayLike, y: ArrayLike) -> Exponential:
    """Fit a straight line to the logarithms.

    Parameters
    ----------
    t, y : array_like, shape (n,)
        Times, and what was measured; positive, at least two different times.

    Raises
    ------
    ValueError
        If there are too few points, or one is not positive.

    Examples
    --------
    >>> curve = fit_exponential([2020, 2021, 2022], [1, 2, 4])
    >>> round(doubling_time(curve.rate), 6)
    1.0
    """
    times, values = array(t, "t", ndim=1), positive(y, "y")
    if len(times) != len(values) or len(np.unique(times)) < 2:
        raise ValueError(
            f"{len(times)} times and {len(values)} values; as many of both, and two different "
            "times, wanted."
        )
    rate, level = np.polyfit(times - times[0], np.log(values), 1)
    return Exponential(float(np.exp(level)), float(rate), float(times[0]))


def fit_logistic(t: ArrayLike, y: ArrayLike, ceiling: float | None = None) -> Logistic:
    """Fit a logistic curve to the logarithms, with its ceiling given or found.

    Data from before the middle hardly bind the ceiling: many fit about as well.

    Parameters
    ----------
    t, y : array_like, shape (n,)
        Times, and what was measured; positive.
    ceiling : float, optional
        Where it shall end; found by least squares if None.

    Raises
    ------
    ValueError
        If a ceiling that is given lies below what was measured, or fewer than four points.

    Examples
    --------
    >>> t = np.arange(12.0)
    >>> curve = fit_logistic(t, logistic(t, 8.0, 1.0, 6.0))
    >>> [round(value, 3) for value in curve]
    [8.0, 1.0, 6.0]
    """
    times, values = array(t, "t", ndim=1), positive(y, "y")
    if len(times) != len(values) or len(times) < 4:
        raise ValueError(f"{len(times)} times and {len(values)} values; four or more wanted.")
    top = float(values.max())
    if ceiling is not None and ceiling < top:
        raise ValueError(f"ceiling is {ceiling}, and {top} was measured; a higher one wanted.")
    rate = max(fit_exponential(times, values).rate, 1e-3)
    origin = times[0]

    def log_curve(t: Array, a: float, b: float, room: float) -> Array:
        # log of top * (1 + e^room) * expit(a (t - b))
        return math.log(top) + np.logaddexp(0, room) - np.logaddexp(0, -a * (t - b))

    end = float(times[-1] - origin)
    if ceiling is None:
        found, _ = curve_fit(
            log_curve, times - origin, np.log(values), p0=(rate, end, 0.0), maxfev=20_000
        )
        ceiling = top * (1 + math.exp(found[2]))
    else:
        room = math.log(max(ceiling / top - 1, 1e-12))
        found, _ = curve_fit(
            lambda t, a, b: log_curve(t, a, b, room),
            times - origin,
            np.log(values),
            p0=(rate, end),
            maxfev=20_000,
        )
    return Logistic(float(ceiling), float(found[0]), float(found[1] + origin))
