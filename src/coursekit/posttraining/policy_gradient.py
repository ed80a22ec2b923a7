"""REINFORCE: push up the probability of what was rewarded."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from coursekit.posttraining.masked import finite


def policy_gradient_loss(
    log_probs: Tensor, rewards: Tensor, baseline: Tensor | float = 0
) -> Tensor:
    r"""Return the number whose gradient estimates minus that of the expected reward.

    Implements :eq:`eq-posttraining-policy-gradient` and :eq:`eq-posttraining-baseline`, Williams
    (1992): the mean of :math:`-(R-b)\log\pi_\theta(y)`. Its value means nothing; its gradient does.

    Parameters
    ----------
    log_probs : Tensor, shape (B,)
        Of the samples, drawn from the policy itself.
    rewards : Tensor, shape (B,)
        What each one earned; no gradient runs through them.
    baseline : Tensor or float
        Anything that does not depend on the sample itself.

    Returns
    -------
    Tensor, one number

    Raises
    ------
    ValueError
        If the shapes differ or a reward is not finite.

    Examples
    --------
    >>> log_probs = torch.tensor([-1.0, -2.0], requires_grad=True)
    >>> policy_gradient_loss(log_probs, torch.tensor([3.0, 1.0]), baseline=2.0).backward()
    >>> log_probs.grad
    tensor([-0.5000,  0.5000])
    """
    if log_probs.shape != rewards.shape:
        raise ValueError(
            f"log_probs has shape {tuple(log_probs.shape)} and rewards {tuple(rewards.shape)}; one "
            "reward a sample wanted."
        )
    advantage = finite(rewards, "rewards") - baseline
    return -(advantage.detach() * log_probs).mean()


def expected_reward_gradient(logits: Tensor, rewards: Tensor) -> Tensor:
    r"""Return the exact gradient of the expected reward of a softmax over K actions.

    :math:`\partial_{z_k}\sum_j\pi_jr_j=\pi_k(r_k-\sum_j\pi_jr_j)`.

    Parameters
    ----------
    logits, rewards : Tensor, shape (K,)
        Of the policy, and of each action.

    Returns
    -------
    Tensor, shape (K,)

    Examples
    --------
    >>> expected_reward_gradient(torch.zeros(2), torch.tensor([1.0, 0.0]))
    tensor([ 0.2500, -0.2500])
    """
    p = logits.softmax(-1)
    return p * (rewards - (p * rewards).sum())


class Estimates(NamedTuple):
    """Many estimates of one gradient.

    Attributes
    ----------
    mean : Tensor, shape (K,)
        Of the estimates.
    variance : Tensor, one number
        Sum over the K directions of the variance of one sample's estimate.
    """

    mean: Tensor
    variance: Tensor


def sampled_gradients(
    logits: Tensor, rewards: Tensor, *, samples: int, baseline: float, generator: torch.Generator
) -> Estimates:
    """Estimate the gradient of the expected reward from one drawn action, many times.

    Parameters
    ----------
    logits, rewards : Tensor, shape (K,)
        Of the policy, and of each action.
    samples : int
        How many single-action estimates.
    baseline : float
        Taken from every reward.
    generator : torch.Generator
        What draws the actions.

    Returns
    -------
    Estimates

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> one = sampled_gradients(torch.zeros(2), torch.ones(2), samples=9, baseline=1, generator=g)
    >>> float(one.variance)  # nothing is better than expected: nothing to learn
    0.0
    """
    p = logits.softmax(-1)  # (K,)
    drawn = torch.multinomial(p, samples, replacement=True, generator=generator)  # (S,)
    score = torch.nn.functional.one_hot(drawn, len(p)).to(p) - p  # (S, K): d log p(a) / d logits
    each = (rewards[drawn] - baseline)[:, None] * score  # (S, K)
    return Estimates(each.mean(0), each.var(0, correction=0).sum())


def best_baseline(logits: Tensor, rewards: Tensor) -> Tensor:
    r"""Return the constant that makes the estimates vary least.

    The mean of the rewards weighted by the squared length of the score,
    :math:`b^*=\mathbb E[R\,\lVert\nabla\log\pi\rVert^2]/\mathbb E[\lVert\nabla\log\pi\rVert^2]`
    (Greensmith, Bartlett and Baxter, 2004).

    Parameters
    ----------
    logits, rewards : Tensor, shape (K,)
        Of the policy, and of each action.

    Returns
    -------
    Tensor, one number

    Examples
    --------
    >>> best_baseline(torch.zeros(2), torch.tensor([1.0, 0.0]))
    tensor(0.5000)
    """
    p = logits.softmax(-1)
    weight = p * (1 - 2 * p + (p * p).sum())  # p_k |e_k - p|^2
    return (weight * rewards).sum() / weight.sum()
