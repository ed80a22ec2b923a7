"""Memory that a training step frees and the next one needs again."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Names of two of glibc's settings, as ``malloc.h`` numbers them."""

LARGEST_MMAP_THRESHOLD = 32 * 2**20
LARGEST_TRIM_THRESHOLD = 2**31 - 1


def keep_freed_memory() -> bool:
    """Ask the C library to keep what is freed for later, instead of giving it back to the system.

    Every step allocates the same tensors of some megabytes. glibc returns such blocks to the
    system at once, which then hands them out again as new pages, cleared one by one. For the whole
    process, and only blocks up to 32 MiB: larger ones glibc always returns.

    Returns
    -------
    bool
        Whether it will. Only glibc, on Linux, takes these settings.

    Examples
    --------
    >>> kept = keep_freed_memory()
    >>> type(kept)
    <class 'bool'>
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    taken = mallopt(MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
    return bool(taken and mallopt(TRIM_THRESHOLD, LARGEST_TRIM_THRESHOLD))
