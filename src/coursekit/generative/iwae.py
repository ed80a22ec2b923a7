r"""The importance-weighted bound: more draws of the latent point, a tighter bound."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.generative.elbo import LatentModel, log_joint
from coursekit.generative.gaussians import Gaussian


def importance_bound(
    model: LatentModel, x: Tensor, q: Gaussian, samples: int, generator: torch.Generator
) -> Tensor:
    r"""Return an estimate of the bound with K draws, from one set of them for each image.

    Implements :eq:`eq-generative-importance` (Burda, Grosse and Salakhutdinov 2016): the
    logarithm of the mean of K weights p(x, z)/q(z). At K = 1 it is the ELBO's estimate; its
    expectation rises with K towards log p(x).

    Parameters
    ----------
    model : LatentModel
        A VAE or a probabilistic PCA.
    x : Tensor, shape (B, D)
        Images.
    q : Gaussian
        Of each image, over k latent numbers.
    samples : int
        K.
    generator : torch.Generator
        Draws the latent points.

    Returns
    -------
    Tensor, shape (B,)
        In nats.

    Examples
    --------
    >>> from coursekit.generative.ppca import ProbabilisticPCA
    >>> X = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    >>> model = ProbabilisticPCA.fit(X, 2)
    >>> found = importance_bound(model, X, model.posterior(X), 3, torch.Generator())
    >>> torch.allclose(found, model.log_likelihood(X))  # the true posterior: no gap at any K
    True
    """
    z = q.sample(count(samples, "samples"), generator)  # (K, B, k)
    log_weights = log_joint(model, x, z) - q.log_density(z)  # (K, B)
    return log_weights.logsumexp(0) - math.log(samples)
