"""Noise schedules: as published, and refused where sampling could not begin."""

import math

import pytest
import torch

from coursekit.generative import Schedule
from tests.generative.near import assert_same


def test_the_linear_schedule_is_the_papers_at_a_thousand_steps():
    """Ho, Jain and Abbeel: betas from 0.0001 to 0.02, and about 4e-5 of the signal left."""
    schedule = Schedule.linear(1000)
    assert_same(schedule.betas, torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), terms=10)
    kept = 1.0
    for beta in torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64).tolist():
        kept *= 1 - beta
    assert float(schedule.alpha_bar[-1]) == pytest.approx(kept, rel=1e-10)
    assert kept == pytest.approx(4e-5, rel=0.02)
    short = Schedule.linear(100)
    assert float(short.alpha_bar[-1]) == pytest.approx(kept, rel=0.5)  # as much noise in all


def test_the_cosine_schedule_is_the_papers_formula():
    schedule, T, s = Schedule.cosine(50), 50, 0.008
    f = [math.cos((t / T + s) / (1 + s) * math.pi / 2) ** 2 for t in range(T + 1)]
    expected = torch.tensor([v / f[0] for v in f[:-1]], dtype=torch.float64)
    assert_same(schedule.alpha_bar[:-1], expected, terms=100)  # the last beta is cut at 0.999
    assert float(schedule.betas[-1]) == 0.999


@pytest.mark.parametrize("schedule", [Schedule.linear(200), Schedule.cosine(200)])
def test_signal_and_noise_share_the_variance_and_the_signal_falls(schedule):
    t = torch.arange(schedule.steps + 1)
    both = schedule.signal(t) ** 2 + schedule.noise(t) ** 2
    assert_same(both, torch.ones(201, 1))
    assert bool((schedule.alpha_bar.diff() < 0).all())
    assert float(schedule.alpha_bar[0]) == 1
    ratio = schedule.signal(t[1:]) ** 2 / schedule.noise(t[1:]) ** 2
    found = schedule.signal_to_noise().float()
    assert torch.allclose(found, ratio[:, 0], rtol=1e-4)


def test_a_schedule_that_ends_above_zero_signal_is_refused_unless_asked_for():
    with pytest.raises(ValueError, match=r"ends with 0\.9\d* of the signal; at most 0\.05 wanted"):
        Schedule.linear(20, 1e-4, 0.02)
    short = Schedule.linear(20, 1e-4, 0.02, allow_signal=True)
    assert float(short.alpha_bar[-1]) > 0.8
    Schedule(torch.tensor([1.0]))  # all noise at once: no signal at all


@pytest.mark.parametrize("betas", [[], [0.0, 0.5], [0.5, 1.5], [-0.1], [[0.5]], [float("nan")]])
def test_what_are_no_variances_is_refused(betas):
    with pytest.raises(ValueError, match="each above 0 and at most 1"):
        Schedule(torch.tensor(betas))


def test_a_step_outside_the_schedule_is_refused():
    with pytest.raises(ValueError, match="t runs from 11 to 11; 0 to 10 wanted"):
        Schedule.cosine(10).signal(torch.tensor([11]))
