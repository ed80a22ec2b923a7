"""The roofline: from peak figures, and measured on the machine that runs this."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from threadpoolctl import threadpool_limits

from coursekit._validate import count

BLOCK = 8192  # numbers of a block that stays in the nearest cache: 64 KB


def attainable(intensity: float, peak: float, bandwidth: float) -> float:
    r"""Return the most operations a second at an intensity.

    Implements :eq:`eq-hardware-roofline` (Williams, Waterman and Patterson, 2009).

    Parameters
    ----------
    intensity : float
        Operations a byte.
    peak, bandwidth : float
        Operations and bytes a second.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> attainable(10.0, peak=312e12, bandwidth=1.5e12) / 1e12
    15.0
    """
    for name, value in (("intensity", intensity), ("peak", peak), ("bandwidth", bandwidth)):
        if not value > 0:
            raise ValueError(f"{name} is {value}; a positive number wanted.")
    return min(peak, intensity * bandwidth)


def seconds_at_least(operations: float, moved: float, peak: float, bandwidth: float) -> float:
    r"""Return the time that a chip needs at least, arithmetic and memory at work together.

    The other side of :eq:`eq-hardware-roofline`: operations divided by this time are what
    :func:`attainable` allows.

    Parameters
    ----------
    operations, moved : float
        Operations, and bytes to and from memory.
    peak, bandwidth : float
        Of each a second.

    Examples
    --------
    >>> seconds_at_least(1e12, 1e12, peak=100e12, bandwidth=2e12)
    0.5
    """
    return max(operations / peak, moved / bandwidth)


@dataclass(frozen=True)
class Measured:
    """A measurement.

    Attributes
    ----------
    seconds : float
        The best of several runs: what disturbs a run only makes it longer.
    operations, moved : float
        What one run computes, and the bytes that it must move.
    """

    seconds: float
    operations: float
    moved: float

    @property
    def speed(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds

    @property
    def bandwidth(self) -> float:
        """Bytes a second."""
        return self.moved / self.seconds


def measure_copy(megabytes: int = 64, threads: int = 1, repeats: int = 5) -> Measured:
    """Copy an array much larger than the caches: a byte read and a byte written for each.

    Parameters
    ----------
    megabytes : int, default 64
        Of the array.
    threads : int, default 1
        Threads that copy a part each.
    repeats : int, default 5
        Runs, of which the best counts.

    Examples
    --------
    >>> measure_copy(1, repeats=1).moved
    2000000.0
    """
    source = np.ones(count(megabytes, "megabytes") * 125_000)
    target = np.zeros_like(source)
    seconds = _best(
        lambda part: np.copyto(target[part], source[part]), len(source), threads, repeats
    )
    return Measured(seconds, 0.0, 2.0 * source.nbytes)


def measure_triad(megabytes: int = 64, threads: int = 1, repeats: int = 5) -> Measured:
    """Compute a = b + 3 c, STREAM's triad: two operations for 24 bytes (McCalpin, 1995).

    It goes block by block, so that the product stays in a cache on its way to the sum.

    Parameters
    ----------
    megabytes, threads, repeats
        As in :func:`measure_copy`.

    Examples
    --------
    >>> m = measure_triad(1, repeats=1)
    >>> m.operations / m.moved == 2 / 24
    True
    """
    b = np.ones(count(megabytes, "megabytes") * 125_000)
    a, c = np.zeros_like(b), np.full_like(b, 2.0)

    def work(part: slice) -> None:
        for start in range(part.start, part.stop, BLOCK):
            block = slice(start, min(start + BLOCK, part.stop))
            np.multiply(c[block], 3.0, out=a[block])
            np.add(a[block], b[block], out=a[block])

    seconds = _best(work, len(a), threads, repeats)
    return Measured(seconds, 2.0 * len(a), 3.0 * a.nbytes)


def measure_product(n: int = 1024, threads: int = 1, repeats: int = 3) -> Measured:
    """Multiply two n x n matrices of float32, as NumPy's BLAS does it.

    Parameters
    ----------
    n : int, default 1024
        Rows and columns.
    threads : int, default 1
        Threads that BLAS may use.
    repeats : int, default 3
        Runs, of which the best counts.

    Examples
    --------
    >>> measure_product(64, repeats=1).operations
    524288.0
    """
    a = np.full((count(n, "n"), n), 0.5, dtype=np.float32)
    out = np.empty_like(a)
    with threadpool_limits(limits=threads, user_api="blas"):
        seconds = _best(lambda _: np.matmul(a, a, out=out), n, 1, repeats)
    return Measured(seconds, 2.0 * n**3, 3.0 * a.nbytes)


def measure_block(numbers: int, repeats: int = 3, rounds: int = 200) -> Measured:
    """Add to an array again and again: a small one stays in a cache, a large one does not.

    Parameters
    ----------
    numbers : int
        Of float64 in the array.
    repeats : int, default 3
        Runs, of which the best counts.
    rounds : int, default 200
        Passes over the array in a run.

    Examples
    --------
    >>> measure_block(1000, repeats=1, rounds=2).moved
    32000.0
    """
    x = np.ones(count(numbers, "numbers"))

    def work(_: slice) -> None:
        for _round in range(rounds):
            np.add(x, 1.0, out=x)

    seconds = _best(work, numbers, 1, repeats)
    return Measured(seconds, float(rounds * numbers), 2.0 * rounds * x.nbytes)


def _best(work: Callable[[slice], object], size: int, threads: int, repeats: int) -> float:
    """Least time of `repeats` runs after one to warm up, each split among the threads."""
    edges = np.linspace(0, size, count(threads, "threads") + 1).astype(int)
    parts = [slice(int(a), int(b)) for a, b in pairwise(edges)]
    with ThreadPoolExecutor(threads) as pool:
        runs = [_timed(lambda: list(pool.map(work, parts))) for _ in range(1 + repeats)]
    return min(runs[1:])


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
