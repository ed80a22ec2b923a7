"""Whether a model that says 80 % is right four times in five."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, count


class Reliability(NamedTuple):
    """What a reliability diagram draws: one number for each bin that is not empty.

    Attributes
    ----------
    confidence, accuracy : ndarray, shape (bins,)
        Mean of either.
    counts : ndarray of int, shape (bins,)
        Answers in it.
    """

    confidence: Array
    accuracy: Array
    counts: np.ndarray


def reliability(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 10) -> Reliability:
    """Sort answers by how sure the model was, and count how often each kind was right.

    Parameters
    ----------
    confidence : array_like, shape (n,)
        Probabilities that the model gave its answers.
    correct : array_like of bool, shape (n,)
        Whether they were right.
    bins : int
        Intervals of equal width from 0 to 1; the last one holds 1.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        If a confidence is no probability, the shapes differ, or there is no answer.

    Examples
    --------
    >>> found = reliability([0.9, 0.95, 0.2], [True, False, False])
    >>> found.confidence.round(3), found.accuracy
    (array([0.2  , 0.925]), array([0. , 0.5]))
    """
    p = array(confidence, "confidence", ndim=1)
    right = array(correct, "correct", shape=p.shape)
    if not len(p):
        raise ValueError("there is no answer to count.")
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"confidence has {p[(p < 0) | (p > 1)][0]:g}; 0 to 1 wanted.")
    place = np.minimum((p * count(bins, "bins")).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    kept = counts > 0
    sums = [np.bincount(place, weights=x, minlength=bins)[kept] for x in (p, right)]
    return Reliability(sums[0] / counts[kept], sums[1] / counts[kept], counts[kept])


def calibration_error(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 10) -> float:
    r"""Return the expected calibration error: how far confidence and accuracy are apart.

    Implements :eq:`eq-posttraining-calibration`, Guo et al. (2017), equation 3.

    Parameters
    ----------
    confidence, correct, bins
        As in :func:`reliability`.

    Returns
    -------
    float, in [0, 1]

    Examples
    --------
    >>> calibration_error([0.75] * 4, [True, True, True, False])
    0.0
    """
    found = reliability(confidence, correct, bins=bins)
    gap = np.abs(found.confidence - found.accuracy)
    return float(gap @ found.counts / found.counts.sum())
