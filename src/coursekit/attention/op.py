"""The kernels as one operator that torch knows: gradients, autocast, fake tensors, `torch.compile`.

The operator saves the output and the log-sum-exp, nothing of size (N, M); its backward runs the
kernels that recompute the rest. A second derivative is refused.
"""

from __future__ import annotations

import os

import torch
from torch import Tensor

from coursekit import optional

LN_2 = 0.6931471805599453
WIDEST = 256
DTYPES = ("float16", "bfloat16", "float32")
HALF = (torch.float16, torch.bfloat16)
OLDEST = 80  # compute capability: the kernels use bf16 and asynchronous copies
FURTHEST = 2**31 - 1


def why_not(q: Tensor, k: Tensor, v: Tensor) -> str:
    """Say why the kernel cannot take these tensors, or return nothing when it can.

    Parameters
    ----------
    q, k, v : Tensor
        As in :func:`~coursekit.attention.attention`.

    Examples
    --------
    >>> x = torch.zeros(1, 1, 2, 512)
    >>> why_not(x, x, x)
    'heads are 512 wide, and the kernel takes up to 256'
    """
    if q.shape[3] > WIDEST:
        return f"heads are {q.shape[3]} wide, and the kernel takes up to {WIDEST}"
    if v.shape[3] != q.shape[3]:
        return f"values are {v.shape[3]} wide and queries {q.shape[3]}; the kernel needs one width"
    if max(_reach(x) for x in (q, k, v)) > FURTHEST:
        return "a head spans more than 2^31 elements; make q, k and v contiguous"
    return _why_not_here(q.device.type, q.device.index, str(q.dtype).removeprefix("torch."))


def _reach(x: Tensor) -> int:
    """Furthest element of one head, counted from its first."""
    return sum((n - 1) * s for n, s in zip(x.shape[2:], x.stride()[2:], strict=True) if n)


@torch.compiler.assume_constant_result
def _why_not_here(device: str, index: int | None, dtype: str) -> str:
    """Say what of this machine is in the way; `torch.compile` asks once and keeps the answer."""
    try:
        optional.require("triton")
    except ImportError as error:
        return str(error)
    from coursekit.attention.launch import INTERPRETED

    if INTERPRETED:
        return ""
    if os.environ.get("TRITON_INTERPRET") == "1":
        return (
            "TRITON_INTERPRET was set after the kernels had been imported; "
            "set it before Python starts, or before Triton is first imported"
        )
    if device != "cuda":
        return (
            f"the tensors are on {device}, and the kernel runs on a GPU; to step through it "
            "on the CPU, set TRITON_INTERPRET=1 before Python starts"
        )
    if dtype not in DTYPES:
        return f"q is {dtype}; on a GPU the kernel takes {', '.join(DTYPES)}"
    major, minor = torch.cuda.get_device_capability(index)
    if 10 * major + minor < OLDEST:
        return f"the GPU has compute capability {major}.{minor}; 8.0 or newer is needed"
    return ""


def preferred(q: Tensor, k: Tensor, v: Tensor) -> bool:
    """Whether ``backend="auto"`` takes the kernel: half precision, on a GPU that it suits.

    float32 stays with torch: the kernel computes it in full IEEE precision, without the matrix
    units, which is for checking and not for speed.
    """
    return q.device.type == "cuda" and q.dtype in HALF and not why_not(q, k, v)


@torch.library.custom_op("coursekit::fused_attention", mutates_args=())
def fused_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    cu_seqlens: Tensor | None,
    causal: bool,
    window: int,
    softcap: float,
    scale: float,
) -> tuple[Tensor, Tensor]:
    """Output and log-sum-exp **in base 2** by the forward kernel; 0 means no window, no softcap."""
    from coursekit.attention import launch

    masking = _masking(cu_seqlens, causal, window, softcap)
    return launch.forward(q, k, v, masking, scale)


@fused_attention.register_fake
def _fake(q, k, v, cu_seqlens, causal, window, softcap, scale):
    lse = torch.float64 if q.dtype == torch.float64 else torch.float32
    return q.new_empty(q.shape), q.new_empty(q.shape[:3], dtype=lse)


@torch.library.custom_op("coursekit::fused_attention_backward", mutates_args=())
def fused_attention_backward(
    grad: Tensor,
    grad_lse: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    out: Tensor,
    lse: Tensor,
    cu_seqlens: Tensor | None,
    causal: bool,
    window: int,
    softcap: float,
    scale: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of q, k and v by the backward kernels; ``lse`` and its gradient are in base 2."""
    from coursekit.attention import launch

    masking = _masking(cu_seqlens, causal, window, softcap)
    return launch.backward(grad, grad_lse, q, k, v, out, lse, masking, scale)


@fused_attention_backward.register_fake
def _fake_backward(grad, grad_lse, q, k, v, *_):
    return q.new_empty(q.shape), k.new_empty(k.shape), v.new_empty(v.shape)


def _masking(cu_seqlens: Tensor | None, causal: bool, window: int, softcap: float):
    from coursekit.attention.launch import Masking, sequence_bounds

    bounds = (None, None) if cu_seqlens is None else sequence_bounds(cu_seqlens)
    return Masking(causal, window, softcap, *bounds)


def _setup(ctx, inputs, output):
    q, k, v, cu_seqlens, *ctx.options = inputs
    ctx.save_for_backward(q, k, v, *output, cu_seqlens)


def _backward(ctx, grad, grad_lse):
    q, k, v, out, lse, cu_seqlens = ctx.saved_tensors
    found = fused_attention_backward(grad, grad_lse, q, k, v, out, lse, cu_seqlens, *ctx.options)
    return *found, None, None, None, None, None


def _refuse(ctx, *_):
    raise RuntimeError(
        "The attention kernel has no second derivative. "
        "Use attention(…, backend='reference'), which has all of them."
    )


fused_attention.register_autograd(_backward, setup_context=_setup)
fused_attention_backward.register_autograd(_refuse)


def kernel_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    causal: bool,
    window: int | None,
    softcap: float | None,
    scale: float,
    cu_seqlens: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Return the outputs (B, H, N, D) and the natural log-sum-exp (B, H, N) by the kernels.

    Under autocast q, k and v are cast to its dtype first, as for torch's own operator.
    """
    if torch.is_autocast_enabled(q.device.type):
        dtype = torch.get_autocast_dtype(q.device.type)
        q, k, v = (x.to(dtype) for x in (q, k, v))
    out, lse = fused_attention(q, k, v, cu_seqlens, causal, window or 0, softcap or 0.0, scale)
    return out, lse * LN_2
