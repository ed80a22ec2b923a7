"""Formats bit for bit against torch's and ml_dtypes' casts, and against their definitions."""

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.hardware.formats import (
    BF16,
    FORMATS,
    FP4_E2M1,
    FP8_E4M3,
    FP8_E5M2,
    FP16,
    FP32,
    TF32,
    decode,
    encode,
    round_to,
    values_of,
)

CASTS = [
    (BF16, ml_dtypes.bfloat16, np.uint16, torch.bfloat16),
    (FP16, np.float16, np.uint16, torch.float16),
    (FP8_E4M3, ml_dtypes.float8_e4m3fn, np.uint8, torch.float8_e4m3fn),
    (FP8_E5M2, ml_dtypes.float8_e5m2, np.uint8, torch.float8_e5m2),
    (FP4_E2M1, ml_dtypes.float4_e2m1fn, np.uint8, None),
]
NAMED = pytest.mark.parametrize(("format", "cast", "bits", "torchs"), CASTS, ids=lambda x: str(x))


def awkward(format, rng) -> np.ndarray:
    """float32 numbers of all sizes, every number of the format, and what lies between two."""
    listed = values_of(format)
    between = (listed[1:] + listed[:-1]) / 2  # exact in float32: one bit more than the format
    near = np.concatenate([np.nextafter(between.astype(np.float32), s * 9e30) for s in (-1, 1)])
    sizes = rng.normal(size=20_000) * 10.0 ** rng.uniform(-12, 8, 20_000)
    ends = np.array([0.0, -0.0, np.inf, -np.inf, format.largest * 1.03, format.largest * 1.2])
    return np.concatenate([listed, between, near, sizes, ends, -ends]).astype(np.float32)


def without_nan(x, format, rng):
    return x if format.top != "finite" else x[~np.isnan(x)]


@pytest.mark.equation("eq-hardware-rounding")
@NAMED
def test_every_bit_is_that_of_ml_dtypes(format, cast, bits, torchs):
    rng = np.random.default_rng(0)
    x = awkward(format, rng)
    theirs = x.astype(cast)
    ours = encode(x, format)
    number = ~np.isnan(theirs.astype(np.float64))  # NaN has many patterns
    np.testing.assert_array_equal(ours[number], theirs.view(bits)[number] & (2**format.bits - 1))
    np.testing.assert_array_equal(np.isnan(round_to(x, format)), ~number)


@NAMED
def test_every_bit_is_that_of_torch_up_to_the_largest_number(format, cast, bits, torchs):
    if torchs is None:
        pytest.skip("torch casts to no format of four bits")
    x = awkward(format, np.random.default_rng(1))
    x = x[np.abs(x) <= format.largest]
    theirs = torch.from_numpy(x).to(torchs)
    pattern = theirs.view(torch.uint8 if format.bits == 8 else torch.int16).numpy()
    np.testing.assert_array_equal(
        encode(x, format), pattern.astype(np.int64) & (2**format.bits - 1)
    )


def test_torch_treats_what_is_too_large_by_one_of_the_two_rules():
    """Older versions give NaN, newer ones the largest number; ours does either when asked."""
    x = torch.tensor([465.0, 1e6, -1e30])
    theirs = x.to(torch.float8_e4m3fn).double().numpy()
    rules = [round_to(x.numpy(), FP8_E4M3, saturate=s) for s in (False, True)]
    assert any(np.array_equal(theirs, rule, equal_nan=True) for rule in rules)
    assert np.isnan(rules[0]).all()
    assert (np.abs(rules[1]) == 448).all()


@pytest.mark.equation("eq-hardware-float")
@NAMED
def test_every_code_stands_for_the_number_that_ml_dtypes_reads(format, cast, bits, torchs):
    codes = np.arange(2**format.bits)
    theirs = codes.astype(bits).view(cast).astype(np.float64)
    ours = decode(codes, format)
    np.testing.assert_array_equal(ours, theirs)
    number = ~np.isnan(ours)
    np.testing.assert_array_equal(np.signbit(ours[number]), np.signbit(theirs[number]))


@given(st.floats(width=32, allow_nan=False))
def test_tf32_is_what_adding_half_and_cutting_the_bits_gives(x):
    """As integers: 13 bits go, ties to even; the trick that hardware uses."""
    pattern = int(np.float32(x).view(np.uint32))
    if np.isinf(np.float32(x)):
        return
    pattern += 0xFFF + ((pattern >> 13) & 1)
    wanted = np.uint32((pattern >> 13 << 13) & 0xFFFFFFFF).view(np.float32)
    assert round_to(np.float32(x), TF32) == wanted
    assert encode(np.float32(x), TF32) == pattern >> 13


@pytest.mark.parametrize("format", FORMATS, ids=lambda f: f.name)
def test_codes_and_numbers_go_back_and_forth(format):
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 2**format.bits, 2000)
    numbers = decode(codes, format)
    there = np.isfinite(numbers)
    np.testing.assert_array_equal(encode(numbers[there], format), codes[there])
    np.testing.assert_array_equal(round_to(numbers[there], format), numbers[there])


@pytest.mark.parametrize("format", [f for f in FORMATS if f.bits <= 16], ids=lambda f: f.name)
@given(x=st.floats(-300, 300))
def test_no_number_of_the_format_is_nearer(format, x):
    if abs(x) > format.largest:
        return
    listed = values_of(format)
    assert abs(round_to(x, format) - x) == np.abs(listed - x).min()


@pytest.mark.parametrize(
    ("format", "largest", "smallest_normal", "smallest", "epsilon"),
    [  # torch.finfo; OCP 8-bit floating point specification 1.0; OCP MX specification 1.0
        (FP32, 3.4028234663852886e38, 2.0**-126, 2.0**-149, 2.0**-23),
        (BF16, 3.3895313892515355e38, 2.0**-126, 2.0**-133, 2.0**-7),
        (FP16, 65504, 2.0**-14, 2.0**-24, 2.0**-10),
        (FP8_E4M3, 448, 2.0**-6, 2.0**-9, 2.0**-3),
        (FP8_E5M2, 57344, 2.0**-14, 2.0**-16, 2.0**-2),
        (FP4_E2M1, 6, 1, 0.5, 0.5),
    ],
)
def test_ranges_are_those_of_the_specifications(
    format, largest, smallest_normal, smallest, epsilon
):
    found = (format.largest, format.smallest_normal, format.smallest, format.epsilon)
    assert found == (largest, smallest_normal, smallest, epsilon)


def test_what_a_format_lacks_is_refused():
    with pytest.raises(ValueError, match="fp4 e2m1 has no NaN"):
        encode([np.nan], FP4_E2M1)
    with pytest.raises(ValueError, match="0 to 15 are wanted"):
        decode([16], FP4_E2M1)
    with pytest.raises(ValueError, match="at most 65,536"):
        values_of(FP32)
