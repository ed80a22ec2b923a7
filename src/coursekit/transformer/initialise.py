"""The weights that training starts from."""

from __future__ import annotations

import torch
from torch import nn

GPT_STD = 0.02


@torch.no_grad()
def normal_weights(
    model: nn.Module, *, n_layers: int, generator: torch.Generator | None = None
) -> None:
    """Draw weights as GPT-2 does: normal, 0.02 wide, biases 0, norms 1.

    The maps that write into the stream of tokens (each part's last) are narrower by
    sqrt(2 n_layers), so that the stream does not grow with depth (Radford et al., 2019, section
    2.3).

    Parameters
    ----------
    model : nn.Module
        Its weights are overwritten. On the meta device nothing happens.
    n_layers : int
        Blocks that write into the stream, two parts each.
    generator : torch.Generator, optional
        torch's own by default.

    Examples
    --------
    >>> layer = nn.Linear(100, 100)
    >>> normal_weights(layer, n_layers=1, generator=torch.Generator().manual_seed(0))
    >>> round(float(layer.weight.detach().std()), 3)
    0.02
    """
    for name, p in model.named_parameters():
        if p.is_meta or "norm" in name:
            continue
        if name.endswith("bias"):
            p.zero_()
        else:
            writes = name.endswith(("out.weight", "down.weight"))
            std = GPT_STD / (2 * n_layers) ** 0.5 if writes else GPT_STD
            p.normal_(0.0, std, generator=generator)


@torch.no_grad()
def xavier_weights(model: nn.Module, *, generator: torch.Generator | None = None) -> None:
    """Draw matrices as Glorot and Bengio (2010), biases 0; embeddings normal, 1/sqrt(d_model).

    Parameters
    ----------
    model : nn.Module
        Its weights are overwritten. On the meta device nothing happens.
    generator : torch.Generator, optional
        torch's own by default.

    Examples
    --------
    >>> layer = nn.Linear(3, 3)
    >>> xavier_weights(layer)
    >>> bool(layer.weight.detach().abs().max() <= 1.0), float(layer.bias.detach().sum())
    (True, 0.0)
    """
    for module in model.modules():
        for p in module.parameters(recurse=False):
            if p.is_meta:
                continue
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(p, generator=generator) if p.ndim == 2 else p.zero_()
            elif isinstance(module, nn.Embedding):
                p.normal_(0.0, p.shape[1] ** -0.5, generator=generator)
