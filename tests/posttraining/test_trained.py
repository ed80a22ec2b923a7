"""The assistants that come with the course do what is told of them, and are made again alike."""

import dataclasses
import os

import numpy as np
import pytest
import torch

from coursekit.data.checkpoints import CHECKPOINTS
from coursekit.posttraining import (
    MARK,
    answers,
    brief,
    exact_match,
    held_out_problems,
    load_assistant,
    load_curves,
    sampled_reward,
    starting_model,
)
from coursekit.posttraining.build_checkpoints import WATCHED, build_assistant, course_plan
from coursekit.posttraining.run import prepared

METRICS = {
    name: CHECKPOINTS[f"posttraining-{name}"]["metrics"] for name in ("sft", "lora", "dpo", "grpo")
}
EXAMINED = held_out_problems(WATCHED)
ENDS = {name: METRICS[name]["run"]["watched"][-1] for name in METRICS}
"""What was measured on the same problems, before the weights were rounded to 16 bits."""


@pytest.fixture(scope="module")
def sft():
    return load_assistant("sft")


# --- measured again -------------------------------------------------------------------------------


def test_fine_tuning_takes_the_model_from_nothing_to_more_than_80_percent(sft):
    """On problems in phrasings that no training has seen; measured again here."""
    score = exact_match(*sft, EXAMINED)
    assert score.exact > 0.8
    assert score.exact == pytest.approx(ENDS["sft"]["exact"], abs=0.02)
    assert METRICS["sft"]["exact"] > 0.8
    model, tokenizer, _ = starting_model("pretraining-gpt")
    assert exact_match(model, tokenizer, EXAMINED[:120]).exact < 0.02
    assert METRICS["sft"]["start_exact"] < 0.02


def test_low_rank_adaptation_comes_near_it_with_a_small_share_of_the_parameters():
    told = METRICS["lora"]
    assert told["share"] < 0.2
    assert METRICS["sft"]["share"] == 1
    assert told["exact"] > METRICS["sft"]["exact"] - 0.05
    found = exact_match(*load_assistant("lora"), EXAMINED)
    assert found.exact == pytest.approx(ENDS["lora"]["exact"], abs=0.02)


@pytest.mark.parametrize("name", ["dpo", "grpo"])
def test_preferences_and_rewards_raise_the_reward_at_a_small_divergence(sft, name):
    model, tokenizer = load_assistant(name)
    drawn = sampled_reward(model, tokenizer, EXAMINED, sft[0], reward=brief)
    told, start = ENDS[name], METRICS[name]["run"]["watched"][0]
    assert drawn.reward == pytest.approx(told["reward"], abs=0.05)
    assert drawn.kl == pytest.approx(told["kl"], abs=3 * told["kl_error"])
    assert min(drawn.reward - start["reward"], METRICS[name]["reward"] - start["reward"]) > 0.1
    assert drawn.kl < 3
    assert exact_match(model, tokenizer, EXAMINED).exact > METRICS["sft"]["exact"] - 0.05


def test_every_seed_raises_the_reward():
    for name in ("dpo", "grpo"):
        runs = load_curves()[name]
        assert [run["seed"] for run in runs] == [0, 1, 2]
        gains = [run["watched"][-1]["reward"] - run["watched"][0]["reward"] for run in runs]
        assert min(gains) > 0.1


def test_what_the_reward_changed_is_the_habit(sft):
    """Demonstrations were written both ways; the reward says which way is wanted."""
    share = {
        name: np.mean([a.startswith(MARK) for a in answers(*load_assistant(name), EXAMINED[:120])])
        for name in ("sft", "grpo", "dpo")
    }
    assert share["grpo"] < 0.1
    assert share["dpo"] < 0.1
    assert share["sft"] > 0.3


# --- made again -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sft", "lora", "dpo", "grpo"])
def test_the_recorded_settings_are_those_of_the_builder(name):
    plan, told = course_plan(name), CHECKPOINTS[f"posttraining-{name}"]["settings"]["plan"]
    data, training = dataclasses.asdict(plan.data), dataclasses.asdict(plan.training)
    assert told["data"] == data | {"tasks": list(data["tasks"])}
    assert told["training"] == training | {"betas": list(training["betas"])}


@pytest.mark.parametrize("name", ["sft", "lora", "grpo"])
def test_the_first_steps_are_made_again(name, tmp_path):
    """The builder's own training, as far as the first point of the recorded curve."""
    run = METRICS[name]["run"]
    steps = run["steps"][0]
    trainer = prepared(dataclasses.replace(course_plan(name), folder=tmp_path))
    torch.manual_seed(0)
    for _ in range(steps):
        trainer.step()
    told = {k: np.mean([float(seen[k]) for seen in trainer._new]) for k in trainer._new[0]}
    for key in ("loss", "reward", "length"):
        if key in run and key in told:
            assert told[key] == pytest.approx(run[key][0], rel=1e-3, abs=1e-5)


@pytest.mark.skipif(os.environ.get("COURSEKIT_TEST_ALL") != "1", reason="about a minute")
def test_a_checkpoint_is_built_again():
    """Another machine rounds otherwise, and a drawn token may differ: the results must not."""
    built, told = build_assistant("dpo"), METRICS["dpo"]
    assert built.metrics["exact"] == pytest.approx(told["exact"], abs=0.03)
    assert built.metrics["reward"] == pytest.approx(told["reward"], abs=0.03)
    assert built.metrics["kl"] == pytest.approx(told["kl"], rel=0.5)


def test_all_of_them_are_small():
    sizes = [e["bytes"] for name, e in CHECKPOINTS.items() if name.startswith("posttraining-")]
    assert sum(sizes) < 7_000_000


def test_an_adaptation_can_stand_beside_the_weights():
    plain, _ = load_assistant("lora")
    beside, _ = load_assistant("lora", merge=False)
    ids = torch.tensor([[1024, 5, 80, 1026, 1025]])
    with torch.no_grad():
        torch.testing.assert_close(plain(ids), beside(ids), rtol=1e-3, atol=1e-3)  # float32 sums
    assert len(beside.state_dict()) > len(plain.state_dict())


def test_an_unknown_assistant_is_refused():
    with pytest.raises(ValueError, match="no assistant 'ppo'; sft, lora, dpo, grpo wanted"):
        load_assistant("ppo")
