r"""The same network over a batch: examples are rows, so that :math:`Z = OW^T + w`.

Each formula of the lecture is one line here too; the sum over examples hides in a product.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coursekit._validate import Array, count, generator
from coursekit.backprop.activations import activation
from coursekit.backprop.losses import SOFTMAX_CROSS_ENTROPY, Loss


class Trace(NamedTuple):
    """What the forward pass keeps for the way back.

    Attributes
    ----------
    O : list of ndarray, shapes (m, n_0) … (m, n_d)
        Outputs, the input X first and the network's own output last.
    Z : list of ndarray, shapes (m, n_1) … (m, n_d)
        Inputs of the activations.
    """

    O: list[Array]  # noqa: E741
    Z: list[Array]


def mlp_forward(parameters: Sequence[Array], X: ArrayLike, hidden: str = "relu") -> Trace:
    r"""Return all :math:`Z^{[i]}` and :math:`O^{[i]}`; the last layer has no activation.

    Implements :eq:`eq-backprop-affine` and :eq:`eq-backprop-activation` for m examples at once.

    Parameters
    ----------
    parameters : sequence of ndarray
        W[1], w[1], …, W[d], w[d] with W[i] of shape (n_i, n_{i-1}) and w[i] (n_i,).
    X : array_like, shape (m, n_0)
        Examples in rows.
    hidden : str
        Activation of the layers before the last.

    Returns
    -------
    Trace
        ``trace.O[-1]`` is the output, shape (m, n_d).

    Raises
    ------
    ValueError
        If `X` does not have n_0 columns.

    Examples
    --------
    >>> W1, w1, W2, w2 = np.eye(2), np.zeros(2), np.array([[1.0, 2.0]]), np.array([0.5])
    >>> mlp_forward([W1, w1, W2, w2], [[3.0, -4.0], [1.0, 1.0]]).O[-1]
    array([[3.5],
           [3.5]])
    """
    phi, O, Z = activation(hidden), [_rows(X, parameters[0])], []  # noqa: E741
    for W, w in _pairs(parameters):
        Z.append(O[-1] @ W.T + w)  # (m, n_i)
        O.append(phi.value(Z[-1]))
    O[-1] = Z[-1]
    return Trace(O, Z)


def mlp_backward(
    parameters: Sequence[Array], trace: Trace, grad: Array, hidden: str = "relu"
) -> list[Array]:
    r"""Return the gradients of all parameters, in their order, for a batch.

    Formulas (5) to (8), :eq:`eq-backprop-5` to :eq:`eq-backprop-8`, with rows for examples: the
    outer products of (6) add up to the product ``grad_Z.T @ O``, and (7) becomes a column sum.

    Parameters
    ----------
    parameters : sequence of ndarray
        As in :func:`mlp_forward`.
    trace : Trace
        What :func:`mlp_forward` returned.
    grad : ndarray, shape (m, n_d)
        Gradient with respect to the output, 1/m included where the loss is a mean.
    hidden : str
        As in :func:`mlp_forward`.

    Returns
    -------
    list of ndarray
        Of the parameters' shapes.

    Examples
    --------
    >>> parameters = [np.array([[2.0]]), np.array([1.0])]
    >>> trace = mlp_forward(parameters, [[3.0], [4.0]])
    >>> mlp_backward(parameters, trace, np.array([[1.0], [1.0]]))
    [array([[7.]]), array([2.])]
    """
    phi, gradients = activation(hidden), []
    layers = list(enumerate(_pairs(parameters)))
    grad_Z = grad  # the last layer has no activation
    for i, (W, _) in reversed(layers):
        gradients += [grad_Z.sum(axis=0), grad_Z.T @ trace.O[i]]  # (7), (6)
        if i > 0:
            grad_Z = phi.derivative(trace.Z[i - 1]) * (grad_Z @ W)  # (8), then (5)
    return gradients[::-1]


class MLP:
    """A multi-layer perceptron over batches, written from the formulas.

    Parameters
    ----------
    sizes : sequence of int
        Widths n_0, n_1, …, n_d.
    rng : numpy.random.Generator
        Source of the weights: Gaussian, standard deviation sqrt(2 / n_{i-1}) before a hidden
        layer (He, for ReLU) and sqrt(1 / n_{i-1}) before the output; biases start at 0.
    hidden : str, default "relu"
        Activation of the hidden layers.
    loss : Loss, default SOFTMAX_CROSS_ENTROPY
        Its mean over the batch is minimised.

    Attributes
    ----------
    parameters : list of ndarray
        W[1], w[1], …, W[d], w[d]; optimisers change them in place.

    Examples
    --------
    >>> mlp = MLP([64, 32, 10], np.random.default_rng(0))
    >>> loss, gradients = mlp.loss_and_gradients(np.ones((5, 64)), [0, 1, 2, 3, 4])
    >>> [g.shape for g in gradients]
    [(32, 64), (32,), (10, 32), (10,)]
    """

    def __init__(
        self,
        sizes: Sequence[int],
        rng: np.random.Generator,
        *,
        hidden: str = "relu",
        loss: Loss = SOFTMAX_CROSS_ENTROPY,
    ) -> None:
        rng, self.hidden, self.loss = generator(rng), hidden, loss
        sizes = [count(n, "sizes") for n in sizes]
        if len(sizes) < 2:
            raise ValueError(f"sizes is {sizes}; two or more wanted, input and output.")
        activation(hidden)
        self.parameters: list[Array] = []
        for i, (n_in, n_out) in enumerate(pairwise(sizes)):
            gain = 1.0 if i == len(sizes) - 2 else 2.0
            W = np.sqrt(gain / n_in) * rng.normal(size=(n_out, n_in))
            self.parameters += [W, np.zeros(n_out)]

    def forward(self, X: ArrayLike) -> Array:
        """Return the outputs (logits), shape (m, n_d), of rows `X`, shape (m, n_0)."""
        return mlp_forward(self.parameters, X, self.hidden).O[-1]

    def loss_and_gradients(self, X: ArrayLike, y: ArrayLike) -> tuple[float, list[Array]]:
        """Return the mean loss of a batch and its gradient for each parameter.

        Parameters
        ----------
        X : array_like, shape (m, n_0)
            Inputs.
        y : array_like, shape (m,) or (m, n_d)
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
        trace = mlp_forward(self.parameters, X, self.hidden)
        grad = self.loss.mean_gradient(trace.O[-1], y)
        gradients = mlp_backward(self.parameters, trace, grad, self.hidden)
        return self.loss.mean(trace.O[-1], y), gradients

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the class of the largest logit for each row, shape (m,)."""
        return self.forward(X).argmax(axis=1)


def _pairs(parameters: Sequence[Array]) -> list[tuple[Array, Array]]:
    return list(zip(parameters[::2], parameters[1::2], strict=True))


def _rows(X: ArrayLike, W: Array) -> Array:
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] != W.shape[1]:
        raise ValueError(
            f"X has shape {X.shape}; (m, {W.shape[1]}) wanted, one example per row, because "
            f"W[1] has shape {W.shape}."
        )
    return X
