"""The auto-encoder: its parts, its loss, and its posterior's collapse."""

import pytest
import torch

from coursekit.generative import (
    VAE,
    active_units,
    check_images,
    dequantise,
    digit_batches,
    digit_levels,
    gaussian_kl,
    vae_loss,
)
from coursekit.seq2seq import fit
from tests.generative.near import assert_mean, assert_same, gen

X = dequantise(digit_levels("validation")[0][:20], gen())


def test_the_conditional_densities_are_torchs():
    z = torch.randn(3, 20, 4, generator=gen(1))
    normal = VAE(4, (8,), generator=gen())
    spread = torch.exp(normal.log_var / 2)
    expected = torch.distributions.Normal(normal.decode(z), spread).log_prob(X).sum(-1)
    assert_same(normal.log_conditional(X, z), expected, terms=64)
    coin = VAE(4, (8,), "bernoulli", generator=gen())
    ink = (X > 0).float()
    chance = (coin.decode(z) + 1) / 2
    expected = torch.distributions.Bernoulli(chance).log_prob(ink).sum(-1)
    assert_same(coin.log_conditional(2 * ink - 1, z), expected, terms=64)


def test_beta_weighs_the_divergence_alone():
    noise = torch.randn(20, 4, generator=gen(2))
    losses = {b: vae_loss(VAE(4, (8,), beta=b, generator=gen()), X, noise) for b in (0, 1, 4)}
    divergence = gaussian_kl(*VAE(4, (8,), generator=gen()).parameters_of_q(X)).mean()
    assert_same(losses[1] - losses[0], divergence, terms=1000)
    assert_same(losses[4] - losses[0], 4 * divergence, terms=1000)


def test_draws_are_images_and_coins_fall_on_either_side():
    for likelihood in ("gaussian", "bernoulli"):
        model = VAE(4, (8,), likelihood, generator=gen())
        x = check_images(model.sample(500, gen(3)))
        if likelihood == "bernoulli":
            assert set(x.unique().tolist()) == {-1.0, 1.0}
            z = torch.randn(500, 4, generator=gen(3))
            assert_mean(x - model.decode(z).detach(), torch.zeros(64))


def test_a_heavy_divergence_collapses_the_posterior_and_a_light_one_does_not():
    def train(beta):
        g = gen(4)
        model = VAE(8, (64,), beta=beta, generator=g)

        def make(levels, labels, g):
            return dequantise(levels, g), torch.randn(len(levels), 8, generator=g)

        fit(model, vae_loss, digit_batches(make, g, 64), steps=200, lr=3e-3)
        return active_units(model, X)

    assert train(50.0) == 0
    assert train(1.0) >= 3


def test_bad_settings_and_bad_images_are_refused():
    with pytest.raises(ValueError, match="'gaussian' or 'bernoulli' wanted"):
        VAE(likelihood="poisson")
    with pytest.raises(ValueError, match="0 or more wanted"):
        VAE(beta=-1.0)
    with pytest.raises(ValueError, match="from -1"):
        VAE(4, (8,), generator=gen()).encode(255 * torch.rand(2, 64, generator=gen()))
