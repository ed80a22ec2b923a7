r"""How good are samples? Distances between sets of features, coverage, bits per dimension.

No single number ranks generators: a copy of the training set has the best Fréchet distance, and
a model of one perfect digit the best precision. Read them together.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from coursekit._validate import count


def frechet_gaussians(mean_p: Tensor, cov_p: Tensor, mean_q: Tensor, cov_q: Tensor) -> float:
    r"""Return the Fréchet distance of two normal distributions.

    Implements :eq:`eq-generative-frechet` (Dowson and Landau 1982): the squared 2-Wasserstein
    distance. The trace of :math:`(\Sigma_p\Sigma_q)^{1/2}` is that of the symmetric
    :math:`(\Sigma_p^{1/2}\Sigma_q\Sigma_p^{1/2})^{1/2}`, which needs no complex numbers.

    Parameters
    ----------
    mean_p, mean_q : Tensor, shape (d,)
        Means.
    cov_p, cov_q : Tensor, shape (d, d)
        Covariances.

    Returns
    -------
    float
        0 for equal distributions; in squared units of the features.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> zero, one = torch.zeros(2), torch.eye(2)
    >>> frechet_gaussians(zero, one, zero + 3, 4 * one)
    20.0
    """
    d = len(mean_p)
    if mean_q.shape != (d,) or cov_p.shape != (d, d) or cov_q.shape != (d, d):
        raise ValueError(
            f"means have shapes {tuple(mean_p.shape)} and {tuple(mean_q.shape)}, covariances "
            f"{tuple(cov_p.shape)} and {tuple(cov_q.shape)}; (d,) and (d, d) wanted."
        )
    cov_p, cov_q = cov_p.double(), cov_q.double()
    root = symmetric_root(cov_p)  # (d, d)
    inner = torch.linalg.eigvalsh(root @ cov_q @ root).clamp(min=0)  # (d,)
    squared = float((mean_p.double() - mean_q.double()).square().sum())
    traces = float(cov_p.trace() + cov_q.trace())
    return max(0.0, squared + traces - 2 * float(inner.sqrt().sum()))


def symmetric_root(matrix: Tensor) -> Tensor:
    """Return the symmetric square root of a symmetric matrix without negative eigenvalues.

    Parameters
    ----------
    matrix : Tensor, shape (d, d)
        A covariance.

    Returns
    -------
    Tensor, shape (d, d)

    Examples
    --------
    >>> symmetric_root(torch.tensor([[4.0, 0.0], [0.0, 9.0]]))
    tensor([[2., 0.],
            [0., 3.]])
    """
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T


def frechet_distance(real: Tensor, made: Tensor) -> float:
    """Return the Fréchet distance between normal distributions fitted to two sets of features.

    Implements :eq:`eq-generative-frechet` on sample means and covariances. Few samples make it
    too large, by about the features' variance times their number over that of the samples:
    compare only distances from equally many.

    Parameters
    ----------
    real, made : Tensor, shape (m, d) and (n, d)
        Features of images.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If one set has fewer than two rows, or the widths differ, or a number is not finite.

    Examples
    --------
    >>> x = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    >>> round(frechet_distance(x, x + 1), 4)
    3.0
    """
    _check_features(real, made)
    real, made = real.double(), made.double()
    return frechet_gaussians(real.mean(0), torch.cov(real.T), made.mean(0), torch.cov(made.T))


class PrecisionRecall(NamedTuple):
    """Shares from 0 to 1: `precision` of what was made looks real, `recall` of the real is near."""

    precision: float
    recall: float


def precision_recall(real: Tensor, made: Tensor, k: int = 3) -> PrecisionRecall:
    """Return precision and recall by nearest neighbours (Kynkäänniemi et al. 2019).

    A set's neighbourhood is the union of the balls around its points that reach to their `k`-th
    neighbours. Precision is the share of `made` in the neighbourhood of `real`; recall the share
    of `real` in that of `made`.

    Parameters
    ----------
    real, made : Tensor, shape (m, d) and (n, d)
        Features of images.
    k : int
        Which neighbour gives the radius, the point itself not counted.

    Returns
    -------
    PrecisionRecall

    Raises
    ------
    ValueError
        If a set has no more than `k` rows, or the widths differ, or a number is not finite.

    Examples
    --------
    >>> x = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    >>> precision_recall(x, x + 100)
    PrecisionRecall(precision=0.0, recall=0.0)
    """
    _check_features(real, made)
    if min(len(real), len(made)) <= count(k, "k"):
        raise ValueError(f"{len(real)} and {len(made)} rows; more than k = {k} wanted.")
    between = torch.cdist(real.double(), made.double())  # (m, n)
    precision = (between <= _radii(real, k)[:, None]).any(0)  # (n,)
    recall = (between <= _radii(made, k)).any(1)  # (m,)
    return PrecisionRecall(float(precision.double().mean()), float(recall.double().mean()))


def _radii(x: Tensor, k: int) -> Tensor:
    """Distance of each point to its `k`-th neighbour, (m,)."""
    distances = torch.cdist(x.double(), x.double())  # (m, m), 0 to itself
    return distances.kthvalue(k + 1).values


def bits_per_dimension(log_density: Tensor, dimensions: int, width: float | None = None) -> float:
    r"""Return a mean log-likelihood in bits for each dimension: smaller is better.

    Implements :eq:`eq-generative-bits-per-dimension`: :math:`-\log_2 p/D`, and for a density of
    dequantised values less the logarithm of the interval's `width`, which makes of the density
    the probability of an interval.

    Parameters
    ----------
    log_density : Tensor, shape (m,)
        In nats, of an image each.
    dimensions : int
        D, numbers in an image.
    width : float, optional
        Width of a grey level's interval, for a density; None for probabilities.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a value is not finite: a model that gives an image probability 0 has infinitely many.

    Examples
    --------
    >>> uniform = torch.full((3,), -64 * math.log(17))
    >>> round(bits_per_dimension(uniform, 64), 4), round(math.log2(17), 4)
    (4.0875, 4.0875)
    """
    if not bool(log_density.isfinite().all()):
        raise ValueError(
            "a log-likelihood is not finite: log of zero. A model must give every image some "
            "probability; is a variance or a probability 0?"
        )
    nats = -float(log_density.double().mean()) / count(dimensions, "dimensions")
    return nats / math.log(2) - (0.0 if width is None else math.log2(width))


def class_coverage(labels: Tensor, classes: int, share: float = 0.1) -> float:
    """Return the share of classes that get at least a tenth of their fair part of the samples.

    Parameters
    ----------
    labels : Tensor of int64, shape (n,)
        What a classifier sees in the samples.
    classes : int
        How many there are.
    share : float
        Which part of the fair part, n / `classes`, counts as covered.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If there are no labels, or one is outside 0 … `classes` - 1.

    Examples
    --------
    >>> class_coverage(torch.tensor([0, 0, 1, 1]), classes=4)
    0.5
    """
    shares = class_shares(labels, classes)
    return float((shares >= share / classes).double().mean())


def class_shares(labels: Tensor, classes: int) -> Tensor:
    """Return each class's share of the labels.

    Parameters
    ----------
    labels : Tensor of int64, shape (n,)
    classes : int

    Returns
    -------
    Tensor of float64, shape (classes,)

    Raises
    ------
    ValueError
        As :func:`class_coverage` does.

    Examples
    --------
    >>> class_shares(torch.tensor([0, 0, 1, 1]), 2)
    tensor([0.5000, 0.5000], dtype=torch.float64)
    """
    if not len(labels) or not (int(labels.min()) >= 0 and int(labels.max()) < classes):
        raise ValueError(f"labels must be from 0 to {classes - 1}, and at least one.")
    return torch.bincount(labels, minlength=classes).double() / len(labels)


def _check_features(real: Tensor, made: Tensor) -> None:
    if real.ndim != 2 or made.ndim != 2 or real.shape[1] != made.shape[1]:
        raise ValueError(
            f"features have shapes {tuple(real.shape)} and {tuple(made.shape)}; (m, d) and "
            "(n, d) wanted."
        )
    if min(len(real), len(made)) < 2:
        raise ValueError(f"{len(real)} and {len(made)} rows; at least 2 wanted of each.")
    if not bool(real.isfinite().all() and made.isfinite().all()):
        raise ValueError("a feature is NaN or infinite: did the model diverge?")
