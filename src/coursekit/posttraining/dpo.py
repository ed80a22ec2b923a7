"""Direct preference optimisation: the reward model is the policy itself."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from coursekit.posttraining.masked import finite


def implicit_reward(policy: Tensor, reference: Tensor, beta: float = 0.1) -> Tensor:
    r"""Return the reward for which a policy is optimal, up to a constant of the prompt.

    Implements :eq:`eq-posttraining-dpo-reward`:
    :math:`\beta\,(\log\pi_\theta(y\mid x)-\log\pi_\mathrm{ref}(y\mid x))`.

    Parameters
    ----------
    policy, reference : Tensor, shape (B,)
        Log-probabilities of whole responses, in nats.
    beta : float
        Price of a nat of KL divergence from the reference.

    Returns
    -------
    Tensor, shape (B,)

    Raises
    ------
    ValueError
        If `beta` is not positive, shapes differ, or a number is not finite.

    Examples
    --------
    >>> implicit_reward(torch.tensor([-1.0]), torch.tensor([-3.0]), beta=0.5)
    tensor([1.])
    """
    if beta <= 0:
        raise ValueError(f"beta is {beta:g}; more than 0 wanted.")
    if policy.shape != reference.shape:
        raise ValueError(
            f"policy has shape {tuple(policy.shape)} and reference {tuple(reference.shape)}; the "
            "same responses under both models wanted."
        )
    return beta * (finite(policy, "policy") - finite(reference, "reference"))


def dpo_loss(
    chosen: Tensor,
    rejected: Tensor,
    reference_chosen: Tensor,
    reference_rejected: Tensor,
    *,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
    lengths: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    r"""Return the mean loss of preference pairs.

    Implements :eq:`eq-posttraining-dpo`, Rafailov et al. (2023), equation 7. At the reference
    model it is :math:`\log 2`.

    Parameters
    ----------
    chosen, rejected : Tensor, shape (B,)
        The policy's log-probabilities of the preferred and of the other response.
    reference_chosen, reference_rejected : Tensor, shape (B,)
        Those of the reference model.
    beta : float
        As in :func:`implicit_reward`.
    label_smoothing : float, in [0, 0.5)
        Probability that a label is the wrong way round: the conservative variant, cDPO
        (Mitchell, 2023).
    lengths : (Tensor, Tensor), optional
        Tokens of the two responses, (B,) each: log-probabilities a token are compared, the
        length-normalised variant (Lambert et al., 2024), in which a long answer gains nothing by
        its length.

    Returns
    -------
    Tensor, one number, in nats

    Raises
    ------
    ValueError
        If `label_smoothing` is out of range, a length is below 1, or as
        :func:`implicit_reward`.

    Examples
    --------
    >>> same = torch.tensor([-5.0, -7.0])
    >>> bool(dpo_loss(same, same, same, same).isclose(torch.tensor(2.0).log()))
    True
    """
    if not 0 <= label_smoothing < 0.5:
        raise ValueError(f"label_smoothing is {label_smoothing:g}; 0 up to below 0.5 wanted.")
    winner = implicit_reward(chosen, reference_chosen, beta)  # (B,)
    loser = implicit_reward(rejected, reference_rejected, beta)  # (B,)
    if lengths is not None:
        winner, loser = (r / _tokens(n) for r, n in zip((winner, loser), lengths, strict=True))
    margin = winner - loser  # (B,)
    right, wrong = logsigmoid(margin), logsigmoid(-margin)
    return -((1 - label_smoothing) * right + label_smoothing * wrong).mean()


def _tokens(n: Tensor) -> Tensor:
    if bool((n < 1).any()):
        raise ValueError(f"a response has {int(n.min())} tokens; 1 or more wanted.")
    return torch.as_tensor(n)
