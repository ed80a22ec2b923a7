"""Normal distributions against torch's own, and against integrals."""

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from coursekit.generative import (
    Gaussian,
    gaussian_kl,
    normal_log_density,
    reparameterise,
    sigma_points,
)
from tests.generative.near import assert_mean, assert_same, gen

SHAPE = (5, 3)


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=gen(seed), dtype=torch.float64)


def some(seed=0, k=3, batch=5):
    """A batch of normal distributions with full covariances."""
    a = draw(batch, k, k, seed=seed)
    covariance = a @ a.transpose(1, 2) + torch.eye(k, dtype=torch.float64)
    return Gaussian(draw(batch, k, seed=seed + 1), torch.linalg.cholesky(covariance))


def theirs(q):
    return MultivariateNormal(q.mean, scale_tril=q.root)


def test_densities_entropies_and_divergences_are_torchs():
    q, p, z = some(0), some(10), draw(7, *SHAPE, seed=20)
    assert_same(q.log_density(z), theirs(q).log_prob(z), terms=100)
    assert_same(q.entropy(), theirs(q).entropy(), terms=10)
    assert_same(q.kl(p), kl_divergence(theirs(q), theirs(p)), terms=100)
    mean, log_var = draw(*SHAPE), draw(*SHAPE, seed=1)
    normal = Independent(Normal(mean, torch.exp(log_var / 2)), 1)
    x = draw(*SHAPE, seed=2)
    assert_same(normal_log_density(x, mean, log_var), normal.log_prob(x), terms=30)


@pytest.mark.equation("eq-generative-gaussian-kl")
def test_the_divergence_from_the_prior_is_torchs_and_its_own_integral():
    mean, log_var = draw(*SHAPE), draw(*SHAPE, seed=1)
    q = Gaussian.diagonal(mean, log_var)
    standard = Gaussian.standard(mean)
    assert_same(gaussian_kl(mean, log_var), kl_divergence(theirs(q), theirs(standard)), terms=30)
    z = q.sample(200_000, gen(3))
    assert_mean(q.log_density(z) - standard.log_density(z), gaussian_kl(mean, log_var))
    assert float(gaussian_kl(torch.zeros(4), torch.zeros(4))) == 0


@pytest.mark.equation("eq-generative-reparameterisation")
def test_a_reparameterised_draw_has_the_right_law_and_the_right_gradient():
    """The gradient of E[z²] is 2μ in the mean and σ² in the logarithm of the variance."""
    mean = torch.tensor([1.5], dtype=torch.float64, requires_grad=True)
    log_var = torch.tensor([-0.7], dtype=torch.float64, requires_grad=True)
    noise = draw(400_000, 1)
    z = reparameterise(mean, log_var, noise)
    assert_mean(z.detach(), [1.5])
    assert_mean((z.detach() - 1.5).square(), [torch.tensor(-0.7).exp().item()])
    z.square().mean().backward()
    spread = torch.exp(log_var / 2).item()
    assert_mean(2 * (1.5 + spread * noise), mean.grad.new_tensor([3.0]))
    assert mean.grad.item() == pytest.approx(3.0, abs=0.02)
    assert log_var.grad.item() == pytest.approx(spread**2, abs=0.02)


def test_sigma_points_integrate_quadratics_exactly():
    q = some(4)
    a = draw(3, 3, seed=9)
    z = sigma_points(q)
    assert z.shape == (6, *SHAPE)
    found = torch.einsum("sbi,ij,sbj->sb", z, a, z).mean(0) + z.sum(-1).mean(0)
    covariance = q.root @ q.root.transpose(1, 2)
    second = covariance + q.mean[..., None] * q.mean[:, None]  # E[z zᵀ]
    assert_same(found, (second * a).sum((1, 2)) + q.mean.sum(-1), terms=100)


def test_draws_have_the_mean_and_the_covariance():
    q = some(5, batch=1)
    z = q.sample(200_000, gen(6))[:, 0]
    centred = z - q.mean
    assert_mean(centred, torch.zeros(3))
    assert_mean(centred[:, :, None] * centred[:, None], (q.root @ q.root.transpose(1, 2))[0])
