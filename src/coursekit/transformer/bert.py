"""The encoder-only model: BERT, and the head that fills gaps."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from coursekit.transformer.blocks import Block, make_norm
from coursekit.transformer.config import TransformerConfig
from coursekit.transformer.embeddings import Embeddings
from coursekit.transformer.initialise import normal_weights
from coursekit.transformer.masks import padding_mask
from coursekit.transformer.positions import alibi_bias


class Bert(nn.Module):
    """An encoder: every token sees every token (Devlin et al., 2019).

    Parameters
    ----------
    config : TransformerConfig
        Its shape; ``BERT_BASE`` is the published one.
    pooler : bool, default True
        Whether there is the layer that turns the first token into a sentence's vector.
    generator : torch.Generator, optional
        For the first weights; torch's own by default.

    Examples
    --------
    >>> model = Bert(TransformerConfig(50, d_model=8, n_layers=2, n_heads=2, norm="post"))
    >>> hidden = model(torch.tensor([[7, 3, 9]]))
    >>> hidden.shape, model.pool(hidden).shape
    (torch.Size([1, 3, 8]), torch.Size([1, 8]))
    """

    def __init__(
        self,
        config: TransformerConfig,
        *,
        pooler: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.norm = make_norm(config)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.last_norm = make_norm(config) if config.norm == "pre" else nn.Identity()
        self.pooler = nn.Linear(config.d_model, config.d_model) if pooler else None
        normal_weights(self, n_layers=config.n_layers, generator=generator)

    def forward(
        self, ids: Tensor, *, lengths: Tensor | None = None, segments: Tensor | None = None
    ) -> Tensor:
        """Return the tokens after the last block and its norm, shape (B, N, d_model).

        Parameters
        ----------
        ids : Tensor, int, shape (B, N)
            Tokens.
        lengths : Tensor, int, shape (B,), optional
            True lengths; what lies behind them is padding and is not looked at.
        segments : Tensor, int, shape (B, N), optional
            Which segment each token belongs to; all to the first by default.

        Raises
        ------
        TypeError, ValueError
            If ids or lengths are no token numbers or lengths that fit.
        """
        n = ids.shape[-1]
        mask = None if lengths is None else padding_mask(lengths, n)
        alibi = self.config.positions == "alibi"
        bias = alibi_bias(self.config.n_heads, n, device=ids.device) if alibi else None
        x = self.dropout(self.norm(self.embeddings(ids, segments)))
        for block in self.blocks:
            x = block(x, mask=mask, bias=bias)
        return self.last_norm(x)

    def pool(self, hidden: Tensor) -> Tensor:
        """Return each sentence's vector, shape (B, d_model), from the first token's.

        Raises
        ------
        ValueError
            If the model was built without a pooler.
        """
        if self.pooler is None:
            raise ValueError("this model has no pooler; build it with pooler=True.")
        return torch.tanh(self.pooler(hidden[:, 0]))


class MaskedLanguageModel(nn.Module):
    """BERT with the head that says which token stood behind each mask.

    Parameters
    ----------
    config : TransformerConfig
        The encoder's shape.
    pooler : bool, default False
        Whether the encoder has a pooler.
    generator : torch.Generator, optional
        For the first weights; torch's own by default.

    Examples
    --------
    >>> model = MaskedLanguageModel(TransformerConfig(50, 8, n_layers=2, n_heads=2, norm="post"))
    >>> model(torch.tensor([[7, 3, 9]])).shape
    torch.Size([1, 3, 50])
    """

    def __init__(
        self,
        config: TransformerConfig,
        *,
        pooler: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.bert = Bert(config, pooler=pooler, generator=generator)
        self.transform = nn.Linear(config.d_model, config.d_model)
        self.norm = make_norm(config)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        normal_weights(self.transform, n_layers=1, generator=generator)

    def forward(
        self, ids: Tensor, *, lengths: Tensor | None = None, segments: Tensor | None = None
    ) -> Tensor:
        """Return the logits of each place's token, shape (B, N, V); see :meth:`Bert.forward`."""
        x = self.bert(ids, lengths=lengths, segments=segments)  # (B, N, d_model)
        x = self.norm(gelu(self.transform(x)))
        return x @ self.bert.embeddings.tokens.weight.T + self.bias  # (B, N, V)
