"""Checks on arguments, with messages that say what came, what was wanted and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def array(
    x: ArrayLike,
    name: str,
    *,
    ndim: int | tuple[int, ...] | None = None,
    shape: tuple[int | None, ...] | None = None,
    dtype: Any = float,
    finite: bool = True,
) -> Array:
    """Return `x` as an array of `dtype`, or say what is wrong with it.

    Parameters
    ----------
    x : array_like
        What the caller passed.
    name : str
        The argument's name, for the message.
    ndim : int or tuple of int, optional
        Allowed numbers of axes.
    shape : tuple of int or None, optional
        Wanted shape; ``None`` stands for any length.
    dtype : dtype, default float
        Type to convert to.
    finite : bool, default True
        Whether NaN and infinity are refused.

    Raises
    ------
    TypeError
        If `x` cannot be converted to `dtype`.
    ValueError
        If the number of axes or the shape is wrong, or a value is NaN or infinite.

    Examples
    --------
    >>> array([1, 2, 3], "x", ndim=1)
    array([1., 2., 3.])
    >>> array([1.0, float("nan")], "x")
    Traceback (most recent call last):
    ValueError: x has 1 value that is NaN or infinite (the first at index 1). Remove or replace \
it first, for example x[np.isfinite(x)].
    """
    out = _convert(x, name, dtype)
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if allowed is not None and out.ndim not in allowed:
        axes = " or ".join(str(n) for n in allowed)
        raise ValueError(
            f"{name} has shape {out.shape}, which is {out.ndim} axes; {axes} wanted. "
            f"Use {name}.reshape(...) so that examples come first."
        )
    if shape is not None and not _fits(out.shape, shape):
        raise ValueError(f"{name} has shape {out.shape}; {_spell(shape)} wanted.")
    if finite and np.issubdtype(out.dtype, np.floating) and not np.isfinite(out).all():
        raise ValueError(_not_finite(out, name))
    return out


def positive(x: ArrayLike, name: str, *, zero: bool = False) -> Array:
    """Return `x` as float64, refusing values below zero (and zero itself unless `zero`).

    Raises
    ------
    ValueError
        If a value is negative, zero where it may not be, NaN or infinite.

    Examples
    --------
    >>> positive(-1.0, "variance")
    Traceback (most recent call last):
    ValueError: variance is -1; more than 0 wanted.
    """
    out = array(x, name)
    bad = out < 0 if zero else out <= 0
    if bad.any():
        wanted = "0 or more" if zero else "more than 0"
        raise ValueError(f"{name} is {out[bad].flat[0]:g}; {wanted} wanted.")
    return out


def count(n: Any, name: str, *, least: int = 1) -> int:
    """Return `n` as an int of at least `least`.

    Raises
    ------
    TypeError
        If `n` is not a whole number.
    ValueError
        If `n` is below `least`.

    Examples
    --------
    >>> count(0, "steps")
    Traceback (most recent call last):
    ValueError: steps is 0; a whole number of at least 1 wanted.
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise TypeError(f"{name} is {n!r}; a whole number of at least {least} wanted.")
    if n < least:
        raise ValueError(f"{name} is {n}; a whole number of at least {least} wanted.")
    return int(n)


def probabilities(p: ArrayLike, name: str) -> Array:
    """Return `p` as a vector of probabilities, shape (K,), that sums to 1.

    Raises
    ------
    ValueError
        If a value is negative or the sum is not 1 (within 1e-8).

    Examples
    --------
    >>> probabilities([0.5, 0.6], "p")
    Traceback (most recent call last):
    ValueError: p sums to 1.1; probabilities sum to 1. Divide by the sum: p / p.sum().
    """
    out: Array = positive(array(p, name, ndim=1), name, zero=True)
    if abs(out.sum() - 1.0) > 1e-8:
        raise ValueError(
            f"{name} sums to {out.sum():.6g}; probabilities sum to 1. "
            f"Divide by the sum: {name} / {name}.sum()."
        )
    return out


def labels(y: ArrayLike, name: str, *, m: int, classes: int | None = None) -> NDArray[np.int64]:
    """Return `y` as class labels, shape (m,), whole numbers 0 … classes - 1.

    Raises
    ------
    ValueError
        If the shape is wrong or a label is not a whole number in range.

    Examples
    --------
    >>> labels([0, 3], "y", m=2, classes=3)
    Traceback (most recent call last):
    ValueError: y has the label 3; with 3 classes, labels run from 0 to 2.
    """
    values = array(y, name, shape=(m,))
    out = values.astype(np.int64)
    if (out != values).any():
        raise ValueError(
            f"{name} has the label {values[out != values][0]:g}; class labels are whole numbers "
            "0, 1, 2, … (one number per example, not one-hot rows)."
        )
    top = np.inf if classes is None else classes - 1
    bad = (out < 0) | (out > top)
    if bad.any():
        raise ValueError(
            f"{name} has the label {out[bad][0]}; "
            + (
                "labels start at 0."
                if classes is None
                else f"with {classes} classes, labels run from 0 to {classes - 1}."
            )
        )
    return out


def generator(rng: Any, name: str = "rng") -> np.random.Generator:
    """Return `rng`, refusing anything but a NumPy generator.

    Raises
    ------
    TypeError
        If `rng` is something else, such as a bare seed or ``None``.

    Examples
    --------
    >>> generator(7)
    Traceback (most recent call last):
    TypeError: rng is 7; a random generator wanted. Pass np.random.default_rng(7).
    """
    if isinstance(rng, np.random.Generator):
        return rng
    seed = rng if isinstance(rng, int) else 0
    raise TypeError(
        f"{name} is {rng!r}; a random generator wanted. Pass np.random.default_rng({seed})."
    )


def _convert(x: ArrayLike, name: str, dtype: Any) -> Array:
    try:
        return np.asarray(x, dtype=dtype)
    except (TypeError, ValueError) as error:
        wanted = np.dtype(dtype).name
        raise TypeError(
            f"{name} is not an array of {wanted} ({error}). "
            "Pass numbers in rows of equal length, with no text and no None."
        ) from None


def _fits(got: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(got) == len(wanted) and all(
        w is None or g == w for g, w in zip(got, wanted, strict=True)
    )


def _spell(shape: tuple[int | None, ...]) -> str:
    sizes = ["any" if n is None else str(n) for n in shape]
    return "(" + ", ".join(sizes) + ("," if len(sizes) == 1 else "") + ")"


def _not_finite(x: Array, name: str) -> str:
    bad = np.argwhere(~np.isfinite(x))
    first = tuple(int(i) for i in bad[0])
    where = f" (the first at index {first[0] if len(first) == 1 else first})" if first else ""
    values, it = ("value that is", "it") if len(bad) == 1 else ("values that are", "them")
    return (
        f"{name} has {len(bad)} {values} NaN or infinite{where}. Remove or replace {it} first, "
        f"for example {name}[np.isfinite({name})]."
    )
