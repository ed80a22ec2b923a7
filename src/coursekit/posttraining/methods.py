"""All methods on one task, from one start: what each gains, how far it moves, what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from coursekit.posttraining.dpo import dpo_loss
from coursekit.posttraining.examples import response_log_probs
from coursekit.posttraining.lora import add_lora
from coursekit.posttraining.ppo_loop import ValueModel, ppo_update
from coursekit.posttraining.small_task import (
    DIGITS,
    answer_batch,
    divergence_from,
    draw_rollouts,
    sorting_prompts,
    sorting_reward,
    start_policy,
    train_sorter,
    write_answers,
)
from coursekit.posttraining.updates import descend, grpo_update, reinforce_update
from coursekit.posttraining.voting import vote_rows
from coursekit.transformer import GPT

TESTED = 1000
"""Prompts on which every method is measured, the same for all."""

BETA = 0.02
"""Price of a nat of KL where a method takes one."""


@dataclass(frozen=True)
class MethodSettings:
    """How long and how fast each method learns.

    Parameters
    ----------
    start : int
        Steps of the start policy.
    steps : int
        Of every method that learns.
    answers : int
        That a step sees: prompts times answers to each.
    group : int
        Answers to a prompt, where they are compared; and at test, where one of them is chosen.
    """

    start: int = 60
    steps: int = 100
    answers: int = 128
    group: int = 8


class MethodRun(NamedTuple):
    """What one method did from one start.

    Attributes
    ----------
    method : str
        One of `METHODS`.
    seed : int
        Of the start and of all that was drawn.
    reward : float
        Share of right answers, drawn at temperature 1, to prompts that nobody trained on.
    kl : float
        Exact KL divergence from the start in nats an answer; NaN where no policy stands behind
        the answers.
    cpu_seconds : float
        Processor time of training; of a method that only chooses, 0.
    drawn, learned : int
        Tokens of answers drawn for training, and tokens that went through a step.
    per_answer : int
        Tokens that one answer costs at use.
    """

    method: str
    seed: int
    reward: float
    kl: float
    cpu_seconds: float
    drawn: int
    learned: int
    per_answer: int


class _Trained(NamedTuple):
    """A policy, and the tokens it took."""

    policy: GPT
    drawn: int
    learned: int


def _optimiser(parameters: Any, lr: float) -> torch.optim.Optimizer:
    learned = [p for p in parameters if p.requires_grad]
    return torch.optim.AdamW(learned, lr=lr, betas=(0.9, 0.98), fused=True)


LINEAR = ("query", "key", "value", "out", "up", "down")
"""Linear maps of a block, which LoRA adapts."""

ROW = 2 * DIGITS + 1
"""Tokens of a prompt with its answer."""


def _nothing(start: GPT, s: MethodSettings, g: torch.Generator) -> _Trained:
    """Leave the start as it is."""
    return _Trained(start, 0, 0)


def _sft(start: GPT, s: MethodSettings, g: torch.Generator) -> _Trained:
    """Go on with right answers."""
    policy = deepcopy(start)
    train_sorter(policy, s.steps, g, lr=1e-3, batch_size=s.answers)
    return _Trained(policy, 0, s.steps * s.answers * ROW)


def _lora(start: GPT, s: MethodSettings, g: torch.Generator) -> _Trained:
    """Go on with right answers, in thin matrices beside the frozen linear maps."""
    policy = deepcopy(start)
    add_lora(policy, rank=4, targets=LINEAR, generator=g)
    train_sorter(policy, s.steps, g, lr=5e-3, batch_size=s.answers)
    return _Trained(policy, 0, s.steps * s.answers * ROW)


def _reinforce(start: GPT, s: MethodSettings, g: torch.Generator) -> _Trained:
    """Follow the policy gradient with the batch's mean as baseline."""
    policy = deepcopy(start)
    optimiser = _optimiser(policy.parameters(), lr=1e-3)
    for _ in range(s.steps):
        prompts = sorting_prompts(s.answers, g)
        drawn = draw_rollouts(policy, prompts, reference=start, generator=g)
        reinforce_update(policy, optimiser, drawn, beta=BETA)
    return _Trained(policy, s.steps * s.answers * DIGITS, s.steps * s.answers * ROW)


