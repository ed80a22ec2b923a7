"""Byte-pair encoding as one would first write it: count every pair again before every merge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from coursekit.pretraining.bpe import check_vocab_size, count_words
from coursekit.pretraining.tokenizer import Tokenizer


def train_naive_bpe(
    texts: str | Iterable[str], vocab_size: int, special_tokens: Sequence[str] = ()
) -> Tokenizer:
    """Learn the vocabulary that :func:`~coursekit.pretraining.train_bpe` learns, slowly.

    Parameters
    ----------
    texts : str or iterable of str
        What to learn from.
    vocab_size : int
        Tokens wanted, bytes and special tokens included.
    special_tokens : sequence of str
        Texts that are one token each.

    Returns
    -------
    Tokenizer

    Raises
    ------
    ValueError
        If `vocab_size` does not hold the 256 bytes and the special tokens.

    Examples
    --------
    >>> train_naive_bpe("low low low lower lowest", 258).merges
    [(b'o', b'w'), (b'l', b'ow')]
    """
    n_merges = check_vocab_size(vocab_size, special_tokens)
    words = {tuple(bytes([b]) for b in w): n for w, n in count_words(texts, special_tokens).items()}
    tokens, merges = [bytes([b]) for b in range(256)], list[tuple[bytes, bytes]]()
    while len(merges) < n_merges and (counts := count_pairs(words)):
        pair = max(counts, key=lambda p: (counts[p], p))  # the greater pair where counts are equal
        merges.append(pair)
        tokens.append(pair[0] + pair[1])
        words = {merge_pair(word, pair): n for word, n in words.items()}
    return Tokenizer(dict(enumerate(tokens)), merges, special_tokens)


def count_pairs(words: dict[tuple[bytes, ...], int]) -> Counter[tuple[bytes, bytes]]:
    """Count the neighbours in words.

    Parameters
    ----------
    words : dict of tuple of bytes to int
        Each word as its tokens, and how often it occurs.

    Returns
    -------
    Counter of (bytes, bytes)

    Examples
    --------
    >>> count_pairs({(b"a", b"b", b"c"): 2, (b"a", b"b"): 1})[b"a", b"b"]
    3
    """
    counts: Counter[tuple[bytes, bytes]] = Counter()
    for word, n in words.items():
        for pair in pairwise(word):
            counts[pair] += n
    return counts


def merge_pair(word: tuple[bytes, ...], pair: tuple[bytes, bytes]) -> tuple[bytes, ...]:
    """Return a word with a pair, wherever it stands, made one token.

    Parameters
    ----------
    word : tuple of bytes
        A word as its tokens.
    pair : (bytes, bytes)
        What to merge, from the left.

    Returns
    -------
    tuple of bytes

    Examples
    --------
    >>> merge_pair((b"a", b"a", b"a", b"b"), (b"a", b"a"))
    (b'aa', b'a', b'b')
    """
    out, i = list[bytes](), 0
    while i < len(word):
        if word[i : i + 2] == pair:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)
