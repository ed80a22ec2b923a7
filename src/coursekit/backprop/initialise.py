r"""Initial weights, and how the scale of signals travels through a deep network.

A layer of n_in inputs multiplies the variance of its signal by n_in times that of its weights,
and on the way back by n_out times; a good start keeps both near one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from coursekit._validate import Array, count, generator
from coursekit.backprop.activations import activation
from coursekit.backprop.network import Activation, Affine, Layer, Network

Initialiser = Callable[[Sequence[int], np.random.Generator], Array]


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return (fan_in, fan_out): how many numbers a unit listens to, and how many listen to it.

    Parameters
    ----------
    shape : sequence of int
        (n_out, n_in) of a dense layer or (C_out, C_in, kH, kW) of a convolution.

    Raises
    ------
    ValueError
        If there are fewer than two axes.

    Examples
    --------
    >>> fans((10, 64)), fans((16, 3, 5, 5))
    ((64, 10), (75, 400))
    """
    if len(shape) < 2:
        raise ValueError(
            f"weights of shape {tuple(shape)} have no fan; (n_out, n_in) or (C_out, C_in, kH, kW) "
            "wanted. Biases start at zero."
        )
    field = int(np.prod(shape[2:], initial=1))
    return shape[1] * field, shape[0] * field


def xavier_normal(shape: Sequence[int], rng: np.random.Generator, gain: float = 1.0) -> Array:
    r"""Draw Gaussian weights of variance :math:`2g^2/(n_{in} + n_{out})`.

    Implements :eq:`eq-backprop-xavier`: the compromise between keeping the variance on the way
    forward (1/n_in) and on the way back (1/n_out), for activations of slope one at 0, such as
    tanh. Glorot and Bengio (2010).

    Parameters
    ----------
    shape : sequence of int
        As in :func:`fans`.
    rng : numpy.random.Generator
        Source of randomness.
    gain : float, default 1
        Factor g on the standard deviation.

    Returns
    -------
    ndarray of `shape`

    Raises
    ------
    TypeError, ValueError
        If `rng` is no generator or `shape` has fewer than two axes.

    Examples
    --------
    >>> xavier_normal((300, 500), np.random.default_rng(0)).std().round(3)
    np.float64(0.05)
    """
    return _normal(shape, rng, gain * np.sqrt(2 / sum(fans(shape))))


def xavier_uniform(shape: Sequence[int], rng: np.random.Generator, gain: float = 1.0) -> Array:
    r"""Draw weights uniformly with the variance of :func:`xavier_normal`.

    The bound is :math:`g\sqrt{6/(n_{in} + n_{out})}`, since a uniform law on [-a, a] has variance
    a^2/3: :eq:`eq-backprop-xavier`. Arguments, result and errors as there.

    Examples
    --------
    >>> bool(np.abs(xavier_uniform((30, 30), np.random.default_rng(0))).max() < np.sqrt(0.1))
    True
    """
    return _uniform(shape, rng, gain * np.sqrt(2 / sum(fans(shape))))


def he_normal(shape: Sequence[int], rng: np.random.Generator, gain: float = 1.0) -> Array:
    r"""Draw Gaussian weights of variance :math:`2g^2/n_{in}`.

    Implements :eq:`eq-backprop-he`: a rectifier sets half of the squared signal to zero, and
    the factor 2 makes up for it. He et al. (2015). Arguments, result and errors as in
    :func:`xavier_normal`.

    Examples
    --------
    >>> he_normal((300, 800), np.random.default_rng(0)).std().round(3)
    np.float64(0.05)
    """
    return _normal(shape, rng, gain * np.sqrt(2 / fans(shape)[0]))


def he_uniform(shape: Sequence[int], rng: np.random.Generator, gain: float = 1.0) -> Array:
    r"""Draw weights uniformly with the variance of :func:`he_normal`, :eq:`eq-backprop-he`.

    Arguments, result and errors as in :func:`xavier_normal`.

    Examples
    --------
    >>> bool(np.abs(he_uniform((5, 600), np.random.default_rng(0))).max() < 0.1)
    True
    """
    return _uniform(shape, rng, gain * np.sqrt(2 / fans(shape)[0]))


class Scales(NamedTuple):
    """Root mean squares of signals by depth.

    Attributes
    ----------
    forward : ndarray, shape (depth + 1,)
        Of the outputs, the input's first.
    backward : ndarray, shape (depth + 1,)
        Of the gradients with respect to those outputs; the last is the one sent in.
    """

    forward: Array
    backward: Array


def activation_scales(
    depth: int,
    init: Initialiser,
    hidden: str = "relu",
    *,
    width: int = 128,
    examples: int = 64,
    rng: np.random.Generator,
) -> Scales:
    """Measure how signals grow or vanish on the way through a deep network, and back.

    Standard Gaussian inputs go forward and standard Gaussian gradients come back.

    Parameters
    ----------
    depth : int
        Number of layers.
    init : callable, (shape, rng) -> ndarray
        Draws the weights, for example :func:`he_normal`.
    hidden : str, default "relu"
        Activation of every layer.
    width, examples : int
        Units a layer, and rows that go through.
    rng : numpy.random.Generator
        Source of weights, inputs and gradients.

    Returns
    -------
    Scales

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or size.

    Examples
    --------
    >>> scales = activation_scales(20, xavier_normal, "relu", rng=np.random.default_rng(0))
    >>> bool(scales.forward[-1] < 1e-2)
    True
    """
    phi, rng = activation(hidden), generator(rng)
    n, m = count(width, "width"), count(examples, "examples")
    weights = [init((n, n), rng) for _ in range(count(depth, "depth"))]
    outputs, inputs = [rng.normal(size=(m, n))], []
    for W in weights:
        inputs.append(outputs[-1] @ W.T)
        outputs.append(phi.value(inputs[-1]))
    grads = [rng.normal(size=(m, n))]
    for W, Z in zip(reversed(weights), reversed(inputs), strict=True):
        grads.append((phi.derivative(Z) * grads[-1]) @ W)  # (5), then (8)
    return Scales(_rms(outputs), _rms(grads[::-1]))


def dense_network(
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    hidden: str = "tanh",
    output: str = "identity",
) -> Network:
    r"""Return a network of random weights with standard deviation :math:`1/\sqrt{n_{i-1}}`.

    Parameters
    ----------
    sizes : sequence of int
        Widths n_0, n_1, …, n_d.
    rng : numpy.random.Generator
        Source of the weights; biases are drawn too, so that a gradient check sees them.
    hidden, output : str
        Activations of the layers before the last, and of the last.

    Returns
    -------
    Network

    Examples
    --------
    >>> [p.shape for p in dense_network([4, 3, 2], np.random.default_rng(0)).parameters]
    [(3, 4), (3,), (2, 3), (2,)]
    """
    rng = generator(rng)
    layers: list[Layer] = []
    for n_in, n_out in pairwise(sizes):
        scale = 1 / np.sqrt(n_in)
        layers += [Affine(scale * rng.normal(size=(n_out, n_in)), scale * rng.normal(size=n_out))]
        layers += [Activation(hidden)]
    layers[-1] = Activation(output)
    return Network(layers)


def _normal(shape: Sequence[int], rng: np.random.Generator, std: float) -> Array:
    return std * generator(rng).normal(size=shape)


def _uniform(shape: Sequence[int], rng: np.random.Generator, std: float) -> Array:
    bound = np.sqrt(3) * std
    return generator(rng).uniform(-bound, bound, size=shape)


def _rms(signals: Sequence[Array]) -> Array:
    return np.array([np.sqrt(np.mean(s**2)) for s in signals])
