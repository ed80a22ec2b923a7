"""PPO as a loop: a value head that learns what to expect, and steps that stay near."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from coursekit.posttraining.kl import AdaptiveKL, penalised_rewards
from coursekit.posttraining.masked import masked_mean, token_log_probs
from coursekit.posttraining.ppo import generalised_advantages, ppo_loss, value_loss, whiten
from coursekit.posttraining.rollouts import Rollouts
from coursekit.posttraining.updates import descend
from coursekit.transformer import GPT


class ValueModel(nn.Module):
    """A language model whose last layer gives, at every token, the reward that is expected.

    Parameters
    ----------
    model : GPT
        Its blocks are used, and trained on: a copy of the policy, not the policy.

    Examples
    --------
    >>> from coursekit.posttraining.small_task import SMALL
    >>> value = ValueModel(GPT(SMALL))
    >>> value(torch.tensor([[3, 1, 2]]))  # nothing is expected at first
    tensor([[0., 0.]], grad_fn=<SliceBackward0>)
    """

    def __init__(self, model: GPT) -> None:
        super().__init__()
        self.model = model
        self.head = nn.Linear(model.config.d_model, 1)
        nn.init.zeros_(self.head.weight), nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor) -> Tensor:
        """Return what is expected before each token but the first, shape (B, N - 1).

        Parameters
        ----------
        ids : Tensor of int64, shape (B, N)
            Prompts and answers.
        """
        return self.head(self.model.hidden(ids)).squeeze(-1)[:, :-1]


@dataclass(frozen=True)
class PPOSettings:
    """How PPO steps.

    Parameters
    ----------
    clip, value_clip : float
        As of :func:`~coursekit.posttraining.ppo_loss` and
        :func:`~coursekit.posttraining.value_loss`.
    gamma, lam : float
        As of :func:`~coursekit.posttraining.generalised_advantages`.
    epochs : int
        Steps on the same answers.
    """

    clip: float = 0.2
    value_clip: float = 0.2
    gamma: float = 1.0
    lam: float = 0.95
    epochs: int = 2


class PPOStep(NamedTuple):
    """What one update saw.

    Attributes
    ----------
    reward : float
        Mean of the answers' rewards, without what the KL costs.
    kl : float
        Estimate of the KL divergence from the reference, in nats an answer.
    beta : float
        Price of a nat that was paid.
    clipped : float
        Share of tokens whose ratio stood outside the clip at the last step.
    value_error : float
        Mean squared error of the values, before the update.
    """

    reward: float
    kl: float
    beta: float
    clipped: float
    value_error: float


def ppo_update(
    policy: GPT,
    value: ValueModel,
    optimiser: torch.optim.Optimizer,
    rollouts: Rollouts,
    *,
    control: AdaptiveKL | float = 0.0,
    settings: PPOSettings | None = None,
) -> PPOStep:
    r"""Take steps of PPO on answers that were drawn.

    Each token pays :math:`\beta(\log\pi-\log\pi_\mathrm{ref})` and the last one earns the
    answer's reward; advantages come from the value head by generalised estimation, and are
    whitened (Schulman et al., 2017; Ziegler et al., 2019).

    Parameters
    ----------
    policy : GPT
        What drew the answers.
    value : ValueModel
        What says how much was to be expected.
    optimiser : torch.optim.Optimizer
        Of both.
    rollouts : Rollouts
        The answers; with a reference if there is a price of KL.
    control : AdaptiveKL or float
        The price of a nat, or what sets it; the latter follows the KL that was seen.
    settings : PPOSettings, optional
        How.

    Returns
    -------
    PPOStep

    Raises
    ------
    ValueError
        If there is a price and no reference, or the price is negative.

    Examples
    --------
    >>> from copy import deepcopy
    >>> from coursekit.posttraining.small_task import SMALL, draw_rollouts, sorting_prompts
    >>> g = torch.Generator().manual_seed(0)
    >>> policy = GPT(SMALL, generator=g)
    >>> value = ValueModel(deepcopy(policy))
    >>> both = torch.optim.SGD([*policy.parameters(), *value.parameters()], lr=0.1)
    >>> drawn = draw_rollouts(policy, sorting_prompts(8, g), reference=policy, generator=g)
    >>> ppo_update(policy, value, both, drawn, control=0.1).kl
    0.0
    """
    s = PPOSettings() if settings is None else settings
    beta = control.beta if isinstance(control, AdaptiveKL) else control
    ids, mask = rollouts.batch.ids, rollouts.batch.targets
    log_ratio = _log_ratio(rollouts, beta)  # (B, N - 1)
    rewards = penalised_rewards(rollouts.rewards.flatten(), log_ratio, mask, beta)
    with torch.no_grad():
        before = value(ids)  # (B, N - 1)
    gained = generalised_advantages(rewards, before, mask, gamma=s.gamma, lam=s.lam)
    advantages = whiten(gained.advantages, mask)
    for _ in range(s.epochs):
        now = token_log_probs(policy, ids)
        loss = ppo_loss(now, rollouts.old, advantages, mask, clip=s.clip)
        error = value_loss(value(ids), before, gained.returns, mask, clip=s.value_clip)
        descend(optimiser, loss + error)
    kl = float(torch.where(mask, log_ratio, 0.0).sum(-1).mean())
    if isinstance(control, AdaptiveKL):
        control.update(kl, len(ids))
    outside = ((now.detach() - rollouts.old).exp() - 1).abs() > s.clip
    return PPOStep(
        reward=float(rollouts.rewards.mean()),
        kl=kl,
        beta=float(beta),
        clipped=float(masked_mean(outside.float(), mask)),
        value_error=float(masked_mean(gained.advantages.square(), mask)),
    )


def _log_ratio(rollouts: Rollouts, beta: float) -> Tensor:
    """Return each token's log-ratio to the reference; 0 where there is none and no price."""
    if beta < 0:
        raise ValueError(f"the price of KL is {beta:g}; 0 or more wanted.")
    if rollouts.reference is not None:
        return rollouts.old - rollouts.reference
    if beta:
        raise ValueError(
            f"the price of KL is {beta:g} and the answers were drawn without a reference; draw "
            "them with one, or set the price to 0."
        )
    return torch.zeros_like(rollouts.old)
