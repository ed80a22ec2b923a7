"""Whole-number quantisation against torch's, and against what rounding theory says."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coursekit.hardware.quantise import quantise, signal_to_noise

MATRICES = arrays(np.float64, (4, 16), elements=st.floats(-100, 100, width=16))


@pytest.fixture
def weights():
    return np.random.default_rng(3).normal(size=(12, 64)).astype(np.float32).astype(float)


@pytest.mark.equation("eq-hardware-quantise")
@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("symmetric", [True, False])
def test_one_scale_gives_what_torch_gives(weights, bits, symmetric):
    q = quantise(weights, bits, symmetric=symmetric)
    top = 2 ** (bits - 1) - 1
    low = -top if symmetric else -top - 1
    theirs = torch.fake_quantize_per_tensor_affine(
        torch.tensor(weights), float(q.scale.item()), int(q.zero.item()), low, top
    )
    # the same codes, but where a quotient lies on a tie up to float32's rounding: at most one step
    codes = theirs.numpy() / q.scale.item()
    off = np.abs(codes - (q.codes - q.zero).reshape(weights.shape))
    assert (off < 1e-4).mean() > 0.998
    assert off.max() < 1.001


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_scale_a_channel_gives_what_torch_gives(weights, symmetric):
    q = quantise(weights, 8, per="channel", symmetric=symmetric)
    scale, zero = (
        torch.tensor(q.scale.ravel()).float(),
        torch.tensor(q.zero.ravel(), dtype=torch.int32),
    )
    theirs = torch.fake_quantize_per_channel_affine(
        torch.tensor(weights).float(), scale, zero, 0, -127 if symmetric else -128, 127
    )
    off = np.abs(theirs.numpy() - q.numbers()) / q.scale
    assert (off < 1e-4).mean() > 0.998
    assert off.max() < 1.001


@given(x=MATRICES, bits=st.integers(2, 8), symmetric=st.booleans())
@pytest.mark.parametrize("per", ["tensor", "channel", "group"])
def test_no_number_moves_by_more_than_half_a_step(per, x, bits, symmetric):
    q = quantise(x, bits, per=per, group=8, symmetric=symmetric)
    moved = np.abs(q.numbers().reshape(q.codes.shape) - x.reshape(q.codes.shape))
    # a rounded zero point moves the ends by up to another half
    steps = 0.5 if symmetric else 1.0
    assert (moved <= steps * q.scale * (1 + 1e-9) + 1e-12).all()
    assert q.codes.min() >= -(2 ** (bits - 1))
    assert q.codes.max() <= 2 ** (bits - 1) - 1


def test_each_bit_is_worth_six_decibels():
    """Uniform numbers: the noise is a step squared over twelve (Bennett, 1948)."""
    x = np.random.default_rng(0).uniform(-1, 1, size=(1, 200_000))
    for bits in (4, 6, 8):
        step = 1 / (2 ** (bits - 1) - 1)
        wanted = 10 * np.log10((1 / 3) / (step**2 / 12))
        # the end codes are half as wide, which is 1 % of the codes or less at 4 bits or more
        assert signal_to_noise(x, quantise(x, bits).numbers()) == pytest.approx(wanted, abs=0.35)


def test_one_large_weight_spoils_a_shared_scale(weights):
    weights[0, 0] = 60.0
    noise = {
        p: signal_to_noise(weights[1:], quantise(weights, 4, per=p, group=16).numbers()[1:])
        for p in ("tensor", "channel", "group")
    }
    assert noise["tensor"] < 1 < 15 < noise["channel"] < noise["group"]


def test_zero_stays_zero_and_bits_are_counted():
    q = quantise([[0.0, 0.0], [0.0, 0.0]], 4, per="channel")
    assert not q.numbers().any()
    assert quantise(np.ones((2, 64)), 4, per="group", group=32).bits_per_number(16) == 4.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bits": 9}, "bits is 9; 2 to 8"),
        ({"bits": 8, "per": "column"}, "per is 'column'"),
        ({"bits": 8, "per": "group", "group": 7}, "not whole groups of 7"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        quantise(np.ones((2, 8)), **options)
    with pytest.raises(ValueError, match="1 value that is NaN"):
        quantise([[np.nan, 1.0]], 8)
    with pytest.raises(ValueError, match="the same is wanted"):
        signal_to_noise([1.0], [1.0, 2.0])
