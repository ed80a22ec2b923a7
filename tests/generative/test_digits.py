"""The digits between grey levels and numbers from -1 to 1."""

import pytest
import torch
from sklearn.datasets import load_digits

from coursekit.generative import LEVELS, check_images, dequantise, digit_levels, scale, to_levels
from tests.generative.near import gen


def test_levels_are_those_of_the_file_in_the_courses_split():
    parts = [digit_levels(p) for p in ("train", "validation", "test")]
    rows = torch.cat([levels for levels, _ in parts])
    file = torch.tensor(load_digits().data).long()
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, file.tolist()))
    held_out = digit_levels("held-out")[0]
    assert held_out.tolist() == torch.cat([parts[1][0], parts[2][0]]).tolist()
    with pytest.raises(ValueError, match="one of train, validation, test, held-out"):
        digit_levels("all")


def test_every_level_comes_back_from_both_kinds_of_number():
    levels = torch.arange(LEVELS).repeat(1000)
    assert (to_levels(scale(levels)) == levels).all()
    x = dequantise(levels, gen())
    assert (to_levels(x) == levels).all()
    assert x.min() >= -1
    assert x.max() <= 1


def test_dequantised_values_fill_their_interval_evenly():
    x = dequantise(torch.full((20_000,), 5), gen())
    inside = (x + 1) / 2 * LEVELS - 5  # uniform on 0 … 1: mean 1/2, variance 1/12
    assert abs(float(inside.mean()) - 0.5) < 5 * (1 / 12 / 20_000) ** 0.5
    assert abs(float(inside.var()) - 1 / 12) < 5 * (1 / 180 / 20_000) ** 0.5


@pytest.mark.parametrize("bad", [torch.tensor([17]), torch.tensor([-1]), torch.tensor([0.5])])
def test_what_is_no_level_is_refused(bad):
    for function in (scale, lambda levels: dequantise(levels, gen())):
        with pytest.raises(ValueError, match=r"whole numbers from 0 to 16 wanted"):
            function(bad)


@pytest.mark.parametrize(
    "bad",
    [
        torch.rand(2, 64) * 255,
        torch.rand(2, 64) * 16,
        torch.rand(2, 64),  # 0 … 1
        torch.full((2, 64), float("nan")),
        torch.full((2, 64), -1.5),
    ],
)
def test_images_in_another_range_are_refused(bad):
    with pytest.raises(ValueError, match=r"from -1 \(paper\) to 1 \(ink\) wanted"):
        check_images(bad)


def test_images_of_another_shape_are_refused_and_right_ones_pass():
    with pytest.raises(ValueError, match=r"\(2, 8, 8\); \(B, 64\) wanted"):
        check_images(torch.zeros(2, 8, 8))
    x = dequantise(digit_levels("test")[0], gen())
    assert check_images(x) is x
    assert check_images(torch.zeros(0, 64)).shape == (0, 64)
