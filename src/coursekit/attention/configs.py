"""Tile sizes by kernel, architecture, width and dtype: a table, so that nothing is tuned at import.

A tile must fit in shared memory and its accumulators in registers; ``coursekit.attention.compile``
reports both for a GPU that is not at hand, and a test holds every row of the table to that report.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tiles:
    """How a kernel is cut: rows and keys of a tile, warps of a program, stages of its pipeline."""

    block_m: int
    block_n: int
    warps: int
    stages: int


INTERPRETER = Tiles(32, 32, 4, 1)


def padded(d: int) -> int:
    """The power of two, at least 16, that the kernels use for a head of width ``d``.

    Examples
    --------
    >>> padded(64), padded(80), padded(8)
    (64, 128, 16)
    """
    return max(16, 1 << (d - 1).bit_length())


def forward_tiles(capability: int, d: int, itemsize: int) -> Tiles:
    """Tiles of the forward kernel on ``sm_<capability>`` for heads of width ``d``."""
    d = padded(d)
    if itemsize >= 4:
        return Tiles(64, 32, 4, 2) if d <= 128 else Tiles(32, 32, 4, 1)
    if d <= 64:
        return Tiles(128, 64, 4, 3)
    if d <= 128:
        return Tiles(128, 64, 8, 3) if capability >= 90 else Tiles(128, 64, 8, 2)
    return Tiles(128, 64, 8, 2) if capability >= 90 else Tiles(64, 32, 4, 2)


def grad_key_value_tiles(capability: int, d: int, itemsize: int) -> Tiles:
    """Tiles of the kernel of keys' and values' gradients."""
    d = padded(d)
    if itemsize >= 4:
        return Tiles(32, 32, 4, 1)
    if d <= 64:
        return Tiles(64, 128, 8, 2)
    if d <= 128:
        return Tiles(32, 128, 8, 2) if capability >= 90 else Tiles(32, 64, 4, 2)
    return Tiles(32, 64, 8, 1)


def grad_query_tiles(capability: int, d: int, itemsize: int) -> Tiles:
    """Tiles of the kernel of the queries' gradient."""
    d = padded(d)
    if itemsize >= 4:
        return Tiles(32, 32, 4, 1)
    if d <= 64:
        return Tiles(128, 64, 8, 2)
    if d <= 128:
        return Tiles(128, 32, 8, 2) if capability >= 90 else Tiles(64, 32, 4, 2)
    return Tiles(64, 32, 8, 1)


def decode_tiles(capability: int, d: int, itemsize: int) -> Tiles:
    """Tiles of the decoding kernel; its rows are the query heads that share a head of keys."""
    return Tiles(16, 64 if padded(d) * itemsize <= 256 else 32, 4, 3 if itemsize < 4 else 1)
