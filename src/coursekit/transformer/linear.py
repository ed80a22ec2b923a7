"""Linear attention: without the softmax, attention is a recurrence with a matrix for a state."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import elu


def feature_map(x: Tensor) -> Tensor:
    """Return elu(x) + 1, positive, so that weights are (Katharopoulos et al., 2020, equation 7).

    Examples
    --------
    >>> feature_map(torch.tensor([-1.0, 0.0, 2.0]))
    tensor([0.3679, 1.0000, 3.0000])
    """
    return elu(x) + 1


def linear_attention(q: Tensor, k: Tensor, v: Tensor, *, causal: bool = False) -> Tensor:
    r"""Return attention whose weights are :math:`\phi(q)^T\phi(k)`, all tokens at once.

    Implements :eq:`eq-transformer-linear-attention`, Katharopoulos et al. (2020). Without `causal`
    it costs O(N D E): the keys are summed up first. With it, this parallel form costs O(N² D), and
    :func:`linear_attention_recurrent` O(N D E) step after step.

    Parameters
    ----------
    q, k : Tensor, shape (B, H, N, D)
        Queries and keys.
    v : Tensor, shape (B, H, N, E)
        Values.
    causal : bool, default False
        Whether each token sees only itself and those before it.

    Returns
    -------
    Tensor, shape (B, H, N, E)

    Examples
    --------
    >>> q = k = torch.zeros(1, 1, 2, 4)
    >>> linear_attention(q, k, torch.tensor([[[[1.0], [3.0]]]]), causal=True).flatten()
    tensor([1., 2.])
    """
    q, k = feature_map(q), feature_map(k)
    if causal:
        weights = (q @ k.transpose(-2, -1)).tril()  # (B, H, N, N)
        return weights @ v / weights.sum(-1, keepdim=True)
    state = k.transpose(-2, -1) @ v  # (B, H, D, E)
    norm = q @ k.sum(-2, keepdim=True).transpose(-2, -1)  # (B, H, N, 1)
    return q @ state / norm


def linear_attention_recurrent(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    r"""Return causal linear attention, token after token, with a state that never grows.

    Implements :eq:`eq-transformer-linear-attention`:
    :math:`S_t=S_{t-1}+\phi(k_t)v_t^T` and :math:`z_t=z_{t-1}+\phi(k_t)`.

    Parameters
    ----------
    q, k, v
        As in :func:`linear_attention`.

    Returns
    -------
    Tensor, shape (B, H, N, E)

    Examples
    --------
    >>> q = k = torch.zeros(1, 1, 2, 4)
    >>> linear_attention_recurrent(q, k, torch.tensor([[[[1.0], [3.0]]]])).flatten()
    tensor([1., 2.])
    """
    q, k = feature_map(q), feature_map(k)
    B, H, N, D = q.shape
    S, z = q.new_zeros(B, H, D, v.shape[-1]), q.new_zeros(B, H, D)
    out = []
    for t in range(N):
        S = S + k[:, :, t, :, None] * v[:, :, t, None, :]  # (B, H, D, E)
        z = z + k[:, :, t]  # (B, H, D)
        read = (q[:, :, t, None] @ S).squeeze(2)  # (B, H, E)
        out.append(read / (q[:, :, t] * z).sum(-1, keepdim=True))
    return torch.stack(out, dim=2) if out else torch.zeros_like(v)  # (B, H, N, E)
