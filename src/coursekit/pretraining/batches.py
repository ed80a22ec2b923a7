"""What a trainer asks of its batches and of its loss; post-training has others than the next token.

A source of batches may be a table of windows, or roll out a policy: the trainer only asks for the
next one. A loss measures a batch; what it calls ``"loss"`` is made smaller, the rest is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

Measured = dict[str, Tensor]
"""Numbers of a batch, one of them its ``"loss"``."""

Loss = Callable[..., Measured]
"""``loss(model, *batch)``. Each number is a mean over the batch's rows, so that the mean of equal
parts, of one process or of several, is that of the whole."""


class Batches(Protocol):
    """A source of batches that can be resumed.

    Attributes
    ----------
    batch_size : int
        Rows of a batch, on all processes together.
    context : int
        Tokens of a row, at most.
    world_size : int
        Processes that share a batch.
    """

    batch_size: int
    context: int
    world_size: int

    def next(self) -> tuple[Tensor, ...]:
        """Return this process's rows of the next batch, as tensors with rows on the first axis."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on from here, in plain numbers and strings."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; a ValueError if the batches would be others."""
        ...


def next_token_loss(model: nn.Module, ids: Tensor, targets: Tensor) -> Measured:
    """Return the mean cross-entropy of each next token.

    Parameters
    ----------
    model : nn.Module
        Gives logits, shape (B, T, V).
    ids, targets : Tensor of int64, shape (B, T)
        Tokens, and for each the token after it.

    Returns
    -------
    dict
        ``loss``, in nats a token.

    Examples
    --------
    >>> import torch
    >>> ids = torch.tensor([[1, 0]])
    >>> next_token_loss(nn.Embedding.from_pretrained(torch.zeros(2, 4)), ids, ids)  # ln 4
    {'loss': tensor(1.3863)}
    """
    logits = model(ids)  # (B, T, V)
    return {"loss": cross_entropy(logits.flatten(0, 1), targets.flatten())}
