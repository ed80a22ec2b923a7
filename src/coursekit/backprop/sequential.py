"""A chain of batch layers with a loss, and a convolutional network made of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coursekit._validate import Array, array, generator
from coursekit.backprop.image_layers import Conv2d, MaxPool2d
from coursekit.backprop.layers import BatchLayer, Componentwise, Dense, Flatten
from coursekit.backprop.losses import SOFTMAX_CROSS_ENTROPY, Loss


class Sequential:
    """Layers in a row: :eq:`eq-backprop-network` for batches, whatever the layers are.

    Parameters
    ----------
    layers : sequence of BatchLayer
        In the order in which the input meets them.
    loss : Loss, default SOFTMAX_CROSS_ENTROPY
        Its mean over the batch is minimised.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential([Dense(4, 8, rng), Componentwise("relu"), Dense(8, 3, rng)])
    >>> model.predict(np.zeros((2, 4)))
    array([0, 0])
    """

    def __init__(self, layers: Sequence[BatchLayer], loss: Loss = SOFTMAX_CROSS_ENTROPY) -> None:
        self.layers, self.loss = list(layers), loss

    @property
    def parameters(self) -> list[Array]:
        """The parameters of all layers, to be changed in place."""
        return [p for layer in self.layers for p in layer.parameters]

    def forward(self, X: ArrayLike, *, training: bool = False) -> Array:
        """Return the output for a batch `X`, shape (m, ...)."""
        out = array(X, "X", finite=False)
        for layer in self.layers:
            out = layer.forward(out, training)
        return out

    def loss_and_gradients(self, X: ArrayLike, y: ArrayLike) -> tuple[float, list[Array]]:
        """Return the mean loss of a batch, in training, and its gradient for each parameter.

        Parameters
        ----------
        X : array_like, shape (m, ...)
            Inputs.
        y : array_like, shape (m,) or (m, q)
            Targets, as the loss takes them.

        Returns
        -------
        loss : float
        gradients : list of ndarray
            In the parameters' order and shapes.

        Raises
        ------
        ValueError
            If a shape does not fit.
        """
        out = self.forward(X, training=True)
        grad = self.loss.mean_gradient(out, y)
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return self.loss.mean(out, y), [g for layer in self.layers for g in layer.gradients]

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the class of the largest output for each example, shape (m,)."""
        return self.forward(X).argmax(axis=1)


def digits_cnn(rng: np.random.Generator, channels: tuple[int, int] = (8, 16)) -> Sequential:
    """Return a convolutional network for images of 8 by 8 pixels and ten classes.

    Two convolutions of 3 by 3 that keep the size, each with a rectifier and a pooling by 2, and
    a dense layer on the 2 by 2 places that are left.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the weights.
    channels : pair of int
        Kernels of the first and the second convolution.

    Returns
    -------
    Sequential
        Takes images of shape (m, 1, 8, 8).

    Examples
    --------
    >>> digits_cnn(np.random.default_rng(0)).forward(np.zeros((5, 1, 8, 8))).shape
    (5, 10)
    """
    first, second = channels
    rng = generator(rng)
    return Sequential(
        [
            Conv2d(1, first, 3, rng, padding=1),  # (m, 8, 8, 8)
            Componentwise("relu"),
            MaxPool2d(2),
            Conv2d(first, second, 3, rng, padding=1),  # (m, 16, 4, 4)
            Componentwise("relu"),
            MaxPool2d(2),
            Flatten(),
            Dense(second * 4, 10, rng, gain=np.sqrt(0.5)),
        ]
    )
