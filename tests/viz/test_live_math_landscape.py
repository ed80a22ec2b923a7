"""The mathematics of the figures about the landscape, against counting by hand."""

import json

import numpy as np
import pytest

from coursekit.viz import live
from coursekit.viz.live.fairness_thresholds import BINS, rates


def people(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores on the bins' left ends, outcomes and groups of 400 people."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, BINS, 400) / BINS
    groups = rng.integers(0, 2, 400)
    outcomes = (rng.random(400) < 0.2 + 0.5 * scores + 0.1 * groups).astype(int)
    return scores, outcomes, groups


def by_counting(scores, outcomes, threshold) -> list[float]:
    """Shares of people, one by one."""
    accepted = scores >= threshold
    return [
        accepted.mean(),
        accepted[outcomes == 1].mean(),
        accepted[outcomes == 0].mean(),
        outcomes[accepted].mean(),
        (accepted == (outcomes == 1)).mean(),
    ]


@pytest.mark.parametrize("first", [0, 7, 20, 33])
def test_rates_are_shares_of_people(js, first):
    scores, outcomes, groups = people(0)
    data = live.fairness_thresholds(scores, outcomes, groups).data["groups"]
    for number, group in enumerate(data):
        here = groups == number
        wanted = by_counting(scores[here], outcomes[here], first / BINS)
        assert np.allclose(rates(group["good"], group["bad"], first), wanted, rtol=1e-12)
        found = js("fairness_thresholds", f"math.rates({json.dumps(group)}, {first})")
        assert np.allclose(list(found.values()), wanted, rtol=1e-12)


def test_who_accepts_nobody_has_no_precision(js):
    group = {"good": [1] * BINS, "bad": [2] * BINS}
    found = js("fairness_thresholds", f"math.rates({json.dumps(group)}, {BINS})")
    assert found["ppv"] is None
    assert np.isnan(rates(group["good"], group["bad"], BINS).ppv)
    assert found["accepted"] == found["tpr"] == found["fpr"] == 0


@pytest.mark.parametrize("measure", ["accepted", "tpr", "fpr"])
def test_a_button_finds_the_nearest_equal_rate(js, measure):
    groups = live.fairness_thresholds(*people(1)).data["groups"]
    goal = getattr(rates(groups[0]["good"], groups[0]["bad"], 17), measure)
    found = js("fairness_thresholds", f"math.match({json.dumps(groups)}, 17, '{measure}')")
    away = [
        abs(getattr(rates(*list(groups[1].values())[1:], t), measure) - goal)
        for t in range(BINS + 1)
    ]
    assert away[found] == min(away)


def test_a_run_is_drawn_as_far_as_it_went(js, figures):
    data = json.dumps(figures["agent_trace"].data)
    marks = js("agent_trace", f"math.marks({data}.runs[0], {data}.tools, 9)")
    assert marks == [{"lane": 0, "trusted": False}, {"lane": 1, "trusted": True}]
    assert js("agent_trace", f"math.shown({data}.runs[0], 9)") == 2


def test_long_pages_are_cut_and_said_so():
    step = {"thought": "t", "tool": "read", "argument": "a", "observation": "x" * 5000}
    run = {"name": "n", "question": "q", "answer": "a", "steps": [{**step, "trusted": False}]}
    shown = live.agent_trace([run]).data["runs"][0]["steps"][0]["observation"]
    assert len(shown) <= 420
    assert shown.endswith("…")


RUN = {"name": "n", "question": "q", "answer": "a", "steps": []}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: live.agent_trace([]), "0 runs"),
        (lambda: live.agent_trace([RUN]), "n has 0 steps"),
        (lambda: live.agent_trace([{"name": "n"}]), "lacks answer, question, steps"),
        (lambda: live.agent_trace([{**RUN, "steps": [{"tool": "read"}]}]), "a step of n lacks"),
        (lambda: live.fairness_thresholds([0.5], [1, 0], [0, 1]), r"shapes \(1,\)"),
        (lambda: live.fairness_thresholds([0.5, 2.0], [1, 0], [0, 1]), "from 0 to 1"),
        (lambda: live.fairness_thresholds([0.5, 0.4], [1, 0], [0, 1]), "people of both outcomes"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
