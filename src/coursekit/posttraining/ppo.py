"""Proximal policy optimisation: a value to compare with, and small steps."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from coursekit.posttraining.masked import finite, masked_mean, response_mask


class Advantages(NamedTuple):
    """What generalised advantage estimation gives.

    Attributes
    ----------
    advantages : Tensor, shape (B, T)
        How much better each token was than expected; 0 outside the responses.
    returns : Tensor, shape (B, T)
        What the value head should have said: advantages + values.
    """

    advantages: Tensor
    returns: Tensor


def generalised_advantages(
    rewards: Tensor, values: Tensor, mask: Tensor, *, gamma: float = 1.0, lam: float = 0.95
) -> Advantages:
    r"""Return advantages as sums of temporal differences.

    Implements :eq:`eq-posttraining-gae`, Schulman et al. (2016), equation 16:
    :math:`A_t=\sum_l(\gamma\lambda)^l\delta_{t+l}` with
    :math:`\delta_t=r_t+\gamma V_{t+1}-V_t`, and V = 0 after the last token of a response.

    Parameters
    ----------
    rewards, values : Tensor, shape (B, T)
        Of every token; what stands outside the mask is not looked at.
    mask : Tensor, shape (B, T)
        1 at the tokens of the responses, which are contiguous.
    gamma : float, in [0, 1]
        Discount.
    lam : float, in [0, 1]
        0 trusts the values alone, 1 the rewards alone.

    Returns
    -------
    Advantages

    Raises
    ------
    ValueError
        If gamma or lam is out of range, shapes differ, a response is empty or has a gap, or a
        reward is not finite.

    Examples
    --------
    >>> rewards, values = torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.5]])
    >>> generalised_advantages(rewards, values, torch.ones(1, 2), lam=1.0).advantages
    tensor([[0.5000, 0.5000]])
    """
    for name, share in (("gamma", gamma), ("lam", lam)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} is {share:g}; a number from 0 to 1 wanted.")
    marked = _contiguous(mask)
    if not rewards.shape == values.shape == mask.shape:
        shapes = ", ".join(str(tuple(x.shape)) for x in (rewards, values, mask))
        raise ValueError(f"rewards, values and mask have shapes {shapes}; equal ones wanted.")
    r = finite(torch.where(marked, rewards, 0.0), "rewards")  # (B, T)
    v = finite(torch.where(marked, values, 0.0), "values")  # (B, T)
    advantages, next_value = torch.zeros_like(v), torch.zeros_like(v[:, 0])
    ahead = torch.zeros_like(next_value)  # (B,)
    for t in reversed(range(r.shape[1])):
        ahead = r[:, t] + gamma * next_value - v[:, t] + gamma * lam * ahead
        ahead = torch.where(marked[:, t], ahead, 0.0)
        advantages[:, t], next_value = ahead, v[:, t]
    return Advantages(advantages, advantages + v)


def _contiguous(mask: Tensor) -> Tensor:
    marked = response_mask(mask)
    starts = marked[:, :1].sum(-1) + (marked[:, 1:] & ~marked[:, :-1]).sum(-1)  # (B,)
    if bool((starts > 1).any()):
        row = int((starts > 1).nonzero()[0])
        raise ValueError(
            f"row {row} of the mask has a gap; the tokens of one response stand together."
        )
    return marked


def whiten(x: Tensor, mask: Tensor, *, eps: float = 1e-8) -> Tensor:
    """Return marked numbers with mean 0 and variance 1, and 0 elsewhere.

    Parameters
    ----------
    x, mask : Tensor, shape (B, T)
        Advantages, and where they count.
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor, shape (B, T)

    Examples
    --------
    >>> whiten(torch.tensor([[1.0, 3.0]]), torch.ones(1, 2))
    tensor([[-1.,  1.]])
    """
    mean = masked_mean(x, mask)
    variance = masked_mean((x - mean).square(), mask)
    return torch.where(mask.bool(), (x - mean) * (variance + eps).rsqrt(), 0.0)


def clipped_objective(
    log_probs: Tensor, old: Tensor, advantages: Tensor, low: float, high: float
) -> Tensor:
    r"""Return each token's :math:`\min(\rho A,\ \mathrm{clip}(\rho,1-\epsilon_l,1+\epsilon_h)A)`.

    :math:`\rho=\pi_\theta/\pi_\mathrm{old}`. At ρ = 1 its gradient is that of
    :math:`A\log\pi_\theta`, the policy gradient.

    Parameters
    ----------
    log_probs, old : Tensor, shape (B, T)
        Log-probabilities of the drawn tokens now, and when they were drawn.
    advantages : Tensor, shape (B, T)
        Without gradient.
    low, high : float
        How far the ratio may fall and rise before it earns nothing more.

    Returns
    -------
    Tensor, shape (B, T)

    Raises
    ------
    ValueError
        If a limit is not positive, or `low` reaches 1.

    Examples
    --------
    >>> now, before = torch.tensor([[0.5]]).log(), torch.tensor([[0.25]]).log()
    >>> clipped_objective(now, before, torch.tensor([[1.0]]), 0.2, 0.2)
    tensor([[1.2000]])
    """
    if not (0 < low < 1 and high > 0):
        raise ValueError(f"the limits are {low:g} and {high:g}; 0 < low < 1 and high > 0 wanted.")
    ratio = (log_probs - old.detach()).exp()
    kept = advantages.detach()
    return torch.minimum(ratio * kept, ratio.clamp(1 - low, 1 + high) * kept)


def ppo_loss(
    log_probs: Tensor, old: Tensor, advantages: Tensor, mask: Tensor, *, clip: float = 0.2
) -> Tensor:
    r"""Return the policy's loss: minus the clipped objective, over all tokens.

    Implements :eq:`eq-posttraining-ppo`, Schulman et al. (2017), equation 7.

    Parameters
    ----------
    log_probs, old, advantages : Tensor, shape (B, T)
        As in :func:`clipped_objective`.
    mask : Tensor, shape (B, T)
        1 at the responses' tokens.
    clip : float
        How far the ratio may move either way.

    Returns
    -------
    Tensor, one number

    Raises
    ------
    ValueError
        If a response is empty, an advantage is not finite, or the clip is not in (0, 1).

    Examples
    --------
    >>> log_probs = torch.zeros(1, 2)
    >>> ppo_loss(log_probs, log_probs, torch.tensor([[1.0, 3.0]]), torch.ones(1, 2))
    tensor(-2.)
    """
    marked = response_mask(mask)
    kept = finite(torch.where(marked, advantages, 0.0), "advantages")
    return -masked_mean(clipped_objective(log_probs, old, kept, clip, clip), mask)


def value_loss(
    values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, *, clip: float = 0.2
) -> Tensor:
    """Return half the squared error of the value head, of whose steps large ones earn nothing.

    The greater of the errors of the value and of the value held within `clip` of the old one, as
    in the implementation of Schulman et al. (2017).

    Parameters
    ----------
    values, old_values, returns, mask : Tensor, shape (B, T)
        Values now, when the responses were drawn, and what they should have been.
    clip : float
        How far a value may move.

    Returns
    -------
    Tensor, one number

    Examples
    --------
    >>> value_loss(torch.ones(1, 1), torch.ones(1, 1), torch.zeros(1, 1), torch.ones(1, 1))
    tensor(0.5000)
    """
    held = old_values + (values - old_values).clamp(-clip, clip)
    worse = torch.maximum((values - returns).square(), (held - returns).square())
    return masked_mean(worse, mask) / 2
