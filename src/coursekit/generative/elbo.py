r"""The evidence lower bound, written three ways that agree.

For any q: log p(x) = ELBO + KL(q || p(z|x)), so that the bound's gap is how wrong q is.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from coursekit.generative.gaussians import Gaussian
from coursekit.generative.ppca import ProbabilisticPCA


class LatentModel(Protocol):
    """A model with the prior N(0, I) over z and a conditional density of x."""

    def log_conditional(self, x: Tensor, z: Tensor) -> Tensor:
        """Return log p(x|z)."""


def log_joint(model: LatentModel, x: Tensor, z: Tensor) -> Tensor:
    """Return log p(x, z) = log p(z) + log p(x|z).

    Parameters
    ----------
    model : LatentModel
    x : Tensor, shape (B, D)
        Images.
    z : Tensor, shape (S, B, k)
        Latent points.

    Returns
    -------
    Tensor, shape (S, B)
        In nats.

    Examples
    --------
    >>> import torch
    >>> model = ProbabilisticPCA(torch.zeros(2), torch.zeros(2, 1, dtype=torch.float64), 1.0)
    >>> log_joint(model, torch.zeros(1, 2), torch.zeros(4, 1, 1)).shape
    torch.Size([4, 1])
    """
    return Gaussian.standard(z[0]).log_density(z) + model.log_conditional(x, z)


def elbo_reconstruction_kl(model: LatentModel, x: Tensor, q: Gaussian, z: Tensor) -> Tensor:
    r"""Return the ELBO as what is explained less what it costs to say where.

    Implements :eq:`eq-generative-elbo-kl`: the mean of log p(x|z) over the points, less
    :math:`\mathrm{KL}(q\,\|\,p(z))` in closed form.

    Parameters
    ----------
    model : LatentModel
        A VAE or a probabilistic PCA.
    x : Tensor, shape (B, D)
        Images.
    q : Gaussian
        Of each image, over k latent numbers.
    z : Tensor, shape (S, B, k)
        Draws of q, for an estimate; for probabilistic PCA
        ``sigma_points`` in ``coursekit/generative/gaussians.py`` give the exact value.

    Returns
    -------
    Tensor, shape (B,)
        In nats.

    Examples
    --------
    >>> import torch
    >>> from coursekit.generative.gaussians import sigma_points
    >>> X = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    >>> model = ProbabilisticPCA.fit(X, 2)
    >>> q = model.posterior(X)
    >>> found = elbo_reconstruction_kl(model, X, q, sigma_points(q))
    >>> torch.allclose(found, model.log_likelihood(X))
    True
    """
    return model.log_conditional(x, z).mean(0) - q.kl(Gaussian.standard(q.mean))


def elbo_joint_entropy(model: LatentModel, x: Tensor, q: Gaussian, z: Tensor) -> Tensor:
    r"""Return the ELBO as the joint density plus the freedom that q keeps.

    Implements :eq:`eq-generative-elbo`: :math:`\mathbf{E}_q\log p(x,z) - \mathbf{E}_q\log q(z)`,
    the second term, the entropy, in closed form.

    Parameters
    ----------
    model, x, q, z
        As for :func:`elbo_reconstruction_kl`.

    Returns
    -------
    Tensor, shape (B,)
        In nats.

    Examples
    --------
    >>> import torch
    >>> from coursekit.generative.gaussians import sigma_points
    >>> X = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    >>> model = ProbabilisticPCA.fit(X, 2)
    >>> q = Gaussian.standard(torch.zeros(20, 2, dtype=torch.float64))
    >>> forms = elbo_joint_entropy, elbo_reconstruction_kl
    >>> one, two = (form(model, X, q, sigma_points(q)) for form in forms)
    >>> torch.allclose(one, two)
    True
    """
    return log_joint(model, x, z).mean(0) + q.entropy()


def elbo_evidence_gap(model: ProbabilisticPCA, x: Tensor, q: Gaussian) -> Tensor:
    r"""Return the ELBO as the evidence less how wrong q is.

    Implements :eq:`eq-generative-elbo-gap`: :math:`\log p(x) - \mathrm{KL}(q\,\|\,p(z|x))`, which
    needs a model whose posterior is known.

    Parameters
    ----------
    model : ProbabilisticPCA
    x : Tensor, shape (B, D)
        Images.
    q : Gaussian
        Of each image, over k latent numbers.

    Returns
    -------
    Tensor, shape (B,)
        In nats.

    Examples
    --------
    >>> import torch
    >>> X = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    >>> model = ProbabilisticPCA.fit(X, 2)
    >>> q = Gaussian.standard(torch.zeros(20, 2, dtype=torch.float64))
    >>> bool((elbo_evidence_gap(model, X, q) < model.log_likelihood(X)).all())
    True
    """
    return model.log_likelihood(x) - q.kl(model.posterior(x))
