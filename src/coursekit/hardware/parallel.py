"""Many chips: what data, tensor, pipeline and expert parallelism send, and how long they wait."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coursekit._validate import count

Array = NDArray[np.float64]


def all_reduce_bytes(size: float, chips: int) -> float:
    r"""Return the bytes that each chip sends to add up arrays of all and give everyone the sum.

    Implements :eq:`eq-hardware-all-reduce`, a ring's (Patarasuk and Yuan, 2009): no method sends
    less.

    Parameters
    ----------
    size : float
        Bytes of one chip's array.
    chips : int
        In the ring.

    Examples
    --------
    >>> all_reduce_bytes(1e9, 8) / 1e9
    1.75
    """
    return 2 * (count(chips, "chips") - 1) / chips * size


def ring_all_reduce(arrays: ArrayLike) -> tuple[Array, float]:
    """Add up the chips' arrays around a ring, piece by piece.

    In the first round of steps each chip hands on the piece that it has just added to, until every
    piece is whole somewhere; in the second the whole pieces go round.

    Parameters
    ----------
    arrays : array_like, shape (p, n)
        One array a chip; p divides n.

    Returns
    -------
    array, shape (p, n)
        What each chip has afterwards: the sum.
    float
        Numbers that each chip has sent.

    Raises
    ------
    ValueError
        If p does not divide n.

    Examples
    --------
    >>> ring_all_reduce([[1, 2], [10, 20]])
    (array([[11., 22.],
           [11., 22.]]), 2.0)
    """
    held = np.array(arrays, dtype=np.float64)
    p, n = held.shape
    if n % p:
        raise ValueError(f"arrays of {n} numbers do not part into {p} pieces; pad them.")
    pieces = held.reshape(p, p, -1)  # (chip, piece, numbers), a view of what is held
    for step in range(p - 1):
        _hand_on(pieces, first=-step, add=True)  # afterwards chip c has the whole of piece c + 1
    for step in range(p - 1):
        _hand_on(pieces, first=1 - step, add=False)
    return held, 2.0 * (p - 1) * pieces.shape[2]


def _hand_on(pieces: Array, first: int, *, add: bool) -> None:
    """Each chip c sends piece c + first to the next one, all at the same time."""
    p = len(pieces)
    sent = [pieces[chip, (chip + first) % p].copy() for chip in range(p)]
    for chip, numbers in enumerate(sent):
        place = pieces[(chip + 1) % p, (chip + first) % p]
        place[:] = place + numbers if add else numbers


def data_parallel_seconds(parameters: float, chips: int, link: float, itemsize: float = 2) -> float:
    """Return the time to add up the gradients of all copies of a model, once a step.

    Parameters
    ----------
    parameters : float
        Of the model.
    chips : int
        Copies.
    link : float
        Bytes a second that a chip can send.
    itemsize : float, default 2
        Bytes of a gradient.

    Examples
    --------
    >>> round(data_parallel_seconds(8e9, 8, 450e9), 3)
    0.062
    """
    return all_reduce_bytes(parameters * itemsize, chips) / _positive(link, "link")


def tensor_parallel_bytes(
    tokens: int, d_model: int, layers: int, chips: int, itemsize: float = 2, training: bool = False
) -> float:
    """Return the bytes that each chip sends when every matrix is split among the chips.

    A layer split by columns and then by rows needs one sum after attention and one after the
    feed-forward part (Shoeybi et al., 2019); training needs two more on the way back.

    Parameters
    ----------
    tokens, d_model, layers : int
        Tokens of a step, their width, layers.
    chips : int
        That share a layer.
    itemsize : float, default 2
        Bytes of a number.
    training : bool, default False
        Whether there is a way back.

    Examples
    --------
    >>> tensor_parallel_bytes(1, 8192, 80, 8)
    4587520.0
    """
    sums = 4 if training else 2
    return layers * sums * all_reduce_bytes(tokens * d_model * itemsize, chips)


def split_feed_forward(x: ArrayLike, up: ArrayLike, down: ArrayLike, chips: int) -> list[Array]:
    """Return the chips' parts of a feed-forward layer; their sum is the layer.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Tokens, which every chip has.
    up : array_like, shape (d, f)
        First matrix, split by columns; then max(·, 0), which needs no other column.
    down : array_like, shape (f, d)
        Second matrix, split by rows.
    chips : int
        A divisor of f.

    Raises
    ------
    ValueError
        If the chips do not divide f.

    Examples
    --------
    >>> parts = split_feed_forward(np.eye(2), np.eye(2), np.eye(2), chips=2)
    >>> sum(parts)
    array([[1., 0.],
           [0., 1.]])
    """
    x, up, down = (np.asarray(a, dtype=np.float64) for a in (x, up, down))
    if up.shape[1] % count(chips, "chips"):
        raise ValueError(f"{chips} chips do not divide the width {up.shape[1]}.")
    columns, rows = np.split(up, chips, axis=1), np.split(down, chips, axis=0)
    return [np.maximum(x @ c, 0) @ r for c, r in zip(columns, rows, strict=True)]


def pipeline_bubble(stages: int, microbatches: int) -> float:
    r"""Return the share of the time in which a chip of a pipeline waits.

    Implements :eq:`eq-hardware-pipeline-bubble` (Huang et al., 2019).

    Parameters
    ----------
    stages : int
        Chips in a row, each with its layers.
    microbatches : int
        Parts of the batch that follow each other.

    Examples
    --------
    >>> pipeline_bubble(4, 4), pipeline_bubble(4, 36)
    (0.42857142857142855, 0.07692307692307693)
    """
    return (count(stages, "stages") - 1) / (count(microbatches, "microbatches") + stages - 1)


def pipeline_schedule(stages: int, microbatches: int) -> NDArray[np.int64]:
    """Return who works on what, step by step: a stage starts when its input is there.

    Parameters
    ----------
    stages, microbatches
        As in :func:`pipeline_bubble`.

    Returns
    -------
    array of int, shape (stages, steps)
        The microbatch in work, counted from 1; 0 where the stage waits. The way back is the same
        again, in mirror image.

    Examples
    --------
    >>> pipeline_schedule(2, 3)
    array([[1, 2, 3, 0],
           [0, 1, 2, 3]])
    """
    free = [0] * count(stages, "stages")  # when each stage is done with what it has
    jobs: list[tuple[int, int, int]] = []
    for batch in range(1, count(microbatches, "microbatches") + 1):
        ready = 0
        for stage in range(stages):
            start = max(ready, free[stage])
            jobs.append((stage, start, batch))
            ready = free[stage] = start + 1
    table = np.zeros((stages, max(free)), dtype=np.int64)
    for stage, start, batch in jobs:
        table[stage, start] = batch
    return table


def expert_bytes(
    tokens: int, d_model: int, active: int, chips: int, itemsize: float = 2, layers: int = 1
) -> float:
    r"""Return the bytes that each chip sends so that tokens reach their experts and come back.

    Implements :eq:`eq-hardware-expert`: experts lie evenly on the chips, and so do the tokens; a
    token goes out to each of its experts, and one part in `chips` of them lie where it is.

    Parameters
    ----------
    tokens : int
        Of one chip.
    d_model : int
        Width of a token.
    active : int
        Experts that a token goes to.
    chips : int
        Among which experts and tokens are dealt out.
    itemsize : float, default 2
        Bytes of a number.
    layers : int, default 1
        With experts.

    Examples
    --------
    >>> expert_bytes(128, 7168, 8, chips=8) / 1e6
    25.690112
    """
    away = (count(chips, "chips") - 1) / chips
    return 2 * layers * tokens * active * d_model * itemsize * away


def _positive(value: float, name: str) -> float:
    if not value > 0:
        raise ValueError(f"{name} is {value}; a positive number wanted.")
    return value
