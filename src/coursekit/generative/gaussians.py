r"""Normal distributions: densities, divergences, and draws that a gradient passes through."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


def normal_log_density(x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    r"""Return the log-density of independent normal numbers, summed over the last axis.

    Parameters
    ----------
    x, mean : Tensor, shape (..., D)
        Where, and the means.
    log_var : Tensor, broadcast to (..., D)
        Logarithms of the variances, so that none is 0 or less.

    Returns
    -------
    Tensor, shape (...)
        In nats.

    Examples
    --------
    >>> normal_log_density(torch.zeros(2), torch.zeros(2), torch.tensor(0.0))
    tensor(-1.8379)
    """
    terms = LOG_2PI + log_var + (x - mean).square() * torch.exp(-log_var)  # (..., D)
    return -0.5 * terms.sum(-1)


def gaussian_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    r"""Return the divergence of a diagonal normal distribution from the standard one.

    Implements :eq:`eq-generative-gaussian-kl`, the term of the VAE's loss that has no noise.

    Parameters
    ----------
    mean, log_var : Tensor, shape (..., k)
        Means and logarithms of variances.

    Returns
    -------
    Tensor, shape (...)
        In nats; 0 exactly where the mean is 0 and the variance 1.

    Examples
    --------
    >>> gaussian_kl(torch.tensor([2.0]), torch.tensor([0.0]))
    tensor(2.)
    """
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)


def reparameterise(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    r"""Return a draw as a function of its parameters: :math:`\mu + \sigma\epsilon`.

    Implements :eq:`eq-generative-reparameterisation`: the randomness comes in from outside, and
    the gradient passes to mean and variance.

    Parameters
    ----------
    mean, log_var : Tensor, shape (..., k)
        Means and logarithms of variances.
    noise : Tensor, shape (..., k)
        Standard normal draws.

    Returns
    -------
    Tensor, shape (..., k)

    Examples
    --------
    >>> reparameterise(torch.tensor([1.0]), torch.tensor([math.log(4)]), torch.tensor([0.5]))
    tensor([2.])
    """
    return mean + torch.exp(0.5 * log_var) * noise


@dataclass(frozen=True)
class Gaussian:
    """A batch of normal distributions.

    Attributes
    ----------
    mean : Tensor, shape (..., k)
    root : Tensor, shape (..., k, k)
        Lower triangular with a positive diagonal; the covariance is ``root @ root.T``.

    Examples
    --------
    >>> q = Gaussian.diagonal(torch.zeros(3, 2), torch.zeros(3, 2))
    >>> q.entropy().shape, float(q.kl(q).abs().max())
    (torch.Size([3]), 0.0)
    """

    mean: Tensor
    root: Tensor

    @classmethod
    def diagonal(cls, mean: Tensor, log_var: Tensor) -> Gaussian:
        """Return the distribution of independent numbers with these parameters, (..., k)."""
        return cls(mean, torch.diag_embed(torch.exp(0.5 * log_var)))

    @classmethod
    def standard(cls, like: Tensor) -> Gaussian:
        """Return N(0, I) in as many dimensions as `like`, shape (..., k), has."""
        eye = torch.eye(like.shape[-1], dtype=like.dtype, device=like.device)
        return cls(torch.zeros_like(like), eye.expand(*like.shape, like.shape[-1]))

    def transform(self, noise: Tensor) -> Tensor:
        """Return mean + root noise, for noise (S, ..., k): the reparameterised draw."""
        return self.mean + (self.root @ noise[..., None])[..., 0]

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Return n draws of each, shape (n, ..., k)."""
        shape = (n, *self.mean.shape)
        return self.transform(torch.randn(shape, generator=generator, dtype=self.mean.dtype))

    def log_density(self, z: Tensor) -> Tensor:
        """Return log q(z) in nats, shape (S, ...), of z (S, ..., k)."""
        centred = (z - self.mean)[..., None]
        white = torch.linalg.solve_triangular(self.root, centred, upper=False)[..., 0]
        return -0.5 * (LOG_2PI + white.square()).sum(-1) - self._log_det()

    def entropy(self) -> Tensor:
        """Return the entropy in nats, shape (...)."""
        return 0.5 * self.mean.shape[-1] * (1 + LOG_2PI) + self._log_det()

    def kl(self, other: Gaussian) -> Tensor:
        """Return the divergence of this from `other` in nats, shape (...)."""
        root = torch.linalg.solve_triangular(other.root, self.root, upper=False)  # (..., k, k)
        gap = torch.linalg.solve_triangular(
            other.root, (other.mean - self.mean)[..., None], upper=False
        )
        squares = root.square().sum((-1, -2)) + gap.square().sum((-1, -2))
        k = self.mean.shape[-1]
        return 0.5 * (squares - k) + other._log_det() - self._log_det()

    def _log_det(self) -> Tensor:
        """Half the logarithm of the covariance's determinant, shape (...)."""
        return self.root.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def sigma_points(q: Gaussian) -> Tensor:
    r"""Return 2k points whose mean of any quadratic function is its expectation under `q`.

    They stand :math:`\sqrt k` standard deviations from the mean, both ways along each axis of
    the root: mean and covariance of the points are those of `q`, and a quadratic sees no more.

    Parameters
    ----------
    q : Gaussian
        In k dimensions.

    Returns
    -------
    Tensor, shape (2k, ..., k)

    Examples
    --------
    >>> points = sigma_points(Gaussian(torch.tensor([1.0]), torch.tensor([[2.0]])))
    >>> points.flatten(), points.square().mean()  # the second moment, 1 + 4
    (tensor([ 3., -1.]), tensor(5.))
    """
    k = q.mean.shape[-1]
    axes = math.sqrt(k) * torch.eye(k, dtype=q.mean.dtype, device=q.mean.device)
    noise = torch.cat([axes, -axes])  # (2k, k)
    shape = (2 * k, *(1,) * (q.mean.ndim - 1), k)
    return q.transform(noise.reshape(shape))
