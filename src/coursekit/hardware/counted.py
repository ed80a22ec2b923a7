"""The same work counted: what torch does when the course's own model runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from coursekit.attention import attention
from coursekit.hardware.intensity import Work
from coursekit.transformer.blocks import Block

aten = torch.ops.aten
FACTORS = {aten.mm: (0, 1), aten.bmm: (0, 1), aten.addmm: (1, 2), aten.baddbmm: (1, 2)}
"""Matrix products, and which of their arguments are the factors."""


class _Products(TorchDispatchMode):
    """Adds up the matrix products that run under it."""

    def __init__(self, itemsize: float) -> None:
        super().__init__()
        self.itemsize, self.work = itemsize, Work(0, 0)

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = function(*args, **(kwargs or {}))
        if function.overloadpacket in FACTORS:
            a, b = (args[i] for i in FACTORS[function.overloadpacket])
            numbers = sum(map(_distinct, (a, b, out)))
            self.work += Work(2 * out.numel() * a.shape[-1], self.itemsize * numbers)
        return out


def _distinct(x: Tensor) -> int:
    """Numbers in memory: an axis that is only repeated (stride 0) is stored once."""
    sizes = [n for n, stride in zip(x.shape, x.stride(), strict=True) if stride]
    return int(torch.Size(sizes).numel())


def counted(call: Callable[..., Any], *args: Any, itemsize: float = 2, **options: Any) -> Work:
    """Return the work of the matrix products in a call, as they happen.

    Each product counts its two factors and its result, once. What only touches single numbers
    (norms, activations, softmax) is left out, as in the formulas.

    Parameters
    ----------
    call : callable
        A model, a layer, a function.
    *args, **options
        What it is called with; if the result needs gradients, :func:`counted_training` counts the
        way back too.
    itemsize : float, default 2
        Bytes to count for a number, whatever the model computes in.

    Examples
    --------
    >>> counted(torch.matmul, torch.zeros(2, 3), torch.zeros(3, 4))
    Work(operations=48, moved=52)
    """
    with _Products(itemsize) as products, sdpa_kernel(SDPBackend.MATH):
        call(*args, **options)
    return products.work


def counted_training(
    call: Callable[..., Any], x: Tensor, *, itemsize: float = 2, **options: Any
) -> Work:
    """Return the work of a call forwards and backwards.

    Parameters
    ----------
    call : callable
        A layer whose result is a tensor.
    x : Tensor
        Its input, which gets a gradient too: inside a model it has one.
    itemsize, **options
        As in :func:`counted`.
    """

    def both() -> None:
        out = call(x.detach().requires_grad_(), **options)
        out.backward(torch.ones_like(out))

    return counted(both, itemsize=itemsize)


def decode_step(block: Block, x: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Run one block on a new token, with the keys and values of those before in a cache.

    Queries that share a head of keys go through one product together, as rows, so that each head
    of keys is read once.

    Parameters
    ----------
    block : Block
        Pre-norm, without rotary positions.
    x : Tensor, shape (B, 1, d_model)
        The new token of each sequence.
    k, v : Tensor, shape (B, G, N - 1, D)
        The cache.

    Returns
    -------
    tuple of Tensor
        The token after this layer, (B, 1, d_model), and the cache grown by it, (B, G, N, D).

    Raises
    ------
    ValueError
        If the block is post-norm or turns its queries.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> block, none = Block(TransformerConfig(9, 8, 1, 2)), torch.zeros(1, 2, 0, 4)
    >>> decode_step(block, torch.zeros(1, 1, 8), none, none)[1].shape
    torch.Size([1, 2, 1, 4])
    """
    layer = block.attention
    if not block.pre or layer.rotary_base is not None:
        raise ValueError("this decode step is for pre-norm blocks without rotary positions.")
    h = block.norm1(x)
    q, k_new = layer.queries_and_keys(h, h)
    v_new = layer.value(h).unflatten(2, (-1, layer.d_head)).transpose(1, 2)  # (B, G, 1, D)
    k, v = torch.cat([k, k_new], 2), torch.cat([v, v_new], 2)  # (B, G, N, D)
    heads = attention(q.reshape(len(q), len(k[0]), -1, layer.d_head), k, v)  # (B, G, H/G, D)
    x = x + layer.out(heads.reshape(x.shape))
    if block.feed_forward is not None and block.norm2 is not None:
        x = x + block.feed_forward(block.norm2(x))
    return x, k, v
