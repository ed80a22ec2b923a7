"""One training loop for everything in this chapter: Adam, clipping, a schedule and a record."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from coursekit._validate import count, generator
from coursekit.seq2seq.translation import Pair
from coursekit.seq2seq.vocabulary import BOS, EOS, PAD, Vocabulary, pad_batch

Batch = tuple[Tensor, Tensor]


@dataclass
class History:
    """What happened in training.

    Attributes
    ----------
    losses, gradient_norms : list of float
        One a step: the batch's loss before it, and the norm of the gradient before clipping.
    cpu_seconds : float
        Time of the processor, which other programs on the machine do not change.
    """

    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0


def fit(
    model: nn.Module,
    loss: Callable[..., Tensor],
    batches: Iterator[Any],
    *,
    steps: int,
    lr: float = 3e-3,
    warmup: int = 0,
    clip: float = 1.0,
) -> History:
    """Take steps of Adam whose size falls to 0 along half a cosine.

    Parameters
    ----------
    model : nn.Module
        Whose parameters are trained, in place.
    loss : callable
        ``loss(model, *batch)`` gives a tensor of one number.
    batches : iterator of tuples
        One is taken a step.
    steps : int
        How many steps.
    lr : float
        The largest step size.
    warmup : int
        Steps in which the step size grows to `lr` first.
    clip : float
        The gradient of all parameters together is shortened to this norm where it is longer.

    Returns
    -------
    History

    Raises
    ------
    FloatingPointError
        If the loss or its gradient is not a finite number; says at which step.
    ValueError
        If the batches end before the steps do.

    Examples
    --------
    >>> model = nn.Linear(1, 1)
    >>> x = torch.linspace(-1, 1, 8)[:, None]
    >>> def squared(model, x, y): return (model(x) - y).square().mean()
    >>> history = fit(model, squared, iter([(x, 3 * x)] * 200), steps=200, lr=0.1)
    >>> history.losses[-1] < 1e-3
    True
    """
    optimiser = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.98))
    history, start = History(), time.process_time()
    model.train()
    for step in range(count(steps, "steps")):
        batch = next(batches, None)
        if batch is None:
            raise ValueError(f"the batches ended after {step} of {steps} steps.")
        for group in optimiser.param_groups:
            group["lr"] = lr * _share(step, steps, warmup)
        value = loss(model, *batch)
        optimiser.zero_grad()
        value.backward()
        norm = float(nn.utils.clip_grad_norm_(model.parameters(), clip))
        if not math.isfinite(value.item() + norm):
            raise FloatingPointError(
                f"step {step + 1}: the loss is {value.item():g} and its gradient's norm {norm:g}; "
                "take a smaller lr, or look for NaN in the data."
            )
        optimiser.step()
        history.losses.append(value.item())
        history.gradient_norms.append(norm)
    model.eval()
    history.cpu_seconds = time.process_time() - start
    return history


def _share(step: int, steps: int, warmup: int) -> float:
    """Which part of the largest step size step `step` takes."""
    if step < warmup:
        return (step + 1) / warmup
    return (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))) / 2


def next_token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of -log p(target) in nats over all targets that are no padding.

    Parameters
    ----------
    logits : Tensor, shape (B, M, V)
        Scores of the next token.
    targets : Tensor of int64, shape (B, M)
        What it was; `PAD` does not count.

    Returns
    -------
    Tensor, one number

    Raises
    ------
    ValueError
        If the shapes do not fit, or all targets are padding.

    Examples
    --------
    >>> loss = next_token_loss(torch.zeros(1, 2, 5), torch.tensor([[3, 0]]))
    >>> bool(loss.isclose(torch.tensor(5.0).log()))
    True
    """
    if logits.ndim != 3 or logits.shape[:2] != targets.shape:
        raise ValueError(
            f"logits has shape {tuple(logits.shape)} and targets {tuple(targets.shape)}; "
            "(B, M, V) and (B, M) wanted."
        )
    if not bool((targets != PAD).any()):
        raise ValueError("all targets are padding: there is nothing to learn from.")
    flat = logits.flatten(0, 1)  # (B M, V)
    return nn.functional.cross_entropy(flat, targets.flatten(), ignore_index=PAD)


def vocabularies(pairs: Sequence[Pair]) -> tuple[Vocabulary, Vocabulary]:
    """Return the words of the sources and those of the targets.

    Parameters
    ----------
    pairs : sequence of Pair
        The training data.

    Returns
    -------
    source, target : Vocabulary

    Examples
    --------
    >>> [len(v) for v in vocabularies([Pair(("the", "cat"), ("le", "chat"), (), ())])]
    [6, 6]
    """
    return (
        Vocabulary.from_sentences(p.source for p in pairs),
        Vocabulary.from_sentences(p.target for p in pairs),
    )


