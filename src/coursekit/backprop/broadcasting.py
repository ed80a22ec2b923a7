"""Arithmetic of shapes: how NumPy repeats arrays, and how gradients add up again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coursekit._validate import Array


def broadcast(operation: Callable[..., Array], a: Array, b: Array) -> Array:
    """Return ``operation(a, b)``, or say which shapes do not go together.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.

    Examples
    --------
    >>> broadcast(np.add, np.ones((2, 3)), np.ones(2))
    Traceback (most recent call last):
    ValueError: shapes (2, 3) and (2,) do not broadcast: from the right, sizes must be equal or 1. \
Reshape one of them.
    """
    try:
        return operation(a, b)
    except ValueError:
        raise ValueError(
            f"shapes {a.shape} and {b.shape} do not broadcast: from the right, sizes must be "
            "equal or 1. Reshape one of them."
        ) from None


def matmul(a: Array, b: Array) -> Array:
    """Return ``a @ b`` for arrays of two axes or more, or say which shapes do not go together.

    Raises
    ------
    ValueError
        If an array is a vector, or the inner sizes differ.

    Examples
    --------
    >>> matmul(np.ones((2, 3)), np.ones((2, 3)))
    Traceback (most recent call last):
    ValueError: cannot multiply (2, 3) @ (2, 3): (…, m, n) @ (…, n, k) wanted. Transpose one, or \
reshape a vector to (n, 1).
    """
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError(
            f"cannot multiply {a.shape} @ {b.shape}: (…, m, n) @ (…, n, k) wanted. Transpose one, "
            "or reshape a vector to (n, 1)."
        )
    return a @ b


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which an array of `shape` was repeated.

    What was copied forward collects the gradients of its copies backward: formula (4) for a
    number that several others depend on.

    Examples
    --------
    >>> unbroadcast(np.ones((4, 3)), (3,))
    array([4., 4., 4.])
    """
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    repeated = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=repeated, keepdims=True)


def spread(g: Array, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Array:
    """Repeat the gradient of a reduction along `axis` over the `shape` that was reduced.

    Examples
    --------
    >>> spread(np.array([1.0, 2.0]), (2, 3), axis=1, keepdims=False)
    array([[1., 1., 1.],
           [2., 2., 2.]])
    """
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, shape)
