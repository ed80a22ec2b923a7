r"""Probabilistic PCA: a generative model whose likelihood and posterior can be written down.

A latent point z from N(0, I) in k dimensions, a linear map, and noise of one variance in all
directions. All in float64; images may be any rows of numbers, shape (m, D).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.generative.gaussians import LOG_2PI, Gaussian


@dataclass(frozen=True)
class ProbabilisticPCA:
    r"""The model :math:`x = Wz + \mu + \sigma\epsilon`.

    Attributes
    ----------
    mean : Tensor of float64, shape (D,)
        :math:`\mu`.
    weights : Tensor of float64, shape (D, k)
        W; its columns are orthogonal once fitted.
    variance : float
        :math:`\sigma^2`, above 0.

    Examples
    --------
    >>> X = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    >>> model = ProbabilisticPCA.fit(X, n_latent=2)
    >>> model.log_likelihood(X).shape, model.posterior(X).mean.shape
    (torch.Size([50]), torch.Size([50, 2]))
    """

    mean: Tensor
    weights: Tensor
    variance: float

    def __post_init__(self) -> None:
        if not self.variance > 0:
            raise ValueError(
                f"variance is {self.variance:g}; more than 0 wanted, or the density is infinite on "
                "a plane and 0 beside it. Take fewer latent dimensions."
            )

    @classmethod
    def fit(cls, X: Tensor, n_latent: int) -> ProbabilisticPCA:
        r"""Return the model of greatest likelihood, in closed form (Tipping and Bishop 1999).

        :math:`\sigma^2` is the mean of the covariance's D - k smallest eigenvalues; W holds the
        k leading eigenvectors, each times the root of its eigenvalue less :math:`\sigma^2`.

        Parameters
        ----------
        X : Tensor, shape (m, D)
            Data, m at least 2.
        n_latent : int
            k, from 1 to D - 1.

        Returns
        -------
        ProbabilisticPCA

        Raises
        ------
        ValueError
            If k is not below D, there are fewer than two rows, or the rest has no variance.
        """
        X = X.double()
        if X.ndim != 2 or len(X) < 2:
            raise ValueError(f"X has shape {tuple(X.shape)}; (m, D) with m ≥ 2 wanted.")
        k, D = count(n_latent, "n_latent"), X.shape[1]
        if k >= D:
            raise ValueError(f"n_latent is {k} and X has {D} columns; fewer latent numbers wanted.")
        values, vectors = torch.linalg.eigh(torch.cov(X.T, correction=0))  # rising
        variance = float(values[: D - k].mean())
        scales = (values[D - k :] - variance).clamp(min=0).sqrt()
        return cls(X.mean(0), vectors[:, D - k :] * scales, variance)

    @property
    def n_latent(self) -> int:
        """K."""
        return self.weights.shape[1]

    @property
    def covariance(self) -> Tensor:
        r""":math:`C = WW^\top + \sigma^2 I`, shape (D, D)."""
        eye = torch.eye(len(self.mean), dtype=torch.float64)
        return self.weights @ self.weights.T + self.variance * eye

    def log_likelihood(self, X: Tensor) -> Tensor:
        """Return log p(x) of each row, shape (m,), in nats; implements :eq:`eq-generative-ppca`."""
        return Gaussian(self.mean, torch.linalg.cholesky(self.covariance)).log_density(X.double())

    def posterior(self, X: Tensor) -> Gaussian:
        r"""Return p(z|x) of each row; implements :eq:`eq-generative-ppca-posterior`.

        With :math:`M = W^\top W + \sigma^2 I` its mean is :math:`M^{-1}W^\top(x-\mu)` and its
        covariance :math:`\sigma^2 M^{-1}`, the same for all x.
        """
        eye = torch.eye(self.n_latent, dtype=torch.float64)
        M = self.weights.T @ self.weights + self.variance * eye  # (k, k)
        mean = torch.linalg.solve(M, self.weights.T @ (X.double() - self.mean).T).T  # (m, k)
        root = torch.linalg.cholesky(self.variance * torch.linalg.inv(M))  # (k, k)
        return Gaussian(mean, root.expand(len(X), -1, -1))

    def log_conditional(self, x: Tensor, z: Tensor) -> Tensor:
        """Return log p(x|z) in nats, shape (...), of x (m, D) and z (..., m, k)."""
        gap = x.double() - self.decode(z)  # (..., m, D)
        D = len(self.mean)
        return -0.5 * (
            gap.square().sum(-1) / self.variance + D * (LOG_2PI + math.log(self.variance))
        )

    def decode(self, z: Tensor) -> Tensor:
        """Return the mean image, shape (..., D), of z (..., k)."""
        return z.double() @ self.weights.T + self.mean

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Return n draws, shape (n, D)."""
        z = torch.randn(n, self.n_latent, generator=generator, dtype=torch.float64)
        noise = torch.randn(n, len(self.mean), generator=generator, dtype=torch.float64)
        return self.decode(z) + math.sqrt(self.variance) * noise
