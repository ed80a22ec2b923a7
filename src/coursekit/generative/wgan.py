r"""The Wasserstein game: a critic with bounded slope measures how far apart two sets are."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


def wasserstein_1d(x: Tensor, y: Tensor) -> Tensor:
    r"""Return the 1-Wasserstein distance of two equally large sets of numbers.

    Implements :eq:`eq-generative-wasserstein` where it can be computed at once: on a line the
    cheapest plan carries the smallest to the smallest, and so on.

    Parameters
    ----------
    x, y : Tensor, shape (m,)
        The numbers.

    Returns
    -------
    Tensor, one number
        In their unit.

    Raises
    ------
    ValueError
        If the shapes differ or are not (m,).

    Examples
    --------
    >>> wasserstein_1d(torch.tensor([0.0, 1.0]), torch.tensor([3.0, 2.0]))
    tensor(2.)
    """
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x and y have shapes {tuple(x.shape)} and {tuple(y.shape)}; (m,) wanted.")
    return (x.sort().values - y.sort().values).abs().mean()


def critic_loss(real_scores: Tensor, made_scores: Tensor) -> Tensor:
    r"""Return what the critic minimises: minus its estimate of the distance.

    The dual form of :eq:`eq-generative-wasserstein`, for a critic of slope at most 1.

    Parameters
    ----------
    real_scores, made_scores : Tensor, any shape
        The critic's, of images of the data and of the generator.

    Returns
    -------
    Tensor, one number

    Examples
    --------
    >>> critic_loss(torch.tensor([2.0]), torch.tensor([0.5]))
    tensor(-1.5000)
    """
    return made_scores.mean() - real_scores.mean()


def gradient_penalty(
    critic: Critic, real: Tensor, made: Tensor, generator: torch.Generator
) -> Tensor:
    r"""Return how far the critic's slope is from 1, between the two sets.

    Implements :eq:`eq-generative-gradient-penalty` (Gulrajani et al. 2017), without its weight:
    the mean of :math:`(\lVert\nabla_x f(x)\rVert - 1)^2` at random points of the segments that
    join images of both.

    Parameters
    ----------
    critic : callable
        Maps (B, D) to (B, 1) or (B,).
    real, made : Tensor, shape (B, D)
        Images of the data, and of the generator.
    generator : torch.Generator
        Draws the points.

    Returns
    -------
    Tensor, one number
        Differentiable in the critic's weights.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> g = torch.Generator().manual_seed(0)
    >>> gradient_penalty(lambda x: 3 * x, torch.ones(4, 1), torch.zeros(4, 1), g)
    tensor(4.)
    """
    if real.shape != made.shape:
        raise ValueError(f"shapes {tuple(real.shape)} and {tuple(made.shape)}; equal ones wanted.")
    share = torch.rand(len(real), 1, generator=generator)
    between = (share * real + (1 - share) * made).detach().requires_grad_()  # (B, D)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.norm(dim=1) - 1).square().mean()
