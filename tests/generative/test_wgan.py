"""The Wasserstein distance, and a critic that finds it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from coursekit.generative import critic_loss, gradient_penalty, mlp, wasserstein_1d
from tests.generative.near import assert_same, gen


@pytest.mark.equation("eq-generative-wasserstein")
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=20))
def test_the_distance_on_a_line_is_scipys(pairs):
    x, y = torch.tensor(pairs, dtype=torch.float64).T
    expected = torch.tensor(wasserstein_distance(x.numpy(), y.numpy()), dtype=torch.float64)
    assert_same(wasserstein_1d(x, y), expected, terms=len(pairs))


@pytest.mark.equation("eq-generative-gradient-penalty")
def test_the_penalty_of_known_slopes_is_known():
    real, made = torch.randn(200, 3, generator=gen()), torch.randn(200, 3, generator=gen(1))
    a = torch.tensor([1.0, -2.0, 2.0])  # of length 3
    assert_same(gradient_penalty(lambda x: x @ a, real, made, gen(2)), torch.tensor(4.0))
    assert float(gradient_penalty(lambda x: x @ a / 3, real, made, gen(2))) < 1e-12
    share = torch.rand(200, 1, generator=gen(3))  # the same points as the penalty's
    between = share * real + (1 - share) * made
    expected = (between.norm(dim=1) - 1).square().mean()  # the slope of |x|²/2 is x
    found = gradient_penalty(lambda x: x.square().sum(1) / 2, real, made, gen(3))
    assert_same(found, expected, terms=200)


def test_the_penalty_reaches_the_critics_weights():
    critic = mlp((2, 8, 1), gen())
    real, made = torch.zeros(5, 2), torch.ones(5, 2)
    gradient_penalty(critic, real, made, gen()).backward()
    assert any(float(p.grad.abs().max()) > 0 for p in critic.parameters() if p.grad is not None)
    with pytest.raises(ValueError, match="equal ones wanted"):
        gradient_penalty(critic, real, made[:3], gen())
    with pytest.raises(ValueError, match=r"\(m,\) wanted"):
        wasserstein_1d(real, made)


def test_a_critic_of_slope_one_finds_how_far_a_set_was_moved():
    """Moved by 1.5, the distance is 1.5; the penalty is soft, so that a tenth over is allowed."""
    g = gen(4)
    critic, way = mlp((2, 32, 1), g), torch.tensor([1.2, 0.9])
    optimiser = torch.optim.Adam(critic.parameters(), lr=5e-3, betas=(0.0, 0.9))
    estimates = []
    for _ in range(300):
        x = torch.randn(64, 2, generator=g)
        loss = critic_loss(critic(x + way), critic(x))
        estimates.append(-loss.item())
        optimiser.zero_grad()
        (loss + 10 * gradient_penalty(critic, x + way, x, g)).backward()
        optimiser.step()
    assert abs(estimates[0]) < 0.5
    assert sum(estimates[-50:]) / 50 == pytest.approx(1.5, rel=0.1)
