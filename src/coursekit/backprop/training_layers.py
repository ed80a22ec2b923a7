"""Layers that do one thing in training and another in inference."""

from __future__ import annotations

import numpy as np

from coursekit._validate import Array, count, generator
from coursekit.backprop.dropout import dropout
from coursekit.backprop.normalisation import batch_norm, batch_norm_inference, norm_backward


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
