"""Implicit sampling beside the chain it comes from."""

import pytest
import torch
from scipy.stats import ks_2samp

from coursekit.generative import (
    Diffusion,
    GaussianMixture,
    Guess,
    Schedule,
    ddim_step,
    ddim_times,
    ddpm_posterior,
    perfect_network,
    sample_ddim,
    sample_ddpm,
)
from tests.generative.near import assert_same, gen

SCHEDULE = Schedule.cosine(40)
DATA = GaussianMixture.ring(3, radius=1.5, variance=0.1)
PERFECT = Diffusion(perfect_network(DATA, SCHEDULE.alpha_bar), SCHEDULE, clip=False)


@pytest.mark.equation("eq-generative-ddim")
@pytest.mark.parametrize("t", [1, 2, 20, 39])
def test_a_step_with_full_noise_is_a_step_of_the_ddpm(t):
    x0, x = torch.randn(5, 2, generator=gen()), torch.randn(5, 2, generator=gen(1))
    at, noise = torch.full((5,), t), torch.randn(5, 2, generator=gen(2))
    guess = Guess(x0, (x - SCHEDULE.signal(at) * x0) / SCHEDULE.noise(at))
    mean, variance = ddpm_posterior(x0, x, at, SCHEDULE)
    found = ddim_step(guess, at, at - 1, SCHEDULE, noise, eta=1.0)
    assert_same(found, mean + variance.sqrt() * noise, terms=40)


def test_with_full_noise_the_samples_are_the_ddpms():
    """Draw for draw with the same noise, and in distribution with other noise."""
    implicit = sample_ddim(PERFECT, 2000, gen(3), steps=40, eta=1.0, dimensions=2)[-1]
    chain = sample_ddpm(PERFECT, 2000, gen(3), dimensions=2)
    assert float((implicit - chain).abs().quantile(0.99)) < 1e-3
    other = sample_ddpm(PERFECT, 2000, gen(4), dimensions=2)
    for coordinate in (0, 1):
        assert ks_2samp(implicit[:, coordinate], other[:, coordinate]).pvalue > 0.001


def test_without_noise_the_start_decides_and_few_steps_do():
    first, again = (sample_ddim(PERFECT, 500, gen(5), steps=20, dimensions=2) for _ in range(2))
    assert torch.equal(first, again)
    ends = {n: sample_ddim(PERFECT, 500, gen(5), steps=n, dimensions=2)[-1] for n in (5, 10, 40)}
    gaps = [float((ends[n] - ends[40]).norm(dim=1).median()) for n in (5, 10)]
    assert gaps[1] < gaps[0] < 0.5
    nearest = torch.cdist(ends[40], DATA.means).min(1)
    assert float(nearest.values.square().mean() / 2) == pytest.approx(0.1, rel=0.25)


def test_the_path_has_a_point_for_every_step_and_begins_with_the_noise():
    path = sample_ddim(PERFECT, 4, gen(6), steps=8, dimensions=2)
    assert path.shape == (9, 4, 2)
    assert torch.equal(path[0], torch.randn(4, 2, generator=gen(6)))
    assert ddim_times(40, 8) == [40, 35, 30, 25, 20, 15, 10, 5, 0]
    assert ddim_times(7, 3) == [7, 5, 2, 0]


def test_what_leads_the_wrong_way_is_refused():
    guess, t = Guess(torch.zeros(1, 2), torch.zeros(1, 2)), torch.tensor([5])
    with pytest.raises(ValueError, match="s must lie below t"):
        ddim_step(guess, t, t, SCHEDULE, torch.zeros(1, 2))
    with pytest.raises(ValueError, match="0 to 1 wanted"):
        ddim_step(guess, t, t - 1, SCHEDULE, torch.zeros(1, 2), eta=2.0)
    with pytest.raises(ValueError, match="at most the schedule's 40 wanted"):
        sample_ddim(PERFECT, 2, gen(), steps=41, dimensions=2)
