"""From tensors to kernel launches: outputs made, strides passed, tiles looked up."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import triton
from triton.runtime.interpreter import InterpretedFunction

from coursekit.attention import configs
from coursekit.attention.kernels import (
    delta_kernel,
    forward_kernel,
    grad_key_value_kernel,
    grad_query_kernel,
)

LOG2_E = math.log2(math.e)
INTERPRETED = isinstance(forward_kernel, InterpretedFunction)


@dataclass(frozen=True)
class Masking:
    """What hides keys from a query row, and how scores are bent.

    ``window`` 0 means none, ``softcap`` 0 means none. ``starts`` and ``ends`` (N,), int32, hold the
    first key and one past the last key of every token's own sequence where sequences are packed.
    """

    causal: bool = False
    window: int = 0
    softcap: float = 0.0
    starts: torch.Tensor | None = None
    ends: torch.Tensor | None = None

    def options(self, d: int, precision: str) -> dict:
        """The compile-time arguments that all kernels share."""
        return {
            "CAUSAL": self.causal,
            "WINDOW": self.window,
            "PACKED": self.starts is not None,
            "SOFTCAP": self.softcap > 0,
            "PRECISION": precision,
            "D": d,
            "D_PADDED": configs.padded(d),
        }

    def scales(self, scale: float) -> tuple[float, float]:
        """Factor of the products and the cap, in base 2."""
        if self.softcap:
            return scale / self.softcap, self.softcap * LOG2_E
        return scale * LOG2_E, 0.0


def sequence_bounds(cu_seqlens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """First token and one past the last token of every token's own sequence, (N,) each, int32.

    Examples
    --------
    >>> starts, ends = sequence_bounds(torch.tensor([0, 2, 5]))
    >>> starts.tolist(), ends.tolist()
    ([0, 0, 2, 2, 2], [2, 2, 5, 5, 5])
    """
    lengths = cu_seqlens[1:] - cu_seqlens[:-1]
    starts = torch.repeat_interleave(cu_seqlens[:-1], lengths).to(torch.int32)
    ends = torch.repeat_interleave(cu_seqlens[1:], lengths).to(torch.int32)
    return starts, ends


def tiles_on(q: torch.Tensor, table: Callable[[int, int, int], configs.Tiles]) -> configs.Tiles:
    """Look the tiles up for the device of ``q``, its width and its dtype."""
    if INTERPRETED:
        return configs.INTERPRETER
    major, minor = torch.cuda.get_device_capability(q.device)
    return table(10 * major + minor, q.shape[-1], q.element_size())


def _grid(rows: int, block: int, heads: int) -> tuple[int, int]:
    return triton.cdiv(rows, block), heads


def forward(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    masking: Masking,
    scale: float,
    precision: str = "ieee",
    tiles: configs.Tiles | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run the forward kernel.

    Shapes: ``q`` (B, H, Nq, D), ``k`` and ``v`` (B, Hk, Nk, D), any strides. Returns the output
    (B, H, Nq, D) and the log-sum-exp (B, H, Nq) **in base 2**, float32 (float64 for float64).
    """
    (B, H, n_q, D), (Hk, n_k) = q.shape, k.shape[1:3]
    out = torch.empty((B, H, n_q, D), dtype=q.dtype, device=q.device)
    lse = torch.empty((B, H, n_q), dtype=_accumulator(q), device=q.device)
    tiles = tiles or tiles_on(q, configs.forward_tiles)
    if out.numel():
        forward_kernel[_grid(n_q, tiles.block_m, B * H)](
            *(q, k, v, out, lse, masking.starts, masking.ends, *masking.scales(scale)),
            *(*q.stride(), *k.stride(), *v.stride(), *out.stride()),
            *(H, H // Hk, n_q, n_k),
            **masking.options(D, precision),
            **_cut(tiles),
        )
    return out, lse


def backward(
    grad: torch.Tensor,
    grad_lse: torch.Tensor | None,
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    out: torch.Tensor,
    lse: torch.Tensor,
    masking: Masking,
    scale: float,
    precision: str = "ieee",
    tiles: configs.Tiles | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Run the three backward kernels and return the gradients of q, k and v.

    ``lse`` and the gradient that came for it are in base 2. A gradient of the log-sum-exp adds
    itself to that of every score, weighted by its probability: the delta's place, with its sign.
    """
    (B, H, n_q, D), (Hk, n_k) = q.shape, k.shape[1:3]
    dq, dk, dv = (torch.empty(x.shape, dtype=x.dtype, device=x.device) for x in (q, k, v))
    if not out.numel() or not dk.numel():
        return dq.zero_(), dk.zero_(), dv.zero_()
    delta = torch.empty_like(lse)
    rows = tiles or tiles_on(q, configs.grad_query_tiles)
    delta_kernel[_grid(n_q, rows.block_m, B * H)](
        *(out, grad, delta, *out.stride(), *grad.stride(), H, n_q),
        **{"D": D, "D_PADDED": configs.padded(D), "BLOCK_M": rows.block_m, "num_warps": rows.warps},
    )
    if grad_lse is not None:
        delta -= grad_lse * LOG2_E
    strides = (*q.stride(), *k.stride(), *v.stride(), *grad.stride())
    given = (q, k, v, grad, lse, delta)
    bounds = (masking.starts, masking.ends, scale, *masking.scales(scale))
    options = masking.options(D, precision)
    keys = tiles or tiles_on(q, configs.grad_key_value_tiles)
    grad_key_value_kernel[_grid(n_k, keys.block_n, B * Hk)](
        *(*given, dk, dv, *bounds, *strides, H, Hk, n_q, n_k), **options, **_cut(keys)
    )
    grad_query_kernel[_grid(n_q, rows.block_m, B * H)](
        *(*given, dq, *bounds, *strides, H, H // Hk, n_q, n_k), **options, **_cut(rows)
    )
    return dq, dk, dv


def _accumulator(q: torch.Tensor) -> torch.dtype:
    return torch.float64 if q.dtype == torch.float64 else torch.float32


def _cut(tiles: configs.Tiles) -> dict[str, int]:
    return {
        "BLOCK_M": tiles.block_m,
        "BLOCK_N": tiles.block_n,
        "num_warps": tiles.warps,
        "num_stages": tiles.stages,
    }
