"""Columns to learn from: powers of one variable, and columns brought to one scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, count


def polynomial_features(x: ArrayLike, degree: int) -> Array:
    r"""Return the powers :math:`x, x^2, \dots, x^d` as columns.

    There is no column of ones: the fits of this package carry an intercept of their own.

    Parameters
    ----------
    x : array_like, shape (m,)
        One variable.
    degree : int
        Highest power :math:`d`, 0 or more; 0 gives no columns, that is, a constant.

    Returns
    -------
    ndarray, shape (m, degree)

    Raises
    ------
    TypeError, ValueError
        If `x` is not a vector, or `degree` is not a whole number of 0 or more.

    Examples
    --------
    >>> polynomial_features([2.0, 3.0], degree=3)
    array([[ 2.,  4.,  8.],
           [ 3.,  9., 27.]])
    """
    x = array(x, "x", ndim=1)
    powers = np.arange(1, count(degree, "degree", least=0) + 1)
    return x[:, None] ** powers  # (m, degree)


def standardise(X: ArrayLike, reference: ArrayLike | None = None) -> Array:
    """Return `X` with each column shifted and scaled to mean 0 and standard deviation 1.

    Pass the training rows as `reference` when scaling validation or test rows: statistics of
    the test rows would leak into the model. Constant columns are only shifted.

    Parameters
    ----------
    X : array_like, shape (m, n)
        Rows to scale.
    reference : array_like, shape (k, n), optional
        Rows whose means and standard deviations (divisor k) are used; `X` itself by default.

    Returns
    -------
    ndarray, shape (m, n)

    Raises
    ------
    ValueError
        If the numbers of columns differ, or there are no rows to take statistics from.

    Examples
    --------
    >>> standardise([[1.0, 5.0], [3.0, 5.0]])
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> standardise([[5.0, 5.0]], reference=[[1.0, 5.0], [3.0, 5.0]])
    array([[3., 0.]])
    """
    X = array(X, "X", ndim=2)
    rows = X if reference is None else array(reference, "reference", shape=(None, X.shape[1]))
    if len(rows) == 0:
        raise ValueError("no rows to take means and standard deviations from.")
    constant = (rows == rows[0]).all(axis=0)  # (n,); exact, where a computed deviation is not
    scale = np.where(constant, 1.0, rows.std(axis=0))
    return (X - rows.mean(axis=0)) / scale
