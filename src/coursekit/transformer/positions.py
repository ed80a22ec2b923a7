"""Where a token stands: four ways to tell attention, which by itself is blind to order."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

BASE = 10_000.0


def sinusoidal(n: int, d_model: int, *, base: float = BASE) -> Tensor:
    r"""Return the position vectors of the 2017 Transformer.

    Implements :eq:`eq-transformer-sinusoidal`, Vaswani et al. (2017), section 3.5: a sine and a
    cosine for each of d_model / 2 wavelengths, from :math:`2\pi` to :math:`10000\cdot 2\pi`.
    Moving by k places turns each pair by a fixed angle, :eq:`eq-transformer-shift`.

    Parameters
    ----------
    n : int
        Positions 0 … n - 1.
    d_model : int
        Width, even.
    base : float, default 10 000
        Ratio of the longest wavelength to the shortest, nearly.

    Returns
    -------
    Tensor, shape (n, d_model)
        Sine at the even places, cosine at the odd ones.

    Raises
    ------
    ValueError
        If `d_model` is odd.

    Examples
    --------
    >>> sinusoidal(2, 4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.0100, 0.9999]])
    """
    angle = _angles(torch.arange(n), d_model, base)  # (n, d_model / 2)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2).float()  # (n, d_model)


class LearnedPositions(nn.Module):
    """One learned vector for each position, as in BERT and GPT-2.

    Parameters
    ----------
    max_len : int
        Positions it knows.
    d_model : int
        Width.

    Examples
    --------
    >>> LearnedPositions(8, 4)(3).shape
    torch.Size([3, 4])
    """

    def __init__(self, max_len: int, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(max_len, d_model))

    def forward(self, n: int, start: int = 0) -> Tensor:
        """Return the vectors of positions start … start + n - 1, shape (n, d_model).

        Raises
        ------
        ValueError
            If a position is beyond `max_len`.
        """
        self._check(start + n)
        return self.weight[start : start + n]

    def at(self, places: Tensor) -> Tensor:
        """Return the vectors of these places, shape (B, N, d_model) for `places` (B, N).

        Raises
        ------
        ValueError
            If a place is beyond `max_len`.
        """
        self._check(int(places.max()) + 1 if places.numel() else 0)
        return self.weight[places]

    def _check(self, n: int) -> None:
        if n > len(self.weight):
            raise ValueError(
                f"the sequence has {n} tokens and the model knows {len(self.weight)} "
                "positions. Cut the sequence, or build the model with a larger max_len."
            )


def rotary(
    x: Tensor,
    positions: Tensor | None = None,
    *,
    base: float = BASE,
    interleaved: bool = False,
) -> Tensor:
    r"""Turn each pair of numbers in a query or key by an angle that grows with its position.

    Implements :eq:`eq-transformer-rotary`, Su et al. (2021), "RoFormer". The pair is one complex
    number; at position m it is multiplied by :math:`e^{im\theta}`. A score then depends on the
    positions through their difference only.

    Parameters
    ----------
    x : Tensor, shape (..., N, D)
        Queries or keys; D even.
    positions : Tensor, int, shape (N,) or broadcastable to (..., N), optional
        0 … N - 1 by default.
    base : float, default 10 000
        Llama 3 takes 500 000.
    interleaved : bool, default False
        Which numbers make a pair: i and i + D/2 (the published Llama weights of the
        `transformers` layout), or 2i and 2i + 1 (the paper).

    Returns
    -------
    Tensor, shape of `x`

    Raises
    ------
    ValueError
        If D is odd.

    Examples
    --------
    >>> rotary(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))  # one radian a place
    tensor([[1.0000, 0.0000],
            [0.5403, 0.8415]])
    """
    N, D = x.shape[-2:]
    if positions is None:
        positions = torch.arange(N, device=x.device)
    angle = _angles(positions, D, base)  # (..., N, D / 2)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    if interleaved:
        a, b = x[..., 0::2], x[..., 1::2]  # (..., N, D / 2)
        return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)
    a, b = x.chunk(2, dim=-1)  # (..., N, D / 2)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)  # (..., N, D)


def alibi_slopes(n_heads: int) -> Tensor:
    """Return how fast each head forgets, shape (H,).

    For H a power of two a geometric series from 2^(-8/H) down to 2^-8; else that of the next
    lower power, filled up with every second slope of the next higher one (Press et al., 2022,
    and their code).

    Examples
    --------
    >>> alibi_slopes(4)
    tensor([0.2500, 0.0625, 0.0156, 0.0039])
    """
    lower = 2 ** int(math.log2(n_heads))
    slopes = [2 ** (-8 * i / lower) for i in range(1, lower + 1)]
    between = [2 ** (-8 * i / (2 * lower)) for i in range(1, 2 * lower + 1, 2)]
    return torch.tensor(slopes + between[: n_heads - lower])


def alibi_bias(
    n_heads: int, n: int, m: int | None = None, *, device: torch.device | None = None
) -> Tensor:
    """Return what ALiBi adds to the scores: minus slope times distance.

    Implements :eq:`eq-transformer-alibi`, Press, Smith and Lewis (2022). The last query stands
    beside the last key, as in :func:`coursekit.attention.causal_mask`.

    Parameters
    ----------
    n_heads : int
        H.
    n, m : int
        Queries, and keys (as many by default).
    device : torch.device, optional
        Where the bias lies.

    Returns
    -------
    Tensor, shape (H, N, M)
        For `attention(..., bias=...)`.

    Examples
    --------
    >>> alibi_bias(1, 3) * 256  # one head has the slope 1/256
    tensor([[[-0., -1., -2.],
             [-1., -0., -1.],
             [-2., -1., -0.]]])
    """
    m = n if m is None else m
    i = torch.arange(n, device=device)[:, None] + (m - n)  # (N, 1)
    distance = (i - torch.arange(m, device=device)).abs()  # (N, M)
    return -alibi_slopes(n_heads).to(device)[:, None, None] * distance  # (H, N, M)


def _angles(positions: Tensor, width: int, base: float) -> Tensor:
    """Return position / base^(2i / width), (..., N, width / 2), in float64: angles grow large."""
    if width % 2:
        raise ValueError(f"the width is {width}; an even one wanted, since numbers go in pairs.")
    device = positions.device
    wide = torch.float32 if device.type == "mps" else torch.float64  # Apple's has no float64
    powers = torch.arange(0, width, 2, device=device, dtype=wide) / width
    return positions.to(wide)[..., None] / base**powers
