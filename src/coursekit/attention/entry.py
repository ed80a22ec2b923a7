"""The one entry point: checks what came, picks who computes it."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from coursekit.attention.check import (
    check_inputs,
    check_option,
    check_packing,
    check_queries_and_keys,
    check_window,
)
from coursekit.attention.masks import visible
from coursekit.attention.op import kernel_attention, preferred, why_not
from coursekit.attention.reference import naive_attention, naive_weights
from coursekit.attention.torch_backend import torch_attention

BACKENDS = ("auto", "triton", "torch", "reference")


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    causal: bool = False,
    window: int | None = None,
    softcap: float | None = None,
    scale: float | None = None,
    cu_seqlens: Tensor | None = None,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    return_lse: bool = False,
    backend: str = "auto",
) -> Any:
    r"""Return softmax(scale · q kᵀ + bias) v: each query's weighted average of the values.

    Implements :eq:`eq-transformer-attention-rows`, Vaswani et al. (2017), equation 1.

    Parameters
    ----------
    q : Tensor, float, shape (B, H, N, D)
        Queries, any strides.
    k : Tensor, shape (B, G, M, D)
        Keys. G divides H: G = H is multi-head, G = 1 multi-query, between them grouped-query
        attention, where H / G neighbouring queries' heads share one head of keys and values.
    v : Tensor, shape (B, G, M, E)
        Values.
    causal : bool, default False
        Hide the future. Aligned to the bottom right: query i sees keys up to i + M - N, so that
        one new query sees a whole cache. torch's `is_causal` aligns to the top left; the two
        agree for N = M.
    window : int, optional
        Only keys fewer than `window` places away; with `causal`, the last `window` keys.
    softcap : float, optional
        Bounds the scaled scores by c tanh(score / c) before `bias` and masks.
    scale : float, optional
        Factor of the scores, 1 / sqrt(D) by default, :eq:`eq-transformer-scale`.
    cu_seqlens : Tensor, int, shape (S + 1,), optional
        S sequences packed end to end along N: ``[0, 3, 5]`` for lengths 3 and 2. Each sees only
        itself. Then B = 1 and N = M.
    mask : Tensor, bool, broadcastable to (B, H, N, M), optional
        True where a query may look.
    bias : Tensor, float, broadcastable to (B, H, N, M), optional
        Added to the scores; minus infinity hides a key.
    return_lse : bool, default False
        Whether to return the log-sum-exp of the scores as well.
    backend : {"auto", "triton", "torch", "reference"}
        ``"triton"`` is the course's kernel, which has neither `mask` nor `bias` and no second
        derivative; ``"torch"`` torch's own operator, which has neither `softcap` nor `return_lse`;
        ``"reference"`` the version written out. ``"auto"`` takes the kernel for half precision on
        a GPU that it suits, else torch's where it can; :func:`backend_of` says which.

    Returns
    -------
    out : Tensor, shape (B, H, N, E), dtype of `q`
        A query that may look nowhere (a dead row) gets 0, and passes no gradient.
    lse : Tensor, shape (B, H, N)
        Only with `return_lse`; minus infinity for a dead row. float32 at least.

    Raises
    ------
    TypeError
        If an argument is no tensor, or `mask` is not boolean.
    ValueError
        If shapes, dtypes or devices do not fit, an option is out of range, the backend is
        unknown, or one is asked for what it does not have.

    Examples
    --------
    >>> q, k, v = torch.zeros(1, 2, 1, 4), torch.zeros(1, 1, 3, 4), torch.eye(3)[None, None]
    >>> attention(q, k, v, causal=True)  # two heads, one query that sees all three keys
    tensor([[[[0.3333, 0.3333, 0.3333]],
    <BLANKLINE>
             [[0.3333, 0.3333, 0.3333]]]])
    """
    check_inputs(q, k, v, mask, bias, cu_seqlens)
    scale = _scale(scale, q)
    softcap = check_option(softcap, "softcap")
    backend = _choose(backend, q, k, v, _lacking(softcap, return_lse), _masked(mask, bias))
    if backend == "triton":
        out, lse = kernel_attention(
            *(q, k, v),
            causal=causal,
            window=check_window(window),
            softcap=softcap,
            scale=scale,
            cu_seqlens=check_packing(cu_seqlens),
        )
        return (out, lse) if return_lse else out
    n, m = q.shape[2], k.shape[2]
    others = any(x is not None for x in (window, cu_seqlens, mask, bias))
    flag = backend == "torch" and causal and n == m and not others  # torch has a fast path
    seen = visible(
        *(n, m),
        causal=causal and not flag,
        window=window,
        cu_seqlens=cu_seqlens,
        mask=mask,
        device=q.device,
    )  # broadcastable to (B, H, N, M)
    if backend == "torch" and q.numel() and k.numel() and v.numel():
        return torch_attention(q, k, v, scale=scale, causal=flag, seen=seen, bias=bias)
    out, lse = naive_attention(q, k, v, scale=scale, seen=seen, bias=bias, softcap=softcap)
    return (out, lse) if return_lse else out


def backend_of(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    softcap: float | None = None,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    return_lse: bool = False,
) -> str:
    """Return who computes :func:`attention` of these tensors when ``backend="auto"``.

    Parameters
    ----------
    q, k, v, softcap, mask, bias, return_lse
        As in :func:`attention`.

    Returns
    -------
    str
        ``"triton"``, ``"torch"`` or ``"reference"``.

    Examples
    --------
    >>> x = torch.zeros(1, 1, 3, 4)
    >>> backend_of(x, x, x), backend_of(x, x, x, softcap=30.0)
    ('torch', 'reference')
    """
    return _choose("auto", q, k, v, _lacking(softcap, return_lse), _masked(mask, bias))


def attention_weights(
    q: Tensor,
    k: Tensor,
    *,
    causal: bool = False,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    scale: float | None = None,
) -> Tensor:
    """Return the weights that :func:`attention` averages with, for pictures.

    Parameters
    ----------
    q, k, causal, mask, bias, scale
        As in :func:`attention`.

    Returns
    -------
    Tensor, shape (B, H, N, M)
        Each row sums to 1, or is 0 where a query may look nowhere. float32 at least.

    Raises
    ------
    TypeError, ValueError
        As :func:`attention`.

    Examples
    --------
    >>> x = torch.zeros(1, 1, 3, 4)
    >>> attention_weights(x, x, causal=True)[0, 0]
    tensor([[1.0000, 0.0000, 0.0000],
            [0.5000, 0.5000, 0.0000],
            [0.3333, 0.3333, 0.3333]])
    """
    check_queries_and_keys(q, k, mask, bias)
    n, m = q.shape[2], k.shape[2]
    seen = visible(n, m, causal=causal, mask=mask, device=q.device)
    return naive_weights(q, k, scale=_scale(scale, q), seen=seen, bias=bias)[0]


def _scale(scale: float | None, q: Tensor) -> float:
    return q.shape[3] ** -0.5 if scale is None else float(scale)


def _lacking(softcap: float | None, return_lse: bool) -> list[str]:
    """What is asked for that torch's operator does not have."""
    asked = {"softcap": softcap is not None, "return_lse": return_lse}
    return [name for name, wanted in asked.items() if wanted]


def _masked(mask: Tensor | None, bias: Tensor | None) -> list[str]:
    """What is asked for that the kernel does not have."""
    return [name for name, x in (("mask", mask), ("bias", bias)) if x is not None]


def _choose(
    backend: str, q: Tensor, k: Tensor, v: Tensor, lacking: list[str], masked: list[str]
) -> str:
    """Return who computes it, or say why the one asked for cannot."""
    if backend not in BACKENDS:
        raise ValueError(f"backend is {backend!r}; one of {', '.join(map(repr, BACKENDS))} wanted.")
    if backend == "torch" and lacking:
        raise ValueError(
            f"torch's operator has no {' and no '.join(lacking)}. "
            "Use backend='reference', or 'auto' to have it chosen."
        )
    if backend == "triton" and (masked or why_not(q, k, v)):
        reason = f"it has no {' and no '.join(masked)}" if masked else why_not(q, k, v)
        raise ValueError(
            f"The kernel cannot compute this: {reason}. "
            "Use backend='torch' or 'reference', or 'auto' to have it chosen."
        )
    if backend != "auto":
        return backend
    if not masked and preferred(q, k, v):
        return "triton"
    return "reference" if lacking else "torch"
