"""Encoder and decoder: one network reads the sentence, another writes its translation.

Without attention the encoder's last state is all that the decoder gets, whatever the sentence's
length. With it the decoder looks back at every state of the encoder before each word.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from coursekit.seq2seq.attend import AdditiveAttention, MultiplicativeAttention, attend
from coursekit.seq2seq.initialise import embedding, linear
from coursekit.seq2seq.recurrent import GRUCell
from coursekit.seq2seq.recurrent_layers import GRU
from coursekit.seq2seq.vocabulary import PAD

Kind = Literal["additive", "multiplicative"]


class Memory(NamedTuple):
    """What the encoder hands over."""

    states: Tensor
    """One for each word of the source, shape (B, N, d)."""
    mask: Tensor
    """False at padding, shape (B, N)."""
    last: Tensor
    """What the decoder starts from, shape (B, d): the fixed vector."""


class Encoder(nn.Module):
    """Reads a sentence in both directions.

    Parameters
    ----------
    vocabulary_size, width : int
        Number of source words, and d, even: half of it for each direction.
    generator : torch.Generator, optional
        Source of the initial weights.

    Raises
    ------
    ValueError
        If `width` is odd.

    Examples
    --------
    >>> memory = Encoder(10, 8)(torch.tensor([[4, 5, 2], [6, 2, 0]]))
    >>> memory.states.shape, memory.last.shape, memory.mask[1].tolist()
    (torch.Size([2, 3, 8]), torch.Size([2, 8]), [True, True, False])
    """

    def __init__(
        self, vocabulary_size: int, width: int, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if width % 2:
            raise ValueError(f"width is {width}; an even one wanted, half for each direction.")
        self.embedding = embedding(vocabulary_size, width, generator)
        self.rnn = GRU(width, width // 2, bidirectional=True, generator=generator)
        self.bridge = linear(width, width, generator)

    def forward(self, source: Tensor) -> Memory:
        """Read ids, shape (B, N), padded with `PAD` on the right.

        Raises
        ------
        ValueError
            If the batch is empty or a row is all padding.
        """
        mask = check_ids(source, self.embedding.num_embeddings, "source")  # (B, N)
        states, h = self.rnn(self.embedding(source), None, mask.sum(1))  # (B, N, d), (2, B, d/2)
        return Memory(states, mask, torch.tanh(self.bridge(torch.cat([h[0], h[1]], dim=-1))))


class Decoder(nn.Module):
    """Writes a sentence word by word, each from the words before it and from the memory.

    Parameters
    ----------
    vocabulary_size, width : int
        Number of target words, and d, the width of the memory's states.
    attention : {None, "additive", "multiplicative"}
        ``None`` hands over the fixed vector only, to every step and to every output (Cho).
        ``"additive"`` looks back with the state before the step and feeds what it sees to the step
        (Bahdanau). ``"multiplicative"`` looks back with the state after the step (Luong). Both mix
        what they see into the output.
    generator : torch.Generator, optional
        Source of the initial weights.

    Raises
    ------
    ValueError
        If `attention` is none of these.

    Examples
    --------
    >>> memory = Encoder(10, 8)(torch.tensor([[4, 5, 2]]))
    >>> logits, weights = Decoder(12, 8, "additive")(torch.tensor([[1, 4]]), memory)
    >>> logits.shape, weights.shape
    (torch.Size([1, 2, 12]), torch.Size([1, 2, 3]))
    """

    def __init__(
        self,
        vocabulary_size: int,
        width: int,
        attention: Kind | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if attention not in (None, "additive", "multiplicative"):
            raise ValueError(f"attention is {attention!r}; 'additive', 'multiplicative' or None.")
        self.kind = attention
        self.embedding = embedding(vocabulary_size, width, generator)
        self.rnn: GRU | GRUCell
        self.attention: AdditiveAttention | MultiplicativeAttention
        if attention is None:
            self.rnn = GRU(2 * width, width, generator=generator)
        elif attention == "additive":
            self.rnn = GRUCell(2 * width, width, generator=generator)
            self.attention = AdditiveAttention(width, width, width, generator=generator)
        else:
            self.rnn = GRU(width, width, generator=generator)
            self.attention = MultiplicativeAttention(width, width, generator=generator)
        self.mix = linear(2 * width, width, generator)
        self.out = linear(width, vocabulary_size, generator)

    def forward(self, target_in: Tensor, memory: Memory) -> tuple[Tensor, Tensor | None]:
        """Score every next word, given the right ones before it (teacher forcing).

        Parameters
        ----------
        target_in : Tensor of int64, shape (B, M)
            Ids that begin with `BOS`.
        memory : Memory
            From the encoder, with the same B.

        Returns
        -------
        logits : Tensor, shape (B, M, V)
            For the word after each place.
        weights : Tensor, shape (B, M, N), or None
            Where each step looked; None without attention.

        Raises
        ------
        ValueError
            If the batches differ or an id is out of range.
        """
        check_ids(target_in, self.embedding.num_embeddings, "target_in")
        if len(target_in) != len(memory.last):
            raise ValueError(
                f"target_in has {len(target_in)} rows and the memory {len(memory.last)}."
            )
        words = self.embedding(target_in)  # (B, M, d)
        if self.kind == "additive":
            return self._look_then_step(words, memory)
        if self.kind is None:
            fixed = memory.last[:, None].expand_as(words)  # (B, M, d)
            states, _ = self.rnn(torch.cat([words, fixed], dim=-1), memory.last[None])
            return self._output(states, fixed), None
        states, _ = self.rnn(words, memory.last[None])  # (B, M, d)
        contexts, weights = self.attention(states, memory.states, memory.mask)
        return self._output(states, contexts), weights

    def _look_then_step(self, words: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        h, prepared = memory.last, self.attention.prepare(memory.states)  # (B, d), (B, N, A)
        steps = []
        for word in words.unbind(1):  # M of (B, d)
            scores = self.attention.scores(h[:, None], prepared)  # (B, 1, N)
            context, weights = attend(scores, memory.states, memory.mask)
            h = self.rnn(torch.cat([word, context[:, 0]], dim=-1), h)  # (B, d)
            steps.append((h[:, None], context, weights))
        states, contexts, all_weights = (torch.cat(part, 1) for part in zip(*steps, strict=True))
        return self._output(states, contexts), all_weights

    def _output(self, states: Tensor, contexts: Tensor) -> Tensor:
        return self.out(torch.tanh(self.mix(torch.cat([states, contexts], dim=-1))))  # (B, M, V)


class Translator(nn.Module):
    """Encoder and decoder together.

    Implements :eq:`eq-seq2seq-encoder-decoder`.

    Parameters
    ----------
    source_size, target_size : int
        Sizes of the two vocabularies.
    width : int
        Width of embeddings and states, d, even.
    attention : {None, "additive", "multiplicative"}
        How the decoder looks back, see :class:`Decoder`.
    generator : torch.Generator, optional
        Source of the initial weights.

    Examples
    --------
    >>> model = Translator(10, 12, 8, attention="multiplicative")
    >>> source, target_in = torch.tensor([[4, 5, 2]]), torch.tensor([[1, 4]])
    >>> model(source, target_in).shape, model.alignment(source, target_in).shape
    (torch.Size([1, 2, 12]), torch.Size([1, 2, 3]))
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        width: int = 64,
        attention: Kind | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(source_size, width, generator=generator)
        self.decoder = Decoder(target_size, width, attention, generator=generator)

    def encode(self, source: Tensor) -> Memory:
        """Read ids, shape (B, N), into a memory."""
        return self.encoder(source)

    def decode(self, memory: Memory, target_in: Tensor) -> Tensor:
        """Return logits, shape (B, M, V), of the words after each of ids, shape (B, M)."""
        return self.decoder(target_in, memory)[0]

    def forward(self, source: Tensor, target_in: Tensor) -> Tensor:
        """Return logits, shape (B, M, V), for ids of shapes (B, N) and (B, M)."""
        return self.decode(self.encode(source), target_in)

    def alignment(self, source: Tensor, target_in: Tensor) -> Tensor:
        """Return the attention weights, shape (B, M, N), of one word written in each of M steps.

        Raises
        ------
        ValueError
            If the model has no attention.
        """
        weights = self.decoder(target_in, self.encode(source))[1]
        if weights is None:
            raise ValueError("this model has no attention: there is no alignment to show.")
        return weights


