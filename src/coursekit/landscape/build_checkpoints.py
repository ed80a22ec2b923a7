"""Train what chapter 11 starts from; run by ``coursekit checkpoints build NAME``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch

from coursekit.data.checkpoints import Built
from coursekit.landscape.text import LIBRARY, book_sections, words_of
from coursekit.seq2seq import Vocabulary, train_skip_gram

_SENTENCE = re.compile(r"(?<=[.:;?|])\s+|\n\n")


@dataclass(frozen=True)
class VectorSettings:
    """How the book's word vectors are trained, chapter 3's way."""

    corpus: str = LIBRARY
    min_count: int = 4
    width: int = 48
    window: int = 5
    threshold: float = 1e-3
    steps: int = 3000
    batch_size: int = 512
    lr: float = 0.01


def book_sentences(version: str = LIBRARY) -> list[list[str]]:
    """Return the book's sentences as words, the commonest left out.

    Examples
    --------
    >>> len(book_sentences()) > 5000
    True
    """
    parts = [part for s in book_sections(version) for part in _SENTENCE.split(s.text)]
    return [words for part in parts if len(words := words_of(part)) > 1]


def book_vocabulary(settings: VectorSettings) -> Vocabulary:
    """Return the words that get a vector: those that occur often enough.

    Examples
    --------
    >>> "softmax" in book_vocabulary(VectorSettings()).ids
    True
    """
    return Vocabulary.from_sentences(book_sentences(settings.corpus), settings.min_count)


def build_vectors(seed: int = 0) -> Built:
    """Train word vectors on the book."""
    settings = VectorSettings()
    sentences, words = book_sentences(settings.corpus), book_vocabulary(settings)
    model, history = train_skip_gram(
        sentences,
        words,
        generator=torch.Generator().manual_seed(seed),
        width=settings.width,
        window=settings.window,
        threshold=settings.threshold,
        steps=settings.steps,
        batch_size=settings.batch_size,
        lr=settings.lr,
    )
    loss = sum(history.losses[-50:]) / 50
    metrics = {"words": len(words), "sentences": len(sentences), "train_loss": round(loss, 4)}
    tensors = {"vectors": model.vectors.half()}
    return Built(tensors, asdict(settings), metrics, seed, history.cpu_seconds)


BUILDERS: dict[str, Callable[[], Built]] = {"landscape-vectors": build_vectors}
