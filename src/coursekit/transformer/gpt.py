"""The decoder-only model: GPT-2, and Llama by configuration."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coursekit.transformer.blocks import Block, make_norm
from coursekit.transformer.config import TransformerConfig
from coursekit.transformer.embeddings import Embeddings
from coursekit.transformer.initialise import normal_weights
from coursekit.transformer.masks import padding_mask, prefix_mask
from coursekit.transformer.positions import alibi_bias


class GPT(nn.Module):
    """A language model: tokens in, logits of each next token out.

    With a `prefix` the first tokens see each other both ways and the same weights are encoder and
    decoder at once.

    Parameters
    ----------
    config : TransformerConfig
        Its shape; ``GPT2`` and others are published ones.
    generator : torch.Generator, optional
        For the first weights; torch's own by default.

    Examples
    --------
    >>> model = GPT(TransformerConfig(vocab_size=50, d_model=8, n_layers=2, n_heads=2))
    >>> model(torch.tensor([[7, 3, 9]])).shape
    torch.Size([1, 3, 50])
    """

    def __init__(
        self, config: TransformerConfig, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.norm = make_norm(config) if config.norm == "pre" else nn.Identity()
        tied = config.tied
        self.head = None if tied else nn.Linear(config.d_model, config.vocab_size, bias=False)
        normal_weights(self, n_layers=config.n_layers, generator=generator)

    def forward(
        self, ids: Tensor, *, prefix: Tensor | None = None, lengths: Tensor | None = None
    ) -> Tensor:
        """Return the logits, shape (B, N, V).

        Parameters
        ----------
        ids : Tensor, int, shape (B, N)
            Tokens.
        prefix : Tensor, int, shape (B,), optional
            How many of the first tokens see each other both ways.
        lengths : Tensor, int, shape (B,), optional
            True lengths, where there is padding. Padding is on the right, where causal masks hide
            it from the tokens before it; only a prefix needs this.

        Raises
        ------
        TypeError, ValueError
            If ids, prefix or lengths are no token numbers or lengths that fit.
        """
        return self.read_out(self.hidden(ids, prefix=prefix, lengths=lengths))  # (B, N, V)

    def read_out(self, x: Tensor) -> Tensor:
        """Return the logits, shape (..., V), of tokens after the last norm, (..., d_model)."""
        table = self.embeddings.tokens.weight if self.head is None else self.head.weight
        return x @ table.T  # (..., V)

    def hidden(
        self, ids: Tensor, *, prefix: Tensor | None = None, lengths: Tensor | None = None
    ) -> Tensor:
        """Return the tokens after the last norm, shape (B, N, d_model); see :meth:`forward`."""
        n = ids.shape[-1]
        mask = None if prefix is None else prefix_mask(prefix, n)  # (B, 1, N, N)
        if lengths is not None:
            seen = padding_mask(lengths, n)  # (B, 1, 1, N)
            mask = seen if mask is None else mask & seen
        alibi = self.config.positions == "alibi"
        bias = alibi_bias(self.config.n_heads, n, device=ids.device) if alibi else None
        x = self.dropout(self.embeddings(ids))
        for block in self.blocks:
            x = block(x, causal=prefix is None, mask=mask, bias=bias)
        return self.norm(x)
