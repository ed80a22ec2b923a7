"""Noising in closed form, walking back, and the bound."""

import pytest
import torch

from coursekit.generative import (
    Diffusion,
    GaussianMixture,
    Schedule,
    ddpm_posterior,
    diffusion_bound,
    diffusion_loss,
    forward_step,
    guess_errors,
    perfect_network,
    q_sample,
    sample_ddpm,
    velocity,
)
from tests.generative.near import assert_mean, assert_same, gen

SCHEDULE = Schedule.cosine(40)
DATA = GaussianMixture.ring(3, radius=1.5, variance=0.1)
PERFECT = Diffusion(perfect_network(DATA, SCHEDULE.alpha_bar), SCHEDULE, clip=False)


def steps(n, t):
    return torch.full((n,), t)


@pytest.mark.equation("eq-generative-forward-step")
@pytest.mark.equation("eq-generative-forward-closed")
@pytest.mark.parametrize("schedule", [SCHEDULE, Schedule.linear(60)])
def test_the_closed_form_has_the_moments_of_the_chain(schedule):
    """A step maps mean m and variance v to sqrt(1 - b) m and (1 - b) v + b; so from 1 and 0."""
    mean, variance = 1.0, 0.0
    ones = torch.ones(1, 1)
    for t, beta in enumerate(schedule.betas.tolist(), start=1):
        mean, variance = (1 - beta) ** 0.5 * mean, (1 - beta) * variance + beta
        at = torch.tensor([t])
        assert float(q_sample(ones, at, 0 * ones, schedule)) == pytest.approx(mean, rel=1e-5)
        noise = float(q_sample(0 * ones, at, ones, schedule))
        assert noise**2 == pytest.approx(variance, rel=1e-5)


@pytest.mark.parametrize("t", [1, 20, 40])
def test_draws_of_the_chain_and_of_the_closed_form_have_the_same_moments(t):
    g, n = gen(), 100_000
    x0 = torch.tensor([0.8, -0.3]).expand(n, 2)
    x = x0
    for beta in SCHEDULE.betas[:t].tolist():
        x = forward_step(x, beta, torch.randn(n, 2, generator=g))
    closed = q_sample(x0, steps(n, t), torch.randn(n, 2, generator=g), SCHEDULE)
    mean, noise = SCHEDULE.signal(steps(1, t)) * x0[:1], SCHEDULE.noise(steps(1, t))
    for found in (x, closed):
        assert_mean(found, mean[0])
        assert_mean((found - mean).square(), noise.square().expand(1, 2)[0])


@pytest.mark.equation("eq-generative-ddpm-posterior")
def test_the_step_before_is_what_bayes_rule_gives():
    """Precisions add: that of x(t-1) given x0, and that of x(t) given x(t-1)."""
    x0, x = torch.randn(5, 3, generator=gen()), torch.randn(5, 3, generator=gen(1))
    for t in (2, 7, 25, 40):
        beta, before = float(SCHEDULE.betas[t - 1]), float(SCHEDULE.alpha_bar[t - 1])
        prior, step = 1 / (1 - before), (1 - beta) / beta
        mean = prior * before**0.5 * x0 + step / (1 - beta) ** 0.5 * x
        found = ddpm_posterior(x0, x, steps(5, t), SCHEDULE)
        assert_same(found.mean, mean / (prior + step), terms=20)
        expected = torch.full((5, 1), 1 / (prior + step))
        assert torch.allclose(found.variance, expected, rtol=1e-4)
    assert_same(ddpm_posterior(x0, x, steps(5, 1), SCHEDULE).mean, x0)
    with pytest.raises(ValueError, match="at least 1 wanted"):
        ddpm_posterior(x0, x, steps(5, 0), SCHEDULE)


@pytest.mark.equation("eq-generative-v-prediction")
def test_image_and_noise_can_be_read_from_v():
    x0, noise = torch.randn(6, 2, generator=gen()), torch.randn(6, 2, generator=gen(1))
    t = torch.tensor([1, 5, 15, 25, 35, 40])
    x, v = q_sample(x0, t, noise, SCHEDULE), velocity(x0, t, noise, SCHEDULE)
    signal, share = SCHEDULE.signal(t), SCHEDULE.noise(t)
    assert_same(signal * x - share * v, x0, terms=8)
    assert_same(share * x + signal * v, noise, terms=8)
    for predict, out in (("v", v), ("eps", noise)):
        told = Diffusion(lambda x, t, labels, out=out: out, SCHEDULE, predict, clip=False)
        guess = told.guess(x, t)
        assert torch.allclose(guess.image, x0, atol=0.02)  # eps divides by a signal of 0.001
        assert torch.allclose(guess.noise, noise, atol=2e-3)


