"""Dies are counted as one would count them on a drawing, and near what was published."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.data.tables import known, load_table
from coursekit.semiconductors import (
    Die,
    Wafer,
    best_offset,
    dies_by_formula,
    dies_on_grid,
    place_dies,
    require_one_field,
)

SIDES = st.floats(12.0, 60.0)


def drawn(die, wafer, offset):
    """Count dies one by one, corner by corner."""
    found = 0
    for i in range(-15, 16):
        for j in range(-15, 16):
            x = offset[0] + i * (die.width_mm + wafer.scribe_mm)
            y = offset[1] + j * (die.height_mm + wafer.scribe_mm)
            corners = [(x + a, y + b) for a in (0, die.width_mm) for b in (0, die.height_mm)]
            found += all(math.hypot(*corner) <= wafer.radius_mm for corner in corners)
    return found


@pytest.mark.equation("eq-semiconductors-dies-grid")
@settings(max_examples=15, deadline=None)
@given(SIDES, SIDES, st.floats(-1, 0), st.floats(-1, 0))
def test_dies_are_those_whose_four_corners_are_inside(width, height, u, v):
    die, wafer = Die(width, height), Wafer(scribe_mm=0.13)
    offset = (u * width, v * height)
    assert len(place_dies(die, wafer, offset)) == drawn(die, wafer, offset)


@settings(max_examples=12, deadline=None)
@given(SIDES, SIDES)
def test_dies_do_not_overlap_and_keep_their_streets(width, height):
    corners = place_dies(Die(width, height), Wafer(scribe_mm=0.2))
    gaps = np.abs(corners[:, None] - corners[None])  # (n, n, 2)
    apart = (gaps >= np.array([width, height]) + 0.2 - 1e-9).any(2)
    assert (apart | np.eye(len(corners), dtype=bool)).all()


@settings(max_examples=20, deadline=None)
@given(SIDES, SIDES, st.floats(0.5, 3.0))
def test_a_drawing_twice_as_large_shows_as_many_dies(width, height, k):
    small = dies_on_grid(Die(width, height), Wafer(), steps=4)
    large = Wafer(300 * k, 3 * k, 0.1 * k)
    assert dies_on_grid(Die(width * k, height * k), large, steps=4) == small


@settings(max_examples=20, deadline=None)
@given(SIDES, SIDES)
def test_turning_the_die_changes_nothing(width, height):
    counts = {
        dies_on_grid(Die(*sides), Wafer(), steps=4) for sides in ((width, height), (height, width))
    }
    assert len(counts) == 1


def test_a_grid_is_the_same_from_any_of_its_dies():
    die, wafer = Die(20.0, 30.0), Wafer()
    near = place_dies(die, wafer, (-3.0, 4.0))
    far = place_dies(die, wafer, (-3.0 - 7 * 20.1, 4.0 + 4 * 30.1))
    assert len(near) == len(far)


def test_the_best_offset_is_no_worse_than_the_symmetric_ones():
    die, wafer = Die(22.0, 31.0), Wafer()
    best = len(place_dies(die, wafer, best_offset(die, wafer)))
    for offset in ((0, 0), (-11.05, 0), (0, -15.55), (-11.05, -15.55)):
        assert len(place_dies(die, wafer, offset)) <= best


@pytest.mark.equation("eq-semiconductors-dies-formula")
def test_the_formula_with_the_rim_is_the_ring_argument_written_out():
    """Dies that the rim cuts lie in a ring as wide as half a die's diagonal."""
    area, d = 97.0, 300.0
    diagonal = math.sqrt(2 * area)  # of a square die
    by_ring = (math.pi * d**2 / 4 - math.pi * d * diagonal / 2) / area
    assert float(dies_by_formula(area, d)) == pytest.approx(by_ring, rel=1e-12)


def test_the_formula_nears_the_grid_as_dies_get_small():
    """The ring's argument is exact to first order; what remains shrinks with the die's side."""
    wafer = Wafer(scribe_mm=0.0)
    for area, within in ((400.0, 0.10), (100.0, 0.04), (4.0, 0.012)):
        exact = dies_on_grid(Die.of_area(area), wafer, steps=12)
        estimate = float(dies_by_formula(area, 2 * wafer.radius_mm))
        assert exact == pytest.approx(estimate, rel=within)


def test_the_exponential_formula_is_near_and_the_area_alone_is_above():
    """The exponent was fitted to grids (de Vries, 2005): a few percent."""
    areas, bare = np.array([20.0, 105.0, 814.0]), Wafer(edge_mm=0, scribe_mm=0)
    grid = np.array([dies_on_grid(Die.of_area(a), bare, steps=8) for a in areas])
    assert np.allclose(dies_by_formula(areas, formula="exponential"), grid, rtol=0.03)
    assert (grid < dies_by_formula(areas, formula="area")).all()


def test_a_published_phone_chip_is_met_within_one_percent():
    """An analyst's 586 whole dies of 105 mm2; sides were not said, so two shapes are tried."""
    table = load_table("process_and_yield")
    rows = {
        p: table.one(item="Apple A17 Pro", parameter=p)
        for p in ("die area", "gross dies per wafer")
    }
    area, wanted = (known(row, "value") for row in rows.values())
    for aspect in (1.0, 1.25):
        assert dies_on_grid(Die.of_area(area, aspect), Wafer()) == pytest.approx(wanted, rel=0.01)


def test_a_published_chiplet_is_met_once_its_rim_and_streets_are():
    """728 dies of 7.6 x 10.5 mm; the rim and the street were not said, and move it by 6 %."""
    table = load_table("process_and_yield")
    row = table.one(item="AMD Zen 2 chiplet", parameter="gross dies per wafer")
    wanted, die = known(row, "value"), Die(7.6, 10.5)
    assert dies_on_grid(die, Wafer(edge_mm=5.0, scribe_mm=0.2)) == pytest.approx(wanted, rel=0.015)
    assert dies_on_grid(die, Wafer()) == pytest.approx(wanted, rel=0.07)


def test_a_field_is_26_by_33_in_either_direction():
    assert require_one_field(Die(33.0, 26.0)).area_mm2 == 858
    with pytest.raises(ValueError, match="27 x 30 mm and the field 26 x 33 mm"):
        require_one_field(Die(27.0, 30.0))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Die(-1.0, 5.0), "width_mm is -1; more than 0"),
        (lambda: Die.of_area(0.0), "area_mm2 is 0; more than 0"),
        (lambda: Wafer(edge_mm=150.0), "less than half of it wanted"),
        (lambda: Wafer(scribe_mm=-0.1), "scribe_mm is -0.1; 0 or more"),
        (lambda: place_dies(Die(250.0, 250.0), Wafer()), "a die that fits on the wafer wanted"),
        (lambda: dies_by_formula(80_000.0), "a die smaller than the wafer wanted"),
        (lambda: dies_by_formula(100.0, formula="guess"), "'edge', 'area' or 'exponential'"),
        (lambda: best_offset(Die(9.0, 9.0), Wafer(), steps=0), "steps is 0"),
    ],
)
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
