"""One to many, many to one, many to many: a small task and a small model for each.

Translation, many to many of unequal lengths, has modules of its own. The tasks come from its
grammar, so that the truth is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from coursekit._validate import count, generator
from coursekit.seq2seq import lexicon
from coursekit.seq2seq.initialise import embedding, linear
from coursekit.seq2seq.recurrent_layers import GRU, Cell, recurrent_layer
from coursekit.seq2seq.translation import SEEN, sentence
from coursekit.seq2seq.translator import check_ids

ROLES = ("subject", "verb", "rest", "conjunction")
"""What a word may be in :func:`roles`."""

_FIRST_WORDS = {
    word: other
    for verb in (*lexicon.TRANSITIVE, *lexicon.INTRANSITIVE)
    for a, b in [(verb.en.split()[0], verb.en_third.split()[0])]
    for word, other in ((a, b), (b, a))
}
_FLIPPED = {**_FIRST_WORDS, "is": "are", "are": "is", "does": "do", "do": "does"}


class Example(NamedTuple):
    """What is read, and what is wanted: one label, or one for each word."""

    tokens: tuple[str, ...]
    label: int | tuple[int, ...]


def agreement(m: int, rng: np.random.Generator) -> list[Example]:
    """Draw English sentences, half of them with the verb in the wrong number: many to one.

    *The boys' cat sees me* is right, *the boys' cat see me* is wrong; the noun beside the verb may
    mislead. After Linzen, Dupoux and Goldberg (2016).

    Parameters
    ----------
    m : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of Example
        The label is 1 where the verb agrees and 0 where it does not.

    Raises
    ------
    TypeError, ValueError
        If `m` is below 1 or `rng` is no generator.

    Examples
    --------
    >>> tokens, label = agreement(1, np.random.default_rng(0))[0]
    >>> " ".join(tokens), label
    ("the horses ' women do not hear my school", 1)
    """
    rng = generator(rng)
    examples = []
    for _ in range(count(m, "m")):
        tokens = sentence(rng, patterns=SEEN).source
        right = int(rng.integers(2))
        examples.append(Example(tokens if right else flip_verb(tokens), right))
    return examples


def flip_verb(tokens: Sequence[str]) -> tuple[str, ...]:
    """Put the first verb of an English sentence into the other number.

    Parameters
    ----------
    tokens : sequence of str
        A sentence of the translation task.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        If there is no verb that the task knows.

    Examples
    --------
    >>> flip_verb(("the", "cat", "does", "not", "see", "me"))
    ('the', 'cat', 'do', 'not', 'see', 'me')
    """
    for i, token in enumerate(tokens):
        if token in _FLIPPED:
            return (*tokens[:i], _FLIPPED[token], *tokens[i + 1 :])
    raise ValueError(f"{' '.join(tokens)!r} has no verb of the translation task.")


def roles(m: int, rng: np.random.Generator) -> list[Example]:
    """Draw English sentences with the role of every word: many to many, word by word.

    A word such as *the* is part of the subject before the verb and of the rest after it, so that
    no word can be judged alone.

    Parameters
    ----------
    m : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of Example
        The label is a tuple with a number for each word, its place in ``ROLES``.

    Raises
    ------
    TypeError, ValueError
        If `m` is below 1 or `rng` is no generator.

    Examples
    --------
    >>> tokens, label = roles(1, np.random.default_rng(3))[0]
    >>> [(t, ROLES[i]) for t, i in zip(tokens, label)][:3]
    [('he', 'subject'), ('hides', 'verb'), ('fifty', 'rest')]
    """
    rng = generator(rng)
    drawn = (sentence(rng, clauses=int(rng.integers(1, 4))) for _ in range(count(m, "m")))
    return [Example(pair.source, _label(pair.source)) for pair in drawn]


def _label(tokens: Sequence[str]) -> tuple[int, ...]:
    labels, verb_seen = list[int](), False
    for token in tokens:
        if token in lexicon.CONJUNCTIONS:
            labels.append(3)
            verb_seen = False
        elif not verb_seen and token in _FLIPPED:
            labels.append(1)
            verb_seen = True
        else:
            labels.append(2 if verb_seen else 0)
    return tuple(labels)


def spelled_numbers(stop: int = 100) -> list[tuple[int, list[str]]]:
    """Return the numbers from 0 and their French words: one to many.

    Parameters
    ----------
    stop : int
        The first number left out, at most 100.

    Returns
    -------
    list of (int, list of str), length `stop`

    Examples
    --------
    >>> spelled_numbers()[92]
    (92, ['quatre', 'vingt', 'douze'])
    """
    return [(n, lexicon.french_number(n)) for n in range(count(stop, "stop"))]


def digits(numbers: Sequence[int]) -> Tensor:
    """Return tens and units as one-hot vectors side by side.

    Parameters
    ----------
    numbers : sequence of int, length B
        From 0 to 99.

    Returns
    -------
    Tensor, shape (B, 20)

    Raises
    ------
    ValueError
        If a number is not from 0 to 99.

    Examples
    --------
    >>> digits([42]).nonzero()[:, 1].tolist()
    [4, 12]
    """
    if any(not 0 <= n <= 99 for n in numbers):
        raise ValueError(f"numbers are {list(numbers)}; 0 to 99 wanted.")
    table = torch.zeros(len(numbers), 20)
    for row, n in zip(table, numbers, strict=True):
        row[[n // 10, 10 + n % 10]] = 1
    return table


class OneToMany(nn.Module):
    """A vector becomes the first state of a network that writes.

    Parameters
    ----------
    input_size, vocabulary_size, width : int
        Width of the vector, number of words, width of the state.
    generator : torch.Generator, optional
        Source of the initial weights.

    Examples
    --------
    >>> model = OneToMany(20, 30, 8)
    >>> model(digits([42, 7]), torch.tensor([[1, 4], [1, 5]])).shape
    torch.Size([2, 2, 30])
    """

    def __init__(
        self,
        input_size: int,
        vocabulary_size: int,
        width: int,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.start = linear(input_size, width, generator)
        self.embedding = embedding(vocabulary_size, width, generator)
        self.rnn = GRU(width, width, generator=generator)
        self.out = linear(width, vocabulary_size, generator)

    def encode(self, x: Tensor) -> Tensor:
        """Turn vectors, shape (B, n), into first states, shape (B, d)."""
        return torch.tanh(self.start(x))

    def decode(self, memory: Tensor, target_in: Tensor) -> Tensor:
        """Return logits, shape (B, M, V), after each of ids, shape (B, M)."""
        return self.out(self.rnn(self.embedding(target_in), memory[None])[0])

    def forward(self, x: Tensor, target_in: Tensor) -> Tensor:
        """Return logits, shape (B, M, V), for vectors, (B, n), and ids, (B, M)."""
        return self.decode(self.encode(x), target_in)


class ManyToOne(nn.Module):
    """Reads a whole sequence and judges it by the last state.

    Parameters
    ----------
    vocabulary_size, width, classes : int
        Number of words, width of the state, number of labels.
    cell : {"gru", "lstm", "rnn"}
        The step.
    generator : torch.Generator, optional
        Source of the initial weights.

    Raises
    ------
    ValueError
        If there is no such cell.

    Examples
    --------
    >>> ManyToOne(10, 8, 2)(torch.tensor([[4, 5, 6], [7, 0, 0]])).shape
    torch.Size([2, 2])
    """

    def __init__(
        self,
        vocabulary_size: int,
        width: int,
        classes: int,
        cell: Cell = "gru",
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.embedding = embedding(vocabulary_size, width, generator)
        self.rnn = recurrent_layer(cell)(width, width, generator=generator)
        self.out = linear(width, classes, generator)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits, shape (B, classes), for padded ids, shape (B, T)."""
        real = check_ids(ids, self.embedding.num_embeddings, "ids")
        outputs, _ = self.rnn(self.embedding(ids), None, real.sum(1))  # (B, T, d)
        last = real.sum(1) - 1  # (B,)
        return self.out(outputs[torch.arange(len(ids)), last])


class ManyToMany(nn.Module):
    """Reads in both directions and gives a label to each place.

    Parameters
    ----------
    vocabulary_size, width, classes : int
        Number of words, width of both states together (even), number of labels.
    bidirectional : bool
        Whether a place is judged by what follows, too.
    generator : torch.Generator, optional
        Source of the initial weights.

    Examples
    --------
    >>> ManyToMany(10, 8, 4)(torch.tensor([[4, 5, 6], [7, 0, 0]])).shape
    torch.Size([2, 3, 4])
    """

    def __init__(
        self,
        vocabulary_size: int,
        width: int,
        classes: int,
        *,
        bidirectional: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.embedding = embedding(vocabulary_size, width, generator)
        each = width // (1 + bidirectional)
        self.rnn = GRU(width, each, bidirectional=bidirectional, generator=generator)
        self.out = linear(each * (1 + bidirectional), classes, generator)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits, shape (B, T, classes), for padded ids, shape (B, T)."""
        real = check_ids(ids, self.embedding.num_embeddings, "ids")
        return self.out(self.rnn(self.embedding(ids), None, real.sum(1))[0])
