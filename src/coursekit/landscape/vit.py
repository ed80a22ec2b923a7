"""Images as sequences: patches are tokens, and chapter 4's blocks read them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.seq2seq.initialise import linear, uniform
from coursekit.transformer import Block, TransformerConfig, make_norm


def patches(images: Tensor, size: int) -> Tensor:
    r"""Cut images into squares, and lay each square out as a vector.

    Implements :eq:`eq-landscape-patches`, Dosovitskiy et al. (2021), section 3.1.

    Parameters
    ----------
    images : Tensor, shape (B, h, w)
        Grey images.
    size : int
        Side P of a square; it divides h and w.

    Returns
    -------
    Tensor, shape (B, N, P * P)
        N = (h / P)(w / P), from left to right and top to bottom.

    Raises
    ------
    ValueError
        If the squares do not fill the image.

    Examples
    --------
    >>> patches(torch.arange(8.0).reshape(1, 2, 4), 2)
    tensor([[[0., 1., 4., 5.],
             [2., 3., 6., 7.]]])
    """
    if images.ndim != 3 or images.shape[1] % size or images.shape[2] % size:
        raise ValueError(
            f"images has shape {tuple(images.shape)}; (batch, height, width) wanted, both sides "
            f"multiples of the patch, {size}."
        )
    B = len(images)
    squares = images.unfold(1, size, size).unfold(2, size, size)  # (B, h/P, w/P, P, P)
    return squares.reshape(B, -1, size * size)  # (B, N, P * P)


def vision_config(d_model: int = 32, n_layers: int = 2, n_heads: int = 4) -> TransformerConfig:
    """Return the shape of a small vision transformer; it has no vocabulary.

    Examples
    --------
    >>> vision_config().d_head
    8
    """
    return TransformerConfig(0, d_model, n_layers, n_heads, d_ff=2 * d_model)


class VisionTransformer(nn.Module):
    """Patches, a learned place for each, blocks without a mask, the mean of the tokens.

    Dosovitskiy et al. (2021); the mean in place of a class token (their appendix D.3).

    Parameters
    ----------
    shape : (int, int)
        Height and width of the images.
    n_out : int
        Numbers that come out: classes, or the width of an embedding.
    patch : int
        Side of a patch.
    config : TransformerConfig, optional
        Of the blocks; :func:`vision_config` by default.
    generator : torch.Generator, optional
        Source of the weights.

    Examples
    --------
    >>> model = VisionTransformer((8, 8), 10, patch=2)
    >>> model(torch.zeros(3, 8, 8)).shape, model.tokens(torch.zeros(3, 8, 8)).shape
    (torch.Size([3, 10]), torch.Size([3, 16, 32]))
    """

    def __init__(
        self,
        shape: tuple[int, int],
        n_out: int,
        patch: int = 2,
        config: TransformerConfig | None = None,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        c = config or vision_config()
        self.shape, self.patch = shape, count(patch, "patch")
        n_patches = patches(torch.zeros(1, *shape), patch).shape[1]
        self.embed = linear(patch * patch, c.d_model, generator)
        self.places = nn.Parameter(uniform((n_patches, c.d_model), 0.5, generator))
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.n_layers))
        draw(self.blocks, generator)
        self.norm = make_norm(c)
        self.head = linear(c.d_model, count(n_out, "n_out"), generator)

    def tokens(self, images: Tensor) -> Tensor:
        """Return what the blocks made of each patch, shape (B, N, d_model)."""
        if images.shape[1:] != self.shape:
            raise ValueError(
                f"images has shape {tuple(images.shape)}; (batch, {self.shape[0]}, "
                f"{self.shape[1]}) wanted."
            )
        x = self.embed(patches(images, self.patch)) + self.places  # (B, N, d_model)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def forward(self, images: Tensor) -> Tensor:
        """Return scores or an embedding of each image, shape (B, n_out)."""
        return self.head(self.tokens(images).mean(1))


@torch.no_grad()
def draw(modules: nn.Module, generator: torch.Generator | None) -> None:
    """Draw the matrices of chapter 4's layers uniformly within 1/sqrt(inputs); biases 0.

    Examples
    --------
    >>> layer = nn.Linear(4, 4)
    >>> draw(layer, torch.Generator().manual_seed(0))
    >>> bool((layer.weight.abs() <= 0.5).all()), float(layer.bias.sum().detach())
    (True, 0.0)
    """
    for name, p in modules.named_parameters():
        if p.ndim == 2:
            p.copy_(uniform(tuple(p.shape), p.shape[1] ** -0.5, generator))
        elif name.endswith("bias"):
            p.zero_()
