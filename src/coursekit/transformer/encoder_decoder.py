"""The Transformer of 2017: an encoder that reads, a decoder that writes and looks back at it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from coursekit.transformer.blocks import Block, make_norm
from coursekit.transformer.config import TransformerConfig
from coursekit.transformer.embeddings import Embeddings
from coursekit.transformer.initialise import xavier_weights

PAD = 0
"""The token that fills a batch up, as in :mod:`coursekit.seq2seq`."""


class Memory(NamedTuple):
    """What the encoder leaves for the decoder.

    Attributes
    ----------
    states : Tensor, shape (B, M, d_model)
        A vector for each source token.
    mask : Tensor, bool, shape (B, 1, 1, M)
        True where there is a token and no padding.
    """

    states: Tensor
    mask: Tensor


class EncoderDecoder(nn.Module):
    """Sequence to sequence (Vaswani et al., 2017).

    Padding in the source, token 0, is never looked at. `encode` and `decode` are what the searches
    of :mod:`coursekit.seq2seq` call.

    Parameters
    ----------
    config : TransformerConfig
        Its shape; `vocab_size` is the target's. Positions are added: ``"sinusoidal"`` (2017),
        ``"learned"``, or ``"none"``.
    source_vocab_size : int, optional
        The source's vocabulary; by default both languages share one table, as in 2017.
    generator : torch.Generator, optional
        For the first weights; torch's own by default.

    Raises
    ------
    ValueError
        If the positions are rotary or ALiBi, which cross-attention has no distance for.

    Examples
    --------
    >>> config = TransformerConfig(50, 8, n_layers=2, n_heads=2, positions="sinusoidal")
    >>> model = EncoderDecoder(config, source_vocab_size=40)
    >>> model(torch.tensor([[7, 3, 9]]), torch.tensor([[1, 5]])).shape
    torch.Size([1, 2, 50])
    """

    def __init__(
        self,
        config: TransformerConfig,
        *,
        source_vocab_size: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if config.positions in ("rotary", "alibi"):
            raise ValueError(
                f"positions is {config.positions!r}, and an encoder-decoder adds its positions; "
                "'sinusoidal', 'learned' or 'none' wanted."
            )
        self.config = config
        self.target = Embeddings(config, scaled=True)
        self.source = self._source(source_vocab_size)
        self.encoder = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.decoder = nn.ModuleList(Block(config, cross=True) for _ in range(config.n_layers))
        pre = config.norm == "pre"  # the stream is then normalised once more at its end
        self.encoder_norm = make_norm(config) if pre else nn.Identity()
        self.decoder_norm = make_norm(config) if pre else nn.Identity()
        tied = config.tied
        self.head = None if tied else nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        xavier_weights(self, generator=generator)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the logits of each next target token, shape (B, N, V).

        Parameters
        ----------
        source : Tensor, int, shape (B, M)
            What is read, 0 where it is padded.
        target : Tensor, int, shape (B, N)
            What is written so far, first the token that begins a sentence.

        Raises
        ------
        TypeError, ValueError
            If the ids are no token numbers of two axes.
        """
        return self.decode(self.encode(source), target)

    def encode(self, source: Tensor) -> Memory:
        """Return the memory of `source`, int, shape (B, M).

        A source that is all padding leaves nothing to look at: attention to it gives 0.
        """
        x = self.dropout(self.source(source))
        mask = (source != PAD)[:, None, None, :]  # (B, 1, 1, M)
        for block in self.encoder:
            x = block(x, mask=mask)
        return Memory(self.encoder_norm(x), mask)

    def decode(self, memory: Memory, target: Tensor) -> Tensor:
        """Return the logits, shape (B, N, V), of `target`, int, shape (B, N)."""
        x = self.dropout(self.target(target))
        for block in self.decoder:
            x = block(x, memory.states, memory_mask=memory.mask, causal=True)
        table = self.target.tokens.weight if self.head is None else self.head.weight
        return self.decoder_norm(x) @ table.T  # (B, N, V)

    def _source(self, vocab_size: int | None) -> Embeddings:
        if vocab_size is None:
            return self.target
        return Embeddings(replace(self.config, vocab_size=vocab_size), scaled=True)
