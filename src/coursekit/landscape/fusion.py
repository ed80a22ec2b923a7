"""A question and a picture in one model: the words look at the patches by cross-attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit._validate import generator as checked
from coursekit.landscape.vit import draw, patches, vision_config
from coursekit.seq2seq import History, fit
from coursekit.seq2seq.initialise import linear, uniform
from coursekit.transformer import FeedForward, MultiHeadAttention, TransformerConfig, make_norm

QUESTIONS = ("left", "right")
"""Which digit is asked for; a question's number is its place here."""

Sees = Literal["both", "image", "question"]


class Pairs(NamedTuple):
    """Two digits side by side, a question about them, and its answer.

    Attributes
    ----------
    images : Tensor, shape (n, h, 2 w)
        Pictures.
    questions, answers : Tensor of int64, shape (n,)
        Places in :data:`QUESTIONS`, and digits.
    """

    images: Tensor
    questions: Tensor
    answers: Tensor


def question_pairs(images: Tensor, digits: Tensor, n: int, rng: np.random.Generator) -> Pairs:
    """Draw pairs of different digits, and ask for one of the two.

    Without the question there are two answers, and without the picture ten: a model must use
    both.

    Parameters
    ----------
    images : Tensor, shape (m, h, w)
        Digits.
    digits : Tensor of int64, shape (m,)
        Which ones; at least two kinds.
    n : int
        How many pairs.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Pairs

    Raises
    ------
    ValueError
        If all digits are the same.

    Examples
    --------
    >>> x, y = torch.rand(10, 8, 8), torch.arange(10)
    >>> pairs = question_pairs(x, y, 4, np.random.default_rng(0))
    >>> pairs.images.shape
    torch.Size([4, 8, 16])
    """
    if len(digits.unique()) < 2:
        raise ValueError("all digits are the same; two kinds wanted, so that a question matters.")
    count(n, "n")
    rows = checked(rng).integers(len(digits), size=(0, 2))
    while len(rows) < n:
        more = rng.integers(len(digits), size=(n, 2))
        rows = np.concatenate([rows, more[(digits[more[:, 0]] != digits[more[:, 1]]).numpy()]])
    left, right = torch.from_numpy(rows[:n]).unbind(1)  # (n,), (n,)
    asked = torch.from_numpy(rng.integers(len(QUESTIONS), size=n))  # (n,)
    answers = torch.where(asked == 0, digits[left], digits[right])
    return Pairs(torch.cat([images[left], images[right]], dim=2), asked, answers)


