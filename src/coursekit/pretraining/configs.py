"""Two kinds of decoder, and the loss that either starts from."""

from __future__ import annotations

import math

from torch import nn

from coursekit._validate import count
from coursekit.transformer import GPT, LayerNorm, RMSNorm, TransformerConfig

WIDEN = 8 / 3
"""Width inside SwiGLU over the width of the model: three matrices weigh what two of 4 d weigh."""


def gpt2_config(
    vocab_size: int,
    *,
    d_model: int = 128,
    n_layers: int = 4,
    n_heads: int = 4,
    max_len: int = 256,
    dropout: float = 0.0,
    feed_forward: str = "gelu-tanh",
) -> TransformerConfig:
    """Return a small model of GPT-2's kind (Radford et al., 2019).

    Learned positions, LayerNorm before each part, GELU, biases, and an output layer that is the
    embedding table.

    Parameters
    ----------
    vocab_size : int
        Tokens, V.
    d_model, n_layers, n_heads : int
        Width, blocks, heads.
    max_len : int
        Longest sequence: it has so many position vectors.
    dropout : float
        Share dropped in training.
    feed_forward : {"gelu-tanh", "gelu"}
        GPT-2's approximation of GELU, or GELU itself, which the CPU computes faster.

    Returns
    -------
    TransformerConfig

    Examples
    --------
    >>> from coursekit.transformer import GPT2
    >>> gpt2_config(50_257, d_model=768, n_layers=12, n_heads=12, max_len=1024) == GPT2
    True
    """
    return TransformerConfig(
        *(vocab_size, d_model, n_layers, n_heads),
        max_len=max_len,
        feed_forward=feed_forward,
        dropout=dropout,
    )


def llama_config(
    vocab_size: int,
    *,
    d_model: int = 128,
    n_layers: int = 4,
    n_heads: int = 4,
    n_kv_heads: int | None = None,
    max_len: int = 256,
    dropout: float = 0.0,
    tied: bool = True,
) -> TransformerConfig:
    """Return a small model of Llama's kind (Touvron et al., 2023).

    Rotary positions, RMSNorm before each part, SwiGLU, no biases. Llama's output layer is a table
    of its own; a small model does better to share the embeddings, which is the default here.

    Parameters
    ----------
    vocab_size, d_model, n_layers, n_heads, dropout
        As in :func:`gpt2_config`.
    n_kv_heads : int, optional
        Heads of keys and values, `n_heads` by default.
    max_len : int
        Longest sequence that it is made for; rotary positions know no bound.
    tied : bool
        Whether the output layer is the embedding table.

    Returns
    -------
    TransformerConfig
        Inside the feed-forward part 8/3 of the width, rounded up to a multiple of 8.

    Examples
    --------
    >>> config = llama_config(1000, d_model=96)
    >>> config.ff_width, config.bias, config.positions
    (256, False, 'rotary')
    """
    return TransformerConfig(
        vocab_size,
        d_model,
        n_layers,
        n_heads,
        n_kv_heads=n_kv_heads,
        d_ff=8 * math.ceil(WIDEN * d_model / 8),
        max_len=max_len,
        positions="rotary",
        norm_kind="rms",
        feed_forward="swiglu",
        bias=False,
        tied=tied,
        dropout=dropout,
    )


def expected_initial_loss(vocab_size: int) -> float:
    r"""Return the loss of a model that finds all tokens equally likely: ln V nats.

    Implements :eq:`eq-pretraining-initial-loss`. Weights drawn 0.02 wide give logits near 0, so a
    loss at step 0 that is far from this tells of a mistake. With a tied table the token just seen
    has a logit near 0.02 d by itself, which adds a few hundredths where V is small.

    Parameters
    ----------
    vocab_size : int
        V.

    Examples
    --------
    >>> round(expected_initial_loss(50_257), 2)
    10.82
    """
    return math.log(count(vocab_size, "vocab_size"))


def quick_norms(model: GPT) -> GPT:
    """Put torch's norms in the place of those that chapter 04 writes out.

    They compute the same in one pass over the memory. Parameters and their names stay, so that
    weights can be loaded either way.

    Parameters
    ----------
    model : GPT
        Changed in place.

    Returns
    -------
    GPT
        The same model.

    Examples
    --------
    >>> model = quick_norms(GPT(gpt2_config(50, d_model=8, n_layers=1, n_heads=2)))
    >>> type(model.norm)
    <class 'torch.nn.modules.normalization.LayerNorm'>
    """
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LayerNorm | RMSNorm):
                kind = nn.LayerNorm if isinstance(child, LayerNorm) else nn.RMSNorm
                w = child.weight
                quick = kind(len(w), eps=child.eps, device=w.device, dtype=w.dtype)
                quick.load_state_dict(child.state_dict())
                setattr(parent, name, quick)
    return model