@pytest.mark.equation("eq-generative-ddpm-loss")
@pytest.mark.parametrize("predict", ["eps", "v"])
def test_the_loss_is_least_for_the_best_guess_of_the_noise(predict):
    """Which is known for normal data of variance s: E[eps | x] = sqrt(1 - a) x / (a s + 1 - a)."""
    s, n, t = 0.25, 50_000, 20
    kept = float(SCHEDULE.alpha_bar[t])
    of_noise = (1 - kept) ** 0.5 / (kept * s + 1 - kept)
    slope = of_noise if predict == "eps" else kept**0.5 * (1 - s) * of_noise
    x0 = s**0.5 * torch.randn(n, 1, generator=gen())
    noise = torch.randn(n, 1, generator=gen(1))
    losses = []
    for factor in (0.9, 1.0, 1.1):
        told = Diffusion(lambda x, t, labels, k=factor * slope: k * x, SCHEDULE, predict)
        losses.append(float(diffusion_loss(told, x0, None, steps(n, t), noise)))
    assert losses[1] < min(losses[0], losses[2])
    if predict == "eps":  # what cannot be foretold: the noise's variance given x
        assert losses[1] == pytest.approx(kept * s / (kept * s + 1 - kept), rel=0.03)


def test_a_perfect_network_walks_noise_back_to_the_data():
    schedule = Schedule.cosine(200)
    perfect = Diffusion(perfect_network(DATA, schedule.alpha_bar), schedule, clip=False)
    x = sample_ddpm(perfect, 4000, gen(2), dimensions=2)
    nearest = torch.cdist(x, DATA.means).min(1)
    shares = torch.bincount(nearest.indices, minlength=3) / len(x)
    assert float((shares - 1 / 3).abs().max()) < 5 * (2 / 9 / 4000) ** 0.5
    variance = float(nearest.values.square().mean() / 2)
    assert variance == pytest.approx(0.1, rel=0.1)  # a little too small in finite steps


def test_the_bound_meets_the_likelihood_only_with_honest_variances():
    """Gaps in nats a number, of a perfect network, beside the draws' own errors.

    With the posterior's variance a gap stays however many steps there are: noise that begins in
    proportion to t costs (1 / (t - 1) - log(t / (t - 1))) / 2 at each t, half of Euler's constant.
    """
    x0, gaps = DATA.sample(4000, gen(3)), {}
    for T in (20, 80):
        schedule = Schedule.linear(T)
        perfect = Diffusion(perfect_network(DATA, schedule.alpha_bar), schedule, clip=False)
        errors = guess_errors(perfect, DATA.sample(4000, gen(4)), gen(5))
        for name, spread in (("sure", None), ("honest", errors)):
            gap = (DATA.log_density(x0) - diffusion_bound(perfect, x0, gen(6), errors=spread)) / 2
            error = float(gap.std()) / 4000**0.5
            assert float(gap.mean()) > -5 * error  # a bound
            gaps[name, T] = float(gap.mean())
    assert gaps["honest", 20] > 0.1
    assert gaps["honest", 80] < 0.05
    assert gaps["sure", 20] > gaps["sure", 80] > 0.288


def test_a_schedule_that_is_too_short_misses_the_data():
    """Sampling begins at N(0, I), and the forward process ended elsewhere: the shares err."""
    data = GaussianMixture(
        torch.tensor([0.9, 0.1]), torch.tensor([[2.0], [-2.0]]), torch.tensor([0.01, 0.01])
    )
    shares = []
    for schedule in (Schedule.linear(100), Schedule.linear(100, 1e-4, 0.02, allow_signal=True)):
        perfect = Diffusion(perfect_network(data, schedule.alpha_bar), schedule, clip=False)
        x = sample_ddpm(perfect, 4000, gen(5), dimensions=1)
        shares.append(float((x < 0).float().mean()))
    assert abs(shares[0] - 0.1) < 5 * (0.09 / 4000) ** 0.5
    assert shares[1] > 0.2


def test_what_cannot_be_trained_or_sampled_is_refused():
    all_noise = Schedule(torch.tensor([0.5, 1.0]))
    with pytest.raises(ValueError, match="'eps' tells nothing there"):
        Diffusion(perfect_network(DATA, all_noise.alpha_bar), all_noise)
    with pytest.raises(ValueError, match="'eps' or 'v' wanted"):
        Diffusion(PERFECT.network, SCHEDULE, "x0")
    with pytest.raises(ValueError, match="0 to 40 wanted"):
        q_sample(torch.zeros(1, 2), torch.tensor([41]), torch.zeros(1, 2), SCHEDULE)
