"""A language model of pixels: the image is a sequence of 64 words out of 17, read row by row.

The model is chapter 04's decoder, with a vocabulary of grey levels and, as the word that begins a
sequence, the digit's label or "no label".
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coursekit.generative.digits import LEVELS, NO_LABEL, PIXELS, check_levels
from coursekit.pretraining.cache import KeyValueCache, cached_hidden
from coursekit.transformer.config import TransformerConfig
from coursekit.transformer.gpt import GPT


class PixelGPT(nn.Module):
    """A decoder that foretells each grey level from those before it.

    Parameters
    ----------
    width, layers, heads : int
        Of the decoder.
    generator : torch.Generator, optional
        Draws the weights.

    Examples
    --------
    >>> model = PixelGPT(16, 1, 2, generator=torch.Generator().manual_seed(0))
    >>> model(torch.zeros(3, 64, dtype=torch.long)).shape
    torch.Size([3, 64, 17])
    """

    def __init__(
        self,
        width: int = 48,
        layers: int = 2,
        heads: int = 4,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        config = TransformerConfig(
            LEVELS + NO_LABEL + 1, width, n_layers=layers, n_heads=heads, max_len=PIXELS
        )
        with torch.random.fork_rng(devices=[]):  # layers draw from torch's own generator first
            self.gpt = GPT(config, generator=generator)

    def forward(self, levels: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return logits (B, N, 17) of each of N levels (B, N) given those before it."""
        if labels is None:
            labels = torch.full((len(levels),), NO_LABEL)
        words = torch.cat([LEVELS + labels[:, None], levels[:, :-1]], dim=1)  # (B, N)
        return self.gpt(words)[..., :LEVELS]


def pixel_log_likelihood(model: PixelGPT, levels: Tensor, labels: Tensor | None = None) -> Tensor:
    r"""Return log p(image): the log-probabilities of its pixels, each given those before, summed.

    Implements :eq:`eq-generative-autoregressive`. It is exact, and of grey levels, so that nothing
    is dequantised.

    Parameters
    ----------
    model : PixelGPT
    levels : Tensor of int64, shape (B, 64)
        0 to 16.
    labels : Tensor of int64, shape (B,), optional
        What the images show.

    Returns
    -------
    Tensor, shape (B,)
        In nats.

    Raises
    ------
    ValueError
        If the shape is not (B, 64) or a level is outside 0 … 16.

    Examples
    --------
    >>> model = PixelGPT(16, 1, 2, generator=torch.Generator().manual_seed(0))
    >>> pixel_log_likelihood(model, torch.zeros(3, 64, dtype=torch.long)).shape
    torch.Size([3])
    """
    if levels.ndim != 2 or levels.shape[1] != PIXELS:
        raise ValueError(f"levels has shape {tuple(levels.shape)}; (B, {PIXELS}) wanted.")
    check_levels(levels)
    log_p = model(levels, labels).log_softmax(-1)  # (B, 64, 17)
    return log_p.gather(-1, levels[..., None])[..., 0].sum(-1)


def pixel_loss(model: PixelGPT, levels: Tensor, labels: Tensor | None = None) -> Tensor:
    """Return the mean of -log p(pixel | those before) in nats, chapter 06's loss.

    Parameters
    ----------
    model, levels, labels
        As for :func:`pixel_log_likelihood`.

    Returns
    -------
    Tensor, one number

    Examples
    --------
    >>> model = PixelGPT(16, 1, 2, generator=torch.Generator().manual_seed(0))
    >>> 2.5 < float(pixel_loss(model, torch.zeros(3, 64, dtype=torch.long))) < 3.2  # log 17 = 2.83
    True
    """
    return -pixel_log_likelihood(model, levels, labels).mean() / PIXELS


@torch.no_grad()
def sample_pixels(
    model: PixelGPT,
    n: int,
    generator: torch.Generator,
    labels: Tensor | None = None,
    temperature: float = 1.0,
) -> Tensor:
    """Return images written pixel by pixel, with chapter 06's cache of keys and values.

    Parameters
    ----------
    model : PixelGPT
    n : int
        How many images.
    generator : torch.Generator
        Draws the pixels.
    labels : Tensor of int64, shape (n,), optional
        What they shall show.
    temperature : float
        1 for the model's own probabilities, below 1 for the likelier levels more often.

    Returns
    -------
    Tensor of int64, shape (n, 64)
        Grey levels.

    Raises
    ------
    ValueError
        If the temperature is not above 0.

    Examples
    --------
    >>> model = PixelGPT(16, 1, 2, generator=torch.Generator().manual_seed(0))
    >>> sample_pixels(model, 2, torch.Generator().manual_seed(0)).shape
    torch.Size([2, 64])
    """
    if temperature <= 0:
        raise ValueError(f"temperature is {temperature}; more than 0 wanted.")
    labels = torch.full((n,), NO_LABEL) if labels is None else labels
    cache = KeyValueCache.like(model.gpt, n)
    table = model.gpt.embeddings.tokens.weight[:LEVELS]  # (17, d_model)
    word, pixels = LEVELS + labels, []
    for _ in range(PIXELS):
        hidden = cached_hidden(model.gpt, word[:, None], cache)[:, 0]  # (n, d_model)
        chances = (hidden @ table.T / temperature).softmax(-1)  # (n, 17)
        word = torch.multinomial(chances, 1, generator=generator)[:, 0]
        pixels.append(word)
    return torch.stack(pixels, dim=1)  # (n, 64)
