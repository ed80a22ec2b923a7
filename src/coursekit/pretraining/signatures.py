"""Near-duplicates without comparing every pair of texts: MinHash, and bands of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from coursekit._validate import count
from coursekit.pretraining.filtering import jaccard, shingles

Signature = NDArray[np.uint64]
PRIME = (1 << 31) - 1


def minhash(items: set[str], n_hashes: int = 128, seed: int = 0) -> Signature:
    """Return the least value that each of many hash functions takes on a set.

    Implements :eq:`eq-pretraining-minhash`: two sets have the same least value under one function
    with a probability equal to their :func:`jaccard` similarity, and so the share of equal entries
    of two signatures estimates it (Broder, 1997).

    Parameters
    ----------
    items : set of str
        The runs of words of a text, from :func:`~coursekit.pretraining.shingles`.
    n_hashes : int
        Functions; the estimate's standard error is at most ``0.5 / sqrt(n_hashes)``.
    seed : int
        Draws the functions ``(a x + b) mod (2**31 - 1)`` of a fixed 31-bit hash x.

    Returns
    -------
    ndarray of uint64, shape (n_hashes,)

    Raises
    ------
    ValueError
        If the set is empty.

    Examples
    --------
    >>> a, b = shingles("to be or not to be", 2), shingles("to be or not to go", 2)
    >>> jaccard(a, b), float(np.mean(minhash(a, 1000) == minhash(b, 1000)))
    (0.8, 0.778)
    """
    if not items:
        raise ValueError("the set is empty and has no least value; leave such texts out.")
    rng = np.random.default_rng(seed)
    a = rng.integers(1, PRIME, count(n_hashes, "n_hashes"), dtype=np.uint64)[:, None]
    b = rng.integers(0, PRIME, n_hashes, dtype=np.uint64)[:, None]
    x = np.array([_hash(item) for item in items], dtype=np.uint64)  # (n,)
    return ((a * x + b) % PRIME).min(axis=1)  # (n_hashes, n) -> (n_hashes,)


def _hash(item: str) -> int:
    """Return 31 bits of a text that are the same on every machine, as Python's hash is not."""
    digest = hashlib.blake2b(item.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % PRIME


def chance_to_meet(similarity: float, bands: int, rows: int) -> float:
    """Return the probability that two sets agree in all rows of at least one band.

    Parameters
    ----------
    similarity : float
        Their Jaccard similarity, s.
    bands, rows : int
        How the signature is cut: ``1 - (1 - s**rows)**bands``.

    Returns
    -------
    float

    Examples
    --------
    >>> [round(chance_to_meet(s, bands=16, rows=8), 3) for s in (0.5, 0.7, 0.9)]
    [0.061, 0.613, 1.0]
    """
    return 1 - (1 - similarity**rows) ** bands


def near_duplicates(
    texts: Sequence[str],
    threshold: float = 0.8,
    *,
    n: int = 5,
    bands: int = 16,
    rows: int = 8,
    seed: int = 0,
) -> list[tuple[int, int, float]]:
    """Return the pairs of texts that share most of their runs of words.

    Only texts that agree in a whole band of their signatures are compared, and those exactly: no
    pair is named that is not similar, and a similar one is missed with the probability that
    :func:`chance_to_meet` leaves.

    Parameters
    ----------
    texts : sequence of str
        Documents; those without a word are near nothing.
    threshold : float
        Jaccard similarity of their runs from which on two are near-duplicates.
    n : int
        Words in a run.
    bands, rows : int
        The signature has ``bands * rows`` entries.
    seed : int
        Draws the hash functions.

    Returns
    -------
    list of (int, int, float)
        The places of both, the earlier first, and their similarity; sorted. Dropping the second of
        each keeps one of every group.

    Examples
    --------
    >>> page = "the loss of a model is the mean over its examples of how surprised it was "
    >>> near_duplicates([page * 2, "something else, all of it", page * 2 + "today"])
    [(0, 2, 0.9411764705882353)]
    """
    sets = [shingles(text, n) for text in texts]
    length = count(bands, "bands") * count(rows, "rows")
    meet: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    for i in (i for i, items in enumerate(sets) if items):
        signature = minhash(sets[i], length, seed)
        for band in range(bands):
            meet[band, signature[band * rows : (band + 1) * rows].tobytes()].append(i)
    candidates = {pair for group in meet.values() for pair in combinations(group, 2)}
    found = [(i, j, jaccard(sets[i], sets[j])) for i, j in sorted(candidates)]
    return [(i, j, s) for i, j, s in found if s >= threshold]