def _ppo(start: GPT, s: MethodSettings, g: torch.Generator) -> _Trained:
    """Let a value head say what was to be expected, and take two clipped steps each time."""
    policy, value = deepcopy(start), ValueModel(deepcopy(start))
    optimiser = _optimiser([*policy.parameters(), *value.parameters()], lr=1e-3)
    for _ in range(s.steps):
        prompts = sorting_prompts(s.answers, g)
        drawn = draw_rollouts(policy, prompts, reference=start, generator=g)
        ppo_update(policy, value, optimiser, drawn, control=BETA)
    return _Trained(policy, s.steps * s.answers * DIGITS, 2 * 2 * s.steps * s.answers * ROW)


def _grpo(start: GPT, s: MethodSettings, g: torch.Generator) -> _Trained:
    """Compare the answers to one prompt with each other, and take two clipped steps each time."""
    policy = deepcopy(start)
    optimiser = _optimiser(policy.parameters(), lr=1e-3)
    for _ in range(s.steps):
        prompts = sorting_prompts(s.answers // s.group, g)
        drawn = draw_rollouts(policy, prompts, group=s.group, reference=start, generator=g)
        grpo_update(policy, optimiser, drawn, beta=BETA, epochs=2)
    return _Trained(policy, s.steps * s.answers * DIGITS, 2 * s.steps * s.answers * ROW)


def draw_sorting_pairs(
    model: GPT, prompts: Tensor, group: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw answers, and keep a right and a wrong one to each prompt that has both.

    Parameters
    ----------
    model : GPT
        The policy.
    prompts : Tensor of int64, shape (P, 6)
        What is asked.
    group : int
        Answers to each.
    generator : torch.Generator
        What draws them.

    Returns
    -------
    prompts, chosen, rejected : Tensor of int64, shapes (K, 6), (K, 5), (K, 5)
        K pairs, P at most.

    Raises
    ------
    ValueError
        If no prompt got both a right and a wrong answer.

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> drawn = draw_sorting_pairs(start_policy(0, 60), sorting_prompts(20, g), 8, g)
    >>> sorting_reward(drawn[0], drawn[1]).mean(), sorting_reward(drawn[0], drawn[2]).mean()
    (tensor(1.), tensor(0.))
    """
    asked = prompts.repeat_interleave(group, 0)  # (P G, 6)
    answers = write_answers(model, asked, DIGITS, generator)  # (P G, 5)
    right = sorting_reward(asked, answers).view(-1, group)  # (P, G)
    both = (right.amax(1) > right.amin(1)).nonzero().squeeze(1)  # (K,)
    if not len(both):
        raise ValueError(
            f"none of {len(prompts)} prompts got a right and a wrong answer; draw more answers to "
            "each, or start from a policy that is sometimes right."
        )
    grouped = answers.view(-1, group, DIGITS)
    best, worst = right[both].argmax(1), right[both].argmin(1)
    return prompts[both], grouped[both, best], grouped[both, worst]


def _dpo(start: GPT, s: MethodSettings, g: torch.Generator) -> _Trained:
    """Draw pairs from the start once, and learn which of two answers is the right one."""
    policy = deepcopy(start)
    optimiser = _optimiser(policy.parameters(), lr=5e-4)
    asked = s.steps * s.answers // s.group
    prompts, chosen, rejected = draw_sorting_pairs(start, sorting_prompts(asked, g), s.group, g)
    good, bad = answer_batch(prompts, chosen), answer_batch(prompts, rejected)
    with torch.no_grad():
        kept = response_log_probs(start, good), response_log_probs(start, bad)
    half = s.answers // 2
    for _ in range(s.steps):
        rows = torch.randint(0, len(prompts), (half,), generator=g)
        now = [
            response_log_probs(policy, answer_batch(prompts[rows], answers[rows]))
            for answers in (chosen, rejected)
        ]
        descend(optimiser, dpo_loss(*now, *(k[rows] for k in kept), beta=1.0))
    return _Trained(policy, asked * s.group * DIGITS, s.steps * 2 * half * ROW)


LEARNED: dict[str, Callable[[GPT, MethodSettings, torch.Generator], _Trained]] = {
    "start": _nothing,
    "SFT": _sft,
    "LoRA": _lora,
    "REINFORCE": _reinforce,
    "PPO": _ppo,
    "GRPO": _grpo,
    "DPO": _dpo,
}

METHODS = (*LEARNED, "vote of 8", "best of 8")
"""The last two leave the policy alone and choose among eight answers, by their number or with the
verifier, which then must be there at use."""


def run_method(
    method: str, seed: int, settings: MethodSettings | None = None, *, start: GPT | None = None
) -> MethodRun:
    """Let one method do what it can from the start policy of a seed, and measure it.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    seed : int
        Of the start and of all that is drawn.
    settings : MethodSettings, optional
        How long.
    start : GPT, optional
        The start, if it is there already: ``start_policy(seed, settings.start)``.

    Returns
    -------
    MethodRun

    Raises
    ------
    KeyError
        If there is no such method.

    Examples
    --------
    >>> run = run_method("GRPO", seed=0, settings=MethodSettings(start=1, steps=1))
    >>> run.drawn, run.per_answer
    (640, 5)
    """
    if method not in METHODS:
        raise KeyError(f"no method {method!r}; there are {', '.join(METHODS)}.")
    s = MethodSettings() if settings is None else settings
    first = start_policy(seed, s.start) if start is None else start
    if method not in LEARNED:
        reward = _chosen_reward(first, method, s)
        return MethodRun(method, seed, reward, float("nan"), 0.0, 0, 0, s.group * DIGITS)
    begun = time.process_time()
    done = LEARNED[method](first, s, torch.Generator().manual_seed(1000 + seed))
    seconds = time.process_time() - begun
    g = torch.Generator().manual_seed(TESTED)
    found = draw_rollouts(done.policy, sorting_prompts(TESTED, g), generator=g)
    kl = divergence_from(done.policy, first, found.batch)
    reward = float(found.rewards.mean())
    return MethodRun(method, seed, reward, kl, seconds, done.drawn, done.learned, DIGITS)


def _chosen_reward(policy: GPT, method: str, s: MethodSettings) -> float:
    """Return the share of right answers if one of several is chosen."""
    g = torch.Generator().manual_seed(TESTED)
    prompts = sorting_prompts(TESTED, g)
    asked = prompts.repeat_interleave(s.group, 0)  # (P G, 6)
    answers = write_answers(policy, asked, DIGITS, g)  # (P G, 5)
    if method == "best of 8":
        return float(sorting_reward(asked, answers).view(-1, s.group).amax(1).mean())
    votes = vote_rows(answers.view(TESTED, s.group, DIGITS))  # (P, 5)
    return float(sorting_reward(prompts, votes).mean())


class MethodRow(NamedTuple):
    """A method over its seeds: mean, and half of the range from lowest to highest.

    Attributes
    ----------
    method : str
        Name.
    reward, reward_spread, kl, kl_spread, cpu_seconds : float
        Over the seeds.
    drawn, learned, per_answer, seeds : int
        As in :class:`MethodRun`; and how many seeds.
    """

    method: str
    reward: float
    reward_spread: float
    kl: float
    kl_spread: float
    cpu_seconds: float
    drawn: int
    learned: int
    per_answer: int
    seeds: int


def table_of_methods(runs: Sequence[MethodRun]) -> list[MethodRow]:
    """Put the runs of each method together, in the order of `METHODS`.

    Parameters
    ----------
    runs : sequence of MethodRun
        Of any seeds.

    Returns
    -------
    list of MethodRow

    Raises
    ------
    ValueError
        If there is no run.

    Examples
    --------
    >>> one = MethodRun("SFT", 0, 0.5, 1.0, 2.0, 0, 100, 5)
    >>> table_of_methods([one, one._replace(seed=1, reward=0.75)])[0][:3]
    ('SFT', 0.625, 0.125)
    """
    if not runs:
        raise ValueError("there is no run to put in the table.")
    rows = []
    for method in METHODS:
        if mine := [r for r in runs if r.method == method]:
            rewards, kls = np.array([r.reward for r in mine]), np.array([r.kl for r in mine])
            rows.append(
                MethodRow(
                    method,
                    float(rewards.mean()),
                    float(np.ptp(rewards) / 2),
                    float(kls.mean()),
                    float(np.ptp(kls) / 2),
                    float(np.mean([r.cpu_seconds for r in mine])),
                    mine[0].drawn,
                    mine[0].learned,
                    mine[0].per_answer,
                    len(mine),
                )
            )
    return rows
