"""Words to whole numbers and back, one-hot vectors, and batches padded to one length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from coursekit._validate import count

PAD, BOS, EOS, UNK = 0, 1, 2, 3
"""Padding, beginning of sentence, end of sentence, unknown word: the first four numbers."""

SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")


class Vocabulary:
    """A fixed list of tokens, each with its place in the list for a number.

    The four special tokens come first, so that padding is 0 everywhere.

    Parameters
    ----------
    tokens : iterable of str
        The words, without the special ones; their order gives the numbers from 4 on.

    Raises
    ------
    ValueError
        If a token occurs twice or is one of the special ones.

    Examples
    --------
    >>> words = Vocabulary(["the", "cat"])
    >>> words.encode(["the", "cat", "barks"])
    [4, 5, 3]
    >>> words.decode([4, 5, 2, 0])
    ['the', 'cat']
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens = (*SPECIAL, *tokens)
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        if len(self.ids) < len(self.tokens):
            twice = next(token for token, n in Counter(self.tokens).items() if n > 1)
            raise ValueError(f"the token {twice!r} occurs twice; every token is listed once.")

    @classmethod
    def from_sentences(cls, sentences: Iterable[Sequence[str]], min_count: int = 1) -> Vocabulary:
        """Collect the tokens that occur at least `min_count` times, in the alphabet's order.

        Raises
        ------
        ValueError
            If `min_count` is below 1.

        Examples
        --------
        >>> Vocabulary.from_sentences([["b", "a"], ["b"]], min_count=2).tokens[4:]
        ('b',)
        """
        least = count(min_count, "min_count")
        found = Counter(token for sentence in sentences for token in sentence)
        return cls(sorted(t for t, n in found.items() if n >= least and t not in SPECIAL))

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Sequence[str], *, strict: bool = False) -> list[int]:
        """Return the number of each token; an unknown one is `UNK`, or an error if `strict`.

        Raises
        ------
        TypeError
            If `tokens` is one string; split it first.
        KeyError
            If `strict` and a token is unknown.
        """
        if isinstance(tokens, str):
            raise TypeError(f"a list of tokens is wanted and {tokens!r} is one string; split it.")
        if strict and (unknown := [t for t in tokens if t not in self.ids]):
            raise KeyError(f"{unknown[0]!r} is not among the {len(self)} tokens known here.")
        return [self.ids.get(token, UNK) for token in tokens]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the tokens up to the end of the sentence, without the special ones.

        An unknown word stays as ``<unk>``.

        Raises
        ------
        IndexError
            If a number stands for no token.
        """
        words: list[str] = []
        for i in map(int, ids):
            if not 0 <= i < len(self):
                raise IndexError(f"{i} stands for no token; the numbers run to {len(self) - 1}.")
            if i == EOS:
                break
            if i not in (PAD, BOS):
                words.append(self.tokens[i])
        return words


def one_hot(ids: Tensor, size: int) -> Tensor:
    """Return vectors that are 1 at the word's number and 0 elsewhere.

    Implements :eq:`eq-seq2seq-one-hot`.

    Parameters
    ----------
    ids : Tensor of int64, shape (...)
        Numbers of words.
    size : int
        Number of words in the vocabulary, V.

    Returns
    -------
    Tensor of float32, shape (..., V)

    Raises
    ------
    ValueError
        If an id is not in 0 … V - 1.

    Examples
    --------
    >>> one_hot(torch.tensor([2, 0]), 3)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < size:
        raise ValueError(f"ids run from {ids.min()} to {ids.max()}; 0 to {size - 1} wanted.")
    return (ids[..., None] == torch.arange(size, device=ids.device)).float()  # (..., V)


def pad_batch(sequences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Put sequences of different lengths into one table, filled up with `PAD` on the right.

    Parameters
    ----------
    sequences : sequence of sequences of int
        B of them, each with at least one number.

    Returns
    -------
    ids : Tensor of int64, shape (B, T)
        T is the longest length.
    lengths : Tensor of int64, shape (B,)
        How many of each row are real.

    Raises
    ------
    ValueError
        If there is no sequence, or one is empty.

    Examples
    --------
    >>> ids, lengths = pad_batch([[5, 6, 7], [8]])
    >>> ids.tolist(), lengths.tolist()
    ([[5, 6, 7], [8, 0, 0]], [3, 1])
    """
    if not sequences:
        raise ValueError("the batch is empty; at least one sequence wanted.")
    lengths = [len(s) for s in sequences]
    if min(lengths) == 0:
        where = lengths.index(0)
        raise ValueError(f"sequence {where} of the batch is empty; drop it, or give it an EOS.")
    ids = torch.full((len(sequences), max(lengths)), PAD)  # (B, T)
    for row, sequence in zip(ids, sequences, strict=True):
        row[: len(sequence)] = torch.as_tensor(sequence)
    return ids, torch.tensor(lengths)
