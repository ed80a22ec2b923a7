"""A generator with a style for each resolution, and pictures that take their styles from two."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coursekit.generative.classifier import convolution
from coursekit.generative.networks import mlp
from coursekit.seq2seq.initialise import linear


class StyledBlock(nn.Module):
    """A convolution whose channels are normalised, then scaled and shifted by the style."""

    def __init__(self, n_in: int, n_out: int, n_style: int, generator: torch.Generator | None):
        super().__init__()
        self.convolution = convolution(n_in, n_out, generator)
        self.norm = nn.InstanceNorm2d(n_out)
        self.style = linear(n_style, 2 * n_out, generator)

    def forward(self, h: Tensor, w: Tensor) -> Tensor:
        """Return (B, n_out, H, W) from h (B, n_in, H, W) and the style w (B, n_style)."""
        scale, shift = self.style(w)[..., None, None].chunk(2, dim=1)  # (B, n_out, 1, 1)
        h = self.norm(self.convolution(h))
        return nn.functional.leaky_relu(h * (1 + scale) + shift, 0.2)


class StyleGenerator(nn.Module):
    r"""A small StyleGAN: z is mapped to a style w, which enters at 2, 4 and 8 pixels' width.

    The picture grows from one learned 2 by 2 patch; all that tells one picture from another comes
    in through the styles (Karras, Laine and Aila 2019; without their noise inputs).

    Parameters
    ----------
    n_latent : int
        k, numbers in z and in w.
    channels : int
        Of each layer.
    generator : torch.Generator, optional
        Draws the weights.

    Examples
    --------
    >>> model = StyleGenerator(8, 4, torch.Generator().manual_seed(0))
    >>> z = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
    >>> model(z).shape
    torch.Size([3, 64])
    """

    LAYERS = 3
    """Resolutions, and so styles: 2, 4 and 8 pixels."""

    def __init__(
        self,
        n_latent: int = 16,
        channels: int = 32,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.n_latent = n_latent
        self.mapping = mlp((n_latent, 64, n_latent), generator)
        self.norm = nn.LayerNorm(n_latent, elementwise_affine=False)
        self.patch = nn.Parameter(torch.randn(1, channels, 2, 2, generator=generator))
        self.blocks = nn.ModuleList(
            StyledBlock(channels, channels, n_latent, generator) for _ in range(self.LAYERS)
        )
        self.paint = convolution(channels, 1, generator, size=1)

    def styles(self, z: Tensor) -> Tensor:
        """Return one style for each resolution, (3, B, k), all equal, from z (B, k)."""
        size = z.square().mean(1, keepdim=True).add(1e-8).sqrt()
        return self.norm(self.mapping(z / size)).expand(self.LAYERS, *z.shape)

    def synthesise(self, styles: Tensor) -> Tensor:
        """Return pictures from -1 to 1, (B, 64), of styles (3, B, k)."""
        h = self.patch.expand(styles.shape[1], -1, -1, -1)  # (B, C, 2, 2)
        for i, (block, w) in enumerate(zip(self.blocks, styles, strict=True)):
            h = nn.functional.interpolate(h, scale_factor=2.0) if i else h  # doubles the width
            h = block(h, w)
        return torch.tanh(self.paint(h)).flatten(1)  # (B, 64)

    def forward(self, z: Tensor) -> Tensor:
        """Return pictures (B, 64) of latent points (B, k)."""
        return self.synthesise(self.styles(z))

    def mix(self, coarse: Tensor, fine: Tensor, layers: int) -> Tensor:
        """Return pictures with the first `layers` styles of one point and the rest of another.

        Parameters
        ----------
        coarse, fine : Tensor, shape (B, k)
            Latent points.
        layers : int
            0 for all of `fine`, 3 for all of `coarse`.

        Returns
        -------
        Tensor, shape (B, 64)

        Raises
        ------
        ValueError
            If `layers` is not from 0 to 3.
        """
        if not 0 <= layers <= self.LAYERS:
            raise ValueError(f"layers is {layers}; 0 to {self.LAYERS} wanted.")
        first, rest = self.styles(coarse)[:layers], self.styles(fine)[layers:]
        return self.synthesise(torch.cat([first, rest]))
