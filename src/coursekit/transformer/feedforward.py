"""The part of a block that works on each token alone, and holds two thirds of its weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn.functional import gelu, relu, silu

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": relu,
    "gelu": gelu,
    "gelu-tanh": partial(gelu, approximate="tanh"),
    "swiglu": silu,
}


class FeedForward(nn.Module):
    r"""Widen, bend, narrow: two linear maps with a non-linearity between them.

    Implements :eq:`eq-transformer-feed-forward`, Vaswani et al. (2017), equation 2, and with
    ``kind="swiglu"`` :eq:`eq-transformer-swiglu`, Shazeer (2020), where a third map gates.

    Parameters
    ----------
    d_model : int
        Width in and out.
    d_ff : int
        Width between: 4 d_model as a rule, about 8/3 d_model for SwiGLU, whose three matrices
        then weigh as much.
    kind : {"relu", "gelu", "gelu-tanh", "swiglu"}
        The 2017 model; BERT; GPT-2, which approximates GELU with a tanh; Llama.
    bias : bool, default True
        Whether the linear maps have biases.

    Raises
    ------
    ValueError
        If `kind` is unknown.

    Examples
    --------
    >>> FeedForward(4, 16, "swiglu")(torch.zeros(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, d_model: int, d_ff: int, kind: str = "relu", *, bias: bool = True) -> None:
        super().__init__()
        if kind not in ACTIVATIONS:
            raise ValueError(
                f"kind is {kind!r}; one of {', '.join(map(repr, ACTIVATIONS))} wanted."
            )
        self.activation = ACTIVATIONS[kind]
        self.up = nn.Linear(d_model, d_ff, bias=bias)
        self.gate = nn.Linear(d_model, d_ff, bias=bias) if kind == "swiglu" else None
        self.down = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the new tokens, shape (..., d_model)."""
        if self.gate is None:
            return self.down(self.activation(self.up(x)))
        return self.down(self.activation(self.gate(x)) * self.up(x))
