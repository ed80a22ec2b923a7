"""Dropout: train a network that cannot rely on any one unit."""

from __future__ import annotations

import numpy as np

from coursekit._validate import Array, generator


def dropout(X: Array, p: float, rng: np.random.Generator) -> tuple[Array, Array]:
    r"""Set each number to zero with probability `p`, and divide the others by 1 - p.

    Implements :eq:`eq-backprop-dropout` in its inverted form: the expectation stays, so that
    inference does nothing. The gradient is ``grad * mask``.

    Parameters
    ----------
    X : ndarray
        Any shape.
    p : float
        Share that is dropped, from 0 to below 1.
    rng : numpy.random.Generator
        Source of the mask.

    Returns
    -------
    Y : ndarray, shape of `X`
        ``X * mask``.
    mask : ndarray, shape of `X`
        0 or 1/(1 - p).

    Raises
    ------
    ValueError
        If `p` is out of range.

    Examples
    --------
    >>> dropout(np.ones(8), 0.5, np.random.default_rng(1))[0]
    array([2., 2., 0., 2., 0., 0., 2., 0.])
    """
    if not 0 <= p < 1:
        raise ValueError(f"p is {p}; a share from 0 to below 1 wanted.")
    mask = (generator(rng).random(np.shape(X)) >= p) / (1 - p)
    return X * mask, mask
