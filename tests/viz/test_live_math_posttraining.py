"""The mathematics of the figures about post-training, against other libraries and by counting."""

import json
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats

from coursekit.posttraining import clipped_objective, majority_vote
from coursekit.viz import live

CLOSE = {"rtol": 1e-9, "atol": 1e-12}  # float64 sums of some hundred terms


@pytest.mark.parametrize("advantage", [1.0, -1.0, 0.5])
@pytest.mark.parametrize("ratio", [0.5, 0.79, 0.81, 1.0, 1.29, 1.31, 1.7])
def test_what_a_token_earns_and_its_slope_are_those_of_autograd(js, advantage, ratio):
    figure = live.clipped_step(advantage=advantage, ratio=ratio, low=0.2, high=0.3)
    new = torch.tensor([[ratio]], dtype=torch.float64, requires_grad=True)
    zero, weight = torch.zeros_like(new), torch.full_like(new, advantage)
    earned = clipped_objective(new.log(), zero.detach(), weight.detach(), 0.2, 0.3).sum()
    earned.backward()
    knobs = json.dumps({"advantage": advantage, "low": 0.2, "high": 0.3})
    ours = js("clipped_step", f"math.objective({ratio}, {knobs})")
    np.testing.assert_allclose([ours, float(figure.objective(ratio))], earned.item(), **CLOSE)
    slope = js("clipped_step", f"math.slope({ratio}, {knobs})")
    np.testing.assert_allclose([slope, figure.slope(ratio)], new.grad.item(), **CLOSE)


@pytest.mark.parametrize(("right", "favourite"), [(0.4, 0.5), (0.2, 1.0), (0.6, 0.0), (0.5, 1.0)])
@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_a_vote_wins_as_often_as_counting_all_outcomes_says(js, right, favourite, n):
    figure = live.many_answers(right=right, favourite=favourite, n=n)
    chances = {"right": right, "wrong": figure.wrong, "": 1 - right - figure.wrong}
    wanted = sum(
        np.prod([chances[a] for a in answers]) * (majority_vote(answers) == "right")
        for answers in product(chances, repeat=n)
    )
    ours = js("many_answers", f"math.vote({n}, {right}, {figure.wrong})")
    np.testing.assert_allclose([ours, figure.vote(n)], wanted, **CLOSE)
    one = js("many_answers", f"math.oneOf({n}, {right})")
    np.testing.assert_allclose([one, figure.one_of(n)], stats.binom.sf(0, n, right), **CLOSE)


def test_a_vote_climbs_only_where_the_right_answer_is_the_commonest():
    often, seldom = (live.many_answers(right=r, favourite=0.8) for r in (0.5, 0.3))
    assert often.vote(40) > often.vote(9) > often.vote(1) == pytest.approx(0.5)
    assert seldom.vote(40) < seldom.vote(9) < seldom.vote(1) == pytest.approx(0.3)


def test_the_turning_point_is_where_gold_is_highest(js, figures):
    figure = figures["over_optimised"]
    run = figure.data["runs"][0]
    top = js("over_optimised", f"math.turningPoint({json.dumps(run)})")
    assert top == figure.turning_point() == int(np.argmax(run["gold"]))
    assert f"{run['kl'][top]:.2f} nats, {run['gold'][top]:.2f}" in figure.description()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: live.clipped_step(advantage=0.0), "not 0"),
        (lambda: live.clipped_step(low=1.0), "between 0 and 1"),
        (lambda: live.many_answers(right=1.2), "numbers from 0 to 1"),
        (lambda: live.over_optimised({}), "1 to 8 wanted"),
        (lambda: live.over_optimised({0.1: ([0.0], [1.0], [1.0])}), "2 to 400"),
        (lambda: live.over_optimised({0.1: ([0.0, np.nan], [1.0, 2.0], [1.0, 2.0])}), "finite"),
    ],
)
def test_figures_refuse_what_does_not_fit(make, says):
    with pytest.raises(ValueError, match=says):
        make()
