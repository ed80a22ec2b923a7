"""Layers over batches, to be put together: forward, backward, parameters and their gradients."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from coursekit._validate import Array, count, generator
from coursekit.backprop.activations import activation
from coursekit.backprop.convolution import conv2d, conv2d_backward
from coursekit.backprop.dropout import dropout
from coursekit.backprop.initialise import he_normal
from coursekit.backprop.normalisation import batch_norm, batch_norm_inference, norm_backward
from coursekit.backprop.pooling import max_pool2d, max_pool2d_backward


class BatchLayer(Protocol):
    """What :class:`Sequential` asks of a layer; examples are the first axis.

    Attributes
    ----------
    parameters, gradients : list of ndarray
        Changed in place by optimisers; set by :meth:`backward`. Equal lengths and shapes.
    """

    parameters: list[Array]
    gradients: list[Array]

    def forward(self, X: Array, training: bool) -> Array:
        """Return the output for `X` and keep what the way back needs."""

    def backward(self, grad: Array) -> Array:
        """Set `gradients` and return the gradient for `X`, both from that for the output."""


class Dense:
    """The affine map of rows, ``X @ W.T + w``: :eq:`eq-backprop-affine`.

    Parameters
    ----------
    n_in, n_out : int
        Widths.
    rng : numpy.random.Generator
        Source of the weights, by :func:`coursekit.backprop.he_normal` times `gain`.
    gain : float, default 1
        For an output layer that no rectifier follows, sqrt(1/2).

    Examples
    --------
    >>> Dense(3, 2, np.random.default_rng(0)).forward(np.zeros((4, 3)), training=False).shape
    (4, 2)
    """

    def __init__(self, n_in: int, n_out: int, rng: np.random.Generator, gain: float = 1.0) -> None:
        shape = count(n_out, "n_out"), count(n_in, "n_in")
        self.parameters = [he_normal(shape, rng, gain), np.zeros(n_out)]
        self.gradients: list[Array] = []

    def forward(self, X: Array, training: bool) -> Array:
        """Return shape (m, n_out) for `X` of shape (m, n_in)."""
        W, w = self.parameters
        if X.ndim != 2 or X.shape[1] != W.shape[1]:
            raise ValueError(f"X has shape {X.shape}; (m, {W.shape[1]}) wanted, rows of features.")
        self.X = X
        return X @ W.T + w

    def backward(self, grad: Array) -> Array:
        """Return the gradient for X, shape (m, n_in), from `grad`, shape (m, n_out)."""
        self.gradients = [grad.T @ self.X, grad.sum(axis=0)]  # (6), (7)
        return grad @ self.parameters[0]  # (8)


class Componentwise:
    """An activation by name: :eq:`eq-backprop-activation`.

    Examples
    --------
    >>> Componentwise("relu").forward(np.array([[-1.0, 2.0]]), training=False)
    array([[0., 2.]])
    """

    def __init__(self, name: str) -> None:
        self.phi = activation(name)
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []

    def forward(self, X: Array, training: bool) -> Array:
        """Return an array of the shape of `X`."""
        self.X = X
        return self.phi.value(X)

    def backward(self, grad: Array) -> Array:
        """Return the gradient for X, of the shape of `grad`."""
        return self.phi.derivative(self.X) * grad  # (5)


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


class Flatten:
    """Lay every example's numbers in one row.

    Examples
    --------
    >>> Flatten().forward(np.zeros((2, 4, 8, 8)), training=False).shape
    (2, 256)
    """

    def __init__(self) -> None:
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []

    def forward(self, X: Array, training: bool) -> Array:
        """Return shape (m, n) for `X` of shape (m, ...)."""
        self.shape = X.shape
        return X.reshape(len(X), -1)

    def backward(self, grad: Array) -> Array:
        """Return `grad` in the shape of X."""
        return grad.reshape(self.shape)


class BatchNorm:
    """Batch normalisation with running averages: :eq:`eq-backprop-batchnorm`.

    Parameters
    ----------
    n : int
        Features, or channels of images.
    momentum : float, default 0.1
        Share of each new batch in the running averages, as in torch; the running variance
        divides by one less than the count.

    Examples
    --------
    >>> norm = BatchNorm(1)
    >>> _ = norm.forward(np.array([[0.0], [2.0]]), training=True)
    >>> norm.mean, norm.variance
    (array([0.1]), array([1.1]))
    """

    def __init__(self, n: int, momentum: float = 0.1) -> None:
        self.parameters = [np.ones(count(n, "n")), np.zeros(n)]
        self.gradients: list[Array] = []
        self.mean, self.variance, self.momentum = np.zeros(n), np.ones(n), momentum

    def forward(self, X: Array, training: bool) -> Array:
        """Return an array of the shape of `X`; only training moves the running averages."""
        scale, shift = self.parameters
        if not training:
            return batch_norm_inference(X, scale, shift, self.mean, self.variance)
        self.kept = batch_norm(X, scale, shift)
        k = X.size // X.shape[1]  # numbers behind each mean
        unbiased = self.kept.variance.ravel() * k / (k - 1)
        self.mean += self.momentum * (self.kept.mean.ravel() - self.mean)
        self.variance += self.momentum * (unbiased - self.variance)
        return self.kept.Y

    def backward(self, grad: Array) -> Array:
        """Return the gradient for X, of the shape of `grad`."""
        g = norm_backward(grad, self.kept, self.parameters[0])
        self.gradients = [g.scale, g.shift]
        return g.X


class Dropout:
    """Dropout in training, nothing in inference: :eq:`eq-backprop-dropout`.

    Parameters
    ----------
    p : float
        Share that is dropped, from 0 to below 1.
    rng : numpy.random.Generator
        Source of the masks.

    Examples
    --------
    >>> Dropout(0.5, np.random.default_rng(1)).forward(np.ones((1, 4)), training=False)
    array([[1., 1., 1., 1.]])
    """

    def __init__(self, p: float, rng: np.random.Generator) -> None:
        self.p, self.rng = p, generator(rng)
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []

    def forward(self, X: Array, training: bool) -> Array:
        """Return an array of the shape of `X`."""
        Y, self.mask = dropout(X, self.p if training else 0.0, self.rng)
        return Y

    def backward(self, grad: Array) -> Array:
        """Return the gradient for X, of the shape of `grad`."""
        return grad * self.mask
