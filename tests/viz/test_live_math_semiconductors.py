"""The mathematics of the figures about silicon, against the library that the chapter teaches."""

import json

import numpy as np
import pytest

from coursekit.semiconductors import (
    Chip,
    Die,
    Wafer,
    classify,
    count_defects,
    murphy,
    negative_binomial,
    place_dies,
    poisson,
)
from coursekit.viz import live
from coursekit.viz.live.export_plane import STOPS, thresholds
from coursekit.viz.live.wafer_map import placed


@pytest.mark.parametrize("area", [50, 105, 400, 814, 858])
def test_dies_lie_where_the_library_puts_them(js, area):
    found = np.array(js("wafer_map", f"math.placed({area})"))
    assert np.allclose(found, placed(area), rtol=0, atol=1e-9)
    die = Die.of_area(area)
    inside = place_dies(die, Wafer(), tuple(found[0]))
    assert len(found) == len(inside)
    assert np.allclose(np.sort(found.ravel()), np.sort(inside.ravel()), rtol=0, atol=1e-9)


def test_defects_are_counted_as_the_library_counts_them(js):
    rng = np.random.default_rng(0)
    points = rng.uniform(-150, 150, (60, 2)).tolist()
    corners = placed(400)
    found = js("wafer_map", f"math.counts(math.placed(400), 400, {json.dumps(points)})")
    assert found == count_defects(points, corners, Die(20.0, 20.0)).tolist()


@pytest.mark.parametrize(("area", "density"), [(105, 0.02), (814, 0.1), (858, 0.6)])
def test_the_three_formulas_are_the_library_s(js, area, density):
    load = area * density / 100
    wanted = [poisson(load), murphy(load), negative_binomial(load, 3.0)]
    assert np.allclose(js("wafer_map", f"math.models({area}, {density})"), wanted, rtol=1e-12)


def test_the_words_and_the_picture_s_still_count_the_same(figures):
    figure = figures["wafer_map"]
    good = int((figure.counts() <= figure.spare).sum())
    assert f"{good} are sold" in figure.description()
    assert figure.models()["Murphy"] == pytest.approx(
        float(murphy(figure.area * figure.density / 100))
    )


def test_the_plane_s_verdicts_are_those_of_the_rules(js):
    """Both the script and the figure's words, on chips all over the plane."""
    rng, lines = np.random.default_rng(1), json.dumps(thresholds())
    calls, wanted = [], []
    figure = live.export_plane([("any", 1000.0, 500.0, ["free"] * len(STOPS))])
    for _ in range(250):
        tpp = float(10 ** rng.uniform(2.5, 4.8))
        area, linked = float(10 ** rng.uniform(1.7, 3.2)), bool(rng.integers(2))
        stop = int(rng.integers(len(STOPS)))
        chip = Chip("any", {16: tpp / 16}, 600.0 if linked else 599.0, 0.0, area, (area, area))
        wanted.append(classify(chip, STOPS[stop]).verdict)
        calls.append(f"math.verdict({tpp}, {area}, {json.dumps(linked)}, '{STOPS[stop]}', {lines})")
        figure.set_trait("tpp", tpp), figure.set_trait("area", area)
        figure.set_trait("linked", linked), figure.set_trait("stop", stop)
        assert figure.verdict() == wanted[-1]
    assert js("export_plane", f"[{','.join(calls)}]") == wanted
    assert len(set(wanted)) == 4


def test_a_slider_s_place_and_its_value_are_inverse(js):
    found = js("export_plane", "[100, 2400, 200000].map((v) => math.fromPlace(math.toPlace(v)))")
    assert found == [100, 2400, 200_000]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda p: live.wafer_map(p[:10], p, price=1.0), "even has 10 places"),
        (lambda p: live.wafer_map(p, [[200.0, 0.0]] * 500, price=1.0), "clustered has a place off"),
        (lambda p: live.wafer_map(p, p, price=0.0), "price is 0.0"),
        (lambda p: live.export_plane([]), "chips is empty"),
        (lambda p: live.export_plane([("x", 1.0, 0.0, ["free"] * 5)]), "x has a TPP of 1.0 on 0.0"),
        (lambda p: live.export_plane([("x", 1.0, 1.0, ["free"])]), "x has 1 verdicts; 5"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call([[0.0, 0.0]] * 500)
