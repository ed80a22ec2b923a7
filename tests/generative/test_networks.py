"""The shared networks: drawn from a generator, and told time and label."""

import pytest
import torch

from coursekit.generative import (
    NO_LABEL,
    Denoiser,
    DigitCritic,
    DigitGenerator,
    mlp,
    new_network,
    time_features,
    with_labels,
)
from coursekit.generative.recipes import RECIPES
from tests.generative.near import assert_same, gen


@pytest.mark.parametrize("name", RECIPES)
def test_every_network_is_drawn_from_the_generator_alone(name):
    state = torch.get_rng_state()
    one, two, other = (new_network(name, gen(s)).state_dict() for s in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert any(not torch.equal(one[k], other[k]) for k in one)


@torch.no_grad()
def test_a_denoiser_without_labels_says_what_it_says_of_no_label():
    model = Denoiser(4, width=16, blocks=1, generator=gen())
    model.blocks[0].second.weight.normal_(generator=gen(1))
    x, t = torch.randn(3, 4, generator=gen(2)), torch.tensor([0.1, 0.5, 0.9])
    none = torch.full((3,), NO_LABEL)
    assert torch.equal(model(x, t), model(x, t, none))
    assert not torch.allclose(model(x, t), model(x, t, torch.tensor([1, 2, 3])))
    assert not torch.allclose(model(x, t), model(x, t.flip(0)))


def test_time_features_tell_any_two_steps_apart():
    t = torch.linspace(0, 1, 1001)
    features = time_features(t, 16)
    assert_same(features[:, :8] ** 2 + features[:, 8:] ** 2, torch.ones(1001, 8), terms=300)
    assert float(torch.pdist(features).min()) > 1e-3


def test_a_labelled_network_wants_labels_and_another_refuses_them():
    z, labels = torch.zeros(2, 16), torch.tensor([0, 9])
    with pytest.raises(ValueError, match="built for labels: pass labels"):
        DigitGenerator(labelled=True, generator=gen())(z)
    with pytest.raises(ValueError, match="built for no labels"):
        DigitCritic(generator=gen())(torch.zeros(2, 64), labels)
    with pytest.raises(ValueError, match="0 to 10; 0 to 9 wanted"):
        with_labels(z, torch.tensor([0, NO_LABEL]), True)
    assert with_labels(z, labels, True)[:, 16:].argmax(1).tolist() == [0, 9]
    with pytest.raises(ValueError, match="inputs and outputs wanted"):
        mlp((3,), gen())
