"""Pooling: the largest or the mean of each window, forward and backward.

Windows lie side by side (stride = size) unless a stride is given; what is left at the right and
lower edge is dropped, as in torch.
"""

from __future__ import annotations

import numpy as np

from coursekit._validate import Array, count
from coursekit.backprop.convolution import windows


def max_pool2d(X: Array, size: int, stride: int | None = None) -> Array:
    """Return the largest number of each window.

    Parameters
    ----------
    X : ndarray, shape (m, C, H, W)
        Images.
    size : int
        Height and width of a window.
    stride : int, optional
        Distance between windows; `size` if not given.

    Returns
    -------
    ndarray, shape (m, C, H', W')

    Raises
    ------
    ValueError
        If `X` has not four axes or is smaller than a window.

    Examples
    --------
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    return _windows(X, size, stride).max(axis=(4, 5))


def max_pool2d_backward(grad: Array, X: Array, size: int, stride: int | None = None) -> Array:
    """Return the gradient for `X`: each window's goes to its largest number, the first if tied.

    Parameters
    ----------
    grad : ndarray, shape (m, C, H', W')
        Gradient with respect to the result.
    X, size, stride
        As in :func:`max_pool2d`.

    Returns
    -------
    ndarray, shape (m, C, H, W)

    Examples
    --------
    >>> X = np.array([[[[1.0, 3.0], [2.0, 0.0]]]])
    >>> max_pool2d_backward(np.array([[[[5.0]]]]), X, 2)[0, 0]
    array([[0., 5.],
           [0., 0.]])
    """
    V = _windows(X, size, stride)
    place = V.reshape(*V.shape[:4], -1).argmax(axis=-1)  # (m, C, H', W'), within the window
    n, c, i, j = np.indices(place.shape)
    step, out = stride or size, np.zeros(X.shape)
    np.add.at(out, (n, c, step * i + place // size, step * j + place % size), grad)
    return out


def avg_pool2d(X: Array, size: int, stride: int | None = None) -> Array:
    """Return the mean of each window; arguments, result and errors as in :func:`max_pool2d`.

    Examples
    --------
    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    return _windows(X, size, stride).mean(axis=(4, 5))


def avg_pool2d_backward(grad: Array, X: Array, size: int, stride: int | None = None) -> Array:
    """Return the gradient for `X`: each window's is shared equally by its numbers.

    Arguments and result as in :func:`max_pool2d_backward`.

    Examples
    --------
    >>> avg_pool2d_backward(np.array([[[[4.0]]]]), np.ones((1, 1, 2, 2)), 2)[0, 0]
    array([[1., 1.],
           [1., 1.]])
    """
    step, out, (H, W) = stride or size, np.zeros(X.shape), grad.shape[2:]
    for a, b in np.ndindex(size, size):
        out[:, :, a : a + step * H : step, b : b + step * W : step] += grad / size**2
    return out


def _windows(X: Array, size: int, stride: int | None) -> Array:
    step = count(size if stride is None else stride, "stride")
    if X.ndim != 4 or min(X.shape[2:]) < count(size, "size"):
        raise ValueError(
            f"X has shape {X.shape}; (m, C, H, W) wanted with H and W at least the window's {size}."
        )
    return windows(X, (size, size), step)
