"""Velocities, solvers, and likelihoods along a flow."""

import math

import pytest
import torch
from scipy.integrate import solve_ivp

from coursekit.generative import (
    Denoiser,
    GaussianMixture,
    divergence,
    flow_log_likelihood,
    flow_loss,
    normal_log_density,
    sample_flow,
    solve,
    wasserstein_1d,
)
from coursekit.seq2seq import fit
from tests.generative.near import assert_mean, assert_same, gen

MEAN, SPREAD = torch.tensor([1.0, -0.5]), torch.tensor([0.5, 2.0])


def best_velocity(x, t, labels):
    """The velocity from N(0, I) to N(MEAN, SPREAD²): E[x1 - x0 | x], known for normal numbers."""
    t = t[:, None]
    variance = t**2 * SPREAD**2 + (1 - t) ** 2
    return MEAN + (t * SPREAD**2 - (1 - t)) / variance * (x - t * MEAN)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun", 2), ("rk4", 4)])
def test_a_solvers_error_falls_with_its_order(method, order):
    def field(x, t):
        return torch.stack([x[:, 1], -x[:, 0] + math.cos(3 * t)], dim=1)

    start = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    exact = solve_ivp(
        lambda t, x: [x[1], -x[0] + math.cos(3 * t)], (0, 2), [1.0, 0.0], rtol=1e-12, atol=1e-12
    ).y[:, -1]
    errors = []
    for n in (16, 32):
        times = torch.linspace(0, 2, n + 1, dtype=torch.float64)
        end = solve(field, start, times, method)[-1, 0]
        errors.append(float((end - torch.tensor(exact)).norm()))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.3)


def test_a_flow_can_be_followed_back():
    x = torch.randn(5, 2, generator=gen())
    times = torch.linspace(0, 1, 21)

    def field(x, t):
        return best_velocity(x, torch.full((len(x),), t), None)

    there = solve(field, x, times, "rk4")[-1]
    back = solve(field, there, times.flip(0), "rk4")
    assert torch.allclose(back[-1], x, atol=1e-4)
    assert back.shape == (21, 5, 2)


@pytest.mark.equation("eq-generative-flow")
def test_the_loss_is_least_for_the_mean_velocity_and_that_one_carries_noise_to_the_data():
    n = 100_000
    x1 = MEAN + SPREAD * torch.randn(n, 2, generator=gen(1))
    t, noise = torch.rand(n, generator=gen(2)), torch.randn(n, 2, generator=gen(3))
    least = float(flow_loss(best_velocity, x1, None, t, noise))
    # What no velocity foretells, s / (t²s² + (1-t)²) at each t of a spread s², is πs/2 over all t.
    assert least == pytest.approx(float(SPREAD.mean()) * math.pi / 2, rel=0.02)
    for factor in (0.9, 1.1):
        other = flow_loss(lambda *a, k=factor: k * best_velocity(*a), x1, None, t, noise)
        assert float(other) > least
    ends = sample_flow(best_velocity, 50_000, gen(4), steps=50, method="rk4", dimensions=2)[-1]
    assert_mean(ends, MEAN)
    assert_mean((ends - MEAN).square(), SPREAD.square())


def test_the_likelihood_along_the_flow_is_that_of_its_end():
    x = MEAN + SPREAD * torch.randn(20, 2, generator=gen(5))
    expected = normal_log_density(x, MEAN, 2 * SPREAD.log())
    found = flow_log_likelihood(best_velocity, x, steps=40)
    assert torch.allclose(found, expected, atol=1e-3)


def test_the_traces_estimate_is_unbiased_and_the_exact_one_is_the_jacobians():
    model = Denoiser(4, width=16, blocks=1, classes=0, generator=gen(6))
    model.blocks[0].second.weight.data.normal_(generator=gen(7))

    def field(x, t):
        return model(x, torch.full((len(x),), t))

    x = torch.randn(3, 4, generator=gen(8))
    velocity, trace = divergence(field, x, 0.3)
    jacobian = torch.autograd.functional.jacobian(lambda x: field(x, 0.3), x)  # (3, 4, 3, 4)
    expected = torch.stack([jacobian[i, :, i].trace() for i in range(3)])
    assert_same(trace.detach(), expected, terms=100)
    assert_same(velocity, field(x, 0.3), terms=20)
    probes = 2.0 * torch.randint(0, 2, (500, 3, 4), generator=gen(9)) - 1
    estimates = torch.stack([divergence(field, x, 0.3, p[None])[1].detach() for p in probes])
    assert_mean(estimates, trace.detach())


def test_a_trained_flow_carries_noise_to_a_known_mixture():
    """Within 0.1 in Wasserstein distance, on each axis; the noise is farther than 0.4."""
    data, g = GaussianMixture.ring(4, radius=2.0, variance=0.05), gen(10)
    model = Denoiser(2, width=64, blocks=2, classes=0, generator=g)

    def batches():
        while True:
            t, noise = torch.rand(256, generator=g), torch.randn(256, 2, generator=g)
            yield data.sample(256, g), None, t, noise

    fit(model, flow_loss, batches(), steps=600, lr=5e-3, warmup=20)
    path = sample_flow(model, 4000, gen(11), steps=20, dimensions=2)
    real = data.sample(4000, gen(12))
    for axis in (0, 1):
        assert float(wasserstein_1d(path[0, :, axis], real[:, axis])) > 0.4
        assert float(wasserstein_1d(path[-1, :, axis], real[:, axis])) < 0.1
    shares = torch.bincount(torch.cdist(path[-1], data.means).argmin(1), minlength=4) / 4000
    assert float(shares.min()) > 0.2


def test_unknown_solvers_and_times_are_refused():
    with pytest.raises(ValueError, match="one of euler, heun, rk4 wanted"):
        solve(lambda x, t: x, torch.zeros(1, 1), torch.linspace(0, 1, 3), "midpoint")
    with pytest.raises(ValueError, match="with n ≥ 1 wanted"):
        solve(lambda x, t: x, torch.zeros(1, 1), torch.tensor([0.0]))
