"""How the chapter's small models are trained: batches and losses for the one training loop.

The loop is :func:`coursekit.seq2seq.fit`; a translator of either kind is trained by
:func:`coursekit.seq2seq.train_translator`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from coursekit.seq2seq.training import History, fit, next_token_loss
from coursekit.seq2seq.vocabulary import BOS, EOS, PAD, pad_batch
from coursekit.transformer.bert import MaskedLanguageModel
from coursekit.transformer.gpt import GPT
from coursekit.transformer.induction import repeated_sequences
from coursekit.transformer.masked_lm import mask_tokens, masked_lm_loss


def train_induction(
    model: GPT,
    *,
    generator: torch.Generator,
    steps: int = 800,
    batch_size: int = 64,
    length: int = 32,
    periods: tuple[int, int] = (8, 16),
    lr: float = 3e-3,
) -> History:
    """Train a decoder on sequences that repeat, each batch with a period of its own.

    Only places whose token is the repetition of an earlier one are asked for: the others cannot
    be foretold.

    Parameters
    ----------
    model : GPT
        Changed in place.
    generator : torch.Generator
        Of the sequences.
    steps, batch_size, lr
        As in :func:`coursekit.seq2seq.fit`.
    length : int, default 32
        Tokens in a sequence.
    periods : (int, int), default (8, 16)
        Shortest and longest period, at most `length` - 1.

    Returns
    -------
    History

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(16, 8, n_layers=2, n_heads=2, feed_forward="none"))
    >>> history = train_induction(model, generator=torch.Generator().manual_seed(0), steps=2)
    >>> len(history.losses)
    2
    """
    low, high = periods

    def batches() -> Iterator[tuple[Tensor, int]]:
        while True:
            period = int(torch.randint(low, high + 1, (), generator=generator))
            yield (
                repeated_sequences(
                    batch_size,
                    period=period,
                    length=length,
                    vocab_size=model.config.vocab_size,
                    generator=generator,
                ),
                period,
            )

    return fit(model, induction_loss, batches(), steps=steps, lr=lr, warmup=100)


def induction_loss(model: GPT, ids: Tensor, period: int) -> Tensor:
    """Return the mean cross-entropy, in nats, of the tokens that an earlier one foretells.

    Parameters
    ----------
    model : GPT
        What foretells.
    ids : Tensor, int, shape (B, N)
        Sequences with this period.
    period : int
        Below N - 1: the first token of the second round is not foretold by induction, since its
        predecessor has not been seen before.

    Returns
    -------
    Tensor, scalar
    """
    logits = model(ids)[:, period:-1]  # (B, N - period - 1, V)
    targets = ids[:, period + 1 :]
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def train_masked_lm(
    model: MaskedLanguageModel,
    sentences: Sequence[Sequence[int]],
    *,
    mask_id: int,
    generator: torch.Generator,
    steps: int = 800,
    batch_size: int = 64,
    lr: float = 3e-3,
) -> History:
    """Train an encoder to fill gaps in sentences.

    Parameters
    ----------
    model : MaskedLanguageModel
        Changed in place.
    sentences : sequence of sequences of int
        Token numbers; padding is 0.
    mask_id : int
        The token that hides.
    generator : torch.Generator
        Of the batches and the gaps.
    steps, batch_size, lr
        As in :func:`coursekit.seq2seq.fit`.

    Returns
    -------
    History

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = MaskedLanguageModel(TransformerConfig(16, 8, n_layers=1, n_heads=2))
    >>> generator, data = torch.Generator().manual_seed(0), [[4, 5, 6, 7, 8]] * 64
    >>> history = train_masked_lm(model, data, mask_id=15, generator=generator, steps=2)
    >>> len(history.losses)
    2
    """
    vocab_size = model.bert.config.vocab_size

    def batches() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for ids, lengths in random_batches(sentences, batch_size, generator):
            hidden, targets = mask_tokens(
                *(ids,),
                mask_id=mask_id,
                vocab_size=vocab_size,
                generator=generator,
                special=(PAD, BOS, EOS),
            )
            yield hidden, lengths, targets

    def loss(model: MaskedLanguageModel, ids: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        return masked_lm_loss(model(ids, lengths=lengths), targets)

    return fit(model, loss, batches(), steps=steps, lr=lr, warmup=100)


def train_language_model(
    model: GPT,
    sentences: Sequence[Sequence[int]],
    *,
    generator: torch.Generator,
    steps: int = 800,
    batch_size: int = 64,
    lr: float = 3e-3,
) -> History:
    """Train a decoder to continue sentences.

    Parameters
    ----------
    model : GPT
        Changed in place.
    sentences : sequence of sequences of int
        Token numbers with the begin and end tokens; padding is 0.
    generator : torch.Generator
        Of the batches.
    steps, batch_size, lr
        As in :func:`coursekit.seq2seq.fit`.

    Returns
    -------
    History

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(16, 8, n_layers=1, n_heads=2))
    >>> generator, data = torch.Generator().manual_seed(0), [[1, 5, 6, 7, 2]] * 64
    >>> len(train_language_model(model, data, generator=generator, steps=2).losses)
    2
    """

    def loss(model: GPT, ids: Tensor, _: Tensor) -> Tensor:
        return next_token_loss(model(ids[:, :-1]), ids[:, 1:])

    batches = random_batches(sentences, batch_size, generator)
    return fit(model, loss, batches, steps=steps, lr=lr, warmup=100)


def random_batches(
    sentences: Sequence[Sequence[int]], batch_size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield without end batches of sentences drawn at random, padded, with their lengths.

    Parameters
    ----------
    sentences : sequence of sequences of int
        Token numbers.
    batch_size : int
        Sentences in a batch.
    generator : torch.Generator
        Of the draws.

    Yields
    ------
    ids : Tensor, int, shape (batch_size, N)
    lengths : Tensor, int, shape (batch_size,)

    Examples
    --------
    >>> batches = random_batches([[4, 5]], 3, torch.Generator().manual_seed(0))
    >>> next(batches)[0].shape
    torch.Size([3, 2])
    """
    while True:
        rows = torch.randint(len(sentences), (batch_size,), generator=generator).tolist()
        yield pad_batch([sentences[i] for i in rows])
