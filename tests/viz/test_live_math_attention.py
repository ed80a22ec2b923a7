"""The mathematics of chapter 4's figures against SciPy, torch and matrices written out."""

import json

import numpy as np
import pytest
from scipy.linalg import block_diag
from scipy.special import softmax
from scipy.stats import entropy

from coursekit.viz import live

CLOSE = {"rtol": 1e-9, "atol": 1e-12}  # float64 sums of a few terms
KEYS = {"a": (1.0, 0.5), "b": (-2.0, 1.0), "c": (0.0, -2.5)}


def call(js, name: str, function: str, *arguments):
    """What `math.<function>` gives for these arguments."""
    listed = [a.tolist() if isinstance(a, np.ndarray) else a for a in arguments]
    return js(name, f"math.{function}({', '.join(json.dumps(a) for a in listed)})")


@pytest.mark.parametrize("sharpness", [0.125, 1.0, 16.0, 400.0])
def test_weights_are_scipys_softmax_even_for_huge_scores(js, sharpness):
    query, keys = np.array([1.2, -0.7]), np.array(list(KEYS.values()))
    wanted = softmax(sharpness * keys @ query)
    ours = call(js, "soft_lookup", "weights", query, keys, sharpness, [True] * 3)
    np.testing.assert_allclose(ours, wanted, **CLOSE)
    np.testing.assert_allclose(
        call(js, "soft_lookup", "entropy", ours), entropy(wanted), rtol=1e-9, atol=1e-12
    )


def test_a_masked_key_gets_nothing_and_the_others_keep_their_proportions(js):
    query, keys = [0.5, 1.0], np.array(list(KEYS.values()))
    full = np.array(call(js, "soft_lookup", "weights", query, keys, 1.0, [True] * 3))
    part = np.array(call(js, "soft_lookup", "weights", query, keys, 1.0, [True, False, True]))
    assert part[1] == 0
    np.testing.assert_allclose(part[[0, 2]], full[[0, 2]] / full[[0, 2]].sum(), **CLOSE)
    assert call(js, "soft_lookup", "weights", query, keys, 1.0, [False] * 3) == [0, 0, 0]


def test_page_and_python_look_up_the_same(js):
    figure = live.soft_lookup(KEYS, [10, 20, 60], angle=75, length=2.0, sharpness=0.5)
    ours = call(js, "soft_lookup", "weights", figure.query(), figure.data["keys"], 0.5, [True] * 3)
    np.testing.assert_allclose(figure.weights(), ours, **CLOSE)
    output = call(js, "soft_lookup", "output", ours, [10, 20, 60])
    assert figure.output() == pytest.approx(output, rel=1e-12)
    figure.seen = []
    assert not figure.weights().any()


@pytest.mark.parametrize("place", [0, 1, 17])
def test_rotary_is_a_block_diagonal_rotation(js, rng, place):
    v = rng.normal(size=8)
    angles = place * 10_000.0 ** (-np.arange(4) / 4)
    turns = [[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles]
    ours = call(js, "positions", "rotate", v, place, 10_000)
    np.testing.assert_allclose(ours, block_diag(*turns) @ v, **CLOSE)


@pytest.mark.parametrize("scheme", ["none", "sinusoidal", "rotary", "alibi"])
def test_page_and_python_score_the_same(js, scheme):
    figure = live.positions(scheme, i=7, j=12)
    d = figure.data
    scores = figure.scores()
    for i, j in ((0, 0), (7, 12), (23, 2)):
        args = (scheme, d["q"], d["k"], i, j, d["base"], d["slope"])
        np.testing.assert_allclose(scores[i, j], call(js, "positions", "score", *args), **CLOSE)


@pytest.mark.parametrize(
    ("scheme", "relative"),
    [("none", True), ("sinusoidal", False), ("rotary", True), ("alibi", True)],
)
def test_which_schemes_know_the_distance_alone(scheme, relative):
    figure = live.positions(scheme)
    assert (figure.spread() < 1e-12) == relative
    assert ("only the distance counts" in figure.description()) == relative


def test_sinusoids_written_out(js):
    wanted = [np.sin(3), np.cos(3), np.sin(0.03), np.cos(0.03)]
    np.testing.assert_allclose(call(js, "positions", "sinusoidal", 3, 4, 10_000), wanted, **CLOSE)


def test_entropy_of_a_row_is_scipys(js, rng):
    row = rng.dirichlet(np.ones(6))
    np.testing.assert_allclose(call(js, "attention_heads", "entropy", row), entropy(row), **CLOSE)
    assert call(js, "attention_heads", "argmax", row) == row.argmax()
    assert call(js, "attention_heads", "entropy", [0, 1, 0]) == 0


def test_what_the_figures_refuse():
    with pytest.raises(ValueError, match="3 keys and 2 values"):
        live.soft_lookup(KEYS, [1, 2])
    with pytest.raises(ValueError, match="2 to 7 points"):
        live.soft_lookup({"far": (9.0, 0.0), "near": (0.0, 1.0)}, [1, 2])
    with pytest.raises(ValueError, match="scheme is 'relative'"):
        live.positions("relative")
    with pytest.raises(ValueError, match="places run from 0 to 23"):
        live.positions(i=24)
    with pytest.raises(ValueError, match="rows that sum to one"):
        live.attention_heads({"one": [[0.5, 0.4], [0.5, 0.5]]}, ["x", "y"])
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        live.attention_heads({"one": [[0.5, 0.5]]}, ["x", "y"])
    with pytest.raises(ValueError, match="head is 'two'"):
        live.attention_heads({"one": np.eye(2)}, ["x", "y"], head="two")