class Fusion(nn.Module):
    r"""A question that reads an image: cross-attention, then a feed-forward part, then classes.

    Implements :eq:`eq-landscape-fusion`: queries from the question, keys and values from the
    patches, as Flamingo's and the first decoder's did (Alayrac et al., 2022).

    Parameters
    ----------
    shape : (int, int)
        Of the images.
    n_out : int
        Answers.
    patch : int
        Side of a patch.
    config : TransformerConfig, optional
        Width, heads and feed-forward part; one layer.
    generator : torch.Generator, optional
        Source of the weights.

    Examples
    --------
    >>> model = Fusion((8, 16), 10)
    >>> images, questions = torch.zeros(3, 8, 16), torch.tensor([0, 1, 0])
    >>> model(images, questions).shape, model.looks_at(images, questions).shape
    (torch.Size([3, 10]), torch.Size([3, 4, 2, 4]))
    """

    def __init__(
        self,
        shape: tuple[int, int],
        n_out: int,
        patch: int = 4,
        config: TransformerConfig | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        c = config or vision_config(d_model=64)
        self.patch, self.grid = patch, (shape[0] // patch, shape[1] // patch)
        n_patches = patches(torch.zeros(1, *shape), patch).shape[1]
        self.embed = linear(patch * patch, c.d_model, generator)
        self.places = nn.Parameter(uniform((n_patches, c.d_model), 0.5, generator))
        self.words = nn.Parameter(uniform((len(QUESTIONS), c.d_model), 1.0, generator))
        self.cross = MultiHeadAttention(c.d_model, c.n_heads)
        self.feed_forward = FeedForward(c.d_model, 4 * c.d_model, "gelu")
        self.norm1, self.norm2 = make_norm(c), make_norm(c)
        draw(nn.ModuleList([self.cross, self.feed_forward]), generator)
        self.head = linear(c.d_model, count(n_out, "n_out"), generator)

    def read(self, images: Tensor, questions: Tensor) -> tuple[Tensor, Tensor]:
        """Return the question's token, (B, 1, d_model), and the patches', (B, N, d_model)."""
        seen = self.norm1(self.embed(patches(images, self.patch)) + self.places)
        return self.words[questions][:, None], seen

    def forward(self, images: Tensor, questions: Tensor) -> Tensor:
        """Return a score for each answer, shape (B, n_out)."""
        asked, seen = self.read(images, questions)
        x = asked + self.cross(asked, seen)  # (B, 1, d_model)
        x = x + self.feed_forward(self.norm2(x))
        return self.head(x[:, 0])

    @torch.no_grad()
    def looks_at(self, images: Tensor, questions: Tensor) -> Tensor:
        """Return each head's weights on the patches as a map, shape (B, H, h / P, w / P)."""
        weights = self.cross.weights(*self.read(images, questions))  # (B, H, 1, N)
        return weights[:, :, 0].unflatten(2, self.grid)


def train_fusion(
    pairs: Pairs,
    *,
    generator: torch.Generator,
    sees: Sees = "both",
    steps: int = 300,
    batch_size: int = 100,
    lr: float = 3e-3,
) -> tuple[Fusion, History]:
    """Train a model to answer, or one that is kept from seeing half of what it needs.

    Parameters
    ----------
    pairs : Pairs
        From :func:`question_pairs`.
    generator : torch.Generator
        Source of all randomness.
    sees : {"both", "image", "question"}
        With ``"image"`` every question is replaced by the first, with ``"question"`` every image
        by a blank.
    steps, batch_size, lr
        Steps of Adam, pairs in each, largest step size.

    Returns
    -------
    Fusion, History

    Examples
    --------
    >>> x, y = torch.rand(10, 8, 8), torch.arange(10)
    >>> pairs = question_pairs(x, y, 50, np.random.default_rng(0))
    >>> model, history = train_fusion(pairs, generator=torch.Generator().manual_seed(0), steps=2)
    >>> len(history.losses)
    2
    """
    seen = blind(pairs, sees)
    shape = (seen.images.shape[1], seen.images.shape[2])
    model = Fusion(shape, 10, generator=generator)
    batches = _batches(seen, count(batch_size, "batch_size"), generator)
    return model, fit(model, _loss, batches, steps=steps, lr=lr, warmup=min(20, steps))


def blind(pairs: Pairs, sees: Sees) -> Pairs:
    """Take away what a model shall not see.

    Parameters
    ----------
    pairs : Pairs
        With both.
    sees : {"both", "image", "question"}
        What is left.

    Raises
    ------
    ValueError
        If `sees` is something else.

    Examples
    --------
    >>> pairs = Pairs(torch.ones(2, 8, 16), torch.tensor([0, 1]), torch.tensor([3, 4]))
    >>> blind(pairs, "image").questions
    tensor([0, 0])
    """
    if sees == "both":
        return pairs
    if sees == "image":
        return pairs._replace(questions=torch.zeros_like(pairs.questions))
    if sees == "question":
        return pairs._replace(images=torch.zeros_like(pairs.images))
    raise ValueError(f"sees is {sees!r}; 'both', 'image' or 'question' wanted.")


def _loss(model: Fusion, images: Tensor, questions: Tensor, answers: Tensor) -> Tensor:
    return nn.functional.cross_entropy(model(images, questions), answers)


def _batches(pairs: Pairs, batch_size: int, generator: torch.Generator) -> Iterator[Pairs]:
    while True:
        rows = torch.randint(len(pairs.answers), (batch_size,), generator=generator)
        yield Pairs(*(part[rows] for part in pairs))
