"""From token numbers to vectors that know their place."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coursekit.transformer.config import TransformerConfig
from coursekit.transformer.positions import LearnedPositions, sinusoidal


class Embeddings(nn.Module):
    """Token vectors, plus position vectors and segment vectors where the model has them.

    Rotary positions and ALiBi act inside attention and add nothing here.

    Parameters
    ----------
    config : TransformerConfig
        The model's shape.
    scaled : bool, default False
        Whether token vectors are multiplied by sqrt(d_model), as in 2017.

    Examples
    --------
    >>> Embeddings(TransformerConfig(10, 4, 1, 1))(torch.tensor([[3, 1]])).shape
    torch.Size([1, 2, 4])
    """

    def __init__(self, config: TransformerConfig, *, scaled: bool = False) -> None:
        super().__init__()
        self.kind, self.factor = config.positions, config.d_model**0.5 if scaled else 1.0
        self.tokens = nn.Embedding(config.vocab_size, config.d_model)
        learned = config.positions == "learned"
        self.positions = LearnedPositions(config.max_len, config.d_model) if learned else None
        self.segments = nn.Embedding(config.segments, config.d_model) if config.segments else None

    def forward(
        self, ids: Tensor, segments: Tensor | None = None, *, places: Tensor | None = None
    ) -> Tensor:
        """Return the vectors, shape (B, N, d_model), of `ids`, shape (B, N).

        Each row's tokens stand at `places`, shape (B, N); at 0 … N - 1 by default.

        Raises
        ------
        TypeError, ValueError
            If `ids` are not whole numbers of two axes, or a token is not in the vocabulary.
        """
        check_ids(ids, self.tokens.num_embeddings)
        n = ids.shape[1]
        x = self.tokens(ids) * self.factor  # (B, N, d_model)
        if self.positions is not None:
            x = x + (self.positions(n) if places is None else self.positions.at(places))
        elif self.kind == "sinusoidal":
            far = n if places is None else int(places.max()) + 1
            table = sinusoidal(far, x.shape[2]).to(x)  # (far, d_model)
            x = x + (table if places is None else table[places])
        if self.segments is not None:
            segments = torch.zeros_like(ids) if segments is None else segments
            check_ids(segments, self.segments.num_embeddings, "segments")
            x = x + self.segments(segments)
        return x


def check_ids(ids: Tensor, vocab_size: int, name: str = "ids") -> None:
    """Refuse what is no batch of token numbers below `vocab_size`.

    Raises
    ------
    TypeError
        If they are not whole numbers.
    ValueError
        If there are not two axes, or a number is out of range.

    Examples
    --------
    >>> check_ids(torch.tensor([[5, 12]]), 10)
    Traceback (most recent call last):
    ValueError: ids has the token 12; with a vocabulary of 10, tokens run from 0 to 9.
    """
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError(f"{name} is {ids.dtype}; whole numbers wanted, one for each token.")
    if ids.ndim != 2:
        raise ValueError(
            f"{name} has shape {tuple(ids.shape)}; (batch, tokens) wanted. "
            f"For one sequence: {name}[None]."
        )
    if ids.is_meta or ids.numel() == 0:
        return
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= vocab_size:
        raise ValueError(
            f"{name} has the token {low if low < 0 else high}; with a vocabulary of {vocab_size}, "
            f"tokens run from 0 to {vocab_size - 1}."
        )
