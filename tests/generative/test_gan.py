"""The game's value, its best discriminator, and what the losses' gradients do."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from coursekit.generative import (
    discriminator_loss,
    gan_value,
    generator_loss,
    gradient_on_logit,
    jensen_shannon,
    optimal_discriminator,
)
from tests.generative.near import gen
from tests.tolerances import assert_rounds_to


@st.composite
def two_distributions(draw):
    """Two distributions over the same outcomes, with zeros."""
    K = draw(st.integers(2, 6))
    counts = st.lists(st.integers(0, 9), min_size=K, max_size=K).filter(any)
    return tuple(np.array(c) / sum(c) for c in (draw(counts), draw(counts)))


@pytest.mark.equation("eq-generative-jensen-shannon")
@given(pair=two_distributions())
def test_the_value_at_the_best_discriminator_is_twice_the_divergence_less_log_four(pair):
    p, q = pair
    value = gan_value(p, q, optimal_discriminator(p, q))
    assert_rounds_to(value, 2 * jensen_shannon(p, q) - math.log(4), terms=len(p))
    assert_rounds_to(jensen_shannon(p, q), jensenshannon(p, q) ** 2, terms=1e8)  # through a root


@pytest.mark.equation("eq-generative-optimal-discriminator")
@given(pair=two_distributions(), seed=st.integers(0, 10**6))
def test_no_discriminator_has_a_higher_value_than_the_best(pair, seed):
    p, q = pair
    D = optimal_discriminator(p, q)
    best = gan_value(p, q, D)
    other = np.random.default_rng(seed).uniform(0.01, 0.99, len(p))
    assert gan_value(p, q, other) <= best + 1e-12
    near = np.clip(D + 0.01 * (other - 0.5), 1e-9, 1 - 1e-9)
    assert gan_value(p, q, near) <= best + 1e-12


def test_a_discriminator_found_by_training_approaches_the_best():
    """A logit for each outcome, trained on draws: D's error is that of the draws' shares."""
    p, q = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.1, 0.2, 0.3, 0.4])
    m = 40_000
    real, made = (
        torch.multinomial(torch.tensor(r), m, replacement=True, generator=gen(s))
        for s, r in enumerate((p, q))
    )
    logits = torch.zeros(4, requires_grad=True, dtype=torch.float64)
    optimiser = torch.optim.Adam([logits], lr=0.05)
    losses = []
    for _ in range(400):
        loss = discriminator_loss(logits[real], logits[made])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    D, best = torch.sigmoid(logits).detach().numpy(), optimal_discriminator(p, q)
    error = 5 * np.sqrt(best * (1 - best) / (m * (p + q)))
    assert (np.abs(D - best) < error + 1e-4).all()
    assert -losses[-1] == pytest.approx(2 * jensen_shannon(p, q) - math.log(4), abs=0.02)
    assert losses[0] == pytest.approx(math.log(4))  # it began by knowing nothing


@pytest.mark.equation("eq-generative-gan-value")
def test_the_loss_of_logits_is_minus_the_value_of_the_game():
    logits = torch.randn(5, generator=gen(), dtype=torch.float64)
    share = np.full(5, 0.2)
    D = torch.sigmoid(logits).numpy()
    assert_rounds_to(discriminator_loss(logits, logits), -gan_value(share, share, D), terms=20)
    assert discriminator_loss(torch.tensor([-1e4]), torch.tensor([1e4])).isfinite()


@pytest.mark.equation("eq-generative-non-saturating")
def test_the_original_loss_stops_teaching_where_the_discriminator_is_sure():
    """The gradients on the logit are D and 1 - D."""
    logit = np.array([-12.0, -3.0, 0.0, 3.0])
    D = 1 / (1 + np.exp(-logit))
    assert_rounds_to(gradient_on_logit(logit, "original"), D)
    assert_rounds_to(gradient_on_logit(logit, "non-saturating"), 1 - D)
    made = torch.tensor(logit)
    assert_rounds_to(generator_loss(made, "original"), np.log(1 - D).mean(), terms=4)
    assert_rounds_to(generator_loss(made), -np.log(D).mean(), terms=4)
    with pytest.raises(ValueError, match="'original' or 'non-saturating' wanted"):
        generator_loss(made, "hinge")


def test_the_logarithm_of_zero_is_refused_where_it_counts():
    with pytest.raises(ValueError, match="log of zero"):
        gan_value([1.0, 0.0], [0.0, 1.0], [0.0, 0.0])
    with pytest.raises(ValueError, match="log of zero"):
        gan_value([1.0, 0.0], [1.0, 0.0], [1.0, 0.5])
    assert gan_value([1.0, 0.0], [0.0, 1.0], [1.0, 0.0]) == 0  # a perfect discriminator
    with pytest.raises(ValueError, match="probabilities wanted"):
        gan_value([1.0], [1.0], [1.5])
    with pytest.raises(ValueError, match="2 outcomes and q has 3"):
        jensen_shannon([0.5, 0.5], [0.2, 0.3, 0.5])
