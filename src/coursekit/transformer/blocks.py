"""The block that every model here repeats: attention, perhaps cross-attention, feed-forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from coursekit.transformer.config import TransformerConfig
from coursekit.transformer.feedforward import FeedForward
from coursekit.transformer.multihead import MultiHeadAttention
from coursekit.transformer.norms import LayerNorm, RMSNorm


def make_norm(config: TransformerConfig) -> LayerNorm | RMSNorm:
    """Return a norm of the kind that the configuration asks for.

    Examples
    --------
    >>> make_norm(TransformerConfig(9, 4, 1, 1, norm_kind="rms"))
    RMSNorm()
    """
    if config.norm_kind == "rms":
        return RMSNorm(config.d_model, eps=config.eps)
    return LayerNorm(config.d_model, eps=config.eps)


class Block(nn.Module):
    r"""One layer of an encoder, a decoder, or (with `cross`) a decoder that reads an encoder.

    Each part adds to the stream of tokens. With ``norm="post"`` the sum is normalised, Vaswani
    et al. (2017), :eq:`eq-transformer-post-norm`; with ``norm="pre"`` the part's input is, and
    the stream itself runs through untouched, :eq:`eq-transformer-pre-norm`.

    Parameters
    ----------
    config : TransformerConfig
        Its shape.
    cross : bool, default False
        Whether it has cross-attention to a memory.

    Examples
    --------
    >>> block = Block(TransformerConfig(9, 8, n_layers=1, n_heads=2))
    >>> block(torch.zeros(1, 5, 8), causal=True).shape
    torch.Size([1, 5, 8])
    """

    def __init__(self, config: TransformerConfig, *, cross: bool = False) -> None:
        super().__init__()
        c = config
        turning = c.rotary_base if c.positions == "rotary" else None
        self.pre = c.norm == "pre"
        self.dropout = nn.Dropout(c.dropout)
        self.norm1 = make_norm(c)
        self.attention = MultiHeadAttention(
            c.d_model, c.n_heads, c.kv_heads, bias=c.bias, rotary_base=turning
        )
        self.norm_cross = make_norm(c) if cross else None
        self.cross = (
            MultiHeadAttention(c.d_model, c.n_heads, c.kv_heads, bias=c.bias) if cross else None
        )
        feeds = c.feed_forward != "none"
        self.norm2 = make_norm(c) if feeds else None
        self.feed_forward = (
            FeedForward(c.d_model, c.ff_width, c.feed_forward, bias=c.bias) if feeds else None
        )

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        *,
        memory_mask: Tensor | None = None,
        **options: Any,
    ) -> Tensor:
        """Return the tokens after this layer, shape (B, N, d_model).

        Parameters
        ----------
        x : Tensor, shape (B, N, d_model)
            Tokens.
        memory : Tensor, shape (B, M, d_model), optional
            What cross-attention reads: an encoder's output.
        memory_mask : Tensor, bool, broadcastable to (B, H, N, M), optional
            True where the memory may be read.
        **options
            Of the self-attention: `causal`, `mask`, `bias`, `window`, `places`, `cache`.

        Raises
        ------
        ValueError
            If there is cross-attention and no memory, or the other way round.
        """
        if (self.cross is None) != (memory is None):
            raise ValueError(
                "this block has cross-attention and got no memory; pass the encoder's output."
                if memory is None
                else "this block got a memory and has no cross-attention; build it with cross=True."
            )
        x = self._add(x, self.norm1, lambda h: self.attention(h, **options))
        if self.cross is not None:
            cross = self.cross
            x = self._add(x, self.norm_cross, lambda h: cross(h, memory, mask=memory_mask))
        if self.feed_forward is not None:
            x = self._add(x, self.norm2, self.feed_forward)
        return x

    def _add(self, x: Tensor, norm: Any, part: Callable[[Tensor], Tensor]) -> Tensor:
        """Add a part's output to the stream, normalising before or after."""
        if self.pre:
            return x + self.dropout(part(norm(x)))
        return norm(x + self.dropout(part(x)))
