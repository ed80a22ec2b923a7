r"""Batch and layer normalisation, forward and backward.

Both subtract a mean and divide by a standard deviation, then let two learned
parameters, `scale` and `shift`, undo it where that is better. They differ in what the mean runs
over: batch normalisation over the examples, layer normalisation over the features.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coursekit._validate import Array, array

EPS = 1e-5


class Normalised(NamedTuple):
    """What a normalisation returns, and keeps for the way back.

    Attributes
    ----------
    Y : ndarray, shape of X
        The result.
    standard : ndarray, shape of X
        Before scale and shift: mean 0, variance 1.
    mean, variance : ndarray
        Subtracted and divided by; axes of length one where they run.
    axes : tuple of int
        The axes they run over.
    """

    Y: Array
    standard: Array
    mean: Array
    variance: Array
    axes: tuple[int, ...]


class NormGradient(NamedTuple):
    """Gradients of a normalisation, of the shapes of `scale`, `shift` and `X`."""

    scale: Array
    shift: Array
    X: Array


def batch_norm(X: Array, scale: Array, shift: Array, *, eps: float = EPS) -> Normalised:
    r"""Normalise each feature, or channel, over the examples of the batch.

    Implements :eq:`eq-backprop-batchnorm`, Ioffe and Szegedy (2015), in training; the variance
    divides by m.

    Parameters
    ----------
    X : ndarray, shape (m, n) or (m, C, H, W)
        Images share one mean a channel, over examples and places.
    scale, shift : ndarray, shape (n,) or (C,)
        Learned parameters; 1 and 0 at the start.
    eps : float, default 1e-5
        Added to the variance.

    Returns
    -------
    Normalised

    Raises
    ------
    ValueError
        If a shape does not fit, or one number a feature leaves no variance.

    Examples
    --------
    >>> batch_norm(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1)).Y.round(3)
    array([[-1.],
           [ 1.]])
    """
    X, axes = _images(X)
    if X.size == X.shape[1]:
        raise ValueError(
            f"X has shape {X.shape}: one number a feature has no variance. Use a larger batch, or "
            "batch_norm_inference with running averages."
        )
    mean, variance = X.mean(axes, keepdims=True), X.var(axes, keepdims=True)
    return _normalise(X, mean, variance, axes, scale, shift, eps)


def batch_norm_inference(
    X: Array, scale: Array, shift: Array, mean: Array, variance: Array, *, eps: float = EPS
) -> Array:
    """Normalise with averages kept from training, so that an example stands alone.

    Parameters
    ----------
    X, scale, shift, eps
        As in :func:`batch_norm`.
    mean, variance : ndarray, shape (n,) or (C,)
        Running averages.

    Returns
    -------
    ndarray, shape of `X`

    Raises
    ------
    ValueError
        If a shape does not fit.

    Examples
    --------
    >>> one = np.ones(1)
    >>> batch_norm_inference(np.array([[5.0]]), one, 0 * one, 3 * one, 4 * one, eps=0.0)
    array([[1.]])
    """
    X, axes = _images(X)
    mean, variance = _align(mean, "mean", X, axes), _align(variance, "variance", X, axes)
    return _normalise(X, mean, variance, axes, scale, shift, eps).Y


def layer_norm(X: Array, scale: Array, shift: Array, *, eps: float = EPS) -> Normalised:
    r"""Normalise each example over its last axis.

    Implements :eq:`eq-backprop-layernorm`, Ba, Kiros and Hinton (2016). No batch takes part, so
    that training and inference are the same.

    Parameters
    ----------
    X : ndarray, shape (..., n)
        Examples.
    scale, shift : ndarray, shape (n,)
        Learned parameters; 1 and 0 at the start.
    eps : float, default 1e-5
        Added to the variance.

    Returns
    -------
    Normalised

    Raises
    ------
    ValueError
        If a shape does not fit.

    Examples
    --------
    >>> layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), np.ones(2), np.zeros(2)).Y.round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    X = array(X, "X", finite=False)
    mean, variance = X.mean(-1, keepdims=True), X.var(-1, keepdims=True)
    return _normalise(X, mean, variance, (X.ndim - 1,), scale, shift, eps)


def norm_backward(
    grad: Array, forward: Normalised, scale: Array, *, eps: float = EPS
) -> NormGradient:
    r"""Return the gradients of :func:`batch_norm` or :func:`layer_norm`.

    The mean and the variance depend on every number they run over, which subtracts from the
    gradient its mean and its part along the standardised input:
    :math:`\nabla_X = (g - \bar g - \hat x\,\overline{g\hat x})/\sigma`.

    Parameters
    ----------
    grad : ndarray, shape of X
        Gradient with respect to the result.
    forward : Normalised
        What the forward pass returned.
    scale : ndarray
        As in the forward pass.
    eps : float
        As in the forward pass.

    Returns
    -------
    NormGradient

    Examples
    --------
    >>> forward = layer_norm(np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2))
    >>> norm_backward(np.array([[1.0, 1.0]]), forward, np.ones(2)).X
    array([[0., 0.]])
    """
    axes, x = forward.axes, forward.standard
    batch = 0 in axes and grad.ndim > 1
    over = axes if batch else tuple(range(grad.ndim - 1))  # axes that `scale` was repeated along
    g = grad * (_align(scale, "scale", x, axes) if batch else scale)
    g = g - g.mean(axes, keepdims=True) - x * (g * x).mean(axes, keepdims=True)
    X = g / np.sqrt(forward.variance + eps)
    return NormGradient((grad * x).sum(over), grad.sum(over), X)


def _images(X: Array) -> tuple[Array, tuple[int, ...]]:
    X = array(X, "X", ndim=(2, 4), finite=False)
    return X, ((0,) if X.ndim == 2 else (0, 2, 3))


def _align(v: Array, name: str, X: Array, axes: tuple[int, ...]) -> Array:
    """Return a vector of one number a feature with the axes of `X`."""
    if 0 not in axes or X.ndim == 1:
        return array(v, name, shape=X.shape[-1:])
    return array(v, name, shape=(X.shape[1],)).reshape([1, -1] + [1] * (X.ndim - 2))


def _normalise(
    X: Array,
    mean: Array,
    variance: Array,
    axes: tuple[int, ...],
    scale: Array,
    shift: Array,
    eps: float,
) -> Normalised:
    standard = (X - mean) / np.sqrt(variance + eps)
    Y = _align(scale, "scale", X, axes) * standard + _align(shift, "shift", X, axes)
    return Normalised(Y, standard, mean, variance, axes)
