"""How good an assistant is, and how far it has moved: on held-out problems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from coursekit.posttraining.rollouts import Reward, prompt_ids, roll_out, verified
from coursekit.posttraining.tasks import TASKS, Problem, draw_problems, is_right
from coursekit.posttraining.templates import END
from coursekit.pretraining import Tokenizer, generate
from coursekit.transformer import GPT


def answers(
    model: GPT, tokenizer: Tokenizer, problems: Sequence[Problem], *, max_new_tokens: int = 16
) -> list[str]:
    """Return a model's likeliest answer, token by token, to each problem.

    Parameters
    ----------
    model, tokenizer
        Who answers, set to evaluation meanwhile.
    problems : sequence of Problem
        What is asked.
    max_new_tokens : int
        Longest answer.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> from coursekit.posttraining.templates import CHAT_TOKENS
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(259, 8, n_layers=1, n_heads=2))
    >>> tokenizer = train_bpe("to be", 259, CHAT_TOKENS)
    >>> len(answers(model, tokenizer, draw_problems(3, np.random.default_rng(0))))
    3
    """
    training = model.training
    model.eval()
    prompts = [prompt_ids(tokenizer, p) for p in problems]
    stop = (tokenizer.token(END),)
    written = generate(model, prompts, max_new_tokens=max_new_tokens, stop=stop)
    model.train(training)
    return [tokenizer.decode(w.ids) for w in written]


class Score(NamedTuple):
    """How many answers were right.

    Attributes
    ----------
    exact : float
        Share of all problems.
    tasks : dict of str to float
        Share of each task's.
    """

    exact: float
    tasks: dict[str, float]


def exact_match(model: GPT, tokenizer: Tokenizer, problems: Sequence[Problem]) -> Score:
    """Return how often a model's likeliest answer is right.

    Parameters
    ----------
    model, tokenizer
        Who answers.
    problems : sequence of Problem
        What is asked.

    Returns
    -------
    Score

    Raises
    ------
    ValueError
        If there is no problem.

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> from coursekit.posttraining.templates import CHAT_TOKENS
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(259, 8, n_layers=1, n_heads=2))
    >>> tokenizer = train_bpe("to be", 259, CHAT_TOKENS)
    >>> exact_match(model, tokenizer, held_out_problems(6)).exact  # it was trained on nothing
    0.0
    """
    if not problems:
        raise ValueError("there is no problem to answer.")
    said = answers(model, tokenizer, problems)
    right = [is_right(p, text) for p, text in zip(problems, said, strict=True)]
    of_task = {
        name: float(np.mean([r for p, r in zip(problems, right, strict=True) if p.task == name]))
        for name in dict.fromkeys(p.task for p in problems)
    }
    return Score(float(np.mean(right)), of_task)


def held_out_problems(
    n: int, *, tasks: Sequence[str] = tuple(TASKS), seed: int = 1
) -> list[Problem]:
    """Return problems in phrasings that no training uses: the course's examination.

    Parameters
    ----------
    n : int
        How many.
    tasks : sequence of str
        Names in `TASKS`.
    seed : int
        Of the draw.

    Returns
    -------
    list of Problem

    Examples
    --------
    >>> held_out_problems(1, tasks=["add"], seed=2)[0].instruction
    'What do you get if you add 17 and 5?'
    """
    return draw_problems(n, np.random.default_rng(seed), tasks=tasks, held_out=True)


class Sampled(NamedTuple):
    """What a policy earns when it draws its answers.

    Attributes
    ----------
    reward : float
        Mean of the answers' rewards.
    kl : float
        Mean divergence from the reference in nats an answer, by the answers' log ratios.
    kl_error : float
        Standard error of it.
    """

    reward: float
    kl: float
    kl_error: float


def sampled_reward(
    model: GPT,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    reference: GPT,
    *,
    reward: Reward = verified,
    group: int = 1,
    at_once: int = 128,
    seed: int = 0,
) -> Sampled:
    """Return the reward of drawn answers, and how far their policy is from a reference.

    Parameters
    ----------
    model, tokenizer
        The policy.
    problems : sequence of Problem
        What is asked.
    reference : GPT
        Of the divergence.
    reward : callable
        ``reward(problem, text)`` gives a number.
    group : int
        Answers to each problem.
    at_once : int
        Problems in a batch.
    seed : int
        Of the draws.

    Returns
    -------
    Sampled

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> from coursekit.posttraining.templates import CHAT_TOKENS
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(259, 8, n_layers=1, n_heads=2))
    >>> tokenizer = train_bpe("to be", 259, CHAT_TOKENS)
    >>> sampled_reward(model, tokenizer, held_out_problems(6), reference=model).kl
    0.0
    """
    rewards, ratios = [], []
    for start in range(0, len(problems), at_once):
        found = roll_out(
            *(model, tokenizer, problems[start : start + at_once]),
            group=group,
            reward=reward,
            reference=reference,
            seed=seed + start * group,
        )
        assert found.reference is not None
        ratio = torch.where(found.batch.targets, found.old - found.reference, 0.0)  # (B, N - 1)
        rewards.append(found.rewards.flatten())
        ratios.append(ratio.sum(-1))
    r, kl = torch.cat(rewards), torch.cat(ratios).double()
    return Sampled(r.mean().item(), kl.mean().item(), (kl.std() / len(kl) ** 0.5).item())
