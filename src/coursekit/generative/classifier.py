"""The course's own classifier of digits, whose features say how alike two sets of images are.

The Fréchet distance of image generators is taken between features of a network that was trained
on a million photographs (Heusel et al. 2017). Ours takes the features of a small convolutional
network trained on the course's digits, where they mean something.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coursekit.generative.digits import CLASSES, check_images
from coursekit.seq2seq.initialise import linear, uniform


def convolution(
    n_in: int, n_out: int, generator: torch.Generator | None, *, size: int = 3, stride: int = 1
) -> nn.Conv2d:
    """Return ``nn.Conv2d`` that keeps height and width at stride 1, drawn from `generator`.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    generator : torch.Generator or None
        Draws weights and bias, uniform within one over the root of the inputs of an output.
    size : int
        Of the kernel; odd.
    stride : int
        Pixels from one output to the next.

    Returns
    -------
    nn.Conv2d

    Examples
    --------
    >>> convolution(1, 4, torch.Generator().manual_seed(0))(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 4, 8, 8])
    """
    with torch.random.fork_rng(devices=[]):  # nn.Conv2d would draw from torch's own generator
        layer = nn.Conv2d(n_in, n_out, size, stride, padding=size // 2)
    for parameter in layer.parameters():
        bound = (n_in * size * size) ** -0.5
        parameter.data = uniform(tuple(parameter.shape), bound, generator)
    return layer


class DigitClassifier(nn.Module):
    """Two convolutions and two linear layers; :meth:`features` is what stands before the last.

    Parameters
    ----------
    n_features : int
        How many numbers describe an image.
    generator : torch.Generator, optional
        Draws the weights.

    Examples
    --------
    >>> model = DigitClassifier(generator=torch.Generator().manual_seed(0))
    >>> x = torch.full((5, 64), -1.0)
    >>> model(x).shape, model.features(x).shape
    (torch.Size([5, 10]), torch.Size([5, 32]))
    """

    def __init__(self, n_features: int = 32, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.first = convolution(1, 16, generator)
        self.second = convolution(16, 32, generator, stride=2)
        self.third = linear(32 * 4 * 4, n_features, generator)
        self.last = linear(n_features, CLASSES, generator)

    def features(self, x: Tensor) -> Tensor:
        """Return (B, n_features) of images (B, 64) from -1 to 1."""
        images = check_images(x).reshape(-1, 1, 8, 8)
        h = torch.relu(self.first(images))  # (B, 16, 8, 8)
        h = torch.relu(self.second(h))  # (B, 32, 4, 4)
        return torch.tanh(self.third(h.flatten(1)))  # (B, n_features)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (B, 10)."""
        return self.last(self.features(x))


def classifier_loss(model: DigitClassifier, x: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy in nats.

    Parameters
    ----------
    model : DigitClassifier
    x : Tensor, shape (B, 64)
        Images from -1 to 1.
    labels : Tensor of int64, shape (B,)
        What they show.

    Returns
    -------
    Tensor, one number

    Examples
    --------
    >>> model = DigitClassifier(generator=torch.Generator().manual_seed(0))
    >>> bool(classifier_loss(model, torch.full((2, 64), -1.0), torch.tensor([1, 2])) > 0)
    True
    """
    return nn.functional.cross_entropy(model(x), labels)
