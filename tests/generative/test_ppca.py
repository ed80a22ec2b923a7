"""Probabilistic PCA against scipy, scikit-learn and the rule for conditioning normals."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA

from coursekit.generative import ProbabilisticPCA
from tests.generative.near import assert_mean, assert_same, gen


def rows():
    """Correlated numbers that are not centred."""
    g = gen()
    mixing = torch.randn(6, 6, generator=g, dtype=torch.float64)
    return torch.randn(200, 6, generator=g, dtype=torch.float64) @ mixing + 3


X = rows()


@pytest.fixture(scope="module", params=[1, 3, 5])
def model(request):
    return ProbabilisticPCA.fit(X, request.param)


def test_the_fitted_covariance_is_scikit_learns(model):
    """Which divides by m - 1 where the likelihood divides by m."""
    theirs = PCA(model.n_latent, svd_solver="full").fit(X.numpy()).get_covariance()
    m = len(X)
    assert_same(model.covariance * m / (m - 1), torch.tensor(theirs), terms=1000)


@pytest.mark.equation("eq-generative-ppca")
def test_the_likelihood_is_that_of_the_normal_distribution(model):
    theirs = multivariate_normal(model.mean.numpy(), model.covariance.numpy()).logpdf(X.numpy())
    assert_same(model.log_likelihood(X), torch.tensor(theirs), terms=1000)


def test_no_model_near_by_has_a_greater_likelihood(model):
    best = float(model.log_likelihood(X).sum())
    for seed in range(20):
        push = 0.02 * torch.randn(model.weights.shape, generator=gen(seed), dtype=torch.float64)
        other = ProbabilisticPCA(model.mean, model.weights + push, model.variance)
        assert float(other.log_likelihood(X).sum()) < best
    for factor in (0.97, 1.03):
        other = ProbabilisticPCA(model.mean, model.weights, factor * model.variance)
        assert float(other.log_likelihood(X).sum()) < best


@pytest.mark.equation("eq-generative-ppca-posterior")
def test_the_posterior_is_what_conditioning_the_joint_normal_gives(model):
    """mean Wᵀ C⁻¹ (x - μ), covariance I - Wᵀ C⁻¹ W: the other way to write it, through C."""
    W, inverse = model.weights, torch.linalg.inv(model.covariance)
    q = model.posterior(X)
    assert_same(q.mean, (X - model.mean) @ inverse @ W, terms=1000)
    covariance = torch.eye(model.n_latent, dtype=torch.float64) - W.T @ inverse @ W
    assert_same(q.root[0] @ q.root[0].T, covariance, terms=1000)
    assert q.root.shape == (len(X), model.n_latent, model.n_latent)


@pytest.mark.equation("eq-generative-generator")
def test_a_map_of_noise_has_the_distribution_that_the_model_says(model):
    """x = g(z): the images of standard normal z, and noise, have mean μ and covariance C."""
    x = model.sample(200_000, gen(1)) - model.mean
    assert_mean(x, torch.zeros(6))
    assert_mean(x[:, :, None] * x[:, None], model.covariance)
    z = torch.zeros(2, model.n_latent)
    assert_same(model.decode(z), model.mean.expand(2, -1))


def test_bayes_rule_holds_at_any_latent_point(model):
    """log p(x) = log p(x|z) + log p(z) - log p(z|x), whatever z."""
    z = torch.randn(4, len(X), model.n_latent, generator=gen(2), dtype=torch.float64)
    q = model.posterior(X)
    prior = multivariate_normal(np.zeros(model.n_latent)).logpdf(z.numpy())
    prior = torch.tensor(prior).reshape(4, len(X))
    found = model.log_conditional(X, z) + prior - q.log_density(z)
    assert_same(found, model.log_likelihood(X).expand(4, -1), terms=10_000)


def test_a_density_that_is_infinite_is_refused():
    with pytest.raises(ValueError, match=r"6 columns; fewer latent numbers wanted"):
        ProbabilisticPCA.fit(X, 6)
    with pytest.raises(ValueError, match=r"with m ≥ 2 wanted"):
        ProbabilisticPCA.fit(X[:1], 2)
    with pytest.raises(ValueError, match=r"variance is 0; more than 0 wanted"):
        ProbabilisticPCA(torch.zeros(2), torch.ones(2, 1), 0.0)
