"""Mixture of experts: many feed-forward parts, of which each token wakes a few."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coursekit.transformer.feedforward import FeedForward


class MixtureOfExperts(nn.Module):
    r"""Send each token to its best `top_k` experts, and add what they say by weight.

    Implements :eq:`eq-transformer-experts`, Shazeer et al. (2017) with the softmax over the chosen
    ones, as in Mixtral (Jiang et al., 2024).

    Parameters
    ----------
    d_model : int
        Width in and out.
    d_ff : int
        Width inside an expert.
    n_experts : int
        Experts, E.
    top_k : int
        How many each token wakes, at most E.
    kind : str, default "swiglu"
        The experts' kind, see :class:`FeedForward`.

    Raises
    ------
    ValueError
        If `top_k` is not between 1 and `n_experts`.

    Examples
    --------
    >>> layer = MixtureOfExperts(4, 8, n_experts=8, top_k=2)
    >>> layer(torch.zeros(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(
        self, d_model: int, d_ff: int, *, n_experts: int, top_k: int, kind: str = "swiglu"
    ) -> None:
        super().__init__()
        if not 1 <= top_k <= n_experts:
            raise ValueError(f"top_k is {top_k} of {n_experts} experts; 1 to {n_experts} wanted.")
        self.top_k = top_k
        self.router = nn.Linear(d_model, n_experts, bias=False)
        self.experts = nn.ModuleList(
            FeedForward(d_model, d_ff, kind, bias=False) for _ in range(n_experts)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the new tokens, shape (..., d_model)."""
        tokens = x.flatten(0, -2)  # (T, d_model)
        weights, chosen = self.route(tokens)  # (T, top_k) each
        out = torch.zeros_like(tokens)
        for e, expert in enumerate(self.experts):
            token, slot = (chosen == e).nonzero(as_tuple=True)  # who woke expert e
            share = weights[token, slot, None] * expert(tokens[token])
            out = out.index_add(0, token, share)
        return out.view_as(x)

    def route(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return each token's weights, which sum to 1, and its experts, both (..., top_k)."""
        scores, chosen = self.router(x).topk(self.top_k, dim=-1)
        return scores.softmax(-1), chosen


def balance_loss(router_logits: Tensor, top_k: int) -> Tensor:
    r"""Return the loss that keeps experts equally busy: 1 at best, more when some are favoured.

    :math:`E\sum_e f_e P_e`, with :math:`f_e` the share of choices that fell on expert e and
    :math:`P_e` its mean probability (Fedus, Zoph and Shazeer, 2022, equation 4).

    Parameters
    ----------
    router_logits : Tensor, shape (T, E)
        For each token and expert.
    top_k : int
        Experts a token wakes.

    Returns
    -------
    Tensor, scalar

    Examples
    --------
    >>> balance_loss(torch.tensor([[9.0, 0.0], [9.0, 0.0]]), top_k=1)  # one expert does it all
    tensor(1.9998)
    """
    T, E = router_logits.shape
    chosen = router_logits.topk(top_k, dim=-1).indices  # (T, top_k)
    share = torch.bincount(chosen.flatten(), minlength=E) / (T * top_k)  # (E,)
    return E * (share * router_logits.softmax(-1).mean(0)).sum()
