"""The baseline that counts: interpolated Kneser-Ney on numbers, all positions of a text at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coursekit._validate import count

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class _Order(NamedTuple):
    """Runs of one length, k: those seen, and what the model needs of each.

    A run is written (number of its first k - 1 tokens) * base + (its last token); its own number
    is its place among `keys`.
    """

    keys: Ints  # (runs,), rising
    counts: Floats  # (runs,), occurrences at the highest order, kinds of predecessor below it
    totals: Floats  # (contexts,), what the counts of the runs with this context add up to
    left_over: Floats  # (contexts,), what the discounts of these runs add up to
    discounts: Floats  # (3,), for counts of 1, of 2, of 3 or more


class KneserNey:
    """Each token depends on the `order` - 1 before it; what was taken off goes to shorter runs.

    Implements :eq:`eq-pretraining-kneser-ney`, as :class:`~coursekit.seq2seq.NGram` does for words
    in sentences, for numbers and fast. By default it is the modified form of Chen and Goodman
    (1999), the strongest of those that count: three discounts for each length of run, estimated
    from how many runs occur once, twice, three and four times.

    Parameters
    ----------
    sequences : sequence of sequences of int
        Documents as tokens (or as bytes: ``text.encode()``), each from 0 to `vocab_size` - 1.
    order : int
        Length of the longest run, 5 for a 5-gram.
    vocab_size : int
        256 for bytes.
    discount : float, optional
        One for all counts in place of the estimated ones, from 0 to 1.

    Raises
    ------
    ValueError
        If there is no token, or one is not in the vocabulary.

    Examples
    --------
    >>> model = KneserNey([b"abab"], order=2, vocab_size=256, discount=0.5)
    >>> round(float(np.exp(model.log_probs(b"ab")[1])), 3)  # b after a: (2 - 0.5) / 2, and a bit
    0.792
    """

    def __init__(
        self,
        sequences: Sequence[Sequence[int] | bytes],
        order: int,
        vocab_size: int,
        discount: float | None = None,
    ) -> None:
        self.order, self.vocab_size = count(order, "order"), count(vocab_size, "vocab_size")
        if discount is not None and not 0 <= discount <= 1:
            raise ValueError(f"discount is {discount}; a number from 0 to 1 wanted.")
        tokens, real = self._padded(sequences)
        if not real.any():
            raise ValueError("there is no token to count.")
        self._orders = self._count(tokens, real, discount)

    def _padded(self, sequences: Iterable[Sequence[int] | bytes]) -> tuple[Ints, NDArray[np.bool_]]:
        """Return all tokens, plus 1, with order - 1 zeros before each text; and which are real."""
        pad = np.zeros(self.order - 1, dtype=np.int64)
        parts = [np.array(list(s), dtype=np.int64) + 1 for s in sequences]
        for part in parts:
            if len(part) and (part.min() < 1 or part.max() > self.vocab_size):
                wrong = int(part[(part < 1) | (part > self.vocab_size)][0]) - 1
                raise ValueError(f"token {wrong} is not in a vocabulary of {self.vocab_size}.")
        tokens = np.concatenate([x for part in parts for x in (pad, part)] or [pad])
        real = tokens > 0
        return tokens, real

    def _count(self, tokens: Ints, real: NDArray[np.bool_], discount: float | None) -> list[_Order]:
        base = self.vocab_size + 1
        keys, runs = list[Ints](), [np.zeros(len(tokens), dtype=np.int64)]  # the empty run is 0
        for _ in range(self.order):
            written = np.roll(runs[-1], 1) * base + tokens
            seen, numbers = np.unique(written, return_inverse=True)
            keys.append(seen)
            runs.append(numbers)
        orders = []
        for k in range(1, self.order + 1):
            at = np.flatnonzero(real)
            if k < self.order:  # one occurrence of each longer run: its kinds, not its times
                at = at[np.unique(runs[k + 1][at], return_index=True)[1]]
            counts = np.bincount(runs[k][at], minlength=len(keys[k - 1])).astype(float)
            n_contexts = len(keys[k - 2]) if k > 1 else 1
            orders.append(_order(keys[k - 1], counts, keys[k - 1] // base, n_contexts, discount))
        return orders

    def log_probs(self, ids: Sequence[int] | bytes) -> Floats:
        """Return the logarithm, in nats, of the probability of every token of a text.

        Parameters
        ----------
        ids : sequence of int, length n

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        ValueError
            If a token is not in the vocabulary.
        """
        tokens, real = self._padded([ids])
        p = np.full(len(tokens), 1 / self.vocab_size)
        run = np.zeros(len(tokens), dtype=np.int64)  # number of the k tokens up to here, or -1
        for order in self._orders:
            context = np.roll(run, 1)
            written = context * (self.vocab_size + 1) + tokens
            place = np.minimum(np.searchsorted(order.keys, written), len(order.keys) - 1)
            found = (context >= 0) & (order.keys[place] == written)
            run = np.where(found, place, -1)
            p = self._interpolated(order, p, context, np.where(found, order.counts[place], 0.0))
        return np.log(p[real])

    @staticmethod
    def _interpolated(order: _Order, lower: Floats, context: Ints, counts: Floats) -> Floats:
        total = np.where(context >= 0, order.totals[context], 0.0)
        off = np.where(counts > 0, order.discounts[np.clip(counts, 1, 3).astype(int) - 1], 0.0)
        kept = np.maximum(counts - off, 0.0)
        mixed = (kept + order.left_over[context] * lower) / np.where(total > 0, total, 1.0)
        return np.where(total > 0, mixed, lower)


def _order(
    keys: Ints, counts: Floats, contexts: Ints, n_contexts: int, discount: float | None
) -> _Order:
    discounts = np.full(3, discount) if discount is not None else estimated_discounts(counts)
    taken = np.where(counts > 0, discounts[np.clip(counts, 1, 3).astype(int) - 1], 0.0)
    totals = np.bincount(contexts, counts, minlength=n_contexts).astype(float)
    left_over = np.bincount(contexts, taken, minlength=n_contexts).astype(float)
    return _Order(keys, counts, totals, left_over, discounts)


def estimated_discounts(counts: Floats) -> Floats:
    """Return what to take off counts of 1, of 2 and of 3 or more.

    Parameters
    ----------
    counts : ndarray, shape (runs,)
        How often each run occurs.

    Returns
    -------
    ndarray, shape (3,)
        Equation 26 of Chen and Goodman (1999); 0.75 for each where too few runs occur one to four
        times to say.

    Examples
    --------
    >>> n = np.repeat([1.0, 2.0, 3.0, 4.0], [40, 20, 10, 5])
    >>> estimated_discounts(n)
    array([0.5 , 1.25, 2.  ])
    """
    n1, n2, n3, n4 = (float((counts == k).sum()) for k in (1, 2, 3, 4))
    if not n1 * n2 * n3 * n4:
        return np.full(3, 0.75)
    y = n1 / (n1 + 2 * n2)
    found = np.array([1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    return np.clip(found, 0.0, [1.0, 2.0, 3.0])
