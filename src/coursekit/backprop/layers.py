"""Layers over batches, to be put together: forward, backward, parameters and their gradients."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from coursekit._validate import Array, count
from coursekit.backprop.activations import activation
from coursekit.backprop.initialise import he_normal


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
