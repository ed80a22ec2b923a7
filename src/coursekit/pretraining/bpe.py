"""Byte-pair encoding, trained fast: count the pairs once, then mend the counts at each merge."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, pairwise

from coursekit._validate import count
from coursekit.pretraining.pattern import between_specials, pattern, special_pattern
from coursekit.pretraining.tokenizer import Tokenizer, as_bytes

Pair = tuple[int, int]

CHUNK = 1 << 18
"""Characters that one process counts at a time, and those to the end of a word."""

WORD_BEGINS = re.compile(r" (?=\S)")


def train_bpe(
    texts: str | Iterable[str],
    vocab_size: int,
    special_tokens: Sequence[str] = (),
    workers: int = 1,
) -> Tokenizer:
    """Learn a byte-level vocabulary by merging, again and again, the most frequent pair of tokens.

    Implements :eq:`eq-pretraining-bpe`. Of equally frequent pairs, the one that is greater in byte
    order is merged. Tokens 0 to 255 are the bytes; then come the merges in their order, and the
    special tokens at the end. No two tokens are the same bytes: no merge reaches into a token from
    outside before it is whole, so that the same bytes are always merged in the same order.

    Parameters
    ----------
    texts : str or iterable of str
        What to learn from; no merge crosses from one text to the next, or a special token.
    vocab_size : int
        Tokens wanted, bytes and special tokens included. There are fewer if pairs run out.
    special_tokens : sequence of str
        Texts that are one token each and are never split, ``"<|endoftext|>"`` …
    workers : int
        Processes that count words. The result does not depend on it.

    Returns
    -------
    Tokenizer

    Raises
    ------
    ValueError
        If `vocab_size` does not hold the 256 bytes and the special tokens.

    Notes
    -----
    The method is that of Sennrich, Haddow and Birch (2016), on bytes as in GPT-2 (2019). A merge
    looks only at the words that hold its pair, and a heap whose entries may be stale gives the
    next pair.

    Examples
    --------
    >>> tokenizer = train_bpe("low low low lower lowest", 260)
    >>> [left + right for left, right in tokenizer.merges]
    [b'ow', b'low', b' low', b' lowe']
    """
    n_merges = check_vocab_size(vocab_size, special_tokens)
    words = count_words(texts, special_tokens, workers)
    vocab = {i: bytes([i]) for i in range(256)}
    merges = []
    for pair in islice(_merged_pairs(words, vocab), n_merges):
        merges.append((vocab[pair[0]], vocab[pair[1]]))
        vocab[len(vocab)] = vocab[pair[0]] + vocab[pair[1]]
    return Tokenizer(vocab, merges, special_tokens)


def check_vocab_size(vocab_size: int, special_tokens: Sequence[str]) -> int:
    """Return the number of merges that a vocabulary of this size has room for."""
    least = 256 + len(special_tokens)
    if count(vocab_size, "vocab_size") < least:
        raise ValueError(
            f"vocab_size is {vocab_size}; the 256 bytes and {len(special_tokens)} special tokens "
            f"need {least} or more."
        )
    return vocab_size - least


def count_words(
    texts: str | Iterable[str], special_tokens: Sequence[str] = (), workers: int = 1
) -> Counter[bytes]:
    """Count the pre-tokens of texts, as bytes.

    Parameters
    ----------
    texts : str or iterable of str
        What to count in; an iterable is never held in memory whole.
    special_tokens : sequence of str
        Left out; pre-tokens end there.
    workers : int
        Processes, which get `CHUNK` characters at a time.

    Returns
    -------
    Counter of bytes

    Examples
    --------
    >>> count_words("to be or not to be")[b" be"]
    2
    """
    pieces = _pieces([texts] if isinstance(texts, str) else texts, special_tokens)
    total: Counter[str] = Counter()
    if count(workers, "workers") == 1:
        for counted in map(_count, pieces):
            total.update(counted)
    else:
        with ProcessPoolExecutor(workers) as pool:
            while batch := list(islice(pieces, 4 * workers)):  # so that texts are not all read
                for counted in pool.map(_count, batch):
                    total.update(counted)
    return Counter({as_bytes(word): n for word, n in total.items()})


def _count(pieces: Sequence[str]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for piece in pieces:
        counted.update(pattern().findall(piece))
    return counted


def _pieces(texts: Iterable[str], special_tokens: Sequence[str]) -> Iterator[list[str]]:
    """Yield lists of texts of about `CHUNK` characters, special tokens taken out."""
    special, gathered, size = special_pattern(special_tokens), list[str](), 0
    for text in texts:
        for part, is_special in between_specials(text, special):
            for piece in () if is_special else _cut(part):
                gathered.append(piece)
                size += len(piece)
                if size >= CHUNK:
                    yield gathered
                    gathered, size = [], 0
    if gathered:
        yield gathered


def _cut(text: str) -> Iterator[str]:
    """Cut a long text where pre-tokens end: before the last white space ahead of a word."""
    start = 0
    while found := WORD_BEGINS.search(text, start + CHUNK):
        yield text[start : found.start()]
        start = found.start()
    yield text[start:]


def _merged_pairs(words: Counter[bytes], vocab: dict[int, bytes]) -> Iterator[Pair]:
    """Yield the pairs to merge; the caller adds each one's token to `vocab` before the next."""
    spelled = [list(word) for word in words]  # each word, as the tokens it has by now
    times = list(words.values())
    counts: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    for i, word in enumerate(spelled):
        for pair in pairwise(word):
            counts[pair] += times[i]
            where[pair].add(i)
    falling = {i: _falling(token) for i, token in vocab.items()}
    heap = [(-n, falling[a], falling[b], (a, b)) for (a, b), n in counts.items()]
    heapq.heapify(heap)
    while heap:
        n, _, _, pair = heapq.heappop(heap)
        if counts[pair] != -n:  # stale: the pair has been counted again since
            continue
        new = len(vocab)
        yield pair
        falling[new] = _falling(vocab[new])
        for a, b in _merge(pair, new, where.pop(pair), spelled, times, counts, where):
            if n := counts[a, b]:
                heapq.heappush(heap, (-n, falling[a], falling[b], (a, b)))


