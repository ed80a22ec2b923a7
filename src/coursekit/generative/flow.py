r"""Flow matching: learn the velocity along straight lines from noise to images, then integrate.

Time runs from 0, noise, to 1, images. Shapes: (B, D); times (B,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.generative.gaussians import normal_log_density
from coursekit.generative.guidance import Network, guided

Field = Callable[[Tensor, float], Tensor]
"""``f(x, t)``: dx/dt, shape (B, D), at x (B, D) and the time t."""

Method = Literal["euler", "heun", "rk4"]


def flow_loss(
    network: Network, x1: Tensor, labels: Tensor | None, t: Tensor, noise: Tensor
) -> Tensor:
    r"""Return the mean squared error of the velocity along straight lines.

    Implements :eq:`eq-generative-flow` (Lipman et al. 2023; Liu, Gong and Liu 2023).

    Parameters
    ----------
    network : callable
        ``network(x, t, labels)``, as of :class:`coursekit.generative.networks.Denoiser`.
    x1 : Tensor, shape (B, D)
        Images.
    labels : Tensor of int64, shape (B,), or None
    t : Tensor, shape (B,)
        Times from 0 to 1.
    noise : Tensor, shape (B, D)
        Standard normal draws, where the lines begin.

    Returns
    -------
    Tensor, one number

    Examples
    --------
    >>> def right(x, t, labels): return torch.ones_like(x)
    >>> flow_loss(right, torch.ones(2, 3), None, torch.rand(2), torch.zeros(2, 3))
    tensor(0.)
    """
    x = (1 - t[:, None]) * noise + t[:, None] * x1  # (B, D)
    return (network(x, t, labels) - (x1 - noise)).square().mean()


def solve(f: Field, x: Tensor, times: Tensor, method: Method = "heun") -> Tensor:
    """Integrate dx/dt = f(x, t).

    Parameters
    ----------
    f : callable
        ``f(x, t)``, the velocity.
    x : Tensor, shape (B, D)
        Where it starts.
    times : Tensor, shape (n + 1,)
        Rising or falling; a step leads from each to the next.
    method : {"euler", "heun", "rk4"}
        With 1, 2 or 4 evaluations a step, and an error that falls with that power of its length.

    Returns
    -------
    Tensor, shape (n + 1, B, D)
        The path; the last entry is where it ends.

    Raises
    ------
    ValueError
        If the method is unknown, or there are fewer than two times.

    Examples
    --------
    >>> end = solve(lambda x, t: x, torch.ones(1, 1), torch.linspace(0, 1, 11), "rk4")[-1]
    >>> round(float(end), 4)  # e
    2.7183
    """
    if method not in STEPS:
        raise ValueError(f"method is {method!r}; one of {', '.join(STEPS)} wanted.")
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(f"times has shape {tuple(times.shape)}; (n + 1,) with n ≥ 1 wanted.")
    path = [x]
    for start, end in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        path.append(STEPS[method](f, path[-1], start, end - start))
    return torch.stack(path)


def euler(f: Field, x: Tensor, t: float, h: float) -> Tensor:
    """Return x after a step of length h along the velocity at its start."""
    return x + h * f(x, t)


def heun(f: Field, x: Tensor, t: float, h: float) -> Tensor:
    """Return x after a step along the mean of the velocities at both ends."""
    first = f(x, t)
    return x + h / 2 * (first + f(x + h * first, t + h))


def rk4(f: Field, x: Tensor, t: float, h: float) -> Tensor:
    """Return x after a step of the classical Runge-Kutta method."""
    a = f(x, t)
    b = f(x + h / 2 * a, t + h / 2)
    c = f(x + h / 2 * b, t + h / 2)
    d = f(x + h * c, t + h)
    return x + h / 6 * (a + 2 * b + 2 * c + d)


STEPS = {"euler": euler, "heun": heun, "rk4": rk4}


@torch.no_grad()
def sample_flow(
    network: Network,
    n: int,
    generator: torch.Generator,
    *,
    steps: int = 20,
    method: Method = "heun",
    labels: Tensor | None = None,
    strength: float = 1.0,
    dimensions: int = 64,
) -> Tensor:
    """Return the path of samples from noise to image.

    Parameters
    ----------
    network : callable
        Trained.
    n : int
        How many samples.
    generator : torch.Generator
        Of the start; nothing else is random.
    steps : int
        Of the solver.
    method : {"euler", "heun", "rk4"}
        The solver.
    labels : Tensor of int64, shape (n,), optional
        What they shall show.
    strength : float
        Of the guidance; 1 for none.
    dimensions : int
        D.

    Returns
    -------
    Tensor, shape (steps + 1, n, D)

    Raises
    ------
    ValueError
        If the method is unknown, or guidance lacks labels.

    Examples
    --------
    >>> def still(x, t, labels): return 0 * x
    >>> sample_flow(still, 3, torch.Generator().manual_seed(0), steps=4).shape
    torch.Size([5, 3, 64])
    """
    x = torch.randn(n, dimensions, generator=generator)

    def field(x: Tensor, t: float) -> Tensor:
        return guided(network, x, torch.full((len(x),), t), labels, strength)

    return solve(field, x, torch.linspace(0, 1, count(steps, "steps") + 1), method)


def divergence(
    f: Field, x: Tensor, t: float, probes: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    r"""Return the velocity and the trace of its Jacobian: how fast the flow spreads out there.

    Parameters
    ----------
    f : callable
        The velocity; each row of its result depends on the same row of x only.
    x : Tensor, shape (B, D)
        Where.
    t : float
        When.
    probes : Tensor, shape (K, B, D), optional
        Random signs: then :math:`e^\top J e` is averaged, whose expectation is the trace
        (Hutchinson 1990). Without them the trace is computed, at D products.

    Returns
    -------
    velocity : Tensor, shape (B, D)
    trace : Tensor, shape (B,)

    Examples
    --------
    >>> divergence(lambda x, t: x * torch.tensor([1.0, 2.0]), torch.zeros(1, 2), 0.0)[1]
    tensor([3.])
    """
    if probes is None:
        D = x.shape[1]
        probes = torch.eye(D, dtype=x.dtype)[:, None].expand(D, *x.shape)  # (D, B, D)
        scale = 1.0
    else:
        scale = 1.0 / len(probes)
    trace = torch.zeros(len(x), dtype=x.dtype)
    for probe in probes:
        both = torch.func.jvp(lambda x: f(x, t), (x,), (probe,))
        velocity, moved = both[0], both[1]  # (B, D) each
        trace = trace + scale * (moved * probe).sum(-1)
    return velocity, trace


@torch.no_grad()
def flow_log_likelihood(
    network: Network,
    x1: Tensor,
    *,
    steps: int = 20,
    labels: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Return log p(x1): follow the flow back to the noise and count how it spread on the way.

    Along the path d log p/dt = -trace of the velocity's Jacobian (Chen et al. 2018); both are
    integrated together, by Runge-Kutta.

    Parameters
    ----------
    network : callable
        Trained.
    x1 : Tensor, shape (B, D)
        Dequantised images.
    steps : int
        Of the solver.
    labels : Tensor of int64, shape (B,), optional
    generator : torch.Generator, optional
        Draws the signs of one probe an image, which makes the trace an unbiased estimate at 1/D
        of the cost; without it the trace is exact.

    Returns
    -------
    Tensor, shape (B,)
        In nats, up to the solver's error.

    Examples
    --------
    >>> def still(x, t, labels): return 0 * x
    >>> flow_log_likelihood(still, torch.zeros(1, 2), steps=2)
    tensor([-1.8379])
    """
    probes = None
    if generator is not None:
        probes = 2.0 * torch.randint(0, 2, (1, *x1.shape), generator=generator) - 1  # (1, B, D)

    def velocity(x: Tensor, t: float) -> Tensor:
        return network(x, torch.full((len(x),), t), labels)

    def both(state: Tensor, t: float) -> Tensor:
        v, trace = divergence(velocity, state[:, :-1], t, probes)
        return torch.cat([v, trace[:, None]], dim=1)  # (B, D + 1)

    start = torch.cat([x1, torch.zeros(len(x1), 1)], dim=1)
    end = solve(both, start, torch.linspace(1, 0, count(steps, "steps") + 1), "rk4")[-1]
    x0, spread = end[:, :-1], end[:, -1]  # spread = -∫ trace dt from 0 to 1
    return normal_log_density(x0, torch.zeros_like(x0), torch.zeros(())) + spread
