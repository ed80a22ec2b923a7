"""A learned reward that climbs while what was wanted falls.

The world: a customer asks about one of four things, and the answer is eight words long. Who judges
wants the thing that was asked for, and likes two or three kind words; five are no better than
none. A reward model learns this from comparisons of answers as they are, in which one word in
eight is kind. What it says of answers made of kind words alone is a guess, and a policy finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from coursekit._validate import Array, count
from coursekit.posttraining.examples import sft_loss
from coursekit.posttraining.preferences import RewardModel, bradley_terry_loss
from coursekit.posttraining.small_task import (
    AnswerReward,
    answer_batch,
    divergence_from,
    draw_rollouts,
    write_answers,
)
from coursekit.posttraining.updates import descend, reinforce_update
from coursekit.posttraining.voting import best_of_n_kl, best_of_n_means
from coursekit.transformer import GPT, TransformerConfig

THINGS, KIND, PLAIN = 4, 3, 5
"""Words: the things (0 … 3), kind words (4 … 6), plain words (7 … 11), the questions (12 … 15)."""

WORDS = 8
"""Of an answer."""

CLERK = TransformerConfig(vocab_size=16, d_model=32, n_layers=1, n_heads=4, max_len=16)


def questions(n: int, generator: torch.Generator) -> Tensor:
    """Draw questions, shape (n, 1): each is one token, 12 + the thing that is asked for.

    Examples
    --------
    >>> bool((questions(9, torch.Generator().manual_seed(0)) >= 12).all())
    True
    """
    asked = torch.randint(0, THINGS, (count(n, "n"), 1), generator=generator)
    return asked + THINGS + KIND + PLAIN


def human_answers(asked: Tensor, generator: torch.Generator) -> Tensor:
    """Draw answers as people write them, shape (n, 8).

    Each word is a thing (1 in 4; two thirds of them the one that was asked for), a kind word (1 in
    8), or a plain one.

    Parameters
    ----------
    asked : Tensor of int64, shape (n, 1)
        Questions.
    generator : torch.Generator
        Source of randomness.

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> human_answers(questions(2, g), g).shape
    torch.Size([2, 8])
    """
    shape = (len(asked), WORDS)

    def draw(kinds: int, first: int) -> Tensor:
        return torch.randint(first, first + kinds, shape, generator=generator)

    kind = torch.rand(shape, generator=generator)
    right = asked - (THINGS + KIND + PLAIN)  # (n, 1)
    things = torch.where(torch.rand(shape, generator=generator) < 5 / 9, right, draw(THINGS, 0))
    other = torch.where(kind < 0.375, draw(KIND, THINGS), draw(PLAIN, THINGS + KIND))
    return torch.where(kind < 0.25, things, other)


def gold_reward(asked: Tensor, answers: Tensor) -> Tensor:
    r"""Return what the judge really thinks: the true measure, which no policy is shown.

    Two for an answer that names the thing, less one for each other thing, and
    :math:`2m(1-m/5)` for m kind words: most at two or three of them, nothing at five, and less
    from there on.

    Parameters
    ----------
    asked : Tensor of int64, shape (B, 1)
        Questions.
    answers : Tensor of int64, shape (B, 8)
        Answers.

    Returns
    -------
    Tensor, shape (B,)

    Examples
    --------
    >>> asked = torch.tensor([[12], [12]])
    >>> gold_reward(asked, torch.tensor([[0, 4, 5, 7, 7, 7, 7, 7], [4] * 8]))
    tensor([ 4.4000, -9.6000])
    """
    right = asked - (THINGS + KIND + PLAIN)  # (B, 1)
    named = (answers == right).any(1).float()  # (B,)
    wrong = ((answers < THINGS) & (answers != right)).sum(1)  # (B,)
    kind = ((answers >= THINGS) & (answers < THINGS + KIND)).sum(1).float()  # (B,)
    return 2 * named - wrong + 2 * kind * (1 - kind / 5)


@dataclass(frozen=True)
class ClerkSettings:
    """How the clerk, the reward model and the policy are trained.

    Parameters
    ----------
    pretrain, reward_steps, steps : int
        Steps of the clerk, of the reward model and of the policy.
    comparisons : int
        That the judge makes.
    answers : int
        That a step sees.
    lr : float
        Step size of the policy.
    """

    pretrain: int = 150
    reward_steps: int = 300
    steps: int = 120
    comparisons: int = 2000
    answers: int = 128
    lr: float = 2e-3


def train_clerk(seed: int, settings: ClerkSettings | None = None) -> GPT:
    """Train the policy that answers as people do: the reference.

    Examples
    --------
    >>> train_clerk(0, ClerkSettings(pretrain=1)).config == CLERK
    True
    """
    s = ClerkSettings() if settings is None else settings
    g = torch.Generator().manual_seed(seed)
    model = GPT(CLERK, generator=g)
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(s.pretrain):
        asked = questions(s.answers, g)
        descend(optimiser, sft_loss(model, answer_batch(asked, human_answers(asked, g))))
    return model


class Judged(NamedTuple):
    """Comparisons of two answers to one question.

    Attributes
    ----------
    asked : Tensor of int64, shape (n, 1)
        Questions.
    chosen, rejected : Tensor of int64, shape (n, 8)
        The answer that was preferred, and the other.
    """

    asked: Tensor
    chosen: Tensor
    rejected: Tensor


def judge(clerk: GPT, comparisons: int, generator: torch.Generator) -> Judged:
    """Let the judge compare pairs of the clerk's answers, as Bradley and Terry say people do.

    Parameters
    ----------
    clerk : GPT
        What answers.
    comparisons : int
        How many, n.
    generator : torch.Generator
        Source of randomness, of the judge's mood too.

    Returns
    -------
    Judged

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> judge(GPT(CLERK), 3, g).chosen.shape
    torch.Size([3, 8])
    """
    asked = questions(comparisons, generator)
    one, two = (write_answers(clerk, asked, WORDS, generator) for _ in range(2))
    lead = gold_reward(asked, one) - gold_reward(asked, two)  # (n,)
    first = torch.rand(len(lead), generator=generator) < lead.sigmoid()
    return Judged(
        asked, torch.where(first[:, None], one, two), torch.where(first[:, None], two, one)
    )


def train_reward_model(
    clerk: GPT, judged: Judged, generator: torch.Generator, *, steps: int = 300
) -> RewardModel:
    """Fit a reward model to comparisons, from the clerk's weights.

    Parameters
    ----------
    clerk : GPT
        Copied.
    judged : Judged
        Comparisons.
    generator : torch.Generator
        Of the new layer's weights and the order of the comparisons.
    steps : int
        Of 64 comparisons.

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> clerk = GPT(CLERK)
    >>> type(train_reward_model(clerk, judge(clerk, 9, g), g, steps=1)).__name__
    'RewardModel'
    """
    model = RewardModel(deepcopy(clerk), generator=generator)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    for _ in range(steps):
        rows = torch.randint(0, len(judged.asked), (64,), generator=generator)
        asked = judged.asked[rows]
        rewards = [score(model, asked, a[rows]) for a in (judged.chosen, judged.rejected)]
        descend(optimiser, bradley_terry_loss(*rewards))
    return model


def score(model: RewardModel, asked: Tensor, answers: Tensor) -> Tensor:
    """Return the learned reward of answers, shape (B,).

    Examples
    --------
    >>> score(RewardModel(GPT(CLERK)), torch.tensor([[12]]), torch.tensor([[4] * 8])).shape
    torch.Size([1])
    """
    batch = answer_batch(asked, answers)
    return model(batch.ids, batch.mask)


class Climb(NamedTuple):
    """A policy on its way up a learned reward.

    Attributes
    ----------
    kl : ndarray, shape (K,)
        Exact KL divergence from the reference in nats an answer, at K times.
    learned, gold : ndarray, shape (K,)
        Mean of either reward, less the reference's.
    """

    kl: Array
    learned: Array
    gold: Array


def climb(
    clerk: GPT,
    reward_model: RewardModel,
    *,
    beta: float = 0.0,
    seed: int = 0,
    settings: ClerkSettings | None = None,
    every: int = 5,
) -> Climb:
    """Raise the learned reward by REINFORCE, and look at both rewards on the way.

    Parameters
    ----------
    clerk : GPT
        Where it starts, and the reference.
    reward_model : RewardModel
        What is raised.
    beta : float
        Price of a nat of KL.
    seed : int
        Of what is drawn.
    settings : ClerkSettings, optional
        Steps, answers a step, step size.
    every : int
        Steps between looks.

    Returns
    -------
    Climb

    Examples
    --------
    >>> clerk = GPT(CLERK)
    >>> one = ClerkSettings(steps=1, answers=8)
    >>> found = climb(clerk, RewardModel(clerk), settings=one, every=1)
    >>> float(found.kl[0]), float(found.learned[0]), len(found.gold)
    (0.0, 0.0, 2)
    """
    s = ClerkSettings() if settings is None else settings
    g, policy = torch.Generator().manual_seed(seed), deepcopy(clerk)
    optimiser = torch.optim.AdamW(policy.parameters(), lr=s.lr, betas=(0.9, 0.98))

    def learned(asked: Tensor, answers: Tensor) -> Tensor:
        return score(reward_model, asked, answers)

    seen = [_look(policy, clerk, learned)]
    for step in range(s.steps):
        drawn = draw_rollouts(
            policy,
            questions(s.answers, g),
            length=WORDS,
            reward=learned,
            reference=clerk,
            generator=g,
        )
        reinforce_update(policy, optimiser, drawn, beta=beta)
        if (step + 1) % every == 0:
            seen.append(_look(policy, clerk, learned))
    kl, proxy, gold = np.array(seen).T
    return Climb(kl, proxy - proxy[0], gold - gold[0])


def _look(policy: GPT, clerk: GPT, learned: AnswerReward) -> tuple[float, float, float]:
    """Return KL, learned and gold reward on the same draws each time."""
    g = torch.Generator().manual_seed(7)
    asked = questions(512, g)
    found = draw_rollouts(policy, asked, length=WORDS, reward=learned, generator=g)
    answers = found.batch.ids[:, 1:]
    gold = float(gold_reward(asked, answers).mean())
    return divergence_from(policy, clerk, found.batch), float(found.rewards.mean()), gold


def best_of_n_climb(
    clerk: GPT, reward_model: RewardModel, sizes: Sequence[int], *, prompts: int = 64, seed: int = 0
) -> Climb:
    """Let the learned reward choose the best of n answers, for several n.

    Parameters
    ----------
    clerk : GPT
        What answers.
    reward_model : RewardModel
        What chooses.
    sizes : sequence of int
        The n; as many answers as the largest are drawn to each question.
    prompts : int
        Questions.
    seed : int
        Of what is drawn.

    Returns
    -------
    Climb
        KL by :func:`best_of_n_kl`.

    Examples
    --------
    >>> clerk = GPT(CLERK)
    >>> best_of_n_climb(clerk, RewardModel(clerk), [1, 4], prompts=4).kl.round(3)
    array([0.   , 0.636])
    """
    g = torch.Generator().manual_seed(seed)
    asked = questions(prompts, g).repeat_interleave(max(sizes), 0)  # (P N, 1)
    answers = write_answers(clerk, asked, WORDS, g)  # (P N, 8)
    with torch.no_grad():
        learned = score(reward_model, asked, answers).view(prompts, -1).numpy()  # (P, N)
    gold = gold_reward(asked, answers).view(prompts, -1).numpy()  # (P, N)
    best = [best_of_n_means(learned, x, sizes) - x.mean() for x in (learned, gold)]
    return Climb(best_of_n_kl(sizes), *best)
