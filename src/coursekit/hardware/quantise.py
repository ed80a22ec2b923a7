"""Whole numbers for weights after training: one scale for a tensor, a channel or a group."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coursekit._validate import array

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Quantised:
    """A tensor as small whole numbers with scales.

    Parameters
    ----------
    codes : array of int
        Whole numbers, shape (rows, groups, columns of a group), or the tensor's with one scale.
    scale, zero : array
        What a step is worth and the code of 0, broadcastable to `codes`.
    shape : tuple
        Of the tensor.
    bits : int
        Of a code.

    Examples
    --------
    >>> q = quantise([[1.0, -2.0], [0.5, 0.25]], bits=8)
    >>> q.codes.ravel().tolist(), q.bits_per_number()
    ([64, -127, 32, 16], 16.0)
    """

    codes: NDArray[np.int64]
    scale: Array
    zero: NDArray[np.int64]
    shape: tuple[int, ...]
    bits: int

    def numbers(self) -> Array:
        """Return the numbers that the codes stand for, in the tensor's shape."""
        return ((self.codes - self.zero) * self.scale).reshape(self.shape)

    def bits_per_number(self, scale_bits: int = 32) -> float:
        """Return the bits that a number takes, with its share of the scales."""
        return self.bits + scale_bits * self.scale.size / self.codes.size


def quantise(
    x: ArrayLike, bits: int, *, per: str = "tensor", group: int = 64, symmetric: bool = True
) -> Quantised:
    r"""Quantise a matrix of weights, with no training and no data.

    Implements :eq:`eq-hardware-quantise`. Symmetric codes run from
    :math:`-(2^{b-1}-1)` to :math:`2^{b-1}-1`, and 0 stays 0; asymmetric ones use all :math:`2^b`
    codes between the least and the greatest number.

    Parameters
    ----------
    x : array_like, shape (rows, columns)
        Weights; a row is an output channel, as in torch's ``Linear.weight``.
    bits : int
        Of a code, 2 to 8.
    per : {"tensor", "channel", "group"}
        What shares a scale: everything, a row, or `group` neighbours of a row.
    group : int, default 64
        Neighbours that share a scale.
    symmetric : bool, default True
        Whether the scale follows the largest magnitude alone.

    Raises
    ------
    ValueError
        If `bits` is out of range, `per` unknown, `x` no finite matrix, or a row no whole groups.

    Examples
    --------
    >>> quantise([[0.9, -0.1, 0.4, 0.0]], bits=4).numbers().round(3)
    array([[ 0.9  , -0.129,  0.386,  0.   ]])
    """
    if not 2 <= bits <= 8:
        raise ValueError(f"bits is {bits}; 2 to 8 wanted.")
    x = array(x, "x", ndim=2)
    parts = x.reshape(_parts(x.shape, per, group))  # (1, all), (rows, 1, columns) or in groups
    top = 2 ** (bits - 1) - 1
    if symmetric:
        scale = np.abs(parts).max(-1, keepdims=True) / top
        zero, low = np.zeros(scale.shape, dtype=np.int64), -top
    else:
        least, most = (f(parts, -1, 0.0) for f in (_least, _most))
        scale, low = (most - least) / (2**bits - 1), -top - 1
        zero = np.rint(low - least / np.where(scale > 0, scale, 1)).astype(np.int64)
    step = np.where(scale > 0, scale, 1.0)
    codes = np.clip(np.rint(parts / step) + zero, low, top).astype(np.int64)
    return Quantised(codes, scale, zero, x.shape, bits)


def _least(parts: Array, axis: int, bound: float) -> Array:
    return np.minimum(parts.min(axis, keepdims=True), bound)  # 0 must be among the numbers


def _most(parts: Array, axis: int, bound: float) -> Array:
    return np.maximum(parts.max(axis, keepdims=True), bound)


def _parts(shape: tuple[int, ...], per: str, group: int) -> tuple[int, ...]:
    """The shape in which the last axis shares a scale."""
    rows, columns = shape
    if per == "tensor":
        return (1, rows * columns)
    if per == "channel":
        return (rows, columns)
    if per != "group":
        raise ValueError(f"per is {per!r}; 'tensor', 'channel' or 'group' wanted.")
    if group < 1 or columns % group:
        raise ValueError(
            f"rows of {columns} are not whole groups of {group}; choose a group that divides."
        )
    return (rows, columns // group, group)


def signal_to_noise(x: ArrayLike, rounded: ArrayLike) -> float:
    r"""Return :math:`10\log_{10}(\sum x^2/\sum(x-\hat x)^2)`, in decibels; about 6 for each bit.

    Parameters
    ----------
    x, rounded : array_like, the same shape
        Numbers before and after.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> round(signal_to_noise([1.0, 1.0], [1.0, 0.9]), 2)
    23.01
    """
    x, rounded = np.asarray(x, float), np.asarray(rounded, float)
    if x.shape != rounded.shape:
        raise ValueError(f"x has shape {x.shape} and rounded {rounded.shape}; the same is wanted.")
    noise = float(np.square(x - rounded).sum())
    return math.inf if noise == 0 else 10 * math.log10(float(np.square(x).sum()) / noise)
