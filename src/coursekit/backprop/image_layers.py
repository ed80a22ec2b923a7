"""Layers for batches of images, shape (m, C, H, W): convolution and pooling."""

from __future__ import annotations

import numpy as np

from coursekit._validate import Array, count
from coursekit.backprop.convolution import conv2d, conv2d_backward
from coursekit.backprop.initialise import he_normal
from coursekit.backprop.pooling import max_pool2d, max_pool2d_backward


class Conv2d:
    """A convolution with bias: :eq:`eq-backprop-conv`.

    Parameters
    ----------
    C_in, C_out : int
        Channels.
    size : int
        Height and width of the kernels.
    rng : numpy.random.Generator
        Source of the kernels, by :func:`coursekit.backprop.he_normal`.
    stride, padding : int
        As in :func:`coursekit.backprop.conv2d`.

    Examples
    --------
    >>> conv = Conv2d(1, 4, 3, np.random.default_rng(0), padding=1)
    >>> conv.forward(np.zeros((2, 1, 8, 8)), training=False).shape
    (2, 4, 8, 8)
    """

    def __init__(
        self,
        C_in: int,
        C_out: int,
        size: int,
        rng: np.random.Generator,
        *,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        shape = count(C_out, "C_out"), count(C_in, "C_in"), count(size, "size"), size
        self.parameters = [he_normal(shape, rng), np.zeros(C_out)]
        self.gradients: list[Array] = []
        self.stride, self.padding = stride, padding

    def forward(self, X: Array, training: bool) -> Array:
        """Return shape (m, C_out, H', W') for images `X`, shape (m, C_in, H, W)."""
        self.X = X
        K, w = self.parameters
        return conv2d(X, K, w, self.stride, self.padding)

    def backward(self, grad: Array) -> Array:
        """Return the gradient for X, shape (m, C_in, H, W)."""
        g = conv2d_backward(grad, self.X, self.parameters[0], self.stride, self.padding)
        self.gradients = [g.K, g.w]
        return g.X


class MaxPool2d:
    """The largest number of each window of `size` by `size`, side by side.

    Examples
    --------
    >>> MaxPool2d(2).forward(np.zeros((2, 4, 8, 8)), training=False).shape
    (2, 4, 4, 4)
    """

    def __init__(self, size: int) -> None:
        self.size = count(size, "size")
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []

    def forward(self, X: Array, training: bool) -> Array:
        """Return shape (m, C, H // size, W // size) for `X`, shape (m, C, H, W)."""
        self.X = X
        return max_pool2d(X, self.size)

    def backward(self, grad: Array) -> Array:
        """Return the gradient for X, shape (m, C, H, W)."""
        return max_pool2d_backward(grad, self.X, self.size)
