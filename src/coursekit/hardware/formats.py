"""Number formats down to four bits, bit for bit: what they hold, and rounding into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.uint32]


@dataclass(frozen=True)
class FloatFormat:
    r"""A binary floating-point format.

    Parameters
    ----------
    name : str
        As the course and torch call it.
    exponent_bits, mantissa_bits : int
        Widths of the two fields; one bit more is the sign.
    top : {"ieee", "fn", "finite"}
        What the largest codes are for: infinities and NaN as in IEEE 754; one NaN and no infinity
        ("fn", the OCP's E4M3); numbers throughout ("finite", E2M1).

    Examples
    --------
    >>> FP8_E4M3.largest, FP8_E4M3.smallest_normal, FP8_E4M3.bits
    (448.0, 0.015625, 8)
    """

    name: str
    exponent_bits: int
    mantissa_bits: int
    top: str = "ieee"

    @property
    def bits(self) -> int:
        """Bits of the fields together, sign included (TF32 has 19, and takes 32 in memory)."""
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def bias(self) -> int:
        """What is subtracted from the exponent field."""
        return int(2 ** (self.exponent_bits - 1)) - 1

    @property
    def smallest_normal(self) -> float:
        """The least positive number with full precision."""
        return 2.0 ** (1 - self.bias)

    @property
    def smallest(self) -> float:
        """The least positive number, a subnormal one."""
        return self.smallest_normal * 2.0**-self.mantissa_bits

    @property
    def largest(self) -> float:
        """The greatest finite number."""
        field = 2**self.exponent_bits - (2 if self.top == "ieee" else 1)
        steps = 2**self.mantissa_bits - (2 if self.top == "fn" else 1)
        return 2.0 ** (field - self.bias) * (1 + steps * 2.0**-self.mantissa_bits)

    @property
    def epsilon(self) -> float:
        """The gap after 1; a normal number is rounded by at most half of it, relatively."""
        return 2.0**-self.mantissa_bits


FP32 = FloatFormat("fp32", 8, 23)
TF32 = FloatFormat("tf32", 8, 10)
BF16 = FloatFormat("bf16", 8, 7)
FP16 = FloatFormat("fp16", 5, 10)
FP8_E4M3 = FloatFormat("fp8 e4m3", 4, 3, "fn")
FP8_E5M2 = FloatFormat("fp8 e5m2", 5, 2)
FP4_E2M1 = FloatFormat("fp4 e2m1", 2, 1, "finite")
FORMATS = (FP32, TF32, BF16, FP16, FP8_E4M3, FP8_E5M2, FP4_E2M1)
"""All formats here, the wide ones first."""


def round_to(x: ArrayLike, format: FloatFormat, *, saturate: bool = False) -> Array:
    r"""Round to the nearest number of a format, ties to the even one.

    Implements :eq:`eq-hardware-rounding`. Beyond the largest number the result is infinity in an
    IEEE format, NaN in E4M3 and the largest number in E2M1. Casts to E4M3 differ here: ml_dtypes
    gives NaN, recent versions of torch the largest number.

    Parameters
    ----------
    x : array_like, any shape
        Numbers that float64 holds.
    format : FloatFormat
        Where to.
    saturate : bool, default False
        Whether a finite number beyond the largest becomes the largest, in every format.

    Returns
    -------
    array, shape of x
        The rounded numbers, as float64.

    Examples
    --------
    >>> round_to([0.3, 2.5, 5.0, 9.0], FP4_E2M1)
    array([0.5, 2. , 4. , 6. ])
    """
    x = np.asarray(x, dtype=np.float64)
    if saturate:
        x = np.where(np.isfinite(x), np.clip(x, -format.largest, format.largest), x)
    _, exponent = np.frexp(x)  # |x| = fraction * 2**exponent, fraction in [1/2, 1)
    exponent = np.maximum(exponent - 1, 1 - format.bias)  # below, the gap stays: subnormal
    gap = np.ldexp(1.0, exponent - format.mantissa_bits)
    with np.errstate(invalid="ignore"):
        rounded: Array = np.rint(x / gap) * gap  # rint breaks ties to even
    return _too_large(rounded, format)


def _too_large(rounded: Array, format: FloatFormat) -> Array:
    """Replace what the format cannot hold."""
    beyond = np.abs(rounded) > format.largest
    instead = {"ieee": np.inf, "fn": np.nan, "finite": format.largest}[format.top]
    return np.where(beyond, np.copysign(instead, rounded), rounded)


def encode(x: ArrayLike, format: FloatFormat, *, saturate: bool = False) -> Codes:
    """Return the bit patterns of numbers once rounded, sign bit first.

    Parameters
    ----------
    x : array_like, any shape
        Numbers.
    format : FloatFormat
        The format.
    saturate : bool, default False
        As in :func:`round_to`.

    Raises
    ------
    ValueError
        If there is a NaN and the format has none.

    Examples
    --------
    >>> [f"{code:04b}" for code in encode([0.5, -6.0], FP4_E2M1)]
    ['0001', '1111']
    """
    value = round_to(x, format, saturate=saturate)
    m, bias = format.mantissa_bits, format.bias
    magnitude, finite = np.abs(value), np.isfinite(value)
    if format.top == "finite" and np.isnan(value).any():
        raise ValueError(f"{format.name} has no NaN; replace NaN before you encode.")
    _, exponent = np.frexp(np.where(finite, magnitude, 0.0))
    exponent = np.where(magnitude < format.smallest_normal, 1 - bias, exponent - 1)
    steps = np.ldexp(np.where(finite, magnitude, 0.0), m - exponent).astype(np.uint32)
    field = np.where(steps >> m, exponent + bias, 0).astype(np.uint32)  # no leading one: subnormal
    code = (field << m) | (steps & ((1 << m) - 1))
    code = np.where(np.isinf(value), _infinity(format), code)
    code = np.where(np.isnan(value), _nan(format), code)
    return (code | (np.signbit(value).astype(np.uint32) << (format.bits - 1))).astype(np.uint32)


def _infinity(format: FloatFormat) -> int:
    return ((1 << format.exponent_bits) - 1) << format.mantissa_bits


def _nan(format: FloatFormat) -> int:
    """The pattern that casts give: all ones in E4M3, the quiet bit alone elsewhere."""
    if format.top == "fn":
        return int((1 << (format.bits - 1)) - 1)
    return _infinity(format) | (1 << (format.mantissa_bits - 1))


def decode(codes: ArrayLike, format: FloatFormat) -> Array:
    r"""Return the numbers that bit patterns stand for.

    Implements :eq:`eq-hardware-float`.

    Parameters
    ----------
    codes : array_like of int, any shape
        Patterns, sign bit first.
    format : FloatFormat
        Their format.

    Raises
    ------
    ValueError
        If a code has more bits than the format.

    Examples
    --------
    >>> decode(range(8), FP4_E2M1)
    array([0. , 0.5, 1. , 1.5, 2. , 3. , 4. , 6. ])
    """
    codes = np.asarray(codes, dtype=np.int64)
    if codes.size and not 0 <= codes.min() <= codes.max() < 2**format.bits:
        raise ValueError(
            f"codes run from {codes.min()} to {codes.max()}; {format.name} has {format.bits} bits, "
            f"so 0 to {2**format.bits - 1} are wanted."
        )
    m = format.mantissa_bits
    sign = np.where(codes >> (format.bits - 1), -1.0, 1.0)
    field = (codes >> m) & ((1 << format.exponent_bits) - 1)
    mantissa = codes & ((1 << m) - 1)
    normal = field > 0
    value = np.ldexp(
        mantissa * 2.0**-m + normal, np.where(normal, field - format.bias, 1 - format.bias)
    )
    return sign * _special(value, field, mantissa, format)


def _special(
    value: Array, field: NDArray[Any], mantissa: NDArray[Any], format: FloatFormat
) -> Array:
    """Put infinities and NaN where the format has them."""
    last = field == 2**format.exponent_bits - 1
    if format.top == "ieee":
        return np.where(last, np.where(mantissa == 0, np.inf, np.nan), value)
    if format.top == "fn":
        return np.where(last & (mantissa == 2**format.mantissa_bits - 1), np.nan, value)
    return value


def values_of(format: FloatFormat) -> Array:
    """Return every finite number of a format of at most 16 bits, sorted, zero once.

    Raises
    ------
    ValueError
        If the format has more than 16 bits: there are too many to list.

    Examples
    --------
    >>> len(values_of(FP4_E2M1)), len(values_of(FP8_E4M3))
    (15, 253)
    """
    if format.bits > 16:
        raise ValueError(f"{format.name} has {2**format.bits:,} codes; at most 65,536 are listed.")
    numbers = decode(np.arange(2**format.bits), format)
    return np.unique(numbers[np.isfinite(numbers)]) + 0.0  # no negative zero
