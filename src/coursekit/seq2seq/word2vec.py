"""Word vectors from the company that words keep: skip-gram with negative sampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.seq2seq.initialise import uniform
from coursekit.seq2seq.training import History, fit
from coursekit.seq2seq.vocabulary import UNK, Vocabulary


def skip_gram_pairs(sentences: Sequence[Sequence[int]], window: int) -> Tensor:
    """Pair every word with each word at most `window` places away in its sentence.

    Parameters
    ----------
    sentences : sequence of sequences of int
        Ids.
    window : int
        Largest distance.

    Returns
    -------
    Tensor of int64, shape (m, 2)
        Center and context.

    Raises
    ------
    ValueError
        If `window` is below 1, or no sentence has two words.

    Examples
    --------
    >>> skip_gram_pairs([[7, 8, 9]], window=1).tolist()
    [[7, 8], [8, 7], [8, 9], [9, 8]]
    """
    count(window, "window")
    pairs = [
        (center, sentence[j])
        for sentence in sentences
        for i, center in enumerate(sentence)
        for j in range(max(0, i - window), min(len(sentence), i + window + 1))
        if j != i
    ]
    if not pairs:
        raise ValueError("no sentence has two words; there is nothing to pair.")
    return torch.tensor(pairs)


def negative_sampling_loss(center: Tensor, context: Tensor, negatives: Tensor) -> Tensor:
    """Tell the true context from words drawn at random.

    Implements :eq:`eq-seq2seq-negative-sampling`, Mikolov et al. (2013), as a loss: the negative
    of their objective, averaged over the batch.

    Parameters
    ----------
    center : Tensor, shape (B, d)
        Vectors of the words.
    context : Tensor, shape (B, d)
        Context vectors of words seen nearby.
    negatives : Tensor, shape (B, K, d)
        Context vectors of K words drawn from the noise.

    Returns
    -------
    Tensor, one number

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> zero = torch.zeros(1, 4)
    >>> loss = negative_sampling_loss(zero, zero, torch.zeros(1, 3, 4))
    >>> bool(loss.isclose(4 * torch.tensor(2.0).log()))  # four guesses at one half each
    True
    """
    B, d = center.shape
    if B == 0 or context.shape != (B, d) or negatives.ndim != 3 or negatives.shape[::2] != (B, d):
        shapes = [tuple(x.shape) for x in (center, context, negatives)]
        raise ValueError(f"shapes are {shapes}; (B, d), (B, d) and (B, K, d), B of 1, wanted.")
    right = (center * context).sum(-1)  # (B,)
    wrong = (negatives @ center[:, :, None]).squeeze(-1)  # (B, K)
    log_sigmoid = nn.functional.logsigmoid
    return -(log_sigmoid(right) + log_sigmoid(-wrong).sum(-1)).mean()


class SkipGram(nn.Module):
    """Two vectors for each word: one as a center, one as a context.

    Parameters
    ----------
    vocabulary_size, width : int
        V words, and the width d of their vectors.
    generator : torch.Generator, optional
        Source of the initial vectors: centers within 0.5 / d, contexts 0, as in the original code.

    Examples
    --------
    >>> SkipGram(10, 4).vectors.shape
    torch.Size([10, 4])
    """

    def __init__(
        self, vocabulary_size: int, width: int, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        shape = count(vocabulary_size, "vocabulary_size"), count(width, "width")
        self.center = nn.Parameter(uniform(shape, 0.5 / width, generator))
        self.context = nn.Parameter(torch.zeros(shape))

    @property
    def vectors(self) -> Tensor:
        """The words' vectors, shape (V, d)."""
        return self.center.detach()

    def log_probs(self, center: Tensor) -> Tensor:
        """Return log p(context | center) over all words, shape (B, V), for ids of shape (B,).

        Implements :eq:`eq-seq2seq-skip-gram`: the full softmax, which negative sampling avoids.
        """
        return (self.center[center] @ self.context.T).log_softmax(-1)  # (B, V)

    def forward(self, center: Tensor, context: Tensor, negatives: Tensor) -> Tensor:
        """Return the loss for ids of shapes (B,), (B,) and (B, K)."""
        return negative_sampling_loss(
            self.center[center], self.context[context], self.context[negatives]
        )


