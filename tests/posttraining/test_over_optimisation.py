"""What the judge wants, what a model learns of it, and what becomes of who believes it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit

from coursekit.posttraining import (
    ClerkSettings,
    best_of_n_climb,
    climb,
    fit_gold_curve,
    gold_curve,
    gold_reward,
    human_answers,
    judge,
    load_climbs,
    questions,
    score,
    train_clerk,
    train_reward_model,
    turning_point,
)
from coursekit.posttraining.over_optimisation import CLERK
from coursekit.transformer import GPT
from tests.tolerances import assert_rounds_to

FORMS = ("best of n", "rl")


@pytest.fixture(scope="module")
def clerk():
    return train_clerk(0)


@pytest.mark.equation("eq-posttraining-over-optimisation")
@given(st.floats(0.01, 30), st.floats(-2, 2), st.floats(-2, 2))
@settings(max_examples=40, deadline=None)
def test_the_curves_are_those_of_gao_and_others(kl, alpha, beta):
    d = kl**0.5
    assert_rounds_to(gold_curve(kl, alpha, beta, "best of n"), d * (alpha - beta * d), terms=9)
    assert_rounds_to(gold_curve(kl, alpha, beta, "rl"), d * (alpha - beta * np.log(d)), terms=9)
    assert gold_curve(0, alpha, beta) == gold_curve(0, alpha, beta, "best of n") == 0


@pytest.mark.parametrize("form", FORMS)
def test_a_fit_finds_the_curve_and_its_top_again(form):
    kl = np.linspace(0, 12, 20)
    found = fit_gold_curve(kl, gold_curve(kl, 1.3, 0.6, form), form)
    np.testing.assert_allclose(found, (1.3, 0.6), rtol=1e-10)
    top = minimize_scalar(
        lambda x: -float(gold_curve(x, 1.3, 0.6, form)), bounds=(1e-6, 60), method="bounded"
    )
    assert turning_point(1.3, 0.6, form) == pytest.approx(top.x, rel=1e-3)  # of a flat top


def test_the_judge_wants_the_thing_and_two_or_three_kind_words():
    """Counted with sets and sums of Python's own."""
    g = torch.Generator().manual_seed(0)
    asked = questions(200, g)
    answers = human_answers(asked, g)
    for (thing,), words, found in zip(
        (asked - 12).tolist(), answers.tolist(), gold_reward(asked, answers).tolist(), strict=True
    ):
        kind = sum(4 <= w <= 6 for w in words)
        others = sum(w < 4 and w != thing for w in words)
        wanted = 2 * (thing in words) - others + 2 * kind - 0.4 * kind**2
        assert found == pytest.approx(wanted, abs=1e-5)


def test_people_write_words_at_the_rates_that_are_said():
    g = torch.Generator().manual_seed(1)
    asked = questions(4000, g)
    words = human_answers(asked, g)
    error = 5 * 0.5 / np.sqrt(words.numel())
    assert abs(float((words < 4).float().mean()) - 1 / 4) < error
    assert abs(float((words == asked - 12).float().mean()) - 1 / 6) < error
    assert abs(float(((words >= 4) & (words < 7)).float().mean()) - 1 / 8) < error


def test_the_judge_prefers_as_bradley_and_terry_say(clerk):
    found = judge(clerk, 4000, torch.Generator().manual_seed(0))
    lead = gold_reward(found.asked, found.chosen) - gold_reward(found.asked, found.rejected)
    size = lead.abs().double().numpy()
    agreed = (lead > 0).double().numpy()[size > 0]
    expected = expit(size[size > 0])
    error = np.sqrt((expected * (1 - expected)).sum()) / len(expected)
    assert abs(agreed.mean() - expected.mean()) < 5 * error


def test_the_learned_reward_agrees_with_the_judge_and_likes_flattery(clerk):
    g = torch.Generator().manual_seed(2)
    model = train_reward_model(clerk, judge(clerk, 2000, g), g)
    test = judge(clerk, 2000, g)
    asked = torch.full((100, 1), 12)
    with torch.no_grad():
        lead = score(model, test.asked, test.chosen) - score(model, test.asked, test.rejected)
        plain = torch.randint(7, 12, (100, 8), generator=g)
        flattery = torch.randint(4, 7, (100, 8), generator=g)
        plain[:, 0] = flattery[:, 0] = 0
        learned = [float(score(model, asked, a).mean()) for a in (plain, flattery)]
    gold = [float(gold_reward(asked, a).mean()) for a in (plain, flattery)]
    assert float((lead > 0).float().mean()) > 0.5 + 5 * 0.5 / np.sqrt(2000)
    assert learned[1] > learned[0]
    assert gold[1] < gold[0]


def test_a_climb_begins_at_the_reference_and_gains_what_it_is_shown(clerk):
    g = torch.Generator().manual_seed(2)
    model = train_reward_model(clerk, judge(clerk, 1000, g), g, steps=100)
    found = climb(clerk, model, settings=ClerkSettings(steps=10), every=10)
    assert (found.kl[0], found.learned[0], found.gold[0]) == (0, 0, 0)
    assert found.kl[1] > 0
    assert found.learned[1] > 0
    best = best_of_n_climb(clerk, model, [1, 4, 16])
    assert (np.diff(best.learned) > 0).all()


def test_the_stored_climbs_show_the_learned_reward_rise_and_the_gold_turn():
    by_price, best_of_n = load_climbs()
    free = by_price[0.0]
    for way in free:
        assert way.learned[-1] > 0.9 * way.learned.max() > 1
        assert way.gold.max() > 0.5
        assert way.gold[-1] < -1
    ends = [np.mean([way.gold[-1] for way in by_price[p]]) for p in sorted(by_price)]
    assert ends == sorted(ends)  # the dearer, the less is lost
    turns = [np.mean([way.kl[-1] for way in ways]) for _, ways in sorted(by_price.items())]
    assert turns == sorted(turns, reverse=True)
    assert min(way.gold.min() for way in best_of_n) > -0.1


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="0 or more"):
        gold_curve([-1.0], 1, 1)
    with pytest.raises(ValueError, match="form is 'ppo'"):
        gold_curve([1.0], 1, 1, "ppo")
    with pytest.raises(ValueError, match="two divergences"):
        fit_gold_curve([0, 1, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="does not turn"):
        turning_point(1.0, 0.0)
    with pytest.raises(ValueError, match="n"):
        questions(0, torch.Generator())
    assert GPT(CLERK).config.vocab_size == 16
