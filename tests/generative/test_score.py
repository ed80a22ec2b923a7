"""Mixtures against torch's, their scores against autograd, and a score learned by denoising."""

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from coursekit.generative import (
    Denoiser,
    Diffusion,
    GaussianMixture,
    Schedule,
    diffusion_loss,
    score_from_noise,
)
from coursekit.seq2seq import fit
from tests.generative.near import assert_mean, assert_same, gen

MIXTURE = GaussianMixture(
    torch.tensor([0.2, 0.5, 0.3]),
    torch.tensor([[-2.0, 0.0], [1.0, 1.0], [0.5, -1.5]]),
    torch.tensor([0.3, 0.1, 0.5]),
)
X = 2 * torch.randn(50, 2, generator=gen())


def theirs(mixture):
    normals = Independent(Normal(mixture.means, mixture.variances.sqrt()[:, None].expand(-1, 2)), 1)
    return MixtureSameFamily(Categorical(mixture.weights), normals)


@pytest.mark.equation("eq-generative-score")
def test_the_density_is_torchs_and_the_score_its_gradient():
    assert_same(MIXTURE.log_density(X), theirs(MIXTURE).log_prob(X), terms=20)
    x = X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(theirs(MIXTURE).log_prob(x).sum(), x)
    assert_same(MIXTURE.score(X), slope, terms=20)


def test_the_noised_mixture_is_the_law_of_noised_draws():
    """By its characteristic function, the mean of cos and sin, at a few frequencies."""
    kept, n = 0.6, 200_000
    x = kept**0.5 * MIXTURE.sample(n, gen(1)) + (1 - kept) ** 0.5 * torch.randn(
        n, 2, generator=gen(2)
    )
    for frequency in ([1.0, 0.0], [0.5, -1.0], [2.0, 1.0]):
        w, noised = torch.tensor(frequency), MIXTURE.noised(kept)
        damped = noised.weights * torch.exp(-0.5 * noised.variances * w.square().sum())
        assert_mean((x @ w).cos(), (damped * (noised.means @ w).cos()).sum())
        assert_mean((x @ w).sin(), (damped * (noised.means @ w).sin()).sum())


def test_the_score_learned_by_denoising_is_the_analytic_one():
    """Measured where the data are, against the size of the score itself, over all steps."""
    schedule, g = Schedule.cosine(20), gen(3)
    model = Denoiser(2, width=64, blocks=2, classes=0, generator=g)
    diffusion = Diffusion(model, schedule, clip=False)

    def batches():
        while True:
            t = torch.randint(1, 21, (256,), generator=g)
            yield MIXTURE.sample(256, g), None, t, torch.randn(256, 2, generator=g)

    def loss(model, *batch):
        return diffusion_loss(diffusion, *batch)

    def error():
        wrong, size = 0.0, 0.0
        for step in (3, 8, 13, 18):
            noised = MIXTURE.noised(float(schedule.alpha_bar[step]))
            x = noised.sample(1000, gen(step))
            with torch.no_grad():
                told = model(x, torch.full((1000,), step / 20))
            found = score_from_noise(told, float(schedule.alpha_bar[step]))
            wrong += float((found - noised.score(x)).square().mean())
            size += float(noised.score(x).square().mean())
        return (wrong / size) ** 0.5

    before = error()
    fit(model, loss, batches(), steps=600, lr=5e-3, warmup=20)
    assert before > 0.9
    assert error() < 0.15


def test_what_is_no_mixture_is_refused():
    one, mean = torch.ones(1), torch.zeros(1, 2)
    with pytest.raises(ValueError, match="a variance is 0 or less"):
        GaussianMixture(one, mean, torch.zeros(1))
    with pytest.raises(ValueError, match="sum to 1"):
        GaussianMixture(one / 2, mean, one)
    with pytest.raises(ValueError, match=r"\(K,\), \(K, D\) and \(K,\) wanted"):
        GaussianMixture(one, torch.zeros(2, 2), one)
    with pytest.raises(ValueError, match="at 1 there is no noise"):
        score_from_noise(mean, 1.0)