def noise_distribution(counts: Tensor, power: float = 0.75) -> Tensor:
    """Return the probabilities with which negatives are drawn: counts to the power 3/4.

    Parameters
    ----------
    counts : Tensor, shape (V,)
        How often each word occurs.
    power : float
        1 draws words as often as they occur, 0 all alike.

    Returns
    -------
    Tensor, shape (V,)
        Sums to 1. A word that does not occur is never drawn.

    Raises
    ------
    ValueError
        If nothing occurs.

    Examples
    --------
    >>> noise_distribution(torch.tensor([16.0, 1.0, 0.0]))
    tensor([0.8889, 0.1111, 0.0000])
    """
    if not bool((counts > 0).any()):
        raise ValueError("all counts are 0: there is no word to draw.")
    weights = torch.where(counts > 0, counts.float() ** power, 0.0)
    return weights / weights.sum()


def keep_probabilities(counts: Tensor, threshold: float) -> Tensor:
    """Return how often to keep each word, so that the commonest do not fill all pairs.

    Parameters
    ----------
    counts : Tensor, shape (V,)
        How often each word occurs.
    threshold : float
        Words rarer than this share of the text are always kept; others with probability
        sqrt(threshold / share).

    Returns
    -------
    Tensor, shape (V,)

    Examples
    --------
    >>> keep_probabilities(torch.tensor([99.0, 1.0]), threshold=0.01)
    tensor([0.1005, 1.0000])
    """
    share = counts.float() / counts.sum()
    return (threshold / share.clamp_min(1e-12)).sqrt().clamp_max(1.0)


def train_skip_gram(
    sentences: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    *,
    generator: torch.Generator,
    width: int = 32,
    window: int = 4,
    negatives: int = 5,
    threshold: float | None = None,
    steps: int = 1000,
    batch_size: int = 512,
    lr: float = 0.02,
) -> tuple[SkipGram, History]:
    """Learn word vectors from sentences.

    Parameters
    ----------
    sentences : sequence of token lists
        The text; words that the vocabulary lacks are left out.
    vocabulary : Vocabulary
        The words to learn.
    generator : torch.Generator
        Source of all randomness.
    width, window, negatives : int
        Width of the vectors, largest distance of a context, noise words for each pair.
    threshold : float, optional
        Thin out words commoner than this share of the text, see :func:`keep_probabilities`.
    steps, batch_size : int
        Steps of Adam, and pairs in each.
    lr : float
        Largest step size.

    Returns
    -------
    SkipGram, History

    Raises
    ------
    ValueError
        If there is nothing to pair.

    Examples
    --------
    >>> text = [["salt", "and", "pepper"]] * 20
    >>> words = Vocabulary.from_sentences(text)
    >>> model, history = train_skip_gram(
    ...     text, words, generator=torch.Generator().manual_seed(0), steps=20, batch_size=32)
    >>> history.losses[-1] < history.losses[0]
    True
    """
    encoded = [[i for i in vocabulary.encode(s) if i != UNK] for s in sentences]
    flat = torch.tensor([i for s in encoded for i in s], dtype=torch.int64)
    counts = torch.bincount(flat, minlength=len(vocabulary))  # (V,)
    if threshold is not None:
        keep = keep_probabilities(counts, threshold)[flat]
        kept = iter((torch.rand(len(flat), generator=generator) < keep).tolist())
        encoded = [[i for i in s if next(kept)] for s in encoded]
    pairs, noise = skip_gram_pairs(encoded, window), noise_distribution(counts)
    model = SkipGram(len(vocabulary), width, generator=generator)
    batches = _batches(pairs, noise, negatives, batch_size, generator)
    history = fit(model, nn.Module.__call__, batches, steps=steps, lr=lr, clip=torch.inf)
    return model, history


def _batches(
    pairs: Tensor, noise: Tensor, negatives: int, batch_size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield centers, contexts and negatives without end."""
    while True:
        rows = torch.randint(len(pairs), (batch_size,), generator=generator)
        drawn = torch.multinomial(noise, batch_size * negatives, True, generator=generator)
        center, context = pairs[rows].unbind(1)  # (B,), (B,)
        yield center, context, drawn.reshape(batch_size, negatives)
