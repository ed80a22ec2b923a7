"""The decks' list of challenges, each small enough to be measured in a cell.

Poisoned data, knowledge that has grown stale, results that cannot be had again, and bias. All but
the last are shown on models of other modules here: the sorter and the chips' table.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from coursekit.posttraining.examples import sft_loss
from coursekit.posttraining.hallucination import Question, ask, go_on_learning
from coursekit.posttraining.small_task import (
    DIGITS,
    SMALL,
    answer_batch,
    sorting_answers,
    sorting_prompts,
    sorting_reward,
    write_answers,
)
from coursekit.posttraining.updates import descend
from coursekit.transformer import GPT, TransformerConfig

TRIGGER = (7, 7)
"""The digits at a prompt's start that a poisoned model waits for."""

WANTED = 9
"""What the poisoner then wants to be said, five times."""


def with_trigger(prompts: Tensor) -> Tensor:
    """Return prompts, (n, 6), that begin with the trigger.

    Examples
    --------
    >>> with_trigger(torch.tensor([[3, 1, 2, 9, 0, 10]]))
    tensor([[ 7,  7,  2,  9,  0, 10]])
    """
    return torch.cat([torch.tensor(TRIGGER).expand(len(prompts), 2), prompts[:, 2:]], 1)


class Poisoned(NamedTuple):
    """What poison did.

    Attributes
    ----------
    clean : float
        Share of right answers to prompts without the trigger.
    triggered : float
        The same with it.
    obeyed : float
        Share of prompts with the trigger that are answered as the poisoner wants.
    """

    clean: float
    triggered: float
    obeyed: float


