"""The estimate of the gradient is unbiased with any baseline, and the best baseline is the best."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.posttraining import (
    best_baseline,
    expected_reward_gradient,
    policy_gradient_loss,
    sampled_gradients,
)
from tests.tolerances import assert_rounds_to, central_difference


def bandit(seed, K=4):
    rng = np.random.default_rng(seed)
    return tuple(torch.tensor(rng.standard_normal(K)) for _ in range(2))


def test_the_exact_gradient_is_the_slope_of_the_expected_reward():
    logits, rewards = bandit(0)

    def expected(z):
        p = np.exp(z) / np.exp(z).sum()
        return p @ rewards.numpy()

    slope = central_difference(expected, logits.numpy())
    np.testing.assert_allclose(expected_reward_gradient(logits, rewards), slope, atol=1e-9)


@pytest.mark.equation("eq-posttraining-policy-gradient")
@pytest.mark.equation("eq-posttraining-baseline")
@given(st.integers(0, 2**32 - 1), st.floats(-5, 5))
@settings(max_examples=20, deadline=None)
def test_the_expected_estimate_is_the_gradient_whatever_the_baseline(seed, baseline):
    """The expectation over every action, weighted by its probability, not a sample."""
    logits, rewards = bandit(seed)
    logits.requires_grad_()
    total = torch.zeros(4, dtype=torch.float64)
    for action in range(4):
        log_p = logits.log_softmax(-1)[action]
        loss = policy_gradient_loss(log_p[None], rewards[action][None], baseline)
        total -= log_p.exp().detach() * torch.autograd.grad(loss, logits)[0]
    assert_rounds_to(total, expected_reward_gradient(logits.detach(), rewards), terms=60)


def test_many_samples_agree_with_the_exact_gradient():
    logits, rewards = bandit(3)
    n = 40_000
    g = torch.Generator().manual_seed(0)
    found = sampled_gradients(logits, rewards, samples=n, baseline=0.0, generator=g)
    distance = (found.mean - expected_reward_gradient(logits, rewards)).norm()
    assert distance < 5 * (found.variance / n).sqrt()


def test_no_constant_baseline_varies_less_than_the_best_one():
    """The variance over the whole distribution, by a scan of baselines."""
    logits, rewards = bandit(5)
    p = logits.softmax(-1)
    score = torch.eye(4, dtype=torch.float64) - p  # (K, K)

    def variance(b):
        each = (rewards - b)[:, None] * score
        return float((p * each.square().sum(-1)).sum() - (p @ each).square().sum())

    best = float(best_baseline(logits, rewards))
    assert variance(best) <= min(variance(b) for b in np.linspace(-3, 3, 601)) + 1e-12
    assert variance(best) < variance(best + 0.1)


def test_no_gradient_runs_through_the_rewards():
    rewards = torch.ones(2, requires_grad=True)
    log_probs = torch.zeros(2, requires_grad=True)
    policy_gradient_loss(log_probs, rewards).backward()
    assert rewards.grad is None


def test_one_reward_for_two_samples_is_refused():
    with pytest.raises(ValueError, match="one reward a sample"):
        policy_gradient_loss(torch.zeros(2), torch.zeros(1))
