"""Guidance: a line through two predictions."""

import pytest
import torch

from coursekit.generative import CLASSES, NO_LABEL, GaussianMixture, drop_labels, guided
from tests.generative.near import assert_same, gen

X = torch.randn(6, 2, generator=gen())
T = torch.full((6,), 0.5)
LABELS = torch.arange(6) % 2
PULL = torch.tensor([[1.0, 0.0], [-2.0, 3.0]])


def network(x, t, labels):
    return x * t[:, None] if labels is None else x * t[:, None] + PULL[labels]


@pytest.mark.equation("eq-generative-guidance")
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 3.0])
def test_guidance_goes_along_the_line_through_both_predictions(strength):
    found = guided(network, X, T, LABELS, strength)
    assert_same(found, X * 0.5 + strength * PULL[LABELS], terms=4)


def test_guided_scores_are_those_of_the_sharpened_density():
    """For normal classes of one variance: the score of p(x) (p(x|y) / p(x))^w, by autograd."""
    half = torch.tensor([0.5, 0.5])
    both = GaussianMixture(half, torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), torch.tensor([0.5, 0.5]))
    one = GaussianMixture(torch.ones(1), both.means[1:], both.variances[1:])

    def score(x, t, labels):
        return both.score(x) if labels is None else one.score(x)

    x = X.clone().requires_grad_()
    log_density = 3 * one.log_density(x) - 2 * both.log_density(x)
    (expected,) = torch.autograd.grad(log_density.sum(), x)
    assert_same(guided(score, X, T, LABELS, 3.0), expected, terms=20)


def test_guidance_without_a_label_is_refused():
    for labels in (None, torch.tensor([0, 1, NO_LABEL, 0, 1, 0])):
        with pytest.raises(ValueError, match="needs a label for every image"):
            guided(network, X, T, labels, 2.0)
    assert_same(guided(network, X, T, None, 1.0), X * 0.5)
    with pytest.raises(ValueError, match="0 or more wanted"):
        guided(network, X, T, LABELS, -1.0)


def test_labels_are_dropped_as_often_as_asked():
    labels = torch.arange(50_000) % CLASSES
    dropped = drop_labels(labels, 0.3, gen(1))
    lost = dropped == NO_LABEL
    assert float(lost.float().mean()) == pytest.approx(0.3, abs=5 * (0.21 / 50_000) ** 0.5)
    assert bool((dropped[~lost] == labels[~lost]).all())
    assert bool((drop_labels(labels, 0.0, gen()) == labels).all())
    with pytest.raises(ValueError, match="a probability wanted"):
        drop_labels(labels, 1.5, gen())
