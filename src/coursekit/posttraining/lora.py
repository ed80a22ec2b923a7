"""Low-rank adaptation: train two thin matrices beside each frozen one."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from coursekit._validate import count

Model = TypeVar("Model", bound=nn.Module)


class LoRALinear(nn.Module):
    r"""A linear map with a frozen weight and a trained correction of low rank.

    Implements :eq:`eq-posttraining-lora`, Hu et al. (2022), equation 3:
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


class _LastRows(nn.Module):
    """A table in two parts: frozen rows, and rows at its end that are trained."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, old: Tensor, new: Tensor) -> Tensor:
        """Return the whole table, shape (V, d)."""
        return torch.cat([old, new])

    def right_inverse(self, table: Tensor) -> tuple[Tensor, Tensor]:
        """Return the table's parts, shapes (V - n, d) and (n, d)."""
        return table[: -self.n], table[-self.n :]


def learn_last_rows(module: nn.Module, n: int, name: str = "weight") -> nn.Parameter:
    """Freeze a table but for its last rows: those of tokens that are new.

    Low-rank adaptation leaves the embedding as it is, and tokens that the model has never seen
    would keep rows that mean nothing.

    Parameters
    ----------
    module : nn.Module
        Changed in place.
    n : int
        Rows that are trained.
    name : str
        Of the table in the module.

    Returns
    -------
    nn.Parameter, shape (n, d)
        What is trained.

    Examples
    --------
    >>> table = nn.Embedding(10, 4)
    >>> learn_last_rows(table, 3).shape, table(torch.tensor([9])).shape
    (torch.Size([3, 4]), torch.Size([1, 4]))
    """
    parametrize.register_parametrization(module, name, _LastRows(count(n, "n")))
    parts = dict(module.named_parameters())
    old, new = (parts[f"parametrizations.{name}.original{i}"] for i in (0, 1))
    old.requires_grad_(False)
    new.requires_grad_(True)
    return new


def merged(model: Model) -> Model:
    """Return a copy of an adapted model that is plain again, with the same outputs.

    Parameters
    ----------
    model : nn.Module
        With adapted maps, and perhaps a table of which :func:`learn_last_rows` trained a part.

    Returns
    -------
    nn.Module
        With the names that its weights had before the adaptation, all of them trainable.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(4, 4))
    >>> _ = add_lora(model, rank=1, targets=["0"])
    >>> merged(model)
    Sequential(
      (0): Linear(in_features=4, out_features=4, bias=True)
    )
    """
    plain = copy.deepcopy(model)
    for name, layer in list(plain.named_modules()):
        path, _, leaf = name.rpartition(".")
        if isinstance(layer, LoRALinear):
            if not layer.merged:
                layer.merge()
            setattr(plain.get_submodule(path), leaf, layer.linear)
        elif isinstance(layer, nn.Embedding) and parametrize.is_parametrized(layer):
            whole = nn.Embedding.from_pretrained(layer.weight.detach().clone())
            setattr(plain.get_submodule(path), leaf, whole)
    return plain.requires_grad_(True)
