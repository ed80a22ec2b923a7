r"""Activation functions :math:`\phi` and their derivatives, taken at the input :math:`z`.

All of them accept complex arrays, so that the complex step of
:func:`coursekit.backprop.check_gradient` can run through them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf

from coursekit._validate import Array, array

LEAK = 0.01
"""Slope of the leaky rectifier below zero."""


class Phi(NamedTuple):
    r"""An activation that acts on each component alone.

    Attributes
    ----------
    value : callable, (...) -> (...)
        :math:`\phi(z)`, as in :eq:`eq-backprop-activation`.
    derivative : callable, (...) -> (...)
        :math:`\phi'(z)`, evaluated at the input and never at the output.
    """

    value: Callable[[Any], Array]
    derivative: Callable[[Any], Array]


def identity(z: ArrayLike) -> Array:
    """Return `z`: what an output layer of a regression, or of logits, does."""
    return np.asarray(z)


def sigmoid(z: ArrayLike) -> Array:
    r"""Return :math:`1/(1 + e^{-z})` without overflow for any `z`.

    Examples
    --------
    >>> sigmoid([0.0, -1000.0, 1000.0])
    array([0.5, 0. , 1. ])
    """
    z = np.asarray(z)
    e = np.exp(np.where(z.real > 0, -z, z))  # at most 1
    return np.where(z.real > 0, 1, e) / (1 + e)


def tanh(z: ArrayLike) -> Array:
    """Return the hyperbolic tangent of `z`."""
    return np.tanh(z)


def relu(z: ArrayLike) -> Array:
    """Return `z` where it is positive, else 0; the derivative at 0 is taken as 0.

    Examples
    --------
    >>> relu([-2.0, 0.0, 3.0])
    array([0., 0., 3.])
    """
    z = np.asarray(z)
    return np.where(z.real > 0, z, 0)


def leaky_relu(z: ArrayLike) -> Array:
    """Return `z` where it is positive, else a hundredth of it.

    Examples
    --------
    >>> leaky_relu([-2.0, 3.0])
    array([-0.02,  3.  ])
    """
    z = np.asarray(z)
    return np.where(z.real > 0, z, LEAK * z)


def gelu(z: ArrayLike) -> Array:
    r"""Return :math:`z\,\Phi(z)` with the distribution function of the standard Gaussian.

    The exact form, not the approximation by tanh.

    Examples
    --------
    >>> gelu([-1.0, 0.0, 1.0]).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    z = np.asarray(z)
    return z * _gaussian_cdf(z)


def softmax_jacobian(z: ArrayLike) -> Array:
    r"""Return :math:`\mathrm{diag}(p) - pp^T` with :math:`p` the softmax of `z`.

    Softmax mixes its components, so that its Jacobian is full and formula (5),
    :eq:`eq-backprop-5`, needs this matrix in place of a diagonal one.

    Parameters
    ----------
    z : array_like, shape (K,)
        Logits of one example.

    Returns
    -------
    ndarray, shape (K, K)
        Symmetric; each row sums to 0.

    Raises
    ------
    ValueError
        If `z` is not a vector of finite numbers.

    Examples
    --------
    >>> softmax_jacobian([0.0, 0.0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    p = softmax(array(z, "z", ndim=1))
    return np.diag(p) - np.outer(p, p)  # (K, K)


def softmax(z: ArrayLike) -> Array:
    r"""Return :math:`e^{z_k}/\sum_j e^{z_j}` along the last axis.

    :func:`coursekit.basics.softmax` without its checks: NaN passes through, for the training
    loop to report with the step and the learning rate, and complex numbers are welcome.

    Examples
    --------
    >>> softmax([0.0, np.log(3.0)])
    array([0.25, 0.75])
    """
    return np.exp(log_softmax(z))


def log_softmax(z: ArrayLike) -> Array:
    """Return the logarithm of :func:`softmax`, exact where that underflows.

    Examples
    --------
    >>> log_softmax([0.0, -1000.0])
    array([    0., -1000.])
    """
    z = np.asarray(z)
    z = z - z.real.max(axis=-1, keepdims=True)  # largest 0
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def activation(name: str) -> Phi:
    """Return a componentwise activation and its derivative by name.

    Parameters
    ----------
    name : {"identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu"}
        Which one.

    Returns
    -------
    Phi
        The pair of functions.

    Raises
    ------
    ValueError
        If there is no such activation; softmax is not componentwise and says so.

    Examples
    --------
    >>> phi = activation("tanh")
    >>> float(phi.value(0.0)), float(phi.derivative(0.0))
    (0.0, 1.0)
    >>> activation("softmax")
    Traceback (most recent call last):
    ValueError: softmax is not componentwise: each output depends on every input, so that it has \
a Jacobian (softmax_jacobian) and no derivative. Use the loss SOFTMAX_CROSS_ENTROPY on logits.
    """
    if name == "softmax":
        raise ValueError(
            "softmax is not componentwise: each output depends on every input, so that it has a "
            "Jacobian (softmax_jacobian) and no derivative. Use the loss SOFTMAX_CROSS_ENTROPY "
            "on logits."
        )
    if name not in _ALL:
        raise ValueError(f"no activation {name!r}; there are {', '.join(_ALL)}.")
    return _ALL[name]


def _gaussian_cdf(z: Array) -> Array:
    return 0.5 * (1 + erf(z / np.sqrt(2.0)))


def _gelu_derivative(z: ArrayLike) -> Array:
    z = np.asarray(z)
    return _gaussian_cdf(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _sigmoid_derivative(z: ArrayLike) -> Array:
    z = np.asarray(z)
    return sigmoid(z) * sigmoid(-z)  # 1 - sigmoid(z) would lose the small ones


_ALL = {
    "identity": Phi(identity, lambda z: np.ones_like(z)),
    "sigmoid": Phi(sigmoid, _sigmoid_derivative),
    "tanh": Phi(tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": Phi(relu, lambda z: np.where(np.asarray(z).real > 0, 1.0, 0.0)),
    "leaky_relu": Phi(leaky_relu, lambda z: np.where(np.asarray(z).real > 0, 1.0, LEAK)),
    "gelu": Phi(gelu, _gelu_derivative),
}
NAMES = tuple(_ALL)
"""The names that :func:`activation` knows."""
