"""Multi-head attention: self- or cross-, with as many or fewer heads of keys and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.attention import attention, attention_weights
from coursekit.transformer.positions import rotary


class MultiHeadAttention(nn.Module):
    r"""Project to heads, attend in each, join the heads and project back.

    Implements :eq:`eq-transformer-multi-head`, Vaswani et al. (2017), section 3.2.2. Without
    positions it is blind to order, :eq:`eq-transformer-equivariance`.

    Parameters
    ----------
    d_model : int
        Width of the tokens.
    n_heads : int
        Heads, H, a divisor of `d_model`; each has the width D = d_model / H.
    n_kv_heads : int, optional
        Heads of keys and values, G, a divisor of H; H by default. G < H is grouped-query
        attention (Ainslie et al., 2023).
    bias : bool, default True
        Whether the four linear maps have biases.
    rotary_base : float, optional
        With it, queries and keys are turned by :func:`rotary` (self-attention only).

    Raises
    ------
    ValueError
        If the numbers of heads do not divide.

    Examples
    --------
    >>> layer = MultiHeadAttention(8, 4, n_kv_heads=2)
    >>> layer(torch.zeros(1, 5, 8), causal=True).shape
    torch.Size([1, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int | None = None,
        *,
        bias: bool = True,
        rotary_base: float | None = None,
    ) -> None:
        super().__init__()
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        check_heads(d_model, n_heads, n_kv_heads)
        self.n_heads, self.n_kv_heads = n_heads, n_kv_heads
        self.d_head = d_model // n_heads
        self.rotary_base = rotary_base
        kv_width = self.n_kv_heads * self.d_head
        self.query = nn.Linear(d_model, d_model, bias=bias)
        self.key = nn.Linear(d_model, kv_width, bias=bias)
        self.value = nn.Linear(d_model, kv_width, bias=bias)
        self.out = nn.Linear(d_model, d_model, bias=bias)

    def forward(
        self,
        x: Tensor,
        keys: Tensor | None = None,
        values: Tensor | None = None,
        *,
        places: Tensor | None = None,
        cache: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None = None,
        **options: Any,
    ) -> Tensor:
        """Return the new tokens, shape (B, N, d_model).

        Parameters
        ----------
        x : Tensor, shape (B, N, d_model)
            Tokens that ask.
        keys : Tensor, shape (B, M, d_model), optional
            Tokens that are looked at; `x` by default, which is self-attention.
        values : Tensor, shape (B, M, d_model), optional
            Tokens that are averaged; `keys` by default.
        places : Tensor, int, shape (B, N), optional
            Where the tokens of `x` stand, for rotary positions; at 0 … N - 1 by default.
        cache : callable, optional
            Takes the keys and values of `x`, shape (B, G, N, D) each, and returns all that the
            queries may look at, those of earlier calls first.
        **options
            `causal`, `mask`, `bias`, `window`, … of :func:`coursekit.attention.attention`.

        Raises
        ------
        ValueError
            If a shape does not fit.
        """
        keys = x if keys is None else keys
        q, k = self.queries_and_keys(x, keys, places)
        v = self._split(self.value, keys if values is None else values, "values")
        if cache is not None:
            k, v = cache(k, v)  # (B, G, M, D) each
        heads = attention(q, k, v, **options)  # (B, H, N, D)
        return self.out(heads.transpose(1, 2).flatten(2))  # (B, N, d_model)

    def weights(self, x: Tensor, keys: Tensor | None = None, **options: Any) -> Tensor:
        """Return each head's attention weights, shape (B, H, N, M).

        Parameters
        ----------
        x, keys
            As in :meth:`forward`.
        **options
            `causal`, `mask`, `bias`.
        """
        return attention_weights(*self.queries_and_keys(x, x if keys is None else keys), **options)

    def queries_and_keys(
        self, x: Tensor, keys: Tensor, places: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the queries, shape (B, H, N, D), and the keys, shape (B, G, M, D), as compared.

        With `rotary_base` they are turned; query i has place i + M - N among the keys, or each
        row's tokens stand at `places`, shape (B, M).
        """
        q, k = self._split(self.query, x, "x"), self._split(self.key, keys, "keys")
        if self.rotary_base is None:
            return q, k
        N, M = q.shape[2], k.shape[2]
        places = torch.arange(M, device=x.device) if places is None else places[:, None]
        q = rotary(q, places[..., M - N :], base=self.rotary_base)  # (B, H, N, D)
        return q, rotary(k, places, base=self.rotary_base)

    def _split(self, project: nn.Linear, x: Tensor, name: str) -> Tensor:
        """Project and give each head its part: (B, N, d_model) -> (B, heads, N, D)."""
        if x.ndim != 3 or x.shape[2] != project.in_features:
            raise ValueError(
                f"{name} has shape {tuple(x.shape)}; (batch, tokens, {project.in_features}) wanted."
            )
        return project(x).unflatten(2, (-1, self.d_head)).transpose(1, 2)


def check_heads(d_model: int, n_heads: int, n_kv_heads: int) -> None:
    """Refuse numbers of heads that do not divide.

    Raises
    ------
    ValueError
        If they do not.

    Examples
    --------
    >>> check_heads(512, 7, 7)
    Traceback (most recent call last):
    ValueError: d_model is 512 and n_heads 7; the heads share the width, so they must divide it.
    """
    if n_heads < 1 or d_model % n_heads:
        raise ValueError(
            f"d_model is {d_model} and n_heads {n_heads}; the heads share the width, so they must "
            "divide it."
        )
    if n_kv_heads < 1 or n_heads % n_kv_heads:
        raise ValueError(
            f"n_heads is {n_heads} and n_kv_heads {n_kv_heads}; each head of keys serves as many "
            "heads of queries, so it must divide."
        )
