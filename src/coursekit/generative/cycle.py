r"""Translation without pairs: two domains, a map each way, and the wish to come back.

The toy: both domains are blobs in the plane. Nothing says which blob of one belongs to which of
the other; adversaries only see to it that the maps land in the right domain. The cycle loss rules
out maps that throw blobs together. It does not choose among the maps that do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.generative.gan import discriminator_loss, generator_loss
from coursekit.generative.networks import mlp
from coursekit.generative.score import GaussianMixture


def cycle_loss(x: Tensor, back: Tensor) -> Tensor:
    r"""Return the mean absolute distance of points from where the round trip leads.

    Implements one direction of :eq:`eq-generative-cycle` (Zhu et al. 2017).

    Parameters
    ----------
    x, back : Tensor, shape (B, D)
        Points, and F(G(x)).

    Returns
    -------
    Tensor, one number

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> cycle_loss(torch.zeros(2, 2), torch.ones(2, 2))
    tensor(1.)
    """
    if x.shape != back.shape:
        raise ValueError(f"shapes {tuple(x.shape)} and {tuple(back.shape)}; equal ones wanted.")
    return (x - back).abs().mean()


@dataclass
class Translators:
    """Maps between two domains, and the cycle loss at each step of their training.

    Attributes
    ----------
    forth, back : nn.Module
        From the first domain to the second, and from the second to the first.
    cycle : list of float
    """

    forth: nn.Module
    back: nn.Module
    cycle: list[float]

    def round_trip(self, x: Tensor) -> Tensor:
        """Return where points of the first domain come back to, (B, 2)."""
        return self.back(self.forth(x))


def train_cycle(
    first: GaussianMixture,
    second: GaussianMixture,
    *,
    weight: float,
    steps: int,
    generator: torch.Generator,
    width: int = 32,
    batch_size: int = 64,
    lr: float = 2e-3,
) -> Translators:
    """Train both maps against two discriminators.

    Parameters
    ----------
    first, second : GaussianMixture
        The domains, in the plane.
    weight : float
        Of the cycle loss beside the adversaries'; 0 for none.
    steps : int
    generator : torch.Generator
        Draws weights and points.
    width, batch_size, lr
        Of the networks and their training.

    Returns
    -------
    Translators

    Raises
    ------
    ValueError
        If the weight is negative.

    Examples
    --------
    >>> ring = GaussianMixture.ring(4, 2.0, 0.02)
    >>> g = torch.Generator().manual_seed(0)
    >>> found = train_cycle(ring, ring, weight=1.0, steps=2, generator=g)
    >>> found.round_trip(torch.zeros(5, 2)).shape, len(found.cycle)
    (torch.Size([5, 2]), 2)
    """
    if weight < 0:
        raise ValueError(f"weight is {weight}; 0 or more wanted.")
    forth, back = (mlp((2, width, width, 2), generator) for _ in range(2))
    judges = nn.ModuleList(mlp((2, width, width, 1), generator) for _ in range(2))
    maps = torch.optim.Adam([*forth.parameters(), *back.parameters()], lr=lr, betas=(0.5, 0.99))
    judging = torch.optim.Adam(judges.parameters(), lr=lr, betas=(0.5, 0.99))
    history = []
    for _ in range(count(steps, "steps")):
        x, y = (domain.sample(batch_size, generator) for domain in (first, second))
        there, here = forth(x), back(y)
        _descend(
            judging,
            discriminator_loss(judges[0](x), judges[0](here.detach()))
            + discriminator_loss(judges[1](y), judges[1](there.detach())),
        )
        cycle = cycle_loss(x, back(there)) + cycle_loss(y, forth(here))
        fooled = generator_loss(judges[1](there)) + generator_loss(judges[0](here))
        _descend(maps, fooled + weight * cycle)
        history.append(cycle.item())
    return Translators(forth, back, history)


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
