"""Three ways to have a new thing done: name it, show it, or train it.

The thing is a secret code: each of eight letters stands for another. A sequence opens with a name
of a code or with none; then come letters, each followed by what it stands for, as one token
``c=f``. The model has learned eight codes by name, and codes without a name from their examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from coursekit._validate import Array, count
from coursekit.posttraining.masked import token_log_probs
from coursekit.posttraining.updates import descend
from coursekit.transformer import GPT, TransformerConfig

SYMBOLS = 8
"""Letters of a code."""

KNOWN = 8
"""Codes that have a name in training."""

SHOWN = 16
"""Letters in a sequence, each with its answer."""

NAMES = SYMBOLS + SYMBOLS**2
"""The token of the first name; after the known ones come "no name" and a name never used."""

NAMELESS, NEW = NAMES + KNOWN, NAMES + KNOWN + 1

READER = TransformerConfig(
    NEW + 1, 48, n_layers=1, n_heads=4, max_len=2 * SHOWN + 1, positions="none"
)
"""Without positions: the order of examples says nothing."""


def draw_codes(n: int, generator: torch.Generator) -> Tensor:
    """Draw codes, shape (n, 8): row b says what each letter stands for.

    Examples
    --------
    >>> draw_codes(2, torch.Generator().manual_seed(0)).sort(-1).values[1]
    tensor([0, 1, 2, 3, 4, 5, 6, 7])
    """
    return torch.rand(count(n, "n"), SYMBOLS, generator=generator).argsort(-1)


def lessons(codes: Tensor, names: Tensor, generator: torch.Generator) -> Tensor:
    """Return a sequence for each code: its name, then 16 letters, each followed by its answer.

    Parameters
    ----------
    codes : Tensor of int64, shape (n, 8)
        What letters stand for.
    names : Tensor of int64, shape (n,)
        First tokens.
    generator : torch.Generator
        What draws the letters, with repetition.

    Returns
    -------
    Tensor of int64, shape (n, 33)

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> lessons(draw_codes(2, g), torch.tensor([NAMELESS] * 2), g).shape
    torch.Size([2, 33])
    """
    letters = torch.randint(0, SYMBOLS, (len(codes), SHOWN), generator=generator)
    pairs = SYMBOLS + SYMBOLS * letters + codes.gather(1, letters)  # (n, 16): the tokens c=f
    body = torch.stack([letters, pairs], -1).flatten(1)  # (n, 32)
    return torch.cat([names[:, None], body], 1)


class Reader(NamedTuple):
    """A model and the codes that it knows by name.

    Attributes
    ----------
    model : GPT
        It foretells answers.
    codes : Tensor of int64, shape (8, 8)
        What its eight names stand for.
    """

    model: GPT
    codes: Tensor


def train_reader(seed: int, *, steps: int = 150, batch_size: int = 64) -> Reader:
    """Train a model on known codes with their names, and on ever new codes without one.

    Parameters
    ----------
    seed : int
        Of the codes, the weights and the sequences.
    steps, batch_size : int
        Of AdamW.

    Returns
    -------
    Reader

    Examples
    --------
    >>> train_reader(0, steps=1).codes.shape
    torch.Size([8, 8])
    """
    g = torch.Generator().manual_seed(seed)
    codes, model = draw_codes(KNOWN, g), GPT(READER, generator=g)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, betas=(0.9, 0.98), fused=True)
    fall = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda s: min(1, (s + 1) / 50) * (1 - s / steps)
    )
    for _ in range(steps):
        who = torch.randint(0, KNOWN, (batch_size,), generator=g)
        named = torch.rand(batch_size, generator=g) < 0.3
        chosen = torch.where(named[:, None], codes[who], draw_codes(batch_size, g))
        names = torch.where(named, NAMES + who, NAMELESS)
        descend(optimiser, answer_loss(model, lessons(chosen, names, g)))
        fall.step()
    return Reader(model, codes)


def answer_loss(model: GPT, ids: Tensor) -> Tensor:
    """Return the mean cross-entropy of the answers, in nats.

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> ids = lessons(draw_codes(2, g), torch.tensor([NAMELESS] * 2), g)
    >>> 2 < answer_loss(GPT(READER), ids).item() < 7
    True
    """
    return -token_log_probs(model, ids)[:, 1::2].mean()


@torch.no_grad()
def right_after(model: GPT, codes: Tensor, names: Tensor, generator: torch.Generator) -> Array:
    """Return the share of right answers after 0, 1 … 15 examples.

    Parameters
    ----------
    model : GPT
        From :func:`train_reader`.
    codes : Tensor of int64, shape (n, 8)
        What letters stand for.
    names : Tensor of int64, shape (n,), or int
        What the sequences open with.
    generator : torch.Generator
        What draws the letters.

    Returns
    -------
    ndarray, shape (16,)

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> right_after(GPT(READER), draw_codes(4, g), torch.tensor([NAMELESS] * 4), g).shape
    (16,)
    """
    ids = lessons(codes, names, generator)
    told = model(ids)[:, 1:-1:2].argmax(-1)  # (n, 16): said after each letter
    return (told == ids[:, 2::2]).double().mean(0).numpy()


def best_in_context(examples: int) -> float:
    r"""Return the share of right answers of the best reader there can be, after k examples.

    A letter that was shown is known; of one that was not, d others were, and the answer is one of
    8 - d: :math:`1-(7/8)^k+(7/8)^k\,\mathbb E[1/(8-d)]`, where d counts different letters among k
    drawn from seven. Who only copies, and rules nothing out, gets :math:`1-(7/8)^{k+1}`.

    Parameters
    ----------
    examples : int
        That were shown, k; letters drawn with repetition.

    Returns
    -------
    float

    Examples
    --------
    >>> best_in_context(0), round(best_in_context(1), 4)
    (0.125, 0.25)
    """
    others = SYMBOLS - 1
    chance = np.zeros(others + 1)  # of d different letters so far
    chance[0] = 1
    d = np.arange(others + 1)
    for _ in range(count(examples, "examples", least=0)):
        new = chance * (others - d) / others
        chance = chance * d / others + np.concatenate([[0], new[:-1]])
    hidden = (others / SYMBOLS) ** examples
    return float(1 - hidden + hidden * (chance / (SYMBOLS - d)).sum())


class Tuned(NamedTuple):
    """A model on its way to know one more code by name.

    Attributes
    ----------
    steps : tuple of int
        Where it was looked at.
    new, old : ndarray, shape (len(steps),)
        Share of right answers without an example: to the new name, and to the known ones.
    """

    steps: tuple[int, ...]
    new: Array
    old: Array


def fine_tune(
    reader: Reader,
    code: Tensor,
    generator: torch.Generator,
    *,
    steps: Sequence[int] = (0, 1, 2, 5, 10, 20, 40),
    lr: float = 2e-3,
) -> Tuned:
    """Train a copy of the model on one code under a name that it never saw.

    Parameters
    ----------
    reader : Reader
        What it starts from.
    code : Tensor of int64, shape (8,)
        The new code.
    generator : torch.Generator
        What draws the letters.
    steps : sequence of int
        Steps of AdamW, on 8 sequences each, after which to look.
    lr : float
        Step size.

    Returns
    -------
    Tuned

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> fine_tune(train_reader(0, steps=1), draw_codes(1, g)[0], g, steps=[0, 1]).steps
    (0, 1)
    """
    model, seen = deepcopy(reader.model), []
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.98))
    names = torch.full((8,), NEW)
    for step in range(max(steps) + 1):
        if step in steps:
            seen.append(by_name(Reader(model, reader.codes), code, generator))
        descend(optimiser, answer_loss(model, lessons(code.expand(8, -1), names, generator)))
    new, old = np.array(seen).T
    return Tuned(tuple(sorted(steps)), new, old)


def by_name(reader: Reader, code: Tensor, generator: torch.Generator) -> tuple[float, float]:
    """Return the shares of right answers that a name alone gets: to a new code, and known ones.

    Parameters
    ----------
    reader : Reader
        What answers.
    code : Tensor of int64, shape (8,)
        The code that the unused name shall stand for.
    generator : torch.Generator
        What draws the letters.

    Returns
    -------
    new, old : float

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> 0 <= by_name(train_reader(0, steps=1), draw_codes(1, g)[0], g)[0] <= 1
    True
    """
    n = 256
    new = right_after(reader.model, code.expand(n, -1), torch.full((n,), NEW), generator)[0]
    who = torch.arange(n) % KNOWN
    old = right_after(reader.model, reader.codes[who], NAMES + who, generator)[0]
    return float(new), float(old)
