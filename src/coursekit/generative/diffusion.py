r"""Denoising diffusion: noise an image in closed form, learn to foretell the noise, walk back.

Shapes: images (B, D); steps t (B,), whole numbers, 0 is the image and T is noise. Networks are
given t / T, so that one fits schedules of every length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from coursekit.generative.gaussians import normal_log_density
from coursekit.generative.guidance import Network, guided
from coursekit.generative.schedule import Schedule

Target = Literal["eps", "v"]


@dataclass(frozen=True)
class Diffusion:
    r"""A network, the schedule it was trained for, and what it foretells.

    Parameters
    ----------
    network : callable
        ``network(x, t, labels)`` as of :class:`coursekit.generative.networks.Denoiser`.
    schedule : Schedule
        How noise is added.
    predict : {"eps", "v"}
        The noise :math:`\epsilon`, or :math:`v` of :eq:`eq-generative-v-prediction`.
    clip : bool
        Whether guesses of the image are cut to -1 … 1 on the way.

    Raises
    ------
    ValueError
        If `predict` is neither, or "eps" is asked for where no signal is left at all: then the
        image cannot be told from x and the noise.
    """

    network: Network
    schedule: Schedule
    predict: Target = "eps"
    clip: bool = True

    def __post_init__(self) -> None:
        if self.predict not in ("eps", "v"):
            raise ValueError(f"predict is {self.predict!r}; 'eps' or 'v' wanted.")
        if self.predict == "eps" and float(self.schedule.alpha_bar[-1]) == 0:
            raise ValueError("no signal is left at the end; 'eps' tells nothing there: take 'v'.")

    def guess(
        self, x: Tensor, t: Tensor, labels: Tensor | None = None, strength: float = 1.0
    ) -> Guess:
        """Return what the network thinks image and noise are, in noisy x (B, D) at steps t (B,)."""
        share = t.float() / self.schedule.steps
        out = guided(self.network, x, share, labels, strength)  # (B, D)
        signal, noise = self.schedule.signal(t), self.schedule.noise(t)  # (B, 1)
        image = (x - noise * out) / signal if self.predict == "eps" else signal * x - noise * out
        image = image.clamp(-1, 1) if self.clip else image
        return Guess(image, (x - signal * image) / noise.clamp(min=1e-12))


class Guess(NamedTuple):
    """An image and the noise on it, (B, D) each."""

    image: Tensor
    noise: Tensor


def forward_step(x: Tensor, beta: float, noise: Tensor) -> Tensor:
    r"""Return one step of the forward chain, which shrinks the image and adds noise.

    Implements :eq:`eq-generative-forward-step`.

    Parameters
    ----------
    x : Tensor, shape (B, D)
        At step t - 1.
    beta : float
        Variance added.
    noise : Tensor, shape (B, D)
        Standard normal draws.

    Returns
    -------
    Tensor, shape (B, D)

    Examples
    --------
    >>> forward_step(torch.tensor([[2.0]]), 0.75, torch.tensor([[0.0]]))
    tensor([[1.]])
    """
    return (1 - beta) ** 0.5 * x + beta**0.5 * noise


def q_sample(x0: Tensor, t: Tensor, noise: Tensor, schedule: Schedule) -> Tensor:
    r"""Return the image after t steps at once.

    Implements :eq:`eq-generative-forward-closed`: a sum of normal numbers is normal, so that t
    steps are one.

    Parameters
    ----------
    x0 : Tensor, shape (B, D)
        Images.
    t : Tensor of int64, shape (B,)
        Steps, 0 to T.
    noise : Tensor, shape (B, D)
        Standard normal draws.
    schedule : Schedule

    Returns
    -------
    Tensor, shape (B, D)

    Raises
    ------
    ValueError
        If a step is outside the schedule.

    Examples
    --------
    >>> x0 = torch.ones(1, 64)
    >>> bool((q_sample(x0, torch.tensor([0]), torch.randn(1, 64), Schedule.cosine(10)) == x0).all())
    True
    """
    return schedule.signal(t) * x0 + schedule.noise(t) * noise


def velocity(x0: Tensor, t: Tensor, noise: Tensor, schedule: Schedule) -> Tensor:
    r"""Return v, the noise where there is much image and minus the image where there is much noise.

    Implements :eq:`eq-generative-v-prediction` (Salimans and Ho 2022). Arguments and result as
    :func:`q_sample`.

    Parameters
    ----------
    x0, t, noise, schedule
        As for :func:`q_sample`.

    Returns
    -------
    Tensor, shape (B, D)

    Examples
    --------
    >>> velocity(torch.ones(1, 1), torch.tensor([0]), torch.full((1, 1), 5.0), Schedule.cosine(10))
    tensor([[5.]])
    """
    return schedule.signal(t) * noise - schedule.noise(t) * x0


def diffusion_loss(
    diffusion: Diffusion, x0: Tensor, labels: Tensor | None, t: Tensor, noise: Tensor
) -> Tensor:
    r"""Return the mean squared error of the noise, or of v.

    Implements :eq:`eq-generative-ddpm-loss`, every step with the same weight.

    Parameters
    ----------
    diffusion : Diffusion
        Network, schedule, and which of the two is foretold.
    x0 : Tensor, shape (B, D)
        Images.
    labels : Tensor of int64, shape (B,), or None
    t : Tensor of int64, shape (B,)
        Steps, 1 to T.
    noise : Tensor, shape (B, D)
        Standard normal draws.

    Returns
    -------
    Tensor, one number
        About 1 for a network that always says 0.

    Examples
    --------
    >>> silent = Diffusion(lambda x, t, labels: 0 * x, Schedule.cosine(10))
    >>> x0, noise = torch.ones(2, 4), torch.ones(2, 4)
    >>> diffusion_loss(silent, x0, None, torch.tensor([1, 10]), noise)
    tensor(1.)
    """
    x = q_sample(x0, t, noise, diffusion.schedule)
    out = diffusion.network(x, t.float() / diffusion.schedule.steps, labels)
    target = noise if diffusion.predict == "eps" else velocity(x0, t, noise, diffusion.schedule)
    return (out - target).square().mean()


class Posterior(NamedTuple):
    """Mean, (B, D), and variance, (B, 1), of the step before."""

    mean: Tensor
    variance: Tensor


def ddpm_posterior(x0: Tensor, x: Tensor, t: Tensor, schedule: Schedule) -> Posterior:
    r"""Return :math:`q(x_{t-1}|x_t,x_0)`: where x stood a step ago, if the image is known.

    Implements :eq:`eq-generative-ddpm-posterior`.

    Parameters
    ----------
    x0, x : Tensor, shape (B, D)
        The image, and what it is after t steps.
    t : Tensor of int64, shape (B,)
        Steps, 1 to T.
    schedule : Schedule

    Returns
    -------
    Posterior
        Mean and variance; the variance is 0 at t = 1.

    Raises
    ------
    ValueError
        If a step is below 1.

    Examples
    --------
    >>> x0, x = torch.ones(1, 3), torch.zeros(1, 3)
    >>> ddpm_posterior(x0, x, torch.tensor([1]), Schedule.cosine(10)).mean
    tensor([[1., 1., 1.]])
    """
    if len(t) and int(t.min()) < 1:
        raise ValueError(f"t is {int(t.min())}; at least 1 wanted: step 0 has none before it.")
    beta = schedule.betas[t - 1]
    now, before = schedule.alpha_bar[t], schedule.alpha_bar[t - 1]
    of_image = (before.sqrt() * beta / (1 - now)).float()[:, None]  # (B, 1)
    of_x = ((1 - beta).sqrt() * (1 - before) / (1 - now)).float()[:, None]
    variance = (beta * (1 - before) / (1 - now)).float()[:, None]
    return Posterior(of_image * x0 + of_x * x, variance)


@torch.no_grad()
def sample_ddpm(
    diffusion: Diffusion,
    n: int,
    generator: torch.Generator,
    *,
    labels: Tensor | None = None,
    strength: float = 1.0,
    dimensions: int = 64,
) -> Tensor:
    """Return samples by walking back every step of the chain, noise added at each.

    Parameters
    ----------
    diffusion : Diffusion
        Trained.
    n : int
        How many samples.
    generator : torch.Generator
        Of the start and of the noise.
    labels : Tensor of int64, shape (n,), optional
        What they shall show.
    strength : float
        Of the guidance; 1 for none.
    dimensions : int
        D.

    Returns
    -------
    Tensor, shape (n, D)

    Raises
    ------
    ValueError
        If guidance lacks labels.

    Examples
    --------
    >>> silent = Diffusion(lambda x, t, labels: 0 * x, Schedule.cosine(10))
    >>> sample_ddpm(silent, 3, torch.Generator().manual_seed(0)).shape
    torch.Size([3, 64])
    """
    x = torch.randn(n, dimensions, generator=generator)  # (n, D)
    for step in range(diffusion.schedule.steps, 0, -1):
        t = torch.full((n,), step)
        image = diffusion.guess(x, t, labels, strength).image
        mean, variance = ddpm_posterior(image, x, t, diffusion.schedule)
        x = mean + variance.sqrt() * torch.randn(x.shape, generator=generator)
    return x


@torch.no_grad()
def guess_errors(
    diffusion: Diffusion,
    x0: Tensor,
    generator: torch.Generator,
    labels: Tensor | None = None,
) -> Tensor:
    """Return the mean squared error of a pixel of the guessed image at each step.

    Parameters
    ----------
    diffusion : Diffusion
        Trained.
    x0 : Tensor, shape (B, D)
        Images.
    generator : torch.Generator
        Of the noise.
    labels : Tensor of int64, shape (B,), optional

    Returns
    -------
    Tensor of float64, shape (T + 1,)
        0 at step 0.

    Examples
    --------
    >>> silent = Diffusion(lambda x, t, labels: 0 * x, Schedule.cosine(10))
    >>> guess_errors(silent, torch.zeros(2, 64), torch.Generator().manual_seed(0)).shape
    torch.Size([11])
    """
    errors = [0.0]
    for step in range(1, diffusion.schedule.steps + 1):
        errors.append(
            float((x0 - _guess_at(diffusion, x0, step, generator, labels)).square().mean())
        )
    return torch.tensor(errors, dtype=torch.float64)


@torch.no_grad()
def diffusion_bound(
    diffusion: Diffusion,
    x0: Tensor,
    generator: torch.Generator,
    labels: Tensor | None = None,
    *,
    errors: Tensor | None = None,
) -> Tensor:
    r"""Return a bound of log p(x0) from below: the ELBO of the chain, one draw a step.

    It is the VAE's bound :eq:`eq-generative-elbo-kl` with T latent images: the last step's
    divergence from the prior, that of each step's posterior from the model's, and the image's
    density around the model's guess from step 1.

    Without `errors` the model's steps have the posterior's own variance, as the DDPM's have. They
    are too sure, since the guess of the image is wrong by something: at the first steps, where the
    noise doubles from one to the next, that alone costs tenths of a nat a pixel, however many
    steps there are. With `errors` each step's variance has that much more (Bao et al. 2022).

    Parameters
    ----------
    diffusion : Diffusion
        Trained.
    x0 : Tensor, shape (B, D)
        Dequantised images.
    generator : torch.Generator
        Of the noise.
    labels : Tensor of int64, shape (B,), optional
    errors : Tensor, shape (T + 1,), optional
        As :func:`guess_errors` finds them on training images.

    Returns
    -------
    Tensor, shape (B,)
        In nats.

    Examples
    --------
    >>> silent = Diffusion(lambda x, t, labels: 0 * x, Schedule.cosine(10))
    >>> diffusion_bound(silent, torch.zeros(2, 64), torch.Generator().manual_seed(0)).shape
    torch.Size([2])
    """
    schedule = diffusion.schedule
    errors = torch.zeros(schedule.steps + 1) if errors is None else errors
    bound = -_divergence_from_prior(x0, float(schedule.alpha_bar[-1]))  # (B,)
    for step in range(schedule.steps, 0, -1):
        image = _guess_at(diffusion, x0, step, generator, labels)  # (B, D)
        bound = bound - _step_cost(schedule, step, x0, image, float(errors[step]))
    return bound


def _guess_at(
    diffusion: Diffusion, x0: Tensor, step: int, generator: torch.Generator, labels: Tensor | None
) -> Tensor:
    """Noise the images, and guess them again, (B, D)."""
    t = torch.full((len(x0),), step)
    noise = torch.randn(x0.shape, generator=generator)
    return diffusion.guess(q_sample(x0, t, noise, diffusion.schedule), t, labels).image


def _step_cost(schedule: Schedule, step: int, x0: Tensor, image: Tensor, error: float) -> Tensor:
    """What one step adds to -log p(x0), shape (B,)."""
    if step == 1:
        ratio = (1 - schedule.alpha_bar[1]) / schedule.alpha_bar[1]
        spread = torch.log(torch.tensor(error)) if error else ratio.log().float()
        return -normal_log_density(x0, image, spread)
    at, D = torch.tensor([step]), x0.shape[1]
    squared = (x0 - image).square().sum(-1)  # (B,)
    one = torch.ones(1, 1)
    moved, variance = ddpm_posterior(one, 0 * one, at, schedule)  # weight of the image, its step's
    mine, theirs = float(variance), float(variance + moved.square() * error)
    spread_cost = D / 2 * (math.log(theirs / mine) + mine / theirs - 1)
    return spread_cost + float(moved.square()) * squared / (2 * theirs)


def _divergence_from_prior(x0: Tensor, kept: float) -> Tensor:
    """KL(q(x_T|x0) || N(0, I)), shape (B,)."""
    variance = torch.tensor(1 - kept)
    terms = kept * x0.square() + variance - 1 - variance.log()
    return 0.5 * terms.sum(-1)
