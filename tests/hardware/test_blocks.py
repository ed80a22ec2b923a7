"""Block formats against the specification's steps, done one number at a time with ml_dtypes."""

import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coursekit.hardware.blocks import bits_per_number, microscale, nvfp4, shared_exponents
from coursekit.hardware.formats import FP4_E2M1, FP8_E4M3

E2M1, E4M3, E8M0 = ml_dtypes.float4_e2m1fn, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e8m0fnu
NUMBERS = st.floats(-1e4, 1e4, width=32).map(lambda x: 0.0 if abs(x) < 1e-9 else x)


def mx_by_hand(block, cast, top_exponent):
    """OCP MX specification 1.0, section 6.3: the shared exponent, then each element."""
    largest = max(abs(x) for x in block)
    if largest == 0:
        return [0.0] * len(block)
    scale = 2.0 ** (math.floor(math.log2(largest)) - top_exponent)
    assert float(np.array(scale).astype(E8M0)) == scale  # it fits eight exponent bits
    limit = float(ml_dtypes.finfo(cast).max)
    inside = [min(max(x / scale, -limit), limit) for x in block]
    return [float(np.float64(x).astype(np.float32).astype(cast)) * scale for x in inside]


@pytest.mark.equation("eq-hardware-block-scale")
@pytest.mark.parametrize(("format", "cast", "top"), [(FP4_E2M1, E2M1, 2), (FP8_E4M3, E4M3, 8)])
@given(x=arrays(np.float64, (2, 64), elements=NUMBERS))
def test_a_block_is_rounded_as_the_specification_says(format, cast, top, x):
    ours = microscale(x, format)
    wanted = [mx_by_hand(block, cast, top) for row in x for block in np.split(row, 2)]
    np.testing.assert_array_equal(ours.reshape(-1, 32), wanted)


@given(x=arrays(np.float64, (64,), elements=NUMBERS), shift=st.integers(-20, 20))
def test_a_power_of_two_goes_straight_through(x, shift):
    np.testing.assert_array_equal(microscale(x * 2.0**shift), microscale(x) * 2.0**shift)


@given(x=arrays(np.float64, (3, 32), elements=NUMBERS))
def test_nvfp4_is_a_scale_of_eight_bits_and_numbers_of_four(x):
    largest = np.abs(x).max()
    whole = largest / (448 * 6) or 1.0
    for block, ours in zip(x.reshape(-1, 16), nvfp4(x).reshape(-1, 16), strict=True):
        scale = float(np.float32(np.abs(block).max() / 6 / whole).astype(E4M3)) * whole
        inside = np.clip(block / scale, -6, 6) if scale else 0 * block
        wanted = inside.astype(np.float32).astype(E2M1).astype(float) * scale
        # a quotient on a tie may fall to either side in float32; then ours is a neighbour's
        np.testing.assert_allclose(ours, wanted, rtol=1e-6, atol=0.25 * scale if scale else 0)


def test_finer_scales_lose_less_on_gaussian_weights():
    x = np.random.default_rng(0).normal(size=(64, 256))
    error = {f.__name__: np.square(f(x) - x).mean() for f in (microscale, nvfp4)}
    assert error["nvfp4"] < error["microscale"]
    x[:, 0] *= 40  # one large number a row: with a scale for all, the others fall to zero
    one_scale, blocks = (microscale(x, block=b)[:, 32:] for b in (256, 32))
    rest = x[:, 32:]
    assert np.square(blocks - rest).mean() < 0.1 * np.square(one_scale - rest).mean()


def test_a_block_of_zeros_stays_zero():
    assert not microscale(np.zeros(32)).any()
    assert not nvfp4(np.zeros(32)).any()
    assert (shared_exponents(np.zeros(32)) == 2.0**-127).all()


def test_bits_include_the_scale():
    assert bits_per_number(4, 32) == (32 * 4 + 8) / 32


def test_part_blocks_are_refused():
    with pytest.raises(ValueError, match="rows of length 40 are not whole blocks of 32"):
        microscale(np.zeros(40))
