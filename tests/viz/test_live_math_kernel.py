"""The mathematics of chapter 5's figures against SciPy and against counts of what really moves."""

import json

import numpy as np
import pytest
from scipy.special import softmax

from coursekit.attention.counts import attention_bytes, attention_operations
from coursekit.viz import live

CLOSE = {"rtol": 1e-12, "atol": 1e-12}  # float64 sums of two dozen terms


@pytest.mark.parametrize("tile", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("steep", [0.2, 1.0, 3.0])
def test_the_running_average_of_read_scores_is_scipys_softmax_of_them(js, tile, steep):
    figure = live.online_softmax()
    scores, values = (np.array(figure.data[name]) for name in ("scores", "values"))
    scores = scores * steep
    for read in range(1, 13):
        given = f"{json.dumps(scores.tolist())}, {json.dumps(values.tolist())}, {tile}, {read}"
        state = js("online_softmax", f"math.running({given})")
        seen = min(tile * read, 12)
        assert state["seen"] == seen
        wanted = softmax(scores[:seen]) @ values[:seen]
        np.testing.assert_allclose(state["out"] / state["total"], wanted, **CLOSE)
        np.testing.assert_allclose(state["peak"], scores[:seen].max(), **CLOSE)


def test_without_the_shrinking_the_order_of_the_scores_matters(js):
    def average(scores):
        state = js("online_softmax", f"math.running({scores}, [1, 2, 3], 1, 3, false)")
        return state["out"] / state["total"]

    exact = softmax([3.0, 2.0, 1.0]) @ [1, 2, 3]
    assert average([3, 2, 1]) == pytest.approx(exact)  # falling: no factor was due
    assert abs(average([1, 2, 3]) - softmax([1.0, 2.0, 3.0]) @ [1, 2, 3]) > 0.1


def test_python_and_the_module_are_in_the_same_state(js):
    figure = live.online_softmax()
    for figure.tile, figure.read, figure.shrink in ((3, 2, True), (5, 9, False), (1, 1, True)):
        given = ", ".join(
            json.dumps(x) for x in (*figure.data.values(), figure.tile, figure.read, figure.shrink)
        )
        state = js("online_softmax", f"math.running({given})")
        ours = figure.running()
        np.testing.assert_allclose([state["peak"], state["total"], state["out"]], ours, **CLOSE)


@pytest.mark.parametrize("decoding", [False, True])
@pytest.mark.parametrize("passes", [0, 2, 4])
def test_the_intensity_is_operations_over_bytes(js, decoding, passes):
    for power, width in ((7, 64), (12, 128), (17, 256)):
        keys = 2**power
        queries = 1 if decoding else keys
        wanted = attention_operations(queries, keys, width) / attention_bytes(
            queries, keys, width, passes=passes
        )
        flag = json.dumps(decoding)
        found = js("roofline", f"math.intensity({power}, {width}, {passes}, {flag})")
        assert found == pytest.approx(wanted, rel=1e-12)
        figure = live.roofline(peak=312.0, bandwidth=1.5, name="A100")
        figure.power, figure.width, figure.passes = power, width, passes
        figure.decoding = decoding
        assert figure.intensity() == pytest.approx(wanted, rel=1e-12)
        assert js("roofline", f"math.attainable({found}, 312, 1.5)") == pytest.approx(
            figure.attainable()
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: live.online_softmax([1.0], [1.0]), "1 scores and 1 values"),
        (lambda: live.online_softmax([1.0, 2.0], [1.0]), "2 scores and 1 values"),
        (lambda: live.online_softmax([1.0, 20.0], [1.0, 2.0]), "between -10 and 10"),
        (lambda: live.roofline(peak=0.0, bandwidth=1.0, name="none"), "peak is 0.0"),
    ],
)
def test_figures_refuse_what_they_cannot_show(make, message):
    with pytest.raises(ValueError, match=message):
        make()
