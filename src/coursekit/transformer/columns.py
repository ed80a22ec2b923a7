"""Attention as the lecture writes it: every token a column, weights on the left.

The rest of the course keeps tokens in rows, batch first, as libraries do. The two give the same
numbers; a test compares them to machine precision.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def column_attention(Q: Tensor, K: Tensor, V: Tensor, *, mask: Tensor | None = None) -> Tensor:
    r"""Return :math:`V\,\mathrm{softmax}(K^TQ/\sqrt{d_k})`, the softmax down each column.

    Implements :eq:`eq-transformer-attention`, the lecture's form of Vaswani et al. (2017),
    equation 1.

    Parameters
    ----------
    Q : Tensor, shape (d_k, n)
        Queries :math:`q_1, \dots, q_n`.
    K : Tensor, shape (d_k, m)
        Keys.
    V : Tensor, shape (d_v, m)
        Values.
    mask : Tensor, bool, shape (m, n), optional
        True where query i (the column) may look at key j (the row).

    Returns
    -------
    Tensor, shape (d_v, n)
        Column i is :math:`a_{i,1}v_1+\dots+a_{i,m}v_m`.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> Q, K = torch.zeros(4, 2), torch.zeros(4, 3)
    >>> column_attention(Q, K, torch.tensor([[0.0, 3.0, 6.0]]))
    tensor([[3., 3.]])
    """
    if Q.ndim != 2 or K.ndim != 2 or Q.shape[0] != K.shape[0]:
        raise ValueError(
            f"Q has shape {tuple(Q.shape)} and K {tuple(K.shape)}; (d_k, n) and (d_k, m) wanted, "
            "one column a token."
        )
    if V.ndim != 2 or V.shape[1] != K.shape[1]:
        raise ValueError(
            f"V has shape {tuple(V.shape)} and K {tuple(K.shape)}; as many columns wanted: each "
            "key has one value."
        )
    scores = K.T @ Q / K.shape[0] ** 0.5  # (m, n)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return V @ torch.softmax(scores, dim=0)  # (d_v, n)


def column_multi_head(
    Z: Tensor,
    Y: Tensor,
    X: Tensor,
    W_Q: Sequence[Tensor],
    W_K: Sequence[Tensor],
    W_V: Sequence[Tensor],
    W_O: Tensor,
) -> Tensor:
    r"""Return :math:`W^O` times the stacked heads :math:`A_i`, each with matrices of its own.

    Implements :eq:`eq-transformer-multi-head`, the lecture's form.

    Parameters
    ----------
    Z : Tensor, shape (d_e, n)
        Embeddings that ask.
    Y, X : Tensor, shape (d_e, m)
        Embeddings that give the keys and the values; self-attention has Z = Y = X.
    W_Q, W_K : sequence of h tensors, shape (d_k, d_e)
        Queries' and keys' matrices.
    W_V : sequence of h tensors, shape (d_v, d_e)
        Values' matrices.
    W_O : Tensor, shape (d_e, h d_v)
        Output matrix.

    Returns
    -------
    Tensor, shape (d_e, n)

    Raises
    ------
    ValueError
        If the shapes or the numbers of heads do not fit.

    Examples
    --------
    >>> X, one = torch.tensor([[1.0, 3.0]]), [torch.ones(1, 1)]
    >>> column_multi_head(0 * X, X, X, one, one, one, torch.ones(1, 1))
    tensor([[2., 2.]])
    """
    heads = [
        column_attention(q @ Z, k @ Y, v @ X) for q, k, v in zip(W_Q, W_K, W_V, strict=True)
    ]  # h times (d_v, n)
    return W_O @ torch.cat(heads)  # (d_e, n)
