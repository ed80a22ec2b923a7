"""BERT's task: hide some tokens, and learn to tell what they were."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

IGNORE = -100
"""The target where nothing is asked."""


def mask_tokens(
    ids: Tensor,
    *,
    mask_id: int,
    vocab_size: int,
    generator: torch.Generator,
    special: tuple[int, ...] = (),
    rate: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """Hide a share of the tokens as BERT does, and keep what they were.

    Of the chosen ones 80 % become the mask, 10 % a random token, and 10 % stay, so that the model
    must have an opinion on every place (Devlin et al., 2019, section 3.1).

    Parameters
    ----------
    ids : Tensor, int, shape (B, N)
        Tokens.
    mask_id : int
        The token that hides.
    vocab_size : int
        Random tokens are drawn below it, and are no special ones.
    generator : torch.Generator
        On the device of `ids`.
    special : tuple of int
        Tokens that are never chosen, such as padding; `mask_id` is one of them.
    rate : float, default 0.15
        Share of the other tokens that is chosen.

    Returns
    -------
    hidden : Tensor, int, shape (B, N)
        What the model sees.
    targets : Tensor, int, shape (B, N)
        The true token where one was chosen, -100 elsewhere.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> hidden, targets = mask_tokens(
    ...     torch.tensor([[5, 6, 7]]), mask_id=3, vocab_size=9, generator=generator, rate=1.0
    ... )
    >>> hidden, targets
    (tensor([[3, 3, 3]]), tensor([[5, 6, 7]]))
    """
    never = torch.tensor((mask_id, *special), device=ids.device)
    ordinary = torch.arange(vocab_size, device=ids.device)
    ordinary = ordinary[~torch.isin(ordinary, never)]
    draw = torch.rand(2, *ids.shape, generator=generator, device=ids.device)  # chosen, how
    chosen = (draw[0] < rate) & ~torch.isin(ids, never)
    pick = torch.randint(len(ordinary), ids.shape, generator=generator, device=ids.device)
    hidden = ids.masked_fill(chosen & (draw[1] < 0.8), mask_id)
    hidden = torch.where(chosen & (draw[1] >= 0.9), ordinary[pick], hidden)
    return hidden, ids.masked_fill(~chosen, IGNORE)


def masked_lm_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy over the hidden places, in nats.

    Implements :eq:`eq-transformer-masked-lm`, Devlin et al. (2019).

    Parameters
    ----------
    logits : Tensor, shape (B, N, V)
        The model's.
    targets : Tensor, int, shape (B, N)
        From :func:`mask_tokens`; -100 where nothing is asked.

    Returns
    -------
    Tensor, scalar

    Raises
    ------
    ValueError
        If no place is asked for, so that there is no mean.

    Examples
    --------
    >>> masked_lm_loss(torch.zeros(1, 2, 4), torch.tensor([[-100, 3]]))  # log 4
    tensor(1.3863)
    """
    if not (targets != IGNORE).any():
        raise ValueError("no token is hidden in this batch; raise the rate, or use a larger batch.")
    return cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORE)
