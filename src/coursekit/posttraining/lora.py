"""Low-rank adaptation: train two thin matrices beside each frozen one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from coursekit._validate import count


class LoRALinear(nn.Module):
    r"""A linear map with a frozen weight and a trained correction of low rank.

    Hu et al. (2022), equation 3:
    :math:`y=Wx+\frac{\alpha}{r}BAx`, with B = 0 at first, so that nothing changes.

    Parameters
    ----------
    linear : nn.Linear
        What is adapted; its parameters are frozen, and kept.
    rank : int
        Of the correction, r.
    alpha : float
        Scale of the correction.
    generator : torch.Generator, optional
        Source of A's first weights.

    Raises
    ------
    ValueError
        If the rank is larger than the matrix allows.

    Examples
    --------
    >>> layer = LoRALinear(nn.Linear(8, 6), rank=2)
    >>> sum(p.numel() for p in layer.parameters() if p.requires_grad)
    28
    """

    def __init__(
        self,
        linear: nn.Linear,
        rank: int,
        alpha: float = 16.0,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        d_out, d_in = linear.weight.shape
        if count(rank, "rank") > min(d_out, d_in):
            raise ValueError(
                f"rank is {rank}; a {d_out} x {d_in} matrix has rank {min(d_out, d_in)} at most."
            )
        self.linear = linear.requires_grad_(False)
        self.in_features, self.out_features = d_in, d_out  # as of the map in whose place it is
        self.scale = alpha / rank
        self.A = nn.Parameter(linear.weight.new_empty(rank, d_in))
        self.B = nn.Parameter(linear.weight.new_zeros(d_out, rank))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5), generator=generator)
        self._before: Tensor | None = None

    @property
    def merged(self) -> bool:
        """Whether the correction stands in the weight by now."""
        return self._before is not None

    def correction(self) -> Tensor:
        """Return what is added to the weight, shape (d_out, d_in)."""
        return self.scale * (self.B @ self.A)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map of x, (..., d_in), as (..., d_out)."""
        y: Tensor = self.linear(x)
        return y if self.merged else y + self.scale * (x @ self.A.T) @ self.B.T

    @torch.no_grad()
    def merge(self) -> None:
        """Add the correction to the weight: no work is left for it in use.

        Raises
        ------
        RuntimeError
            If it was merged before.
        """
        if self.merged:
            raise RuntimeError("the correction is merged already; merging twice would count twice.")
        self._before = self.linear.weight.clone()
        self.linear.weight += self.correction()

    @torch.no_grad()
    def unmerge(self) -> None:
        """Put the weight back, bit for bit.

        Raises
        ------
        RuntimeError
            If nothing was merged.
        """
        if self._before is None:
            raise RuntimeError("there is nothing to take back: merge() comes first.")
        self.linear.weight.copy_(self._before)
        self._before = None


def add_lora(
    model: nn.Module,
    *,
    rank: int,
    alpha: float = 16.0,
    targets: Sequence[str],
    generator: torch.Generator | None = None,
) -> list[str]:
    """Adapt a model in place: freeze all of it, and wrap linear maps of these names.

    Parameters
    ----------
    model : nn.Module
        Changed in place.
    rank, alpha : int, float
        As in :class:`LoRALinear`.
    targets : sequence of str
        Last parts of the names of the linear maps to adapt, ``"query"``.
    generator : torch.Generator, optional
        Source of first weights.

    Returns
    -------
    list of str
        Full names of what was wrapped.

    Raises
    ------
    ValueError
        If a target names no linear map; the message lists what there is.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> add_lora(model, rank=1, targets=["2"])
    ['2']
    """
    found = [(name, m) for name, m in model.named_modules() if isinstance(m, nn.Linear)]
    last = {name.rpartition(".")[2] for name, _ in found}
    for target in targets:
        if target not in last:
            raise ValueError(
                f"no linear map is called {target!r}; there are {', '.join(sorted(last))}."
            )
    model.requires_grad_(False)
    wrapped = [(name, m) for name, m in found if name.rpartition(".")[2] in targets]
    for name, linear in wrapped:
        path, _, leaf = name.rpartition(".")
        setattr(
            model.get_submodule(path), leaf, LoRALinear(linear, rank, alpha, generator=generator)
        )
    return [name for name, _ in wrapped]


def lora_layers(model: nn.Module) -> Iterator[LoRALinear]:
    """Yield a model's adapted maps.

    Examples
    --------
    >>> len(list(lora_layers(nn.Linear(2, 2))))
    0
    """
    return (m for m in model.modules() if isinstance(m, LoRALinear))
