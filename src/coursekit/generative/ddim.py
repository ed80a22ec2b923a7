"""Implicit sampling: fewer steps of the same network, with as much fresh noise as wanted."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.generative.diffusion import Diffusion, Guess
from coursekit.generative.schedule import Schedule


def ddim_step(
    guess: Guess, t: Tensor, s: Tensor, schedule: Schedule, noise: Tensor, eta: float = 0.0
) -> Tensor:
    r"""Return x at an earlier step from the guessed image and noise at a later one.

    Implements :eq:`eq-generative-ddim` (Song, Meng and Ermon 2021). At `eta` 0 nothing is random;
    at 1, with s = t - 1, it is a step of the DDPM.

    Parameters
    ----------
    guess : Guess
        Image and noise, (B, D) each, at step t.
    t, s : Tensor of int64, shape (B,)
        From which step to which, s below t.
    schedule : Schedule
    noise : Tensor, shape (B, D)
        Standard normal draws.
    eta : float
        From 0 to 1: how much of the DDPM's noise.

    Returns
    -------
    Tensor, shape (B, D)

    Raises
    ------
    ValueError
        If s is not below t, or `eta` is outside 0 … 1.

    Examples
    --------
    >>> guess = Guess(torch.ones(1, 2), torch.zeros(1, 2))
    >>> t, s = torch.tensor([5]), torch.tensor([0])
    >>> ddim_step(guess, t, s, Schedule.cosine(10), torch.zeros(1, 2))
    tensor([[1., 1.]])
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta is {eta}; 0 to 1 wanted.")
    if bool((s >= t).any()):
        raise ValueError("s must lie below t: sampling walks from noise to image.")
    now, before = schedule.alpha_bar[t], schedule.alpha_bar[s]  # (B,)
    variance = eta**2 * (1 - before) / (1 - now) * (1 - now / before)
    direction = (1 - before - variance).clamp(min=0).sqrt().float()[:, None]  # (B, 1)
    fresh = variance.sqrt().float()[:, None] * noise
    return schedule.signal(s) * guess.image + direction * guess.noise + fresh


def ddim_times(total: int, steps: int) -> list[int]:
    """Return the steps that are visited, from `total` down to 0, evenly.

    Parameters
    ----------
    total : int
        T.
    steps : int
        How many, at most T.

    Returns
    -------
    list of int, length `steps` + 1

    Raises
    ------
    ValueError
        If there are more steps than the schedule has.

    Examples
    --------
    >>> ddim_times(100, 4)
    [100, 75, 50, 25, 0]
    """
    if count(steps, "steps") > total:
        raise ValueError(f"steps is {steps}; at most the schedule's {total} wanted.")
    return [round(total * (steps - i) / steps) for i in range(steps + 1)]


@torch.no_grad()
def sample_ddim(
    diffusion: Diffusion,
    n: int,
    generator: torch.Generator,
    *,
    steps: int = 20,
    eta: float = 0.0,
    labels: Tensor | None = None,
    strength: float = 1.0,
    dimensions: int = 64,
) -> Tensor:
    """Return the path of samples from noise to image.

    Parameters
    ----------
    diffusion : Diffusion
        Trained; any schedule.
    n : int
        How many samples.
    generator : torch.Generator
        Of the start, and of the noise where `eta` is above 0.
    steps : int
        How many evaluations of the network.
    eta : float
        From 0, where the start decides everything, to 1, the DDPM's noise.
    labels : Tensor of int64, shape (n,), optional
        What they shall show.
    strength : float
        Of the guidance; 1 for none.
    dimensions : int
        D.

    Returns
    -------
    Tensor, shape (steps + 1, n, D)
        The last entry holds the samples.

    Raises
    ------
    ValueError
        If there are more steps than the schedule has, or guidance lacks labels.

    Examples
    --------
    >>> silent = Diffusion(lambda x, t, labels: 0 * x, Schedule.cosine(10))
    >>> sample_ddim(silent, 3, torch.Generator().manual_seed(0), steps=5).shape
    torch.Size([6, 3, 64])
    """
    x = torch.randn(n, dimensions, generator=generator)
    path, times = [x], ddim_times(diffusion.schedule.steps, steps)
    for now, before in itertools.pairwise(times):
        t, s = torch.full((n,), now), torch.full((n,), before)
        noise = torch.randn(x.shape, generator=generator) if eta else torch.zeros_like(x)
        x = ddim_step(diffusion.guess(x, t, labels, strength), t, s, diffusion.schedule, noise, eta)
        path.append(x)
    return torch.stack(path)  # (steps + 1, n, D)