def _falling(token: bytes) -> str:
    """Return a text that is the smaller, the greater the token: heaps give the smallest."""
    return "".join(chr(255 - byte) for byte in token) + "\u0100"


def _merge(
    pair: Pair,
    new: int,
    holders: set[int],
    spelled: list[list[int]],
    times: list[int],
    counts: Counter[Pair],
    where: defaultdict[Pair, set[int]],
) -> set[Pair]:
    """Merge a pair in the words that hold it; return the pairs whose counts have changed."""
    changed: Counter[Pair] = Counter()
    for i in holders:
        old = spelled[i]
        word = spelled[i] = replace(old, pair, new)
        for gone in pairwise(old):
            changed[gone] -= times[i]
        for come in pairwise(word):
            changed[come] += times[i]
            if new in come:
                where[come].add(i)
    moved = {p for p, n in changed.items() if n}
    for p in moved:
        counts[p] += changed[p]
    return moved


def replace(word: Sequence[int], pair: Pair, new: int) -> list[int]:
    """Return a word with each occurrence of a pair, from the left, replaced by one token.

    Parameters
    ----------
    word : sequence of int
        Tokens.
    pair : (int, int)
        What to replace.
    new : int
        By what.

    Returns
    -------
    list of int

    Examples
    --------
    >>> replace([1, 1, 1, 2], (1, 1), 9)
    [9, 1, 2]
    """
    out, i, end = list[int](), 0, len(word) - 1
    while i <= end:
        if i < end and word[i] == pair[0] and word[i + 1] == pair[1]:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out
