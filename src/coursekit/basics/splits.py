"""Splits: rows to learn from, rows to choose with, rows to judge by, and how they leak."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coursekit._validate import Array, array, count, generator, labels, positive
from coursekit.data.datasets import Split

Indices = NDArray[np.int64]


def train_validation_test(
    y: int | ArrayLike,
    fractions: Sequence[float] = (0.6, 0.2, 0.2),
    *,
    rng: np.random.Generator,
    stratify: bool = True,
) -> Split:
    """Return a random split of the rows into three disjoint parts.

    Parameters
    ----------
    y : int or array_like of int, shape (m,)
        The number of rows, or the rows' class labels, whose shares every part then keeps.
    fractions : three floats
        Shares of train, validation and test, which sum to 1.
    rng : numpy.random.Generator
        Source of the shuffle.
    stratify : bool
        Whether to keep the classes' shares; has no effect when `y` is a number.

    Returns
    -------
    Split
        Named tuple ``(train, validation, test)`` of row indices, in rising order.

    Raises
    ------
    TypeError, ValueError
        If the fractions do not sum to 1, a part would be empty, or `rng` is no generator.

    Examples
    --------
    >>> split = train_validation_test(10, rng=np.random.default_rng(0))
    >>> [len(part) for part in split]
    [6, 2, 2]
    """
    y = (
        np.zeros(count(y, "y"), dtype=np.int64)
        if isinstance(y, int | np.integer)
        else np.asarray(y)
    )
    classes = labels(y, "y", m=y.size) if stratify else np.zeros(y.size, dtype=np.int64)
    part = np.empty(len(classes), dtype=np.int64)
    for k in np.unique(classes):
        rows = generator(rng).permutation(np.flatnonzero(classes == k))
        part[rows] = _deal(len(rows), fractions)
    return _parts(part)


def group_split(
    groups: ArrayLike,
    fractions: Sequence[float] = (0.6, 0.2, 0.2),
    *,
    rng: np.random.Generator,
) -> Split:
    """Return a random split that keeps each group (a writer, a patient) in one part.

    Parameters
    ----------
    groups : array_like of int, shape (m,)
        The group that each row belongs to.
    fractions : three floats
        Shares of the groups, which sum to 1; shares of rows follow as the groups' sizes allow.
    rng : numpy.random.Generator
        Source of the shuffle.

    Returns
    -------
    Split
        Named tuple ``(train, validation, test)`` of row indices, in rising order.

    Raises
    ------
    TypeError, ValueError
        If the fractions do not sum to 1, a part would be empty, or `rng` is no generator.

    Examples
    --------
    >>> split = group_split([0, 0, 1, 1, 2, 2], (1/3, 1/3, 1/3), rng=np.random.default_rng(0))
    >>> [len(part) for part in split]
    [2, 2, 2]
    """
    _, member = np.unique(np.asarray(groups), return_inverse=True)  # (m,), groups 0 … G - 1
    order = generator(rng).permutation(member.max() + 1)
    part = np.empty(len(order), dtype=np.int64)
    part[order] = _deal(len(order), fractions)
    return _parts(part[member])


def near_duplicates(
    X: ArrayLike, y: ArrayLike, copies: int, noise: float, rng: np.random.Generator
) -> tuple[Array, Array, Indices]:
    """Return every row several times with a little noise, as careless augmentation does.

    A random split of the result puts near-copies of training rows into the test part, and the
    test then rewards memory; :func:`group_split` on the third result keeps copies together.

    Parameters
    ----------
    X : array_like, shape (m, n)
        Features.
    y : array_like, shape (m,)
        Targets.
    copies : int
        How often each row appears.
    noise : float
        Standard deviation of the noise on each feature, 0 or more.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    X : ndarray, shape (m * copies, n)
        Noisy rows.
    y : ndarray, shape (m * copies,)
        Their targets.
    groups : ndarray of int64, shape (m * copies,)
        The row that each was made from.

    Raises
    ------
    TypeError, ValueError
        If lengths differ, `copies` is below 1 or `noise` is negative.

    Examples
    --------
    >>> X, y, groups = near_duplicates([[1.0], [2.0]], [0, 1], 2, 0.0, np.random.default_rng(0))
    >>> X.ravel(), y, groups
    (array([1., 1., 2., 2.]), array([0, 0, 1, 1]), array([0, 0, 1, 1]))
    """
    X, y = array(X, "X", ndim=2), np.asarray(y)
    if y.shape != (len(X),):
        raise ValueError(f"y has shape {y.shape} and X {len(X)} rows; ({len(X)},) wanted.")
    groups = np.repeat(np.arange(len(X)), count(copies, "copies"))
    scale = float(positive(noise, "noise", zero=True))
    return (
        X[groups] + generator(rng).normal(0.0, scale, (len(groups), X.shape[1])),
        y[groups],
        groups,
    )


def select_by_correlation(X: ArrayLike, y: ArrayLike, k: int) -> Indices:
    """Return the k columns most correlated with the target, in either direction.

    Harmless on training rows; on all rows before the split it lets the test rows choose the
    features, and a model of pure noise then seems to predict.

    Parameters
    ----------
    X : array_like, shape (m, n)
        Features.
    y : array_like, shape (m,)
        Target, or labels 0 and 1.
    k : int
        How many columns, at most n.

    Returns
    -------
    ndarray of int64, shape (k,)
        Column indices, the most correlated first; a constant column counts as uncorrelated.

    Raises
    ------
    TypeError, ValueError
        If lengths differ, or `k` is not between 1 and n.

    Examples
    --------
    >>> select_by_correlation([[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]], [0.0, 1.0, 2.0], k=1)
    array([1])
    """
    X = array(X, "X", ndim=2)
    y = array(y, "y", shape=(len(X),))
    if count(k, "k") > X.shape[1]:
        raise ValueError(f"k is {k} and X has {X.shape[1]} columns; at most that many.")
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    spread = np.linalg.norm(Xc, axis=0)  # (n,); |y|, the same for all columns, changes no order
    score = np.abs(Xc.T @ yc) / np.where(spread > 0, spread, 1.0)
    return np.argsort(-score, kind="stable")[:k]


def _deal(m: int, fractions: Sequence[float]) -> Indices:
    """Return m part numbers 0, 1, 2 in the fractions' proportions, none of them missing."""
    shares = positive(array(fractions, "fractions", shape=(3,)), "fractions")
    if abs(shares.sum() - 1) > 1e-9:
        raise ValueError(f"fractions sum to {shares.sum():g}; 1 wanted, such as (0.6, 0.2, 0.2).")
    ends = np.round(m * shares.cumsum()).astype(int)
    sizes = np.diff(ends, prepend=0)
    if sizes.min() == 0:
        raise ValueError(
            f"{m} rows (or groups) cannot be split by {tuple(shares.tolist())}: a part is empty. "
            "Use more of them, larger fractions, or stratify=False."
        )
    return np.repeat(np.arange(3), sizes)


def _parts(part: Indices) -> Split:
    return Split(*(np.flatnonzero(part == p) for p in range(3)))
