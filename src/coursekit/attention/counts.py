"""What attention computes and what it moves: operations and bytes, by formula."""

import math


def attention_operations(queries: int, keys: int, d: int) -> int:
    """Floating-point operations of one head's two products, a multiplication and an addition each.

    Implements the first part of :eq:`eq-attention-naive-bytes`.

    Parameters
    ----------
    queries, keys : int
        Their numbers, N and M.
    d : int
        Width of the head.

    Examples
    --------
    >>> attention_operations(1024, 1024, 64)
    268435456
    """
    return 4 * queries * keys * d


def attention_bytes(queries: int, keys: int, d: int, *, passes: int, itemsize: int = 2) -> int:
    """Bytes that one head's attention moves through main memory.

    Implements the second part of :eq:`eq-attention-naive-bytes`.

    Parameters
    ----------
    queries, keys, d : int
        As in :func:`attention_operations`.
    passes : int
        How often the table of scores crosses: 4 in three separate operations (scores written,
        read, weights written, read), 0 when it stays on the chip.
    itemsize : int
        Bytes of a number.

    Examples
    --------
    >>> attention_bytes(1024, 1024, 64, passes=4) / attention_bytes(1024, 1024, 64, passes=0)
    17.0
    """
    return itemsize * ((2 * queries + 2 * keys) * d + passes * queries * keys)


def tiled_bytes(queries: int, keys: int, d: int, block_m: int, itemsize: int = 2) -> int:
    """Bytes that are loaded and stored when every tile of queries reads all keys and values.

    Implements :eq:`eq-attention-tile-bytes`. Caches may serve part of it.

    Parameters
    ----------
    queries, keys, d, itemsize : int
        As in :func:`attention_bytes`.
    block_m : int
        Queries of a tile.

    Raises
    ------
    ValueError
        If a tile has no query.

    Examples
    --------
    >>> tiled_bytes(1024, 1024, 64, block_m=1024) == attention_bytes(1024, 1024, 64, passes=0)
    True
    """
    if block_m < 1:
        raise ValueError(f"block_m is {block_m}; at least one query a tile is wanted.")
    return itemsize * (2 * queries * d + math.ceil(queries / block_m) * 2 * keys * d)


def attainable(intensity: float, peak: float, bandwidth: float) -> float:
    """The roofline: operations a second that a chip can reach at this intensity.

    Implements :eq:`eq-attention-roofline` (Williams, Waterman and Patterson, 2009).

    Parameters
    ----------
    intensity : float
        Operations per byte.
    peak, bandwidth : float
        Operations and bytes a second.

    Examples
    --------
    >>> attainable(10.0, peak=312e12, bandwidth=1.5e12)
    15000000000000.0
    """
    return min(peak, intensity * bandwidth)


def cache_bytes(layers: int, kv_heads: int, d: int, tokens: int, itemsize: int = 2) -> int:
    """Bytes of the keys and values that a model keeps of one conversation.

    Implements :eq:`eq-attention-cache`.

    Parameters
    ----------
    layers, kv_heads, d, tokens : int
        Layers, heads of keys, their width, and tokens so far.
    itemsize : int
        Bytes of a number.

    Examples
    --------
    >>> cache_bytes(32, 8, 128, 8192) / 2**30
    1.0
    """
    return 2 * layers * kv_heads * d * tokens * itemsize


def exponential_share(d: int, exponentials: float = 16, operations: float = 4096) -> float:
    """Time of a tile's exponentials relative to that of its products.

    Implements :eq:`eq-attention-exponentials`.

    Parameters
    ----------
    d : int
        Width of a head.
    exponentials, operations : float
        What a multiprocessor does in a clock; the defaults are an H100's, for 16-bit products
        (Shah et al., 2024).

    Examples
    --------
    >>> exponential_share(64), exponential_share(128)
    (1.0, 0.5)
    """
    return (1 / exponentials) / (4 * d / operations)
