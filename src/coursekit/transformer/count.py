"""How many numbers a model holds, and how many operations it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from coursekit.transformer.config import TransformerConfig


def num_parameters(model: nn.Module) -> int:
    """Return how many numbers a model learns, each once, shared ones too.

    Examples
    --------
    >>> num_parameters(nn.Linear(3, 2))
    8
    """
    return sum(p.numel() for p in model.parameters())


def skeleton(
    build: Callable[[TransformerConfig], nn.Module], config: TransformerConfig
) -> nn.Module:
    """Return a model of the right shapes without the memory: on torch's meta device.

    Parameters
    ----------
    build : callable
        The class, such as :class:`~coursekit.transformer.GPT`.
    config : TransformerConfig
        Its shape.

    Examples
    --------
    >>> from coursekit.transformer import GPT, LLAMA_3_8B
    >>> num_parameters(skeleton(GPT, LLAMA_3_8B))
    8030261248
    """
    with torch.device("meta"):
        return build(config)


def parameters_by_part(config: TransformerConfig) -> dict[str, int]:
    r"""Return a decoder-only model's parameters by formula, part by part.

    Implements :eq:`eq-transformer-parameters`. A layer's matrices hold :math:`12d^2` numbers with
    the usual widths: :math:`4d^2` in attention and :math:`8d^2` in the feed-forward part.

    Parameters
    ----------
    config : TransformerConfig
        The shape of a :class:`~coursekit.transformer.GPT`.

    Returns
    -------
    dict
        ``embeddings``, ``attention``, ``feed-forward``, ``norms`` and ``head``.

    Examples
    --------
    >>> from coursekit.transformer import GPT2
    >>> parameters_by_part(GPT2)["attention"] / 12 / 768**2  # four matrices, and their biases
    4.005208333333333
    """
    c, d, L = config, config.d_model, config.n_layers
    kv = c.kv_heads * c.d_head
    bias = int(c.bias)
    feeds = c.feed_forward != "none"
    gated = c.feed_forward == "swiglu"
    tables = c.vocab_size + c.segments + (c.max_len if c.positions == "learned" else 0)
    norms = L * (1 + feeds) + (c.norm == "pre")
    return {
        "embeddings": tables * d,
        "attention": L * (2 * d * d + 2 * d * kv + bias * (2 * d + 2 * kv)),
        "feed-forward": feeds
        * L
        * ((2 + gated) * d * c.ff_width + bias * ((1 + gated) * c.ff_width + d)),
        "norms": norms * d * (1 if c.norm_kind == "rms" else 2),
        "head": 0 if c.tied else c.vocab_size * d,
    }


def flops(config: TransformerConfig, n: int, *, batch: int = 1) -> dict[str, int]:
    r"""Return the operations of a decoder-only model's forward pass, part by part.

    Implements :eq:`eq-transformer-flops`. Matrix products only, where a multiplication with its
    addition counts as two; what a causal mask hides is computed and counted, as in plain
    attention.

    Parameters
    ----------
    config : TransformerConfig
        The shape of a :class:`~coursekit.transformer.GPT`.
    n : int
        Tokens in a sequence.
    batch : int, default 1
        Sequences.

    Returns
    -------
    dict
        ``projections`` (of attention, n d²), ``scores`` (and the average, n² d),
        ``feed-forward`` (n d²) and ``head``.

    Examples
    --------
    >>> from coursekit.transformer import GPT2
    >>> round(sum(flops(GPT2, 1024).values()) / 1e9)  # in billions
    292
    """
    c, d, L, tokens = config, config.d_model, config.n_layers, batch * n
    kv = c.kv_heads * c.d_head
    matrices = {"none": 0, "swiglu": 3}.get(c.feed_forward, 2)
    return {
        "projections": L * 2 * tokens * (2 * d * d + 2 * d * kv),
        "scores": L * 4 * tokens * n * d,
        "feed-forward": L * 2 * tokens * matrices * d * c.ff_width,
        "head": 2 * tokens * d * c.vocab_size,
    }


def measured_flops(call: Callable[..., Any], *args: Any, **options: Any) -> int:
    """Return the operations of one call, counted by torch as they happen.

    torch's attention is made to go through plain matrix products meanwhile, since its fused CPU
    kernel is not among those that torch counts.

    Parameters
    ----------
    call : callable
        A model or function.
    *args, **options
        What it is called with.

    Returns
    -------
    int
        Of matrix products, two for a multiplication with its addition.

    Examples
    --------
    >>> measured_flops(torch.matmul, torch.zeros(2, 3), torch.zeros(3, 4))
    48
    """
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        call(*args, **options)
    return int(counter.get_total_flops())


def recurrent_flops(n: int, d: int, *, gates: int = 1) -> int:
    r"""Return the operations of one recurrent layer: two d x d matrices a gate at every step.

    Parameters
    ----------
    n : int
        Steps.
    d : int
        Width of input and state.
    gates : int, default 1
        1 for the plain network, 3 for a GRU, 4 for an LSTM.

    Examples
    --------
    >>> recurrent_flops(10, 100, gates=4)
    1600000
    """
    return n * gates * 2 * (2 * d * d)
