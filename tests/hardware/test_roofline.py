"""The roofline's algebra, and measurements that must hold on any machine."""

import numpy as np
import pytest

from coursekit.hardware import roofline
from coursekit.hardware.accelerators import PRECISIONS, accelerator, accelerators


@pytest.mark.equation("eq-hardware-roofline")
def test_the_roof_is_what_the_slower_of_the_two_allows():
    rng = np.random.default_rng(0)
    for operations, moved, peak, bandwidth in rng.uniform(1, 100, (50, 4)):
        speed = roofline.attainable(operations / moved, peak, bandwidth)
        assert speed == pytest.approx(
            operations / roofline.seconds_at_least(operations, moved, peak, bandwidth)
        )


@pytest.mark.equation("eq-hardware-ridge")
def test_at_the_ridge_the_slope_meets_the_roof():
    for chip in accelerators():
        if chip.knows("bf16_tflops") and chip.knows("bandwidth_gb_s"):
            assert chip.ridge() * chip.bandwidth == pytest.approx(chip.peak())
            below, above = chip.ridge() * 0.99, chip.ridge() * 1.01
            assert roofline.attainable(below, chip.peak(), chip.bandwidth) < chip.peak()
            assert roofline.attainable(above, chip.peak(), chip.bandwidth) == chip.peak()


@pytest.mark.parametrize(
    ("name", "precision", "published", "tolerance"),
    [  # Austin et al., How to Scale Your Model, 2025: about 240 and, for an H100, about 295
        ("Google TPU v5e", "16-bit", 240, 0.01),
        # Jouppi et al., 2017: 1350 multiply-accumulates a byte of weights
        ("Google TPU v1", "int8", 2 * 1350, 0.01),
        # NVIDIA, GPU performance background: V100, 125 TFLOP/s over 900 GB/s
        ("V100", "16-bit", 138.9, 0.01),
    ],
)
def test_ridges_are_those_that_were_published(name, precision, published, tolerance):
    assert accelerator(name).ridge(precision) == pytest.approx(published, rel=tolerance)


def test_a_missing_figure_is_refused_and_never_zero():
    with pytest.raises(ValueError, match="bf16_tflops of Cerebras WSE-3 is not known"):
        accelerator("WSE-3").peak()
    with pytest.raises(ValueError, match="precision is 'fp64'"):
        accelerator("H200").peak("fp64")
    for chip in accelerators():
        for column in PRECISIONS.values():
            assert chip.row[column] != 0


def test_an_unknown_chip_is_refused_with_its_neighbours():
    with pytest.raises(LookupError, match=r"no chip is named 'TPU v9'.*Near it: Google TPU"):
        accelerator("TPU v9")
    with pytest.raises(LookupError, match="2 chips are named like 'H100'"):
        accelerator("H100")
    with pytest.raises(LookupError, match="are named like ''"):
        accelerator("")


@pytest.mark.parametrize("threads", [1, 2])
def test_a_measurement_counts_what_it_says(threads):
    copy, triad = roofline.measure_copy(2, threads, 1), roofline.measure_triad(2, threads, 1)
    assert copy.moved == 2 * 2e6
    assert (triad.operations, triad.moved) == (2 * 250_000, 3 * 2e6)
    assert roofline.measure_product(32, threads, 1).operations == 2 * 32**3
    assert copy.bandwidth > 1e8  # any machine of this century copies 0.1 GB/s
    assert copy.speed == 0


def test_the_triad_computes_the_triad(monkeypatch):
    """Every part of the array is reached, whatever the number of threads."""
    written = []
    add = np.add

    def kept(a, b, out):
        written.append(add(a, b, out=out).copy())

    monkeypatch.setattr(roofline.np, "add", kept)
    roofline.measure_triad(1, threads=3, repeats=1)
    assert sum(map(len, written)) == 2 * 125_000  # two runs
    assert all((block == 7.0).all() for block in written)  # 1 + 3 * 2


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="bandwidth is 0"):
        roofline.attainable(1.0, 1.0, 0)
    with pytest.raises(ValueError, match="threads is 0"):
        roofline.measure_copy(1, threads=0)
