"""Who looks where in a whole model: the weights of every head, for pictures and scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.transformer.multihead import MultiHeadAttention


@torch.no_grad()
def attention_maps(model: nn.Module, *inputs: Any, **options: Any) -> dict[str, Tensor]:
    """Run a model and return what each of its attention layers looked at.

    Parameters
    ----------
    model : nn.Module
        Any model made of :class:`~coursekit.transformer.MultiHeadAttention`.
    *inputs, **options
        What the model is called with.

    Returns
    -------
    dict of str to Tensor
        For each layer, by its name in the model and in order, weights of shape (B, H, N, M).

    Examples
    --------
    >>> layer = MultiHeadAttention(4, n_heads=2)
    >>> attention_maps(nn.Sequential(layer), torch.zeros(1, 3, 4))["0"].shape
    torch.Size([1, 2, 3, 3])
    """
    maps: dict[str, Tensor] = {}

    def record(name: str) -> Callable[..., None]:
        def hook(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], _: Tensor) -> None:
            maps[name] = layer.weights(*args[:2], **kwargs)

        return hook

    handles = [
        layer.register_forward_hook(record(name), with_kwargs=True)
        for name, layer in model.named_modules()
        if isinstance(layer, MultiHeadAttention)
    ]
    try:
        model(*inputs, **options)
    finally:
        for handle in handles:
            handle.remove()
    return maps
