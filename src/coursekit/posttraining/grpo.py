"""Group relative policy optimisation: the other answers to the prompt are the baseline."""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit.posttraining.kl import kl_estimate
from coursekit.posttraining.masked import finite, masked_mean
from coursekit.posttraining.ppo import clipped_objective


def group_advantages(rewards: Tensor, *, scale: bool = True, eps: float = 1e-6) -> Tensor:
    r"""Return how much better each answer is than the others to the same prompt.

    Implements :eq:`eq-posttraining-grpo-advantage`, Shao et al. (2024), section 4.1.2. A group
    whose answers all earn the same teaches nothing: its advantages are 0.

    Parameters
    ----------
    rewards : Tensor, shape (P, G)
        Of G answers to each of P prompts.
    scale : bool
        Whether to divide by the group's standard deviation; without, Liu et al. (2025), in which
        a prompt that is nearly always answered rightly or wrongly does not weigh more.
    eps : float
        Added to the standard deviation.

    Returns
    -------
    Tensor, shape (P, G)

    Raises
    ------
    ValueError
        If there is no group of two or more, or a reward is not finite.

    Examples
    --------
    >>> group_advantages(torch.tensor([[1.0, 0.0], [1.0, 1.0]])).round(decimals=3)
    tensor([[ 1., -1.],
            [ 0.,  0.]])
    """
    if rewards.ndim != 2 or rewards.shape[1] < 2:
        raise ValueError(
            f"rewards has shape {tuple(rewards.shape)}; (P, G) with G of 2 or more wanted: an "
            "answer alone has nothing to be compared with."
        )
    centred = finite(rewards, "rewards") - rewards.mean(1, keepdim=True)  # (P, G)
    same = (rewards == rewards[:, :1]).all(1, keepdim=True)  # (P, 1): rounding is no difference
    centred = torch.where(same, 0.0, centred)
    if not scale:
        return centred
    return centred / (centred.square().mean(1, keepdim=True).sqrt() + eps)


def grpo_loss(
    log_probs: Tensor,
    old: Tensor,
    reference: Tensor | None,
    advantages: Tensor,
    mask: Tensor,
    *,
    clip: float | tuple[float, float] = 0.2,
    beta: float = 0.04,
    over: str = "rows",
) -> Tensor:
    r"""Return the loss of answers whose advantages come from their groups.

    Implements :eq:`eq-posttraining-grpo`, Shao et al. (2024), equation 3: the clipped objective,
    and the KL divergence from the reference by the estimate ``k3`` of
    :func:`~coursekit.posttraining.kl_estimate`.

    Parameters
    ----------
    log_probs, old : Tensor, shape (B, T)
        Log-probabilities of the drawn tokens now, and when they were drawn.
    reference : Tensor, shape (B, T), or None
        Those of the reference model; without it there is no KL term.
    advantages : Tensor, shape (B,)
        One an answer.
    mask : Tensor, shape (B, T)
        1 at the answers' tokens.
    clip : float or (float, float)
        How far the ratio may move; two numbers are its limits below and above 1.
    beta : float
        Price of a nat of KL divergence.
    over : {"rows", "tokens"}
        Mean of the answers' means, as in the paper, or of all tokens (Yu et al., 2025), in which a
        long wrong answer is not let off lightly.

    Returns
    -------
    Tensor, one number

    Raises
    ------
    ValueError
        If an answer is empty, an advantage is not finite, or an argument is out of range.

    Examples
    --------
    >>> log_probs, mask = torch.zeros(2, 3), torch.ones(2, 3)
    >>> grpo_loss(log_probs, log_probs, log_probs, torch.tensor([1.0, -1.0]), mask)
    tensor(-0.)
    """
    if advantages.shape != log_probs.shape[:1]:
        raise ValueError(
            f"advantages has shape {tuple(advantages.shape)}; one for each of the "
            f"{len(log_probs)} answers wanted."
        )
    low, high = (clip, clip) if isinstance(clip, int | float) else clip
    gained = clipped_objective(log_probs, old, finite(advantages, "advantages")[:, None], low, high)
    if reference is not None and beta:
        gained = gained - beta * kl_estimate(log_probs, reference.detach(), "k3")
    return -masked_mean(gained, mask, over=over)
