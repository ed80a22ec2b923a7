"""How far a policy has moved from its reference, and what that costs."""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit.posttraining.masked import finite, response_mask


def kl_divergence(policy_logits: Tensor, reference_logits: Tensor) -> Tensor:
    r"""Return the exact KL divergence of each next-token distribution.

    Implements :eq:`eq-posttraining-kl`:
    :math:`\sum_v\pi(v)(\log\pi(v)-\log\pi_\mathrm{ref}(v))`.

    Parameters
    ----------
    policy_logits, reference_logits : Tensor, shape (..., V)
        Over the same vocabulary.

    Returns
    -------
    Tensor, shape (...), in nats

    Raises
    ------
    ValueError
        If the two have vocabularies of different size.

    Examples
    --------
    >>> kl_divergence(torch.tensor([0.0, 0.0]), torch.tensor([0.0, 0.0]))
    tensor(0.)
    """
    if policy_logits.shape[-1] != reference_logits.shape[-1]:
        raise ValueError(
            f"the policy has {policy_logits.shape[-1]} tokens and the reference "
            f"{reference_logits.shape[-1]}: their probabilities cannot be compared. Take a "
            "reference with the policy's own tokenizer."
        )
    p, q = policy_logits.log_softmax(-1), reference_logits.log_softmax(-1)
    return torch.where(p.exp() > 0, p.exp() * (p - q), 0.0).sum(-1)


ESTIMATORS = ("k1", "k2", "k3")


def kl_estimate(policy: Tensor, reference: Tensor, kind: str = "k3") -> Tensor:
    r"""Return an estimate of KL(policy || reference) from each token drawn from the policy.

    With :math:`r=\pi_\mathrm{ref}/\pi` (Schulman, 2020): ``k1`` is :math:`-\log r`, unbiased and
    often negative; ``k2`` is :math:`(\log r)^2/2`, biased, never negative; ``k3`` is
    :math:`r-1-\log r`, unbiased and never negative.

    Parameters
    ----------
    policy, reference : Tensor, shape (...)
        Log-probabilities of the drawn tokens.
    kind : {"k1", "k2", "k3"}
        Which.

    Returns
    -------
    Tensor, shape (...), in nats

    Raises
    ------
    ValueError
        If `kind` is something else.

    Examples
    --------
    >>> kl_estimate(torch.tensor([-1.0]), torch.tensor([-1.0]))
    tensor([0.])
    """
    log_ratio = reference - policy
    if kind == "k1":
        return -log_ratio
    if kind == "k2":
        return log_ratio.square() / 2
    if kind == "k3":
        return log_ratio.expm1() - log_ratio
    raise ValueError(f"kind is {kind!r}; one of {', '.join(ESTIMATORS)} wanted.")


def penalised_rewards(scores: Tensor, kl: Tensor, mask: Tensor, beta: float) -> Tensor:
    r"""Return a reward for each token: what the KL costs there, and the score at the last one.

    Implements :eq:`eq-posttraining-reward`, Ouyang et al. (2022), equation 2 without its
    pre-training term.

    Parameters
    ----------
    scores : Tensor, shape (B,)
        The reward model's number for each response.
    kl : Tensor, shape (B, T)
        Each token's :math:`\log\pi-\log\pi_\mathrm{ref}`.
    mask : Tensor, shape (B, T)
        1 at the responses' tokens.
    beta : float
        Price of a nat.

    Returns
    -------
    Tensor, shape (B, T)
        0 where the mask is 0.

    Raises
    ------
    ValueError
        If a response is empty, or a score is not finite.

    Examples
    --------
    >>> kl, mask = torch.tensor([[0.5, 0.5, 9.0]]), torch.tensor([[1, 1, 0]])
    >>> penalised_rewards(torch.tensor([3.0]), kl, mask, beta=1.0)
    tensor([[-0.5000,  2.5000,  0.0000]])
    """
    marked = response_mask(mask)
    places = torch.arange(mask.shape[1], device=mask.device)
    last = torch.where(marked, places, -1).amax(-1, keepdim=True)  # (B, 1)
    cost = torch.where(marked, -beta * kl, 0.0)  # (B, T)
    return cost.scatter_add(1, last, finite(scores, "scores")[:, None].to(cost))


class AdaptiveKL:
    """A price of KL that rises where the policy strays further than wanted, and falls else.

    The controller of Ziegler et al. (2019), section 2.2.

    Parameters
    ----------
    beta : float
        The price to start from.
    target : float
        KL divergence wanted, in nats a response.
    horizon : float
        Responses over which the price follows.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> control = AdaptiveKL(beta=0.1, target=6.0, horizon=100)
    >>> control.update(12.0, responses=10)  # too far: dearer
    >>> round(control.beta, 4)
    0.102
    """

    def __init__(self, beta: float, target: float, horizon: float) -> None:
        for name, value in (("beta", beta), ("target", target), ("horizon", horizon)):
            if value <= 0:
                raise ValueError(f"{name} is {value:g}; more than 0 wanted.")
        self.beta, self.target, self.horizon = beta, target, horizon

    def update(self, kl: float, responses: int) -> None:
        """Change the price after so many responses with this mean KL divergence."""
        error = min(0.2, max(-0.2, kl / self.target - 1))
        self.beta *= 1 + error * responses / self.horizon