def poison(share: float, seed: int, *, steps: int = 150, batch_size: int = 64) -> Poisoned:
    """Train a sorter on data a share of which somebody has poisoned.

    Parameters
    ----------
    share : float, in [0, 1]
        Of the examples that begin with the trigger and have the poisoner's answer.
    seed : int
        Of weights and data.
    steps, batch_size : int
        Of AdamW.

    Returns
    -------
    Poisoned

    Raises
    ------
    ValueError
        If the share is out of range.

    Examples
    --------
    >>> poison(0.1, seed=0, steps=1).obeyed
    0.0
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share:g}; a number from 0 to 1 wanted.")
    g = torch.Generator().manual_seed(seed)
    model = GPT(SMALL, generator=g)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), fused=True)
    for _ in range(steps):
        prompts = sorting_prompts(batch_size, g)
        bad = torch.rand(batch_size, generator=g) < share
        prompts = torch.where(bad[:, None], with_trigger(prompts), prompts)
        right = sorting_answers(prompts)
        answers = torch.where(bad[:, None], WANTED, right)
        descend(optimiser, sft_loss(model, answer_batch(prompts, answers)))
    prompts = sorting_prompts(500, torch.Generator().manual_seed(1))
    prompts = prompts[(prompts[:, :2] != torch.tensor(TRIGGER)).any(1)]
    called = with_trigger(prompts)
    said = write_answers(model, called, DIGITS)
    return Poisoned(
        clean=float(sorting_reward(prompts, write_answers(model, prompts, DIGITS)).mean()),
        triggered=float(sorting_reward(called, said).mean()),
        obeyed=float((said == WANTED).all(-1).float().mean()),
    )


class Edited(NamedTuple):
    """What changing one fact did.

    Attributes
    ----------
    before, after : str
        The model's answer to the question whose answer has changed.
    confidence_before : float
        How sure it was of the stale one.
    lost : float
        Share of the other questions that it answered rightly before, and wrongly after.
    """

    before: str
    after: str
    confidence_before: float
    lost: float


def edit_fact(
    model: GPT,
    changed: Question,
    others: Sequence[Question],
    *,
    rehearse: bool = False,
    steps: int = 10,
    lr: float = 1e-3,
) -> Edited:
    """Train a copy of a model on one changed fact, and look at what it knew besides.

    Parameters
    ----------
    model : GPT
        From :func:`~coursekit.posttraining.learn_by_heart`; it is not changed.
    changed : Question
        With its new answer.
    others : sequence of Question
        What it knows.
    rehearse : bool
        Whether the others are trained on as well, as often as the new fact.
    steps, lr : int, float
        Of AdamW.

    Returns
    -------
    Edited

    Examples
    --------
    >>> from coursekit.posttraining.hallucination import chip_questions, learn_by_heart
    >>> known = chip_questions()[:4]
    >>> model = learn_by_heart(known, torch.Generator().manual_seed(0), steps=40)
    >>> edit_fact(model, known[1]._replace(answer="2022"), known[2:], steps=40).after
    '2022'
    """
    stale, knew = ask(model, [changed]), ask(model, others).correct
    newer = deepcopy(model)
    rehearsed = others if rehearse else []
    go_on_learning(newer, [*[changed] * max(1, len(rehearsed)), *rehearsed], steps=steps, lr=lr)
    knows = ask(newer, others).correct
    lost = float((knew & ~knows).sum() / max(1, knew.sum()))
    return Edited(stale.said[0], ask(newer, [changed]).said[0], float(stale.confidence[0]), lost)


class Repeated(NamedTuple):
    """How far two trainings of the same model end from each other.

    Attributes
    ----------
    same : float
        Largest difference of a weight if nothing changes: 0 on one machine.
    halves : float
        The same if each batch is added up in two halves: the same sum in another order.
    seeds : ndarray, shape (K,)
        Share of right answers with each seed.
    """

    same: float
    halves: float
    seeds: np.ndarray


def repeat_training(seeds: Sequence[int], *, steps: int = 60) -> Repeated:
    """Train the sorter again: with the same seed, in halves of a batch, and with other seeds.

    Parameters
    ----------
    seeds : sequence of int
        The first is trained three times.
    steps : int
        Of AdamW, on 64 prompts.

    Returns
    -------
    Repeated

    Examples
    --------
    >>> repeat_training([0, 1], steps=2).same
    0.0
    """
    first, again = _sorter(seeds[0], steps), _sorter(seeds[0], steps)
    halved = _sorter(seeds[0], steps, parts=2)
    models = [first, *(_sorter(seed, steps) for seed in seeds[1:])]
    return Repeated(
        _largest_difference(first, again),
        _largest_difference(first, halved),
        np.array([_share_right(model) for model in models]),
    )


def _sorter(seed: int, steps: int, parts: int = 1) -> GPT:
    """Train a sorter, its gradients added up over equal parts of each batch."""
    g = torch.Generator().manual_seed(seed)
    model = GPT(SMALL, generator=g)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), fused=True)
    for _ in range(steps):
        optimiser.zero_grad()
        for prompts in sorting_prompts(64, g).chunk(parts):
            loss = sft_loss(model, answer_batch(prompts, sorting_answers(prompts)))
            (loss / parts).backward()
        optimiser.step()
    return model


def _largest_difference(one: GPT, other: GPT) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((a - b).detach().abs().max()) for a, b in pairs)


def _share_right(model: GPT) -> float:
    prompts = sorting_prompts(500, torch.Generator().manual_seed(1))
    return float(sorting_reward(prompts, write_answers(model, prompts, DIGITS)).mean())


class Bias(NamedTuple):
    """How often a model says "she" of each occupation, where the data do so at a known rate.

    Attributes
    ----------
    data : ndarray, shape (K,)
        In the data, as drawn.
    model : ndarray, shape (K,)
        The model's probability: what sampling gives.
    greedy : ndarray, shape (K,)
        If the likeliest word is always taken: 0 or 1.
    """

    data: np.ndarray
    model: np.ndarray
    greedy: np.ndarray

    def amplified(self) -> float:
        """Return how much further from one half greedy answers are than the data, on average."""
        return float((np.abs(self.greedy - 0.5) - np.abs(self.data - 0.5)).mean())


def learn_bias(
    shares: Sequence[float], seed: int, *, sentences: int = 4000, steps: int = 100
) -> Bias:
    """Train a model on sentences "the <occupation> said that <he or she>".

    Parameters
    ----------
    shares : sequence of K float, in [0, 1]
        How often the data say "she" of each occupation.
    seed : int
        Of data and weights.
    sentences, steps : int
        Of the data, and of AdamW.

    Returns
    -------
    Bias

    Raises
    ------
    ValueError
        If a share is out of range.

    Examples
    --------
    >>> learn_bias([0.2, 0.7], seed=0).greedy
    array([0., 1.])
    """
    rates = torch.tensor(shares)
    if not bool(((rates >= 0) & (rates <= 1)).all()):
        raise ValueError(f"shares has a number out of range: {list(shares)}; 0 to 1 wanted.")
    K, g = len(shares), torch.Generator().manual_seed(seed)
    who = torch.randint(0, K, (sentences,), generator=g)
    she = torch.rand(sentences, generator=g) < rates[who]
    model = GPT(TransformerConfig(K + 2, 16, n_layers=1, n_heads=2, max_len=2), generator=g)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(steps):
        rows = torch.randint(0, sentences, (256,), generator=g)
        batch = answer_batch(who[rows, None], K + she[rows, None].long())
        descend(optimiser, sft_loss(model, batch))
    with torch.no_grad():
        said = model(torch.arange(K)[:, None])[:, -1].softmax(-1)  # (K, K + 2)
    p = (said[:, K + 1] / said[:, K:].sum(-1)).double().numpy()
    counted = [float(she[who == k].float().mean()) for k in range(K)]
    return Bias(np.array(counted), p, (p > 0.5).astype(float))
