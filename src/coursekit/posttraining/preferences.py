"""From comparisons to rewards: the model of Bradley and Terry."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from coursekit._validate import Array, positive
from coursekit.posttraining.masked import finite, response_mask
from coursekit.transformer import GPT


def bradley_terry_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    r"""Return the mean of :math:`-\log\sigma(r_w-r_l)` over comparisons.

    Implements :eq:`eq-posttraining-bradley-terry`, Bradley and Terry (1952), as in Ouyang et al.
    (2022), equation 1.

    Parameters
    ----------
    chosen, rejected : Tensor, shape (B,)
        Rewards of the preferred and of the other response.

    Returns
    -------
    Tensor, one number, in nats

    Raises
    ------
    ValueError
        If the shapes differ or a reward is not finite.

    Examples
    --------
    >>> bradley_terry_loss(torch.tensor([2.0]), torch.tensor([0.0]))
    tensor(0.1269)
    """
    if chosen.shape != rejected.shape:
        raise ValueError(
            f"chosen has shape {tuple(chosen.shape)} and rejected {tuple(rejected.shape)}; "
            "one reward for either response of each pair wanted."
        )
    return -logsigmoid(finite(chosen, "chosen") - finite(rejected, "rejected")).mean()


def fit_bradley_terry(wins: ArrayLike, *, tolerance: float = 1e-12, most: int = 10_000) -> Array:
    """Return the strengths that make a table of wins most probable.

    The minorise-maximise iteration of Hunter (2004).

    Parameters
    ----------
    wins : array_like, shape (K, K)
        How often row i was preferred to column j.
    tolerance : float
        Stop when no strength moves by more.
    most : int
        Iterations at most.

    Returns
    -------
    ndarray, shape (K,)
        Rewards in nats, mean 0: i is preferred to j with probability sigmoid(r_i - r_j).

    Raises
    ------
    ValueError
        If the table is not square or holds a negative number, or if something was never
        preferred, or always: its reward would be infinite.

    Examples
    --------
    >>> fit_bradley_terry([[0, 3], [1, 0]]).round(3)  # log 3 apart
    array([ 0.549, -0.549])
    """
    w = positive(wins, "wins", zero=True)
    if w.ndim != 2 or w.shape[0] != w.shape[1]:
        raise ValueError(f"wins has shape {w.shape}; (K, K) wanted.")
    w = w - np.diag(np.diag(w))
    _check_connected(w)
    games, strength = w + w.T, np.ones(len(w))
    for _ in range(most):
        new = w.sum(1) / (games / (strength[:, None] + strength)).sum(1)
        new /= np.exp(np.log(new).mean())
        moved, strength = np.abs(np.log(new / strength)).max(), new
        if moved < tolerance:
            break
    return np.log(strength)


def _check_connected(w: Array) -> None:
    """Refuse a table in which one group never loses to the rest."""
    reach = (w > 0) | np.eye(len(w), dtype=bool)
    for _ in range(len(w)):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    if not reach.all():
        i, j = (int(k) for k in np.argwhere(~reach)[0])
        raise ValueError(
            f"{j} was never preferred by way of {i} to anything that {i} beat: their distance "
            "would be infinite. Compare them more often, or add half a win to each cell."
        )


class RewardModel(nn.Module):
    """A language model whose last layer gives one number for a response in place of a token.

    Parameters
    ----------
    model : GPT
        Its blocks are used, and trained on; its output layer is not.
    generator : torch.Generator, optional
        Source of the first weights of the new layer.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = RewardModel(GPT(TransformerConfig(5, 8, n_layers=1, n_heads=2)))
    >>> model(torch.tensor([[1, 2, 3]]), torch.tensor([[0, 1, 1]])).shape
    torch.Size([1])
    """

    def __init__(self, model: GPT, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.model = model
        d = model.config.d_model
        self.head = nn.Linear(d, 1)
        nn.init.normal_(self.head.weight, std=d**-0.5, generator=generator)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the reward of each row.

        Parameters
        ----------
        ids : Tensor of int64, shape (B, N)
            Prompts and responses.
        mask : Tensor, shape (B, N)
            1 at the responses' tokens; the last of them is where the reward is read.

        Returns
        -------
        Tensor, shape (B,)

        Raises
        ------
        ValueError
            If a response is empty.
        """
        N = ids.shape[1]
        places = torch.arange(N, device=ids.device)
        last = torch.where(response_mask(mask), places, -1).amax(-1)  # (B,)
        hidden = self.model.hidden(ids)  # (B, N, d_model)
        at_last = hidden[torch.arange(len(ids), device=ids.device), last]  # (B, d_model)
        return self.head(at_last).squeeze(-1)
