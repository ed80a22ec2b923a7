"""Four-bit numbers that share a scale: the block formats MXFP4 and NVFP4."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from coursekit.hardware.formats import FP4_E2M1, FP8_E4M3, Array, FloatFormat, round_to

SMALLEST_SHARED, LARGEST_SHARED = -127, 127
"""Exponents that a scale of eight exponent bits and nothing else (E8M0) can have."""


def shared_exponents(x: ArrayLike, format: FloatFormat = FP4_E2M1, block: int = 32) -> Array:
    r"""Return the scale of each block as a power of two, as OCP's microscaling formats set it.

    Implements the scale of :eq:`eq-hardware-block-scale`: the exponent of the block's largest
    magnitude, less the largest exponent that the element's format has.

    Parameters
    ----------
    x : array_like, shape (..., n)
        Numbers; n is a multiple of `block`.
    format : FloatFormat
        Of the elements.
    block : int, default 32
        Neighbours in a row that share a scale.

    Returns
    -------
    array, shape (..., n / block)
        Powers of two.

    Raises
    ------
    ValueError
        If n is not a multiple of `block`.

    Examples
    --------
    >>> shared_exponents([1.0, -20.0, 3.0, 0.1], block=4)
    array([4.])
    """
    largest = np.abs(_in_blocks(x, block)).max(-1)  # (..., blocks)
    _, exponent = np.frexp(largest)
    _, top = np.frexp(format.largest)
    shared = np.where(largest > 0, exponent - top, SMALLEST_SHARED)
    return np.ldexp(1.0, np.clip(shared, SMALLEST_SHARED, LARGEST_SHARED))


def microscale(x: ArrayLike, format: FloatFormat = FP4_E2M1, block: int = 32) -> Array:
    r"""Round to a microscaling format: a power of two for each block, small floats inside.

    Implements :eq:`eq-hardware-block-scale`, as in the Open Compute Project's MX specification.
    With the defaults it is MXFP4, 4.25 bits a number.

    Parameters
    ----------
    x, format, block
        As in :func:`shared_exponents`.

    Returns
    -------
    array, shape of x
        The rounded numbers. What would exceed the largest element takes its value.

    Examples
    --------
    >>> microscale([1.0, -20.0, 3.0, 0.1], block=4)
    array([  0., -16.,   4.,   0.])
    """
    blocks = _in_blocks(x, block)
    scale = shared_exponents(x, format, block)[..., None]
    limit = format.largest
    rounded = round_to(np.clip(blocks / scale, -limit, limit), format) * scale
    return rounded.reshape(np.shape(x))


def nvfp4(x: ArrayLike, block: int = 16) -> Array:
    r"""Round to NVIDIA's four-bit format: an E4M3 scale a block, and one float32 for the tensor.

    The scale follows the block's largest magnitude more closely than a power of two can, for 4.5
    bits a number.

    Parameters
    ----------
    x : array_like, shape (..., n)
        Numbers; n is a multiple of `block`.
    block : int, default 16
        Neighbours in a row that share a scale.

    Returns
    -------
    array, shape of x
        The rounded numbers.

    Raises
    ------
    ValueError
        If n is not a multiple of `block`.

    Examples
    --------
    >>> nvfp4([6.0, -3.0, 1.1, 0.1], block=4)
    array([ 6., -3.,  1.,  0.])
    """
    blocks = _in_blocks(x, block)
    largest = np.abs(blocks).max(-1, keepdims=True)  # (..., blocks, 1)
    whole = float(largest.max()) / (FP8_E4M3.largest * FP4_E2M1.largest) or 1.0
    scale = round_to(largest / FP4_E2M1.largest / whole, FP8_E4M3) * whole
    safe = np.where(scale > 0, scale, 1.0)
    return (round_to(blocks / safe, FP4_E2M1) * scale).reshape(np.shape(x))


def bits_per_number(bits: int, block: int, scale_bits: int = 8) -> float:
    """Return the bits that a number takes with its share of the block's scale.

    Examples
    --------
    >>> bits_per_number(4, block=32), bits_per_number(4, block=16)
    (4.25, 4.5)
    """
    return bits + scale_bits / block


def _in_blocks(x: ArrayLike, block: int) -> Array:
    """(..., n) -> (..., n / block, block)."""
    x = np.asarray(x, dtype=np.float64)
    if block < 1 or x.ndim == 0 or x.shape[-1] % block or not x.size:
        raise ValueError(
            f"rows of length {x.shape[-1] if x.ndim else 0} are not whole blocks of {block}; "
            "pad the row or choose a block that divides it."
        )
    return x.reshape(*x.shape[:-1], -1, block)
