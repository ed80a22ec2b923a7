"""LayerNorm and RMSNorm: each token on a common scale, by itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LayerNorm(nn.Module):
    r"""Subtract the mean over the features, divide by the standard deviation, scale and shift.

    Implements :eq:`eq-transformer-layer-norm`, Ba, Kiros and Hinton (2016).

    Parameters
    ----------
    d_model : int
        Features.
    eps : float, default 1e-5
        Added to the variance.
    bias : bool, default True
        Whether there is a shift.

    Examples
    --------
    >>> LayerNorm(2)(torch.tensor([[1.0, 3.0], [10.0, 30.0]]))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]], grad_fn=<AddBackward0>)
    """

    def __init__(self, d_model: int, *, eps: float = 1e-5, bias: bool = True) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised `x`, shape (..., d_model)."""
        x = x - x.mean(-1, keepdim=True)
        variance = x.square().mean(-1, keepdim=True)  # (..., 1)
        x = x * torch.rsqrt(variance + self.eps) * self.weight
        return x if self.bias is None else x + self.bias


class RMSNorm(nn.Module):
    r"""Divide by the root mean square of the features, and scale: no mean, no shift.

    Implements :eq:`eq-transformer-rms-norm`, Zhang and Sennrich (2019). Half precision is
    normalised in float32, as in Llama.

    Parameters
    ----------
    d_model : int
        Features.
    eps : float, default 1e-5
        Added to the mean square.

    Examples
    --------
    >>> RMSNorm(2)(torch.tensor([[3.0, 4.0]]))
    tensor([[0.8485, 1.1314]], grad_fn=<MulBackward0>)
    """

    def __init__(self, d_model: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised `x`, shape (..., d_model)."""
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return wide.to(x.dtype) * self.weight
