"""The style generator: what comes in through which style."""

import pytest
import torch

from coursekit.generative import StyleGenerator
from tests.generative.near import assert_same, gen


@pytest.fixture(scope="module")
def model():
    return StyleGenerator(8, 6, gen())


@pytest.fixture(scope="module")
def z():
    return torch.randn(2, 5, 8, generator=gen(1))


@torch.no_grad()
def test_mixing_nothing_gives_either_picture_and_mixing_some_gives_neither(model, z):
    coarse, fine = z
    assert torch.equal(model.mix(coarse, fine, 3), model(coarse))
    assert torch.equal(model.mix(coarse, fine, 0), model(fine))
    for layers in (1, 2):
        mixed = model.mix(coarse, fine, layers)
        assert float((mixed - model(coarse)).abs().amax(1).min()) > 1e-3
        assert float((mixed - model(fine)).abs().amax(1).min()) > 1e-3


@torch.no_grad()
def test_everything_comes_in_through_the_styles(model, z):
    """The same style gives the same picture, and a latent point's length says nothing."""
    assert_same(model(z[0]), model(3 * z[0]), terms=100)
    styles = model.styles(z[0])
    assert styles.shape == (3, 5, 8)
    same = styles[:, :1].expand(-1, 5, -1)
    pictures = model.synthesise(same)
    assert_same(pictures, pictures[:1].expand(5, -1), terms=100)


@torch.no_grad()
def test_a_coarse_style_moves_more_pixels_together_than_a_fine_one(model, z):
    """A change of the first style, at 2 pixels' width, cannot leave most of the picture alone."""
    a, b = z
    for layers in (1, 2):
        changed = (model.mix(a, b, layers) - model.mix(b, b, layers)).abs()
        assert float((changed > 1e-6).float().mean()) > 0.5


@torch.no_grad()
def test_a_style_sets_each_channels_mean_and_spread(model):
    """Whatever came in: what the activation is given has the style's shift and 1 + scale."""
    block, w = model.blocks[2], torch.randn(5, 8, generator=gen(2))
    out = block(100 * torch.randn(5, 6, 8, 8, generator=gen(3)), w)
    given = torch.where(out > 0, out, out / 0.2)  # the activation undone
    scale, shift = block.style(w).chunk(2, dim=1)
    assert torch.allclose(given.mean((2, 3)), shift, atol=1e-4)
    spread = given.std((2, 3), correction=0)
    assert torch.allclose(spread, (1 + scale).abs(), rtol=1e-3, atol=1e-4)


def test_pictures_are_in_range_and_wrong_layers_are_refused(model, z):
    assert float(model(10 * z[0]).abs().max()) <= 1
    with pytest.raises(ValueError, match="0 to 3 wanted"):
        model.mix(z[0], z[1], 4)
