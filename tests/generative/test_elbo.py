"""The bound, three ways, and how importance weights close it."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.generative import (
    VAE,
    Gaussian,
    ProbabilisticPCA,
    elbo_evidence_gap,
    elbo_joint_entropy,
    elbo_reconstruction_kl,
    importance_bound,
    log_joint,
    sigma_points,
)
from tests.generative.near import assert_mean, assert_same, gen

X = torch.randn(40, 5, generator=gen(), dtype=torch.float64) @ torch.randn(
    5, 5, generator=gen(1), dtype=torch.float64
)
MODEL = ProbabilisticPCA.fit(X, 2)


def any_q(seed, spread=1.0):
    """A wrong q: means and full covariances at random."""
    a = torch.randn(len(X), 2, 2, generator=gen(seed), dtype=torch.float64)
    covariance = spread * (a @ a.transpose(1, 2) + 0.2 * torch.eye(2, dtype=torch.float64))
    mean = torch.randn(len(X), 2, generator=gen(seed + 1), dtype=torch.float64)
    return Gaussian(mean, torch.linalg.cholesky(covariance))


@pytest.mark.equation("eq-generative-elbo-gap")
@pytest.mark.equation("eq-generative-elbo-kl")
@pytest.mark.equation("eq-generative-elbo")
@given(seed=st.integers(0, 10**6))
def test_the_bound_and_its_gap_are_the_evidence_exactly_for_any_q(seed):
    """ELBO + KL(q || true posterior) = log p, by three routes, for probabilistic PCA."""
    q = any_q(seed)
    z, evidence = sigma_points(q), MODEL.log_likelihood(X)
    gap = q.kl(MODEL.posterior(X))
    for form in (elbo_reconstruction_kl, elbo_joint_entropy):
        assert_same(form(MODEL, X, q, z) + gap, evidence, terms=1000)
    assert_same(elbo_evidence_gap(MODEL, X, q) + gap, evidence, terms=10)
    assert bool((gap > 0).all())


def test_the_bound_is_tight_at_the_true_posterior_and_nowhere_else():
    q = MODEL.posterior(X)
    tight = elbo_joint_entropy(MODEL, X, q, sigma_points(q))
    assert_same(tight, MODEL.log_likelihood(X), terms=1000)
    moved = Gaussian(q.mean + 0.1, q.root)
    assert bool((elbo_evidence_gap(MODEL, X, moved) < tight).all())


def test_draws_of_q_estimate_what_the_points_compute():
    q = any_q(3)
    exact = elbo_reconstruction_kl(MODEL, X, q, sigma_points(q))
    z = q.sample(20_000, gen(5))
    each = log_joint(MODEL, X, z) - q.log_density(z)  # (S, m), one estimate a draw
    assert_mean(each, exact)


@pytest.mark.equation("eq-generative-importance")
def test_the_importance_weighted_bound_rises_towards_the_evidence():
    q = MODEL.posterior(X)
    wide = Gaussian(q.mean + 0.3 * q.root.diagonal(dim1=1, dim2=2), 1.3 * q.root)
    evidence = MODEL.log_likelihood(X).mean()
    gaps = []
    for samples in (1, 4, 16, 64, 256):
        runs = [importance_bound(MODEL, X, wide, samples, gen(s)).mean() for s in range(20)]
        gaps.append(float(evidence - torch.stack(runs).mean()))
    assert all(later < earlier for earlier, later in itertools.pairwise(gaps))
    assert abs(gaps[-1]) < 0.01 * gaps[0]
    first = [importance_bound(MODEL, X, wide, 1, gen(s)) for s in range(2000)]
    assert_mean(torch.stack(first), elbo_evidence_gap(MODEL, X, wide))


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_the_bounds_of_a_vae_meet_the_evidence_by_quadrature(likelihood):
    """With one latent number the evidence is an integral over a line."""
    torch.set_default_dtype(torch.float64)
    try:
        model = VAE(1, (16,), likelihood, generator=gen())
        x = 2 * torch.randint(0, 2, (6, 64), generator=gen(1)).double() - 1
        grid = torch.linspace(-9, 9, 4001)[:, None, None]  # (S, 1, 1)
        with torch.no_grad():
            joint = log_joint(model.double(), x, grid.expand(-1, 6, 1))  # (S, 6)
            evidence = joint.logsumexp(0) + (grid[1] - grid[0]).log().item()
            q = model.encode(x)
            z = q.sample(4000, gen(2))
            forms = [
                elbo_reconstruction_kl(model, x, q, z),
                elbo_joint_entropy(model, x, q, z),
            ]
            draws = log_joint(model, x, z) - q.log_density(z)
            assert_mean(draws, forms[0], standard_errors=6)
            assert_mean(draws, forms[1], standard_errors=6)
            assert bool((forms[0] < evidence + 5 * draws.std(0) / 4000**0.5).all())
            bound = importance_bound(model, x, q, 20_000, gen(3))
    finally:
        torch.set_default_dtype(torch.float32)
    weights = (draws - draws.max(0).values).exp()
    relative = weights.std(0) / weights.mean(0) / 20_000**0.5
    assert bool(((bound - evidence).abs() < 6 * relative).all())
