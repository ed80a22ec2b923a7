"""Attention tile by tile in torch: what the kernels do, slowly enough to be read.

No (N, M) matrix is made: the forward pass keeps a running peak and sum for each query, the
backward pass recomputes the weights of a tile from the saved log-sum-exp. One head, no batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Step:
    """The state of one query tile after one tile of keys.

    ``keys`` is the slice just read; ``peak`` and ``total`` (N,) are each query's greatest score and
    sum of weights so far, ``out`` (N, E) the unnormalised output, ``shrink`` (N,) the factor by
    which what was summed before had to shrink.
    """

    keys: slice
    peak: Tensor
    total: Tensor
    out: Tensor
    shrink: Tensor


def online_softmax(
    q: Tensor, k: Tensor, v: Tensor, *, scale: float, block: int, causal: bool = False
) -> Iterator[Step]:
    r"""Walk over the keys in tiles, and yield the running softmax after each.

    Implements :eq:`eq-attention-online-peak`, :eq:`eq-attention-online-sum` and
    :eq:`eq-attention-online-output` (Milakov and Gimelshein, 2018; Dao et al., 2022, algorithm 1).

    Parameters
    ----------
    q : Tensor, shape (N, D)
        Queries.
    k, v : Tensor, shape (M, D) and (M, E)
        Keys and values.
    scale : float
        Factor of the scores.
    block : int
        Keys of a tile.
    causal : bool, default False
        Hide the future, aligned to the bottom right.

    Yields
    ------
    Step
        The last one's ``out / total[:, None]`` is the attention's output.

    Raises
    ------
    ValueError
        If ``block`` is below 1.

    Examples
    --------
    >>> x = torch.eye(2)
    >>> steps = list(online_softmax(x, x, x, scale=1.0, block=1))
    >>> [step.total.tolist() for step in steps]
    [[1.0, 1.0], [1.3678793907165527, 1.3678793907165527]]
    """
    if block < 1:
        raise ValueError(f"block is {block}; at least one key a tile is wanted.")
    n, m = len(q), len(k)
    peak, total = q.new_full((n,), -torch.inf), q.new_zeros(n)
    out = q.new_zeros(n, v.shape[1])
    for first in range(0, m, block):
        keys = slice(first, min(first + block, m))
        scores = _scores(q, k, keys, scale, causal)  # (N, block)
        new_peak = torch.maximum(peak, scores.amax(1))
        finite = new_peak.masked_fill(new_peak == -torch.inf, 0.0)  # rows that saw no key yet
        weights = torch.exp(scores - finite[:, None])
        shrink = torch.exp(peak - finite)
        total = total * shrink + weights.sum(1)
        out = out * shrink[:, None] + weights @ v[keys]
        peak = new_peak
        yield Step(keys, peak, total, out, shrink)


def merge(a: Step, b: Step) -> Step:
    r"""Put the states of two parts of the keys together, in any order.

    Implements :eq:`eq-attention-merge`.

    Parameters
    ----------
    a, b : Step
        Last steps of :func:`online_softmax` over the two parts, for the same queries.

    Returns
    -------
    Step
        As if both parts had been read; ``shrink`` is the factor of ``a``.

    Examples
    --------
    >>> x = torch.eye(2)
    >>> a, b = (list(online_softmax(x, x[i : i + 1], x, scale=1.0, block=1))[-1] for i in (0, 1))
    >>> merge(a, b).total.tolist()
    [1.3678793907165527, 1.3678793907165527]
    """
    peak = torch.maximum(a.peak, b.peak)
    left, right = (torch.exp(part.peak - peak) for part in (a, b))  # (N,) each
    total = a.total * left + b.total * right
    out = a.out * left[:, None] + b.out * right[:, None]
    return Step(b.keys, peak, total, out, left)


def blockwise_attention(
    q: Tensor, k: Tensor, v: Tensor, *, scale: float, block: int, causal: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the output (N, E) and the natural log-sum-exp (N,), by :func:`online_softmax`.

    A query that sees no key gets 0 and minus infinity.

    Examples
    --------
    >>> x = torch.eye(2)
    >>> blockwise_attention(x, x, x, scale=1.0, block=1)[1]
    tensor([1.3133, 1.3133])
    """
    peak, total = q.new_full((len(q),), -torch.inf), q.new_zeros(len(q))
    out = q.new_zeros(len(q), v.shape[1])
    for step in online_softmax(q, k, v, scale=scale, block=block, causal=causal):
        peak, total, out = step.peak, step.total, step.out
    dead = total == 0
    divisor = total.masked_fill(dead, 1.0)
    return out / divisor[:, None], (peak + divisor.log()).masked_fill(dead, -torch.inf)


def blockwise_backward(
    grad: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    out: Tensor,
    lse: Tensor,
    *,
    scale: float,
    block: int,
    causal: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return the gradients of q, k and v, recomputing the weights tile by tile.

    Implements :eq:`eq-attention-recompute`, :eq:`eq-attention-delta`,
    :eq:`eq-attention-grad-value`, :eq:`eq-attention-grad-score`, :eq:`eq-attention-grad-query` and
    :eq:`eq-attention-grad-key` (Dao et al., 2022, algorithm 4).

    Parameters
    ----------
    grad : Tensor, shape (N, E)
        Gradient of the output.
    q, k, v, scale, block, causal
        As in :func:`online_softmax`.
    out, lse : Tensor, shape (N, E) and (N,)
        What :func:`blockwise_attention` returned.

    Returns
    -------
    Tensor, Tensor, Tensor
        Shaped like q, k and v.

    Examples
    --------
    >>> x = torch.eye(2)
    >>> out, lse = blockwise_attention(x, x, x, scale=1.0, block=1)
    >>> blockwise_backward(x, x, x, x, out, lse, scale=1.0, block=1)[2].sum()
    tensor(2.)
    """
    dq, dk, dv = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
    delta = (grad * out).sum(1)  # (N,)
    alive = lse.masked_fill(lse == -torch.inf, torch.inf)  # a dead row's weights are 0
    for first in range(0, len(k), block):
        keys = slice(first, min(first + block, len(k)))
        weights = torch.exp(_scores(q, k, keys, scale, causal) - alive[:, None])  # (N, block)
        dv[keys] = weights.T @ grad
        dscores = weights * (grad @ v[keys].T - delta[:, None])
        dq += scale * dscores @ k[keys]
        dk[keys] = scale * dscores.T @ q
    return dq, dk, dv


def _scores(q: Tensor, k: Tensor, keys: slice, scale: float, causal: bool) -> Tensor:
    scores = scale * q @ k[keys].T  # (N, block)
    if not causal:
        return scores
    place = torch.arange(len(q), device=q.device)[:, None] + len(k) - len(q)
    hidden = torch.arange(keys.start, keys.stop, device=q.device) > place
    return scores.masked_fill(hidden, -torch.inf)
