r"""Convolution of images, forward and backward: the loops that define it, and a fast form.

Shapes: images X (m, C, H, W), kernels K (C_out, C, kH, kW), bias w (C_out,), results
(m, C_out, H', W') with :math:`H' = \lfloor(H + 2p - k_H)/s\rfloor + 1`. As in every deep-learning
library the kernel is not flipped, so that "convolution" is a cross-correlation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from coursekit._validate import Array, count


class ConvGradient(NamedTuple):
    """Gradients of a convolution.

    Attributes
    ----------
    K : ndarray, shape (C_out, C, kH, kW)
        With respect to the kernels.
    w : ndarray, shape (C_out,)
        With respect to the bias.
    X : ndarray, shape (m, C, H, W)
        With respect to the images.
    """

    K: Array
    w: Array
    X: Array


def conv2d_loops(
    X: Array, K: Array, w: Array | None = None, stride: int = 1, padding: int = 0
) -> Array:
    r"""Return the convolution by its definition, number by number.

    Implements :eq:`eq-backprop-conv`; slow, and what :func:`conv2d` is tested against.
    Arguments, result and errors as there.

    Examples
    --------
    >>> X = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d_loops(X, np.array([[[[1.0, 0.0], [0.0, -1.0]]]]))
    array([[[[-4., -4.],
             [-4., -4.]]]])
    """
    H, W = output_size(X, K, stride, padding)
    (m, _, _, _), (C_out, C, kH, kW) = X.shape, K.shape
    P = _pad(X, padding)
    out = np.zeros((m, C_out, H, W))
    for n, c, i, j in np.ndindex(m, C_out, H, W):
        for d, a, b in np.ndindex(C, kH, kW):
            out[n, c, i, j] += K[c, d, a, b] * P[n, d, stride * i + a, stride * j + b]
    return out if w is None else out + w[:, None, None]


def conv2d_backward_loops(
    grad: Array, X: Array, K: Array, stride: int = 1, padding: int = 0
) -> ConvGradient:
    """Return the gradients by going through the same loops backward.

    Every product ``K * P`` of :func:`conv2d_loops` sends its gradient to both factors.
    Arguments and result as in :func:`conv2d_backward`.

    Examples
    --------
    >>> X, K = np.arange(4.0).reshape(1, 1, 2, 2), np.array([[[[2.0]]]])
    >>> conv2d_backward_loops(np.ones((1, 1, 2, 2)), X, K).K.item()
    6.0
    """
    P, (m, C_out, H, W) = _pad(X, padding), grad.shape
    grad_K, grad_P = np.zeros(K.shape), np.zeros(P.shape)
    for n, c, i, j in np.ndindex(m, C_out, H, W):
        for d, a, b in np.ndindex(K.shape[1:]):
            y, x = stride * i + a, stride * j + b
            grad_K[c, d, a, b] += P[n, d, y, x] * grad[n, c, i, j]
            grad_P[n, d, y, x] += K[c, d, a, b] * grad[n, c, i, j]
    return ConvGradient(grad_K, grad.sum(axis=(0, 2, 3)), _crop(grad_P, padding))


def conv2d(X: Array, K: Array, w: Array | None = None, stride: int = 1, padding: int = 0) -> Array:
    r"""Return the convolution of images with kernels, as one product of matrices.

    Implements :eq:`eq-backprop-conv`. A view (no copy) holds the window under every position;
    window and kernel are then summed over channels, rows and columns by a matrix product.

    Parameters
    ----------
    X : ndarray, shape (m, C, H, W)
        Images.
    K : ndarray, shape (C_out, C, kH, kW)
        Kernels.
    w : ndarray, shape (C_out,), optional
        Bias.
    stride : int, default 1
        Distance between windows.
    padding : int, default 0
        Zeros around each image.

    Returns
    -------
    ndarray, shape (m, C_out, H', W')

    Raises
    ------
    ValueError
        If the channels differ, the kernel is larger than the padded image, or an array has not
        four axes.

    Examples
    --------
    >>> conv2d(np.ones((2, 3, 8, 8)), np.ones((5, 3, 3, 3)), stride=2, padding=1).shape
    (2, 5, 4, 4)
    """
    output_size(X, K, stride, padding)
    V = windows(_pad(X, padding), K.shape[2:], stride)  # (m, C, H', W', kH, kW)
    out: Array = np.einsum("ncijab,dcab->ndij", V, K, optimize=True)
    return out if w is None else out + w[:, None, None]


def conv2d_backward(
    grad: Array, X: Array, K: Array, stride: int = 1, padding: int = 0
) -> ConvGradient:
    """Return the gradients of :func:`conv2d`.

    Parameters
    ----------
    grad : ndarray, shape (m, C_out, H', W')
        Gradient with respect to the result.
    X, K : ndarray
        As in :func:`conv2d`.
    stride, padding : int
        As in :func:`conv2d`.

    Returns
    -------
    ConvGradient

    Raises
    ------
    ValueError
        If a shape does not fit.

    Examples
    --------
    >>> X, K = np.ones((2, 3, 8, 8)), np.ones((5, 3, 3, 3))
    >>> [g.shape for g in conv2d_backward(np.ones((2, 5, 6, 6)), X, K)]
    [(5, 3, 3, 3), (5,), (2, 3, 8, 8)]
    """
    H, W = output_size(X, K, stride, padding)
    if grad.shape != (len(X), len(K), H, W):
        raise ValueError(f"grad has shape {grad.shape}; {(len(X), len(K), H, W)} wanted.")
    P = _pad(X, padding)
    V = windows(P, K.shape[2:], stride)
    grad_K = np.einsum("ndij,ncijab->dcab", grad, V, optimize=True)  # (C_out, C, kH, kW)
    grad_P = np.zeros(P.shape)
    grad_V = np.einsum("ndij,dcab->ncijab", grad, K, optimize=True)  # of every window
    for a, b in np.ndindex(K.shape[2:]):  # add each window back to where it was cut out
        rows, columns = slice(a, a + stride * H, stride), slice(b, b + stride * W, stride)
        grad_P[:, :, rows, columns] += grad_V[..., a, b]
    return ConvGradient(grad_K, grad.sum(axis=(0, 2, 3)), _crop(grad_P, padding))


def output_size(X: Array, K: Array, stride: int, padding: int) -> tuple[int, int]:
    """Return (H', W'), and check the shapes.

    Raises
    ------
    ValueError
        As :func:`conv2d`.

    Examples
    --------
    >>> output_size(np.ones((1, 3, 8, 8)), np.ones((5, 1, 3, 3)), 1, 0)
    Traceback (most recent call last):
    ValueError: the images have 3 channels and the kernels take 1; X (m, C, H, W) and K (C_out, \
C, kH, kW) wanted.
    """
    count(stride, "stride")
    count(padding, "padding", least=0)
    if X.ndim != 4 or K.ndim != 4:
        raise ValueError(
            f"X has shape {X.shape} and K {K.shape}; X (m, C, H, W) and K (C_out, C, kH, kW) "
            "wanted. A grey image needs a channel axis: X[:, None]."
        )
    if X.shape[1] != K.shape[1]:
        raise ValueError(
            f"the images have {X.shape[1]} channels and the kernels take {K.shape[1]}; "
            "X (m, C, H, W) and K (C_out, C, kH, kW) wanted."
        )
    room = [n + 2 * padding - k for n, k in zip(X.shape[2:], K.shape[2:], strict=True)]
    if min(room) < 0:
        raise ValueError(
            f"kernels of {K.shape[2:]} do not fit into images of {X.shape[2:]} with padding "
            f"{padding}; pad more or take smaller kernels."
        )
    return room[0] // stride + 1, room[1] // stride + 1


def windows(X: Array, size: tuple[int, ...], stride: int) -> Array:
    """Return a view of every window, shape (m, C, H', W', kH, kW); no number is copied.

    Examples
    --------
    >>> windows(np.arange(16.0).reshape(1, 1, 4, 4), (2, 2), 2)[0, 0, 1, 0]
    array([[ 8.,  9.],
           [12., 13.]])
    """
    view = sliding_window_view(X, size, axis=(2, 3))  # type: ignore[call-overload]
    return view[:, :, ::stride, ::stride]


def _pad(X: Array, padding: int) -> Array:
    return np.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


def _crop(P: Array, padding: int) -> Array:
    H, W = P.shape[2:]
    return P[:, :, padding : H - padding, padding : W - padding]
