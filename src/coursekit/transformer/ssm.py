"""A diagonal state-space layer: a recurrence to write with, a convolution to train with."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class DiagonalSSM(nn.Module):
    r"""A linear system of S complex states for each feature, run over the sequence.

    Implements :eq:`eq-transformer-ssm`: :math:`h_t=\bar A h_{t-1}+\bar B x_t`,
    :math:`y_t=2\,\mathrm{Re}(C h_t)+Dx_t`, with a diagonal A, discretised by zero-order hold
    (Gu, Gupta, Goel and Ré, 2022, "S4D"; the layer S4D-Lin). The states are halves of conjugate
    pairs, hence twice the real part.

    Parameters
    ----------
    d_model : int
        Features, each with a system of its own.
    d_state : int, default 16
        Complex states, S.
    generator : torch.Generator, optional
        For the first weights; torch's own by default.

    Examples
    --------
    >>> layer = DiagonalSSM(3, d_state=4)
    >>> layer(torch.zeros(2, 10, 3)).shape
    torch.Size([2, 10, 3])
    """

    def __init__(
        self, d_model: int, d_state: int = 16, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        steps = torch.rand(d_model, generator=generator)
        low, high = math.log(1e-3), math.log(1e-1)
        self.log_step = nn.Parameter(low + (high - low) * steps)  # (d_model,)
        self.log_decay = nn.Parameter(torch.full((d_model, d_state), math.log(0.5)))
        places = torch.arange(d_state, dtype=torch.get_default_dtype())
        self.frequency = nn.Parameter(math.pi * places.repeat(d_model, 1))
        self.read = nn.Parameter(torch.randn(d_model, d_state, 2, generator=generator) * 0.5**0.5)
        self.skip = nn.Parameter(torch.randn(d_model, generator=generator))

    def system(self) -> tuple[Tensor, Tensor]:
        r"""Return :math:`\bar A` and :math:`C\bar B`, complex, shape (d_model, S).

        The decay is -exp of a parameter, so that every \|Ā\| is below 1 and no state explodes.
        """
        A = torch.complex(-self.log_decay.exp(), self.frequency)
        A_bar = torch.exp(A * self.log_step.exp()[:, None])
        B_bar = (A_bar - 1) / A  # zero-order hold with B = 1
        return A_bar, torch.view_as_complex(self.read) * B_bar

    def kernel(self, n: int) -> Tensor:
        """Return the answer to an impulse, shape (n, d_model): what each lag contributes."""
        A_bar, CB = self.system()
        lags = torch.arange(n, device=A_bar.device)[:, None, None]
        return 2 * (CB * A_bar**lags).sum(-1).real  # (n, d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of `x`, shape (B, N, d_model), with the kernel: O(N log N)."""
        n = x.shape[1]
        if n == 0:
            return x
        size = 2 * n  # room, so that the end does not wrap onto the beginning
        K = torch.fft.rfft(self.kernel(n), n=size, dim=0)
        y = torch.fft.irfft(torch.fft.rfft(x, n=size, dim=1) * K, n=size, dim=1)[:, :n]
        return y + self.skip * x  # (B, N, d_model)

    def recur(self, x: Tensor) -> Tensor:
        """Return the same step by step: O(1) memory however long the past."""
        A_bar, CB = self.system()
        h = torch.zeros(len(x), *A_bar.shape, dtype=A_bar.dtype, device=x.device)
        out = [x[:, :0]]
        for t in range(x.shape[1]):
            h = A_bar * h + x[:, t, :, None]  # (B, d_model, S)
            out.append(2 * (CB * h).sum(-1).real[:, None])
        return torch.cat(out, dim=1) + self.skip * x  # (B, N, d_model)