def encode_pairs(
    pairs: Sequence[Pair], source: Vocabulary, target: Vocabulary
) -> tuple[Tensor, Tensor]:
    """Return sources, each with an `EOS`, and targets between `BOS` and `EOS`, padded.

    Parameters
    ----------
    pairs : sequence of Pair
        B sentences.
    source, target : Vocabulary
        Of either language.

    Returns
    -------
    sources : Tensor of int64, shape (B, N)
    targets : Tensor of int64, shape (B, M + 1)
        Take ``targets[:, :-1]`` for the decoder's input and ``targets[:, 1:]`` for what it should
        say.

    Raises
    ------
    ValueError
        If there are no pairs.

    Examples
    --------
    >>> pair = Pair(("the", "cat"), ("le", "chat"), (), ())
    >>> encode_pairs([pair], Vocabulary(["the", "cat"]), Vocabulary(["le", "chat"]))
    (tensor([[4, 5, 2]]), tensor([[1, 4, 5, 2]]))
    """
    sources, _ = pad_batch([[*source.encode(p.source), EOS] for p in pairs])
    targets, _ = pad_batch([[BOS, *target.encode(p.target), EOS] for p in pairs])
    return sources, targets


def batches_of_pairs(
    pairs: Sequence[Pair],
    source: Vocabulary,
    target: Vocabulary,
    rng: np.random.Generator,
    *,
    batch_size: int = 64,
) -> Iterator[Batch]:
    """Yield batches without end, each of sentences of about one length, in random order.

    Parameters
    ----------
    pairs : sequence of Pair
        The data.
    source, target : Vocabulary
        Of either language.
    rng : numpy.random.Generator
        Source of the order.
    batch_size : int
        Sentences in a batch.

    Yields
    ------
    sources, targets : Tensor of int64
        As from :func:`encode_pairs`.

    Raises
    ------
    ValueError
        If there are fewer pairs than a batch takes.

    Examples
    --------
    >>> pair = Pair(("the", "cat"), ("le", "chat"), (), ())
    >>> words = Vocabulary(["the", "cat"]), Vocabulary(["le", "chat"])
    >>> batches = batches_of_pairs([pair] * 4, *words, np.random.default_rng(0), batch_size=2)
    >>> next(batches)[0].shape
    torch.Size([2, 3])
    """
    if len(pairs) < count(batch_size, "batch_size"):
        raise ValueError(f"batch_size is {batch_size} and there are {len(pairs)} pairs.")
    lengths = np.array([len(p.source) + len(p.target) for p in pairs])
    rng = generator(rng)
    while True:
        noise = rng.uniform(0, 1, len(pairs))
        order = np.lexsort((noise, lengths))  # by length, at random within one length
        last = len(order) - len(order) % batch_size
        groups = order[:last].reshape(-1, batch_size)
        for rows in rng.permutation(groups):
            yield encode_pairs([pairs[i] for i in rows], source, target)


def translation_loss(model: nn.Module, source: Tensor, target: Tensor) -> Tensor:
    """Return the loss of a translator under teacher forcing.

    Parameters
    ----------
    model : nn.Module
        ``model(source, target_in)`` gives logits, shape (B, M, V): recurrent or not.
    source : Tensor of int64, shape (B, N)
    target : Tensor of int64, shape (B, M + 1)
        From `BOS` to `EOS`.

    Returns
    -------
    Tensor, one number

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> from coursekit.seq2seq import Translator
    >>> model = Translator(8, 9, 4)
    >>> translation_loss(model, torch.tensor([[4, 2]]), torch.tensor([[1, 5, 2]])).shape
    torch.Size([])
    """
    return next_token_loss(model(source, target[:, :-1]), target[:, 1:])


def train_translator(
    model: nn.Module,
    pairs: Sequence[Pair],
    source: Vocabulary,
    target: Vocabulary,
    *,
    rng: np.random.Generator,
    steps: int = 2000,
    batch_size: int = 64,
    lr: float = 3e-3,
    warmup: int = 100,
    clip: float = 1.0,
) -> History:
    """Train any model that maps ``(source, target_in)`` to logits on sentence pairs.

    Parameters
    ----------
    model : nn.Module
        Changed in place.
    pairs : sequence of Pair
        What to learn from.
    source, target : Vocabulary
        Of either language.
    rng : numpy.random.Generator
        Source of the order of the sentences.
    steps, batch_size, lr, warmup, clip
        As in :func:`fit` and :func:`batches_of_pairs`.

    Returns
    -------
    History

    Raises
    ------
    ValueError, FloatingPointError
        As :func:`fit` and :func:`batches_of_pairs` do.

    Examples
    --------
    >>> from coursekit.seq2seq import Translator, sentences
    >>> rng = np.random.default_rng(0)
    >>> pairs = sentences(64, rng)
    >>> words = vocabularies(pairs)
    >>> model = Translator(*map(len, words), 16)
    >>> history = train_translator(model, pairs, *words, rng=rng, steps=3, batch_size=32)
    >>> len(history.losses)
    3
    """
    batches = batches_of_pairs(pairs, source, target, rng, batch_size=batch_size)
    return fit(model, translation_loss, batches, steps=steps, lr=lr, warmup=warmup, clip=clip)
