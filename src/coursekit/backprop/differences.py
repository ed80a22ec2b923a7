"""Slopes from function values alone: the oracle that a derivation is checked against."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array


def central_difference(f: Callable[[Array], float], x: ArrayLike, step: float = 1e-5) -> Array:
    r"""Return :math:`(f(x + he_i) - f(x - he_i))/2h` for each entry i.

    Implements :eq:`eq-backprop-central-difference`. The error is of order
    :math:`h^2 + \epsilon/h` with the rounding unit :math:`\epsilon`, smallest near
    :math:`h = \epsilon^{1/3}`, about 1e-5.

    Parameters
    ----------
    f : callable, array -> float
        A function of one array; it must not change it.
    x : array_like
        Where, any shape.
    step : float, default 1e-5
        The step h.

    Returns
    -------
    ndarray, shape of `x`

    Examples
    --------
    >>> central_difference(lambda x: (x**3).sum(), [1.0, 2.0]).round(6)
    array([ 3., 12.])
    """
    x = array(x, "x")
    return _slopes(lambda e: (number(f(x + step * e)) - number(f(x - step * e))) / (2 * step), x)


def complex_step(f: Callable[[Array], Any], x: ArrayLike, step: float = 1e-20) -> Array:
    r"""Return :math:`\mathrm{Im}\,f(x + ihe_i)/h` for each entry i, exact but for rounding.

    Nothing is subtracted, so that the step can be as small as you like. The function must be
    made of smooth operations that accept complex numbers (no ``abs``, no conversion to float).

    Parameters
    ----------
    f : callable, array -> number
        A function of one array; it must not change it.
    x : array_like
        Where, any shape.
    step : float, default 1e-20
        The step h.

    Returns
    -------
    ndarray, shape of `x`

    Raises
    ------
    TypeError
        If the function drops the imaginary part.

    Examples
    --------
    >>> complex_step(lambda x: (x**3).sum(), [1.0, 2.0])
    array([ 3., 12.])
    """
    x = array(x, "x")
    return _slopes(lambda e: _imaginary(f, x + 1j * step * e) / step, x)


def _slopes(slope: Callable[[Array], float], x: Array) -> Array:
    out = np.empty_like(x)
    for i in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[i] = 1.0
        out[i] = slope(e)
    return out


def number(value: Any) -> float:
    """Return the one number that `value` holds.

    Raises
    ------
    TypeError
        If it holds another count of numbers.
    """
    out = np.asarray(value)
    if out.size != 1:
        raise TypeError(
            f"the function returned shape {out.shape}; one number wanted. Sum it, or weigh it "
            "with a fixed random array: lambda x: (f(x) * weights).sum()."
        )
    return float(out.reshape(()))


def _imaginary(f: Callable[[Array], Any], x: Array) -> float:
    refusal = "the function drops the imaginary part (abs, float(), a float array to write into)"
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            value = np.asarray(f(x))
        except (TypeError, np.exceptions.ComplexWarning) as error:
            raise TypeError(f'{refusal}: {error}. Use method="central".') from None
    if not np.iscomplexobj(value):
        raise TypeError(f'{refusal}. Use method="central".')
    number(value.real)
    return float(value.imag.reshape(()))
