"""The networks that models share: plain layers, players of a game, a denoiser."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from coursekit.generative.digits import CLASSES, PIXELS
from coursekit.seq2seq.initialise import linear


def mlp(
    widths: Sequence[int], generator: torch.Generator | None, activation: type[nn.Module] = nn.SiLU
) -> nn.Sequential:
    """Return linear layers of these widths with an activation between them.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden units, …, outputs; at least two.
    generator : torch.Generator or None
        Draws the weights.
    activation : type of nn.Module
        What stands between the layers.

    Returns
    -------
    nn.Sequential
        Maps (B, first width) to (B, last width).

    Raises
    ------
    ValueError
        If there are fewer than two widths.

    Examples
    --------
    >>> mlp((2, 8, 1), torch.Generator().manual_seed(0))(torch.zeros(5, 2)).shape
    torch.Size([5, 1])
    """
    if len(widths) < 2:
        raise ValueError(f"widths is {tuple(widths)}; inputs and outputs wanted, at least.")
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(widths):
        layers += [linear(n_in, n_out, generator), activation()]
    return nn.Sequential(*layers[:-1])


def time_features(t: Tensor, width: int) -> Tensor:
    """Return sines and cosines of a time between 0 and 1, as of a position in chapter 04.

    Parameters
    ----------
    t : Tensor, shape (B,)
        Times.
    width : int
        How many features; even.

    Returns
    -------
    Tensor, shape (B, width)

    Examples
    --------
    >>> time_features(torch.tensor([0.0]), 4)
    tensor([[0., 0., 1., 1.]])
    """
    octaves = torch.arange(width // 2, dtype=t.dtype, device=t.device)
    angles = t[:, None] * math.pi / 2 * 2**octaves  # (B, width/2)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class ResidualBlock(nn.Module):
    """``h + W2 silu(W1 layer_norm(h) + c)``: c carries time and label; W2 starts at 0."""

    def __init__(self, width: int, generator: torch.Generator | None) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = linear(width, width, generator)
        self.second = linear(width, width, generator)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, h: Tensor, condition: Tensor) -> Tensor:
        """Return the next h; both of shape (B, width)."""
        inner = nn.functional.silu(self.first(self.norm(h)) + condition)
        return h + self.second(inner)


class Denoiser(nn.Module):
    """A residual network of an image, a time and a label: what diffusion and flow train.

    Parameters
    ----------
    n_inputs : int
        Numbers in an image, D.
    width, blocks : int
        Of the hidden layers, and how many.
    classes : int
        Labels, and one more for "no label", which is the number `classes`; 0 for a network that
        takes none.
    generator : torch.Generator, optional
        Draws the weights.

    Examples
    --------
    >>> model = Denoiser(width=32, generator=torch.Generator().manual_seed(0))
    >>> model(torch.zeros(3, 64), torch.rand(3), torch.tensor([0, 9, 10])).shape
    torch.Size([3, 64])
    """

    FEATURES = 16

    def __init__(
        self,
        n_inputs: int = PIXELS,
        width: int = 128,
        blocks: int = 3,
        classes: int = CLASSES,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.enter = linear(n_inputs, width, generator)
        self.time = linear(self.FEATURES, width, generator)
        self.label = nn.Embedding.from_pretrained(
            torch.randn(classes + 1, width, generator=generator), freeze=False
        )
        self.blocks = nn.ModuleList(ResidualBlock(width, generator) for _ in range(blocks))
        self.leave = linear(width, n_inputs, generator)

    def forward(self, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the prediction, shape (B, D), from x (B, D), t (B,) in 0 … 1, labels (B,)."""
        if labels is None:
            labels = torch.full((len(x),), self.classes, device=x.device)
        condition = self.time(time_features(t, self.FEATURES)) + self.label(labels)  # (B, width)
        h = self.enter(x)
        for block in self.blocks:
            h = block(h, condition)
        return self.leave(h)


class DigitGenerator(nn.Module):
    """The generator of a GAN: a latent point, and a label where it takes one, to an image.

    A map from latent points to images, :eq:`eq-generative-generator`. The label enters as ten more
    inputs, one of them 1.

    Parameters
    ----------
    n_latent : int
        k.
    hidden : sequence of int
        Widths of the hidden layers.
    labelled : bool
        Whether it is told which digit to draw.
    generator : torch.Generator, optional
        Draws the weights.

    Examples
    --------
    >>> model = DigitGenerator(16, (32,), True, torch.Generator().manual_seed(0))
    >>> model(torch.zeros(2, 16), torch.tensor([3, 9])).shape
    torch.Size([2, 64])
    """

    def __init__(
        self,
        n_latent: int = 16,
        hidden: Sequence[int] = (192, 192),
        labelled: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.n_latent, self.labelled = n_latent, labelled
        self.layers = mlp((n_latent + CLASSES * labelled, *hidden, PIXELS), generator)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return images from -1 to 1, (B, 64), of z (B, k) and labels (B,)."""
        return torch.tanh(self.layers(with_labels(z, labels, self.labelled)))


class DigitCritic(nn.Module):
    """The discriminator of a GAN, or a critic: an image, and a label, to one number.

    Parameters
    ----------
    hidden : sequence of int
        Widths of the hidden layers.
    labelled : bool
        Whether it is told which digit was asked for.
    generator : torch.Generator, optional
        Draws the weights.

    Examples
    --------
    >>> model = DigitCritic((32,), generator=torch.Generator().manual_seed(0))
    >>> model(torch.zeros(2, 64)).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        hidden: Sequence[int] = (192, 192),
        labelled: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.labelled = labelled
        self.layers = mlp((PIXELS + CLASSES * labelled, *hidden, 1), generator, nn.LeakyReLU)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the logit (B, 1) of images (B, 64)."""
        return self.layers(with_labels(x, labels, self.labelled))


def with_labels(x: Tensor, labels: Tensor | None, labelled: bool) -> Tensor:
    """Return x (B, D) with ten columns more that say the label, where the network takes labels.

    Parameters
    ----------
    x : Tensor, shape (B, D)
    labels : Tensor of int64, shape (B,), or None
        0 to 9.
    labelled : bool
        Whether the network takes labels.

    Returns
    -------
    Tensor, shape (B, D + 10) or (B, D)

    Raises
    ------
    ValueError
        If labels are missing, unwanted or outside 0 … 9.

    Examples
    --------
    >>> with_labels(torch.zeros(1, 1), torch.tensor([0]), True)[0, :3]
    tensor([0., 1., 0.])
    """
    if labelled != (labels is not None):
        want = "labels" if labelled else "no labels"
        raise ValueError(f"this network was built for {want}: pass {want}.")
    if labels is None:
        return x
    if len(labels) and not (int(labels.min()) >= 0 and int(labels.max()) < CLASSES):
        raise ValueError(
            f"labels run from {int(labels.min())} to {int(labels.max())}; 0 to 9 wanted."
        )
    return torch.cat([x, nn.functional.one_hot(labels, CLASSES).to(x.dtype)], dim=1)
