"""Classifier-free guidance: exaggerate what the label changes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from coursekit.generative.digits import NO_LABEL

Network = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""``network(x, t, labels)``: x (B, D), t (B,) from 0 to 1, labels (B,) or None; gives (B, D)."""


def guided(
    network: Network, x: Tensor, t: Tensor, labels: Tensor | None, strength: float = 1.0
) -> Tensor:
    r"""Return the prediction without a label, moved towards that with one, and beyond.

    Implements :eq:`eq-generative-guidance` (Ho and Salimans 2022, whose w is ours less 1). At
    strength 0 the label plays no part, at 1 it is the usual conditional prediction, above 1 the
    difference is exaggerated. Velocities may be guided like noise, since the one is a linear
    function of the other.

    Parameters
    ----------
    network : callable
        Trained with labels of which some were replaced by `NO_LABEL`.
    x : Tensor, shape (B, D)
        Noisy images.
    t : Tensor, shape (B,)
        Times from 0 to 1.
    labels : Tensor of int64, shape (B,), or None
        What shall be seen; None for anything.
    strength : float
        w, 0 or more.

    Returns
    -------
    Tensor, shape (B, D)

    Raises
    ------
    ValueError
        If `strength` is negative, or is neither 0 nor 1 and there is no label to guide to.

    Examples
    --------
    >>> def network(x, t, labels): return 0 * x if labels is None else x + 1
    >>> guided(network, torch.zeros(1, 2), torch.zeros(1), torch.tensor([3]), strength=2.0)
    tensor([[2., 2.]])
    """
    if strength < 0:
        raise ValueError(f"strength is {strength}; 0 or more wanted.")
    if strength == 0:
        return network(x, t, None)
    if strength == 1:
        return network(x, t, labels)
    if labels is None or bool((labels == NO_LABEL).any()):
        raise ValueError(
            f"guidance of strength {strength:g} needs a label for every image: pass labels from 0 "
            "to 9, or strength=1."
        )
    free, bound = network(x, t, None), network(x, t, labels)
    return free + strength * (bound - free)


def drop_labels(labels: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return labels of which a random share says `NO_LABEL`: one network learns both tasks.

    Parameters
    ----------
    labels : Tensor of int64, shape (B,)
    share : float
        Chance of losing a label, from 0 to 1.
    generator : torch.Generator
        Draws which.

    Returns
    -------
    Tensor of int64, shape (B,)

    Raises
    ------
    ValueError
        If `share` is no probability.

    Examples
    --------
    >>> drop_labels(torch.tensor([1, 2]), 1.0, torch.Generator())
    tensor([10, 10])
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; a probability wanted.")
    lost = torch.rand(len(labels), generator=generator) < share
    return labels.masked_fill(lost, NO_LABEL)
