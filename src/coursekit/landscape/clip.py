"""Pictures and words in one space: CLIP's loss, zero-shot classification and retrieval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.landscape.vit import VisionTransformer
from coursekit.landscape.words import LANGUAGES, Spelling
from coursekit.seq2seq import History, fit
from coursekit.seq2seq.initialise import linear

TEMPERATURE = 0.07
"""Radford et al. (2021) start from this one and learn it."""


def contrastive_loss(
    images: Tensor, words: Tensor, log_scale: Tensor, same: Tensor | None = None
) -> Tensor:
    r"""Tell each image's word from the others of the batch, and each word's image.

    Implements :eq:`eq-landscape-contrastive`, Radford et al. (2021), figure 3: the mean of two
    cross-entropies, over the rows and over the columns of the table of similarities.

    Parameters
    ----------
    images, words : Tensor, shape (B, d)
        Unit vectors; row i of both is a pair.
    log_scale : Tensor, one number
        Logarithm of the inverse temperature.
    same : Tensor of bool, shape (B, B), optional
        True at (i, j) where word j fits image i too. Without it only the diagonal is right, and
        a batch that holds a digit twice counts a right word as wrong.

    Returns
    -------
    Tensor, one number

    Raises
    ------
    ValueError
        If the shapes differ, or `same` misses a pair.

    Examples
    --------
    >>> eye = torch.eye(4)
    >>> far, near = (contrastive_loss(x, eye, torch.tensor(3.0)) for x in (eye.flip(0), eye))
    >>> bool(far > 20), bool(near < 1e-7)
    (True, True)
    """
    if images.shape != words.shape or images.ndim != 2:
        shapes = f"{tuple(images.shape)} and {tuple(words.shape)}"
        raise ValueError(f"images and words have shapes {shapes}; (B, d) wanted for both.")
    logits = log_scale.exp() * images @ words.T  # (B, B)
    right = torch.eye(len(logits)) if same is None else same.float()
    if right.shape != logits.shape or bool((right.diagonal() == 0).any()):
        raise ValueError(
            f"same has shape {tuple(right.shape)}; ({len(logits)}, {len(logits)}) with a true "
            "diagonal wanted: row i of images and words is a pair."
        )
    by_row = -(right / right.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1)  # (B,)
    by_column = -(right / right.sum(0) * logits.log_softmax(0)).sum(0)  # (B,)
    return (by_row.mean() + by_column.mean()) / 2


class ImageWordModel(nn.Module):
    """A vision transformer for images, a layer over spellings for words, one space for both.

    Parameters
    ----------
    spelling : Spelling
        The pieces of words that are known.
    width : int
        Of the space, d.
    shape : (int, int)
        Of the images.
    generator : torch.Generator, optional
        Source of the weights.

    Examples
    --------
    >>> model = ImageWordModel(Spelling(["one", "two"]))
    >>> model.image(torch.zeros(5, 8, 8)).shape, model.word(["two"]).shape
    (torch.Size([5, 32]), torch.Size([1, 32]))
    """

    def __init__(
        self,
        spelling: Spelling,
        width: int = 32,
        shape: tuple[int, int] = (8, 8),
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.spelling = spelling
        self.vision = VisionTransformer(shape, width, generator=generator)
        self.letters = linear(len(spelling), width, generator)
        self.log_scale = nn.Parameter(-torch.tensor(TEMPERATURE).log())

    def image(self, images: Tensor) -> Tensor:
        """Return unit vectors of images of shape (B, h, w), shape (B, d)."""
        return nn.functional.normalize(self.vision(images), dim=-1)

    def word(self, words: Sequence[str]) -> Tensor:
        """Return unit vectors of words, shape (B, d)."""
        pieces = nn.functional.normalize(self.spelling(words), dim=-1)  # (B, P)
        return nn.functional.normalize(self.letters(pieces), dim=-1)


def train_clip(
    images: Tensor,
    digits: Tensor,
    languages: Sequence[str],
    *,
    generator: torch.Generator,
    steps: int = 150,
    batch_size: int = 100,
    lr: float = 5e-3,
    mark_same: bool = True,
) -> tuple[ImageWordModel, History]:
    """Learn from pairs of a digit's image and its name in a language drawn at random.

    Parameters
    ----------
    images : Tensor, shape (m, h, w)
        Digits.
    digits : Tensor of int64, shape (m,)
        Which ones; they choose the words and are not seen otherwise.
    languages : sequence of str
        Of :data:`LANGUAGES`.
    generator : torch.Generator
        Source of all randomness.
    steps, batch_size, lr
        Steps of Adam, pairs in each, largest step size.
    mark_same : bool, default True
        Whether a batch's equal digits count as right for each other.

    Returns
    -------
    ImageWordModel, History

    Raises
    ------
    KeyError
        If a language is not known.
    ValueError
        If there are no languages, or not one digit for each image.

    Examples
    --------
    >>> x, y = torch.rand(20, 8, 8), torch.arange(20) % 10
    >>> model, history = train_clip(
    ...     x, y, ["English"], generator=torch.Generator().manual_seed(0), steps=2)
    >>> len(history.losses)
    2
    """
    if not languages or len(images) != len(digits) or not len(images):
        raise ValueError(
            f"{len(languages)} languages, {len(images)} images and {len(digits)} digits; one "
            "language or more wanted, and a digit for each image."
        )
    if unknown := [name for name in languages if name not in LANGUAGES]:
        raise KeyError(f"no language {unknown[0]!r}; there are {', '.join(LANGUAGES)}.")
    names = [LANGUAGES[language] for language in languages]
    model = ImageWordModel(
        Spelling([word for words in names for word in words]),
        shape=(images.shape[1], images.shape[2]),
        generator=generator,
    )

    def loss(model: ImageWordModel, x: Tensor, words: list[str], same: Tensor) -> Tensor:
        pairs = same if mark_same else None
        return contrastive_loss(model.image(x), model.word(words), model.log_scale, pairs)

    batches = _pairs(images, digits, names, count(batch_size, "batch_size"), generator)
    return model, fit(model, loss, batches, steps=steps, lr=lr, warmup=min(20, steps))


def _pairs(
    images: Tensor,
    digits: Tensor,
    names: Sequence[Sequence[str]],
    batch_size: int,
    generator: torch.Generator,
) -> Iterator[tuple[Tensor, list[str], Tensor]]:
    """Yield images, a name for each, and which belong together, without end."""
    while True:
        rows = torch.randint(len(images), (batch_size,), generator=generator)
        tongue = torch.randint(len(names), (batch_size,), generator=generator)
        y = digits[rows]  # (B,)
        words = [names[t][d] for t, d in zip(tongue.tolist(), y.tolist(), strict=True)]
        yield images[rows], words, y[:, None] == y


@torch.no_grad()
def zero_shot(model: ImageWordModel, images: Tensor, prompts: Sequence[str]) -> Tensor:
    r"""Return which of some words each image shows, as probabilities.

    Implements :eq:`eq-landscape-zero-shot`: the classes are the words that are asked for, in any
    language, and no layer was trained to tell them apart.

    Parameters
    ----------
    model : ImageWordModel
        Trained.
    images : Tensor, shape (B, h, w)
        Images.
    prompts : sequence of str, length K
        A word for each class.

    Returns
    -------
    Tensor, shape (B, K)
        Each row sums to 1.

    Raises
    ------
    ValueError
        If there is no word.

    Examples
    --------
    >>> model = ImageWordModel(Spelling(["one", "two"]))
    >>> zero_shot(model, torch.zeros(3, 8, 8), ["one", "two", "twone"]).shape
    torch.Size([3, 3])
    """
    if not prompts:
        raise ValueError("prompts is empty; a word for each class wanted.")
    logits = model.log_scale.exp() * model.image(images) @ model.word(prompts).T  # (B, K)
    return logits.softmax(-1)


@torch.no_grad()
def retrieve(model: ImageWordModel, word: str, images: Tensor, n: int = 5) -> Tensor:
    """Return the places of the images that fit a word best.

    Parameters
    ----------
    model : ImageWordModel
        Trained.
    word : str
        What to look for.
    images : Tensor, shape (B, h, w)
        Where to look.
    n : int
        How many, at most B.

    Returns
    -------
    Tensor of int64, shape (n,)
        The best first.

    Raises
    ------
    ValueError
        If there are fewer images than that.

    Examples
    --------
    >>> model = ImageWordModel(Spelling(["one", "two"]))
    >>> retrieve(model, "one", torch.rand(6, 8, 8), n=2).shape
    torch.Size([2])
    """
    if count(n, "n") > len(images):
        raise ValueError(f"n is {n} and there are {len(images)} images; at most as many wanted.")
    return (model.image(images) @ model.word([word])[0]).topk(n).indices  # (n,)
