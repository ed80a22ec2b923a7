"""Attention as translation first had it: additive (Bahdanau) and multiplicative (Luong).

A query asks every key how well it fits; the answers, made to sum to 1, weigh the values. Padding
gets the weight 0. A row without anything to look at gets weights and a context of 0.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from coursekit.seq2seq.initialise import linear


def masked_softmax(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return weights over the last axis that sum to 1 where `mask` allows, and are 0 elsewhere.

    Parameters
    ----------
    scores : Tensor, shape (..., N)
        Any real numbers.
    mask : Tensor of bool, broadcastable to the scores, optional
        True where it may be looked at. Where a row has no True, all its weights are 0.

    Returns
    -------
    Tensor, shape (..., N)

    Raises
    ------
    TypeError
        If `mask` is not boolean.

    Examples
    --------
    >>> scores = torch.zeros(2, 3)
    >>> masked_softmax(scores, torch.tensor([[True, True, False], [False, False, False]]))
    tensor([[0.5000, 0.5000, 0.0000],
            [0.0000, 0.0000, 0.0000]])
    """
    if mask is None:
        return scores.softmax(-1)
    if mask.dtype != torch.bool:
        raise TypeError(f"mask is of {mask.dtype}; bool wanted, True where one may look.")
    lowest = torch.finfo(scores.dtype).min  # finite, so that a row of padding has no NaN
    return scores.masked_fill(~mask, lowest).softmax(-1) * mask  # (..., N)


def attend(scores: Tensor, values: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Weigh values by the softmax of scores.

    Implements :eq:`eq-seq2seq-context`.

    Parameters
    ----------
    scores : Tensor, shape (B, M, N)
        How well each of N keys fits each of M queries.
    values : Tensor, shape (B, N, K)
        What to average.
    mask : Tensor of bool, shape (B, N), optional
        False at padding.

    Returns
    -------
    contexts : Tensor, shape (B, M, K)
        The averages.
    weights : Tensor, shape (B, M, N)
        The weights, which sum to 1 over N.

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> contexts, weights = attend(torch.zeros(1, 1, 2), torch.tensor([[[1.0], [3.0]]]))
    >>> contexts.item(), weights.tolist()
    (2.0, [[[0.5, 0.5]]])
    """
    B, _, N = scores.shape
    if values.ndim != 3 or values.shape[:2] != (B, N):
        raise ValueError(f"values has shape {tuple(values.shape)}; ({B}, {N}, K) wanted.")
    if mask is not None and mask.shape != (B, N):
        raise ValueError(f"mask has shape {tuple(mask.shape)}; ({B}, {N}) wanted.")
    weights = masked_softmax(scores, None if mask is None else mask[:, None])  # (B, M, N)
    return weights @ values, weights


class AdditiveAttention(nn.Module):
    r"""The score of a small network: :math:`v^T\tanh(W_q s + W_k h)`.

    Implements :eq:`eq-seq2seq-additive`, Bahdanau, Cho and Bengio (2015).

    Parameters
    ----------
    query_size, key_size : int
        Widths of a query, s, and of a key, h.
    hidden_size : int
        Width of the layer between, A.
    generator : torch.Generator, optional
        Source of the initial weights.

    Examples
    --------
    >>> attention = AdditiveAttention(4, 6, 5)
    >>> contexts, weights = attention(torch.zeros(2, 3, 4), torch.zeros(2, 7, 6))
    >>> contexts.shape, weights.shape
    (torch.Size([2, 3, 6]), torch.Size([2, 3, 7]))
    """

    def __init__(
        self,
        query_size: int,
        key_size: int,
        hidden_size: int,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.query = linear(query_size, hidden_size, generator)
        self.key = linear(key_size, hidden_size, generator, bias=False)
        self.v = linear(hidden_size, 1, generator, bias=False)

    def prepare(self, keys: Tensor) -> Tensor:
        """Return the keys' share of the sums, shape (B, N, A), the same for all queries."""
        return self.key(keys)

    def scores(self, queries: Tensor, prepared: Tensor) -> Tensor:
        """Return the scores, shape (B, M, N), of queries, (B, M, Q), and prepared keys."""
        _check(queries, self.query.in_features, "queries")
        hidden = torch.tanh(self.query(queries)[:, :, None] + prepared[:, None])  # (B, M, N, A)
        return self.v(hidden).squeeze(-1)  # (B, M, N)

    def forward(
        self, queries: Tensor, keys: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return contexts, shape (B, M, K), and weights, shape (B, M, N); keys are the values."""
        return attend(self.scores(queries, self.prepare(keys)), keys, mask)


class MultiplicativeAttention(nn.Module):
    r"""The score of a product: :math:`s^T h`, or :math:`s^T W h` with a matrix between.

    Implements :eq:`eq-seq2seq-multiplicative`, Luong, Pham and Manning (2015).

    Parameters
    ----------
    query_size, key_size : int
        Widths of a query, s, and of a key, h.
    kind : {"general", "dot"}
        With the matrix or without; without it the widths must be equal.
    generator : torch.Generator, optional
        Source of the initial weights.

    Raises
    ------
    ValueError
        If `kind` is neither, or widths differ for ``"dot"``.

    Examples
    --------
    >>> attention = MultiplicativeAttention(4, 6)
    >>> contexts, weights = attention(torch.zeros(2, 3, 4), torch.zeros(2, 7, 6))
    >>> contexts.shape, weights.shape
    (torch.Size([2, 3, 6]), torch.Size([2, 3, 7]))
    """

    def __init__(
        self,
        query_size: int,
        key_size: int,
        kind: Literal["general", "dot"] = "general",
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if kind not in ("general", "dot"):
            raise ValueError(f"kind is {kind!r}; 'general' or 'dot' wanted.")
        if kind == "dot" and query_size != key_size:
            raise ValueError(
                f"queries have width {query_size} and keys {key_size}; the dot product needs one "
                "width for both. Take kind='general'."
            )
        self.query_size = query_size
        self.key: nn.Module = nn.Identity()
        if kind == "general":
            self.key = linear(key_size, query_size, generator, bias=False)

    def prepare(self, keys: Tensor) -> Tensor:
        """Return what each query is multiplied with, shape (B, N, Q)."""
        return self.key(keys)

    def scores(self, queries: Tensor, prepared: Tensor) -> Tensor:
        """Return the scores, shape (B, M, N), of queries, (B, M, Q), and prepared keys."""
        _check(queries, self.query_size, "queries")
        return queries @ prepared.mT  # (B, M, N)

    def forward(
        self, queries: Tensor, keys: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return contexts, shape (B, M, K), and weights, shape (B, M, N); keys are the values."""
        return attend(self.scores(queries, self.prepare(keys)), keys, mask)


def _check(x: Tensor, width: int, name: str) -> None:
    if x.ndim != 3 or x.shape[2] != width:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; (B, M, {width}) wanted.")
