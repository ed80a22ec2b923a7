"""Losses: what one wrong answer costs, and the softmax that turns scores into probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, labels


def squared_error(predictions: ArrayLike, Y: ArrayLike) -> Array:
    r"""Return :math:`\|y - g_\theta(x)\|_2^2` for each example.

    Its mean is the mean squared error, the part of :eq:`eq-basics-gaussian-mse` that depends on
    the parameters. For q outputs the squares are summed, not averaged.

    Parameters
    ----------
    predictions, Y : array_like, shape (m,) or (m, q)
        Outputs and targets, of one shape.

    Returns
    -------
    ndarray, shape (m,)
        In the squared unit of `Y`.

    Raises
    ------
    ValueError
        If the shapes differ: (m,) against (m, 1) would broadcast to (m, m) without a word.

    Examples
    --------
    >>> squared_error([1.0, 2.0], [1.5, 0.0])
    array([0.25, 4.  ])
    """
    Y = array(Y, "Y", ndim=(1, 2))
    predictions = array(predictions, "predictions", shape=Y.shape)
    squares = (Y - predictions) ** 2
    return squares if squares.ndim == 1 else squares.sum(axis=1)  # (m,)


def softmax(logits: ArrayLike) -> Array:
    r"""Return probabilities :math:`e^{z_k}/\sum_j e^{z_j}` along the last axis.

    Implements :eq:`eq-basics-softmax`; the largest logit is subtracted first, which changes
    nothing in exact arithmetic and keeps :math:`e^z` from overflowing.

    Parameters
    ----------
    logits : array_like, shape (..., K)
        Scores, any real numbers.

    Returns
    -------
    ndarray, shape (..., K)
        Each row sums to 1.

    Raises
    ------
    ValueError
        If a logit is NaN or infinite.

    Examples
    --------
    >>> softmax([[0.0, np.log(3.0)], [1000.0, 1000.0]])
    array([[0.25, 0.75],
           [0.5 , 0.5 ]])
    """
    return np.exp(log_softmax(logits))


def log_softmax(logits: ArrayLike) -> Array:
    r"""Return :math:`z_k - \log\sum_j e^{z_j}` along the last axis.

    The logarithm of :eq:`eq-basics-softmax`, exact where the softmax itself underflows to 0.

    Parameters
    ----------
    logits : array_like, shape (..., K)
        Scores, any real numbers.

    Returns
    -------
    ndarray, shape (..., K)
        Log-probabilities in nats.

    Raises
    ------
    ValueError
        If a logit is NaN or infinite, or there is no class axis.

    Examples
    --------
    >>> log_softmax([0.0, -1000.0])
    array([    0., -1000.])
    """
    z = array(logits, "logits")
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ValueError(f"logits have shape {z.shape}; (..., K) with K >= 1 classes wanted.")
    z = z - z.max(axis=-1, keepdims=True)  # (..., K), largest 0
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def negative_log_likelihood(logits: ArrayLike, y: ArrayLike) -> Array:
    r"""Return :math:`-\log p_\theta(y^{(i)}|x^{(i)})` for each example.

    Parameters
    ----------
    logits : array_like, shape (m, K)
        Scores of K classes.
    y : array_like of int, shape (m,)
        Class labels 0 … K - 1.

    Returns
    -------
    ndarray, shape (m,)
        In nats; :math:`\log K` where the model knows nothing.

    Raises
    ------
    ValueError
        If shapes disagree or a label is out of range.

    Examples
    --------
    >>> negative_log_likelihood([[0.0, 0.0], [9.0, 0.0]], [1, 0]).round(4)
    array([6.931e-01, 1.000e-04])
    """
    log_p = log_softmax(array(logits, "logits", ndim=2))
    m, K = log_p.shape
    y = labels(y, "y", m=m, classes=K)
    return -log_p[np.arange(m), y]  # (m,)


def softmax_cross_entropy(logits: ArrayLike, y: ArrayLike) -> float:
    r"""Return the mean negative log-likelihood of class labels.

    Implements :eq:`eq-basics-cross-entropy`: the cross-entropy between the one-hot targets and
    the softmax of the logits, which is minus the mean log-likelihood.

    Parameters
    ----------
    logits : array_like, shape (m, K)
        Scores of K classes.
    y : array_like of int, shape (m,)
        Class labels 0 … K - 1.

    Returns
    -------
    float
        In nats per example.

    Raises
    ------
    ValueError
        If shapes disagree, a label is out of range, or there are no examples.

    Examples
    --------
    >>> round(softmax_cross_entropy(np.zeros((5, 10)), [0, 1, 2, 3, 4]), 4)
    2.3026
    """
    losses = negative_log_likelihood(logits, y)
    if len(losses) == 0:
        raise ValueError("logits has no rows; the mean over no examples is not defined.")
    return float(losses.mean())


def softmax_cross_entropy_gradient(logits: ArrayLike, y: ArrayLike) -> Array:
    r"""Return the gradient of :func:`softmax_cross_entropy` with respect to the logits.

    Differentiating :eq:`eq-basics-cross-entropy` leaves prediction minus target over m:
    :math:`(\mathrm{softmax}(z^{(i)}) - \mathrm{onehot}(y^{(i)}))/m`.

    Parameters
    ----------
    logits : array_like, shape (m, K)
        Scores of K classes.
    y : array_like of int, shape (m,)
        Class labels 0 … K - 1.

    Returns
    -------
    ndarray, shape (m, K)
        Each row sums to 0.

    Raises
    ------
    ValueError
        If shapes disagree or a label is out of range.

    Examples
    --------
    >>> softmax_cross_entropy_gradient([[0.0, 0.0]], [1])
    array([[ 0.5, -0.5]])
    """
    p = softmax(array(logits, "logits", ndim=2))
    m, K = p.shape
    p[np.arange(m), labels(y, "y", m=m, classes=K)] -= 1
    return p / m  # (m, K)


def zero_one_error(logits: ArrayLike, y: ArrayLike) -> Array:
    """Return 1 for each example whose largest logit is not its label, else 0.

    What a classifier is judged by; being flat almost everywhere it has no useful gradient,
    which is why :func:`softmax_cross_entropy` is minimised instead.

    Parameters
    ----------
    logits : array_like, shape (m, K)
        Scores, or log-probabilities, of K classes.
    y : array_like of int, shape (m,)
        Class labels 0 … K - 1.

    Returns
    -------
    ndarray, shape (m,)
        0.0 or 1.0.

    Raises
    ------
    ValueError
        If shapes disagree or a label is out of range.

    Examples
    --------
    >>> zero_one_error([[2.0, 1.0], [2.0, 1.0]], [0, 1])
    array([0., 1.])
    """
    logits = array(logits, "logits", ndim=2)
    y = labels(y, "y", m=len(logits), classes=logits.shape[1])
    return (logits.argmax(axis=1) != y).astype(float)
