"""One step of a policy on answers that were drawn: REINFORCE and GRPO."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.posttraining.grpo import grpo_loss
from coursekit.posttraining.masked import masked_sum, token_log_probs
from coursekit.posttraining.policy_gradient import policy_gradient_loss
from coursekit.posttraining.rollouts import Rollouts
from coursekit.transformer import GPT

MAX_NORM = 1.0
"""Longest gradient that a step follows."""


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """Follow a loss's gradient for one step, its length held below 1.

    Parameters
    ----------
    optimiser : torch.optim.Optimizer
        What steps.
    loss : Tensor, one number
        What falls.

    Examples
    --------
    >>> x = nn.Parameter(torch.tensor(5.0))
    >>> descend(torch.optim.SGD([x], lr=1.0), x * x)
    >>> bool(x.isclose(torch.tensor(4.0)))  # the gradient was 10, and was cut to 1
    True
    """
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(_parameters(optimiser), MAX_NORM)
    optimiser.step()


def _parameters(optimiser: torch.optim.Optimizer) -> Iterable[Tensor]:
    return [p for group in optimiser.param_groups for p in group["params"]]


def reinforce_update(
    policy: GPT, optimiser: torch.optim.Optimizer, rollouts: Rollouts, *, beta: float = 0.0
) -> float:
    r"""Take one step of REINFORCE, with the mean reward of the batch as baseline.

    What it raises is the reward less :math:`\beta` times the KL divergence from the reference,
    estimated by each answer's own log-ratio.

    Parameters
    ----------
    policy : GPT
        What drew the answers.
    optimiser : torch.optim.Optimizer
        Of the policy's parameters.
    rollouts : Rollouts
        The answers, B = P G; with a reference if `beta` is not 0.
    beta : float
        Price of a nat.

    Returns
    -------
    float
        The mean of what is raised.

    Raises
    ------
    ValueError
        If `beta` is negative, or is not 0 and there is no reference.

    Examples
    --------
    >>> from coursekit.posttraining.small_task import SMALL, draw_rollouts, sorting_prompts
    >>> g = torch.Generator().manual_seed(0)
    >>> policy = GPT(SMALL, generator=g)
    >>> drawn = draw_rollouts(policy, sorting_prompts(8, g), generator=g)
    >>> reinforce_update(policy, torch.optim.SGD(policy.parameters(), lr=0.1), drawn)
    0.0
    """
    raised = rollouts.rewards.flatten() - answer_penalty(rollouts, beta)  # (B,)
    log_probs = masked_sum(token_log_probs(policy, rollouts.batch.ids), rollouts.batch.targets)
    descend(optimiser, policy_gradient_loss(log_probs, raised, raised.mean()))
    return float(raised.mean())


def answer_penalty(rollouts: Rollouts, beta: float) -> Tensor:
    r"""Return what each answer pays, :math:`\beta(\log\pi-\log\pi_\mathrm{ref})`, shape (B,).

    Raises
    ------
    ValueError
        If `beta` is negative, or is not 0 and there is no reference.
    """
    if beta < 0:
        raise ValueError(f"beta is {beta:g}; 0 or more wanted.")
    if beta == 0:
        return torch.zeros(len(rollouts.batch.ids))
    if rollouts.reference is None:
        raise ValueError("the answers were drawn without a reference, and beta is not 0.")
    return beta * masked_sum(rollouts.old - rollouts.reference, rollouts.batch.targets)


def grpo_update(
    policy: GPT,
    optimiser: torch.optim.Optimizer,
    rollouts: Rollouts,
    *,
    beta: float = 0.0,
    clip: float = 0.2,
    epochs: int = 1,
    scale: bool = True,
) -> float:
    """Take steps of GRPO on answers that were drawn in groups.

    Parameters
    ----------
    policy : GPT
        What drew the answers.
    optimiser : torch.optim.Optimizer
        Of the policy's parameters.
    rollouts : Rollouts
        The answers, G of 2 or more to a prompt.
    beta, clip : float
        As of :func:`~coursekit.posttraining.grpo_loss`.
    epochs : int
        Steps on the same answers.
    scale : bool
        As of :func:`~coursekit.posttraining.group_advantages`.

    Returns
    -------
    float
        The mean reward.

    Raises
    ------
    ValueError
        If the answers are not in groups, or `beta` is not 0 and there is no reference.

    Examples
    --------
    >>> from coursekit.posttraining.small_task import SMALL, draw_rollouts, sorting_prompts
    >>> g = torch.Generator().manual_seed(0)
    >>> policy = GPT(SMALL, generator=g)
    >>> drawn = draw_rollouts(policy, sorting_prompts(8, g), group=4, generator=g)
    >>> grpo_update(policy, torch.optim.SGD(policy.parameters(), lr=0.1), drawn)
    0.0
    """
    if beta and rollouts.reference is None:
        raise ValueError("the answers were drawn without a reference, and beta is not 0.")
    ids, mask = rollouts.batch.ids, rollouts.batch.targets
    advantages = rollouts.advantages(scale=scale)  # (B,)
    for _ in range(count(epochs, "epochs")):
        now = token_log_probs(policy, ids)  # (B, N - 1)
        loss = grpo_loss(
            now, rollouts.old, rollouts.reference, advantages, mask, clip=clip, beta=beta
        )
        descend(optimiser, loss)
    return float(rollouts.rewards.mean())
