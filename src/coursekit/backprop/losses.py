"""Losses with their gradients at the output: where backpropagation starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, labels
from coursekit.backprop.activations import log_softmax, softmax

Pair = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Loss:
    r"""A loss :math:`l(o, y)` and its gradient with respect to the output :math:`o`.

    Call it on one example; :meth:`mean` and :meth:`mean_gradient` take a batch, one row each.

    Attributes
    ----------
    name : str
        What it is.
    each : callable, ((m, q), (m, ...)) -> (m,)
        Loss of each example.
    each_gradient : callable, ((m, q), (m, ...)) -> (m, q)
        Gradient of each example's loss with respect to its own output.

    Examples
    --------
    >>> SQUARED_ERROR([1.0, 2.0], [0.0, 0.0])
    5.0
    >>> SQUARED_ERROR.gradient([1.0, 2.0], [0.0, 0.0])
    array([2., 4.])
    >>> SOFTMAX_CROSS_ENTROPY.gradient([0.0, 0.0], 1)
    array([ 0.5, -0.5])
    """

    name: str
    each: Pair
    each_gradient: Pair

    def __call__(self, o: ArrayLike, y: ArrayLike) -> float:
        """Return the loss of one example: `o` of shape (q,), `y` a vector (q,) or a label."""
        return self.each(*_one(o, y))[0].item()

    def gradient(self, o: ArrayLike, y: ArrayLike) -> Array:
        r"""Return :math:`\nabla_{o^{[d]}} f_k`, shape (q,): :eq:`eq-backprop-output`."""
        return self.each_gradient(*_one(o, y))[0]

    def mean(self, outputs: ArrayLike, Y: ArrayLike) -> float:
        r"""Return :math:`f = \frac1m\sum_k f_k`, :eq:`eq-backprop-loss`, for `outputs` (m, q).

        Raises
        ------
        ValueError
            If outputs and targets disagree in shape, or there are no examples.
        """
        losses = self.each(*_batch(outputs, Y))
        return losses.mean().item()

    def mean_gradient(self, outputs: ArrayLike, Y: ArrayLike) -> Array:
        r"""Return the gradient of :meth:`mean` for `outputs`, shape (m, q), 1/m included.

        Raises
        ------
        ValueError
            As :meth:`mean`.
        """
        outputs, Y = _batch(outputs, Y)
        return self.each_gradient(outputs, Y) / len(outputs)


def _one(o: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    o, y = np.asarray(o), np.asarray(y)
    if o.ndim != 1:
        raise ValueError(
            f"o has shape {o.shape}; one example's output, shape (q,), wanted. "
            "For a batch of rows call loss.mean(outputs, Y)."
        )
    return o[None], y[None]


def _batch(outputs: ArrayLike, Y: ArrayLike) -> tuple[Array, Array]:
    outputs, Y = np.asarray(outputs), np.asarray(Y)
    if outputs.ndim != 2 or len(outputs) == 0:
        raise ValueError(
            f"outputs has shape {outputs.shape}; (m, q) wanted, m >= 1 examples in rows. "
            "For one example call loss(o, y)."
        )
    return outputs, Y


def _matching(outputs: Array, Y: Array) -> Array:
    if outputs.shape != Y.shape:
        raise ValueError(
            f"outputs have shape {outputs.shape} and targets {Y.shape}; equal shapes wanted, or "
            "they would broadcast without a word. Reshape the targets."
        )
    return outputs - Y


def _squared(outputs: Array, Y: Array) -> Array:
    return (_matching(outputs, Y) ** 2).sum(axis=1)  # (m,)


def _squared_gradient(outputs: Array, Y: Array) -> Array:
    return 2 * _matching(outputs, Y)  # (m, q)


def _cross_entropy(Z: Array, y: Array) -> Array:
    m, K = Z.shape
    return -log_softmax(Z)[np.arange(m), labels(y, "y", m=m, classes=K)]  # (m,)


def _cross_entropy_gradient(Z: Array, y: Array) -> Array:
    m, K = Z.shape
    p = softmax(Z)
    p[np.arange(m), labels(y, "y", m=m, classes=K)] -= 1
    return p  # (m, K)


def _log_loss(P: Array, y: Array) -> Array:
    m, K = P.shape
    return -np.log(P[np.arange(m), labels(y, "y", m=m, classes=K)])  # (m,)


def _log_loss_gradient(P: Array, y: Array) -> Array:
    m, K = P.shape
    right = np.arange(m), labels(y, "y", m=m, classes=K)
    slope = np.zeros_like(P)
    slope[right] = -1 / P[right]
    return slope  # (m, K)


SQUARED_ERROR = Loss("squared error", _squared, _squared_gradient)
r"""The squared norm :math:`\|o - y\|_2^2`, with gradient :math:`2(o - y)`."""

SOFTMAX_CROSS_ENTROPY = Loss("softmax cross-entropy", _cross_entropy, _cross_entropy_gradient)
r"""Softmax and cross-entropy in one, on logits and a class label.

The fused gradient is prediction minus target, :math:`p - \mathrm{onehot}(y)`:
:eq:`eq-backprop-softmax-ce`.
"""

CROSS_ENTROPY = Loss("cross-entropy of probabilities", _log_loss, _log_loss_gradient)
r"""The cross-entropy :math:`-\log o_y` of an output that is already a softmax.

Its gradient holds :math:`-1/o_y`, which overflows where :data:`SOFTMAX_CROSS_ENTROPY` does not.
"""