def check_ids(ids: Tensor, size: int, name: str) -> Tensor:
    """Return which ids are no padding, or say what is wrong with them.

    Parameters
    ----------
    ids : Tensor of int64, shape (B, N)
        Rows padded with `PAD` on the right.
    size : int
        Size of the vocabulary.
    name : str
        The argument's name, for the message.

    Returns
    -------
    Tensor of bool, shape (B, N)

    Raises
    ------
    ValueError
        If the shape is wrong, nothing is there, a row is all padding or begins with it, or an id
        is out of range.

    Examples
    --------
    >>> check_ids(torch.tensor([[4, 0]]), 5, "source").tolist()
    [[True, False]]
    """
    if ids.ndim != 2 or 0 in ids.shape:
        raise ValueError(f"{name} has shape {tuple(ids.shape)}; (B, N), both at least 1, wanted.")
    if int(ids.min()) < 0 or int(ids.max()) >= size:
        raise ValueError(f"{name} has ids {ids.min()} to {ids.max()}; 0 to {size - 1} wanted.")
    real = ids != PAD  # (B, N)
    if not bool(real[:, 0].all()):
        row = int((~real[:, 0]).nonzero()[0])
        raise ValueError(f"row {row} of {name} begins with padding; padding stands on the right.")
    if bool((real[:, 1:] & ~real[:, :-1]).any()):
        raise ValueError(f"{name} has padding inside a row; padding stands on the right.")
    return real
