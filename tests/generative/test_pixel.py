"""The language model of pixels: causal, exact, and the same with and without its cache."""

import itertools

import pytest
import torch

from coursekit.generative import (
    LEVELS,
    NO_LABEL,
    PixelGPT,
    pixel_log_likelihood,
    pixel_loss,
    sample_pixels,
)
from tests.generative.near import assert_same, gen


@pytest.fixture(scope="module")
def model():
    model = PixelGPT(16, 2, 2, generator=gen())
    for weight in model.parameters():  # far from uniform
        weight.data *= 4
    return model


@torch.no_grad()
def test_a_pixel_is_foretold_from_those_before_it_only(model):
    levels = torch.randint(0, LEVELS, (1, 64), generator=gen(1))
    before = model(levels)
    for changed in (0, 20, 63):
        other = levels.clone()
        other[0, changed] = (other[0, changed] + 5) % LEVELS
        moved = (model(other) - before).abs().amax(-1)[0] > 1e-6
        assert not moved[: changed + 1].any()
        assert changed == 63 or moved[changed + 1 :].any()


@torch.no_grad()
@pytest.mark.equation("eq-generative-autoregressive")
def test_the_likelihood_is_a_product_of_conditionals_that_sums_to_one(model):
    """Over all levels of the last two pixels, the images share the probability of the rest."""
    rest = torch.randint(0, LEVELS, (1, 64), generator=gen(2))
    ends = torch.tensor(list(itertools.product(range(LEVELS), repeat=2)))
    images = rest.expand(len(ends), -1).clone()
    images[:, 62:] = ends
    log_p = pixel_log_likelihood(model, images)
    assert torch.unique(log_p).numel() > 200  # the conditionals differ
    first = model(rest).log_softmax(-1)[0, range(62), rest[0, :62]].sum()
    assert torch.allclose(log_p.logsumexp(0), first, rtol=1e-5)
    assert float(pixel_loss(model, images)) == pytest.approx(-float(log_p.mean()) / 64, rel=1e-5)


@torch.no_grad()
def test_writing_with_the_cache_is_writing_without(model):
    labels = torch.tensor([0, 3, NO_LABEL])
    found = sample_pixels(model, 3, gen(3), labels)
    g, levels = gen(3), torch.zeros(3, 64, dtype=torch.long)
    for place in range(64):
        chances = model(levels, labels)[:, place].softmax(-1)
        levels[:, place] = torch.multinomial(chances, 1, generator=g)[:, 0]
    assert (found == levels).float().mean() > 0.99  # a chance may round across a border


@torch.no_grad()
def test_the_first_pixel_is_drawn_as_often_as_the_model_says(model):
    n = 1500
    chances = model(torch.zeros(1, 64, dtype=torch.long))[0, 0].softmax(-1)
    first = sample_pixels(model, n, gen(4))[:, 0]
    shares = torch.bincount(first, minlength=LEVELS) / n
    error = (chances * (1 - chances) / n).sqrt()
    assert bool(((shares - chances).abs() < 5 * error + 1e-4).all())


@torch.no_grad()
def test_the_label_begins_the_sequence_and_matters(model):
    levels = torch.zeros(2, 64, dtype=torch.long)
    one = pixel_log_likelihood(model, levels, torch.tensor([1, 2]))
    assert float((one[0] - one[1]).abs()) > 1e-3
    none = torch.full((2,), NO_LABEL)
    assert_same(pixel_log_likelihood(model, levels), pixel_log_likelihood(model, levels, none))


def test_what_are_no_levels_is_refused(model):
    with pytest.raises(ValueError, match="whole numbers from 0 to 16 wanted"):
        pixel_log_likelihood(model, torch.full((1, 64), 255))
    with pytest.raises(ValueError, match=r"\(B, 64\) wanted"):
        pixel_log_likelihood(model, torch.zeros(1, 8, 8, dtype=torch.long))
    with pytest.raises(ValueError, match="more than 0 wanted"):
        sample_pixels(model, 1, gen(), temperature=0.0)
