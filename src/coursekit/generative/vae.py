r"""The variational auto-encoder: an encoder proposes where in the latent space an image came from.

Images are from -1 to 1, shape (B, 64); latent points have shape (B, k).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from coursekit.generative.digits import PIXELS, check_images
from coursekit.generative.gaussians import (
    Gaussian,
    gaussian_kl,
    normal_log_density,
    reparameterise,
)
from coursekit.generative.networks import mlp

Likelihood = Literal["gaussian", "bernoulli"]


class VAE(nn.Module):
    r"""Encoder :math:`q_\phi(z|x)`, decoder :math:`p_\theta(x|z)`, prior N(0, I).

    Parameters
    ----------
    n_latent : int
        k, numbers in a latent point.
    hidden : sequence of int
        Widths of the decoder's hidden layers; the encoder has them in reverse.
    likelihood : {"gaussian", "bernoulli"}
        Whether a pixel is normal around the decoder's output, with one learned variance for each
        pixel, or a coin of ink and paper whose chance the decoder gives. For a coin, a grey pixel
        counts as that share of ink, which is not a likelihood: take black and white images.
    beta : float
        Weight of the divergence in the loss; 1 is the ELBO.
    activation : type of nn.Module
        Of the hidden layers.
    generator : torch.Generator, optional
        Draws the weights.

    Raises
    ------
    ValueError
        If the likelihood is unknown or beta is negative.

    Examples
    --------
    >>> model = VAE(2, (16,), generator=torch.Generator().manual_seed(0))
    >>> q = model.encode(torch.full((5, 64), -1.0))
    >>> q.mean.shape, model.decode(q.mean).shape
    (torch.Size([5, 2]), torch.Size([5, 64]))
    """

    def __init__(
        self,
        n_latent: int = 16,
        hidden: Sequence[int] = (256, 256),
        likelihood: Likelihood = "gaussian",
        beta: float = 1.0,
        activation: type[nn.Module] = nn.SiLU,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if likelihood not in ("gaussian", "bernoulli"):
            raise ValueError(f"likelihood is {likelihood!r}; 'gaussian' or 'bernoulli' wanted.")
        if beta < 0:
            raise ValueError(f"beta is {beta}; 0 or more wanted, and 1 for the ELBO.")
        self.n_latent, self.likelihood, self.beta = n_latent, likelihood, beta
        self.encoder = mlp((PIXELS, *reversed(hidden), 2 * n_latent), generator, activation)
        self.decoder = mlp((n_latent, *hidden, PIXELS), generator, activation)
        if likelihood == "gaussian":
            self.log_var = nn.Parameter(torch.full((PIXELS,), -1.0))

    def parameters_of_q(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance, (B, k) each, of q(z|x)."""
        mean, log_var = self.encoder(check_images(x)).chunk(2, dim=-1)
        return mean, log_var.clamp(-12, 6)

    def encode(self, x: Tensor) -> Gaussian:
        """Return q(z|x) for images (B, 64)."""
        return Gaussian.diagonal(*self.parameters_of_q(x))

    def decode(self, z: Tensor) -> Tensor:
        """Return the mean image, from -1 to 1, shape (..., 64), of z (..., k)."""
        out = self.decoder(z)
        return 2 * torch.sigmoid(out) - 1 if self.likelihood == "bernoulli" else out

    def log_conditional(self, x: Tensor, z: Tensor) -> Tensor:
        """Return log p(x|z) in nats, shape (...): x (B, 64), z (..., k)."""
        if self.likelihood == "gaussian":
            return normal_log_density(x, self.decode(z), self.log_var.clamp(min=-9))
        out = self.decoder(z)
        ink = (x.expand_as(out) + 1) / 2  # from 0 to 1
        return -nn.functional.binary_cross_entropy_with_logits(out, ink, reduction="none").sum(-1)

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Return n images, (n, 64): draws of p(x|z) for draws of z, cut to -1 … 1."""
        mean = self.decode(torch.randn(n, self.n_latent, generator=generator))
        if self.likelihood == "bernoulli":
            return 2 * torch.bernoulli((mean + 1) / 2, generator=generator) - 1
        noise = torch.randn(mean.shape, generator=generator)
        return reparameterise(mean, self.log_var.clamp(min=-9), noise).clamp(-1, 1)


def active_units(model: VAE, x: Tensor, least: float = 0.01) -> int:
    """Return how many latent numbers say something of the image.

    Where the posterior has collapsed the encoder answers with the prior whatever it is shown, and
    the divergence of that number from the prior is 0.

    Parameters
    ----------
    model : VAE
    x : Tensor, shape (B, 64)
        Images from -1 to 1.
    least : float
        Nats that a number must tell on average to count.

    Returns
    -------
    int
        From 0 to k.

    Examples
    --------
    >>> model = VAE(4, (16,), generator=torch.Generator().manual_seed(0))
    >>> for weight in model.encoder.parameters(): _ = nn.init.zeros_(weight)
    >>> active_units(model, torch.full((5, 64), -1.0))
    0
    """
    with torch.no_grad():
        mean, log_var = model.parameters_of_q(x)
        told = gaussian_kl(mean[..., None], log_var[..., None])  # (B, k)
    return int((told.mean(0) > least).sum())


def vae_loss(model: VAE, x: Tensor, noise: Tensor) -> Tensor:
    """Return the mean of -log p(x|z) + beta KL over a batch, with one draw of z an image.

    At beta = 1 it estimates the negative of :eq:`eq-generative-elbo-kl`.

    Parameters
    ----------
    model : VAE
    x : Tensor, shape (B, 64)
        Images from -1 to 1.
    noise : Tensor, shape (B, k)
        Standard normal draws.

    Returns
    -------
    Tensor, one number
        In nats.

    Examples
    --------
    >>> model = VAE(2, (16,), generator=torch.Generator().manual_seed(0))
    >>> bool(vae_loss(model, torch.full((5, 64), -1.0), torch.zeros(5, 2)) > 0)
    True
    """
    mean, log_var = model.parameters_of_q(x)
    z = reparameterise(mean, log_var, noise)  # (B, k)
    return (model.beta * gaussian_kl(mean, log_var) - model.log_conditional(x, z)).mean()
