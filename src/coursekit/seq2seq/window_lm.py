"""Neural language models: a fixed window of words (Bengio 2003), and a recurrent one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.seq2seq.initialise import embedding, linear
from coursekit.seq2seq.recurrent_layers import Cell, recurrent_layer
from coursekit.seq2seq.translator import check_ids
from coursekit.seq2seq.vocabulary import BOS


def windows(sentences: Sequence[Sequence[int]], size: int) -> tuple[Tensor, Tensor]:
    """Return every word with the `size` words before it, filled up with `BOS` at the beginning.

    Parameters
    ----------
    sentences : sequence of sequences of int
        Ids, each with its `EOS` if that is to be learned.
    size : int
        Words in a window.

    Returns
    -------
    contexts : Tensor of int64, shape (m, size)
    targets : Tensor of int64, shape (m,)

    Raises
    ------
    ValueError
        If `size` is below 1 or there are no words.

    Examples
    --------
    >>> contexts, targets = windows([[7, 8, 2]], 2)
    >>> contexts.tolist(), targets.tolist()
    ([[1, 1], [1, 7], [7, 8]], [7, 8, 2])
    """
    padded = [[BOS] * count(size, "size") + list(s) for s in sentences]
    rows = [s[i : i + size + 1] for s in padded for i in range(len(s) - size)]
    if not rows:
        raise ValueError("there are no words to make windows of.")
    table = torch.tensor(rows)  # (m, size + 1)
    return table[:, :-1], table[:, -1]


class FixedWindowLM(nn.Module):
    """The words of the window, side by side as vectors, through one hidden layer.

    Implements :eq:`eq-seq2seq-window-lm`, without the direct connections of Bengio et al. (2003).

    Parameters
    ----------
    vocabulary_size, window : int
        V words, and n of them in the window.
    width, hidden : int
        Width of a word's vector and of the hidden layer.
    generator : torch.Generator, optional
        Source of the initial weights.

    Examples
    --------
    >>> FixedWindowLM(10, window=3, width=4, hidden=8)(torch.ones(2, 3, dtype=torch.int64)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        vocabulary_size: int,
        window: int,
        width: int = 32,
        hidden: int = 64,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.window = count(window, "window")
        self.embedding = embedding(vocabulary_size, width, generator)
        self.hidden = linear(window * width, hidden, generator)
        self.out = linear(hidden, vocabulary_size, generator)

    def forward(self, contexts: Tensor) -> Tensor:
        """Return logits, shape (B, V), of the word after each window of ids, shape (B, n).

        Raises
        ------
        ValueError
            If the windows have another size.
        """
        if contexts.ndim != 2 or contexts.shape[1] != self.window:
            raise ValueError(f"contexts has shape {tuple(contexts.shape)}; (B, {self.window}).")
        words = self.embedding(contexts).flatten(1)  # (B, n d)
        return self.out(torch.tanh(self.hidden(words)))


class RecurrentLM(nn.Module):
    """Each word from all words before it, by way of a state.

    Parameters
    ----------
    vocabulary_size, width : int
        V words, and the width of their vectors and of the state.
    cell : {"rnn", "lstm", "gru"}
        The step.
    num_layers : int
        Layers above each other.
    generator : torch.Generator, optional
        Source of the initial weights.

    Raises
    ------
    ValueError
        If there is no such cell.

    Examples
    --------
    >>> RecurrentLM(10, 8)(torch.tensor([[1, 4, 5]])).shape
    torch.Size([1, 3, 10])
    """

    def __init__(
        self,
        vocabulary_size: int,
        width: int = 64,
        cell: Cell = "lstm",
        num_layers: int = 1,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.embedding = embedding(vocabulary_size, width, generator)
        self.rnn = recurrent_layer(cell)(width, width, num_layers, generator=generator)
        self.out = linear(width, vocabulary_size, generator)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits, shape (B, T, V), of the word after each place of ids, shape (B, T).

        Raises
        ------
        ValueError
            If the batch is empty, or an id is out of range.
        """
        check_ids(ids, self.embedding.num_embeddings, "ids")
        return self.out(self.rnn(self.embedding(ids))[0])  # (B, T, V)
