"""Which networks the chapter compares and how each is trained, at about equal processor time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.generative.classifier import DigitClassifier, classifier_loss
from coursekit.generative.diffusion import Diffusion, diffusion_loss
from coursekit.generative.digits import dequantise, digit_levels
from coursekit.generative.flow import flow_loss
from coursekit.generative.guidance import drop_labels
from coursekit.generative.networks import Denoiser, DigitCritic, DigitGenerator
from coursekit.generative.pixel import PixelGPT, pixel_loss
from coursekit.generative.schedule import Schedule
from coursekit.generative.style import StyleGenerator
from coursekit.generative.training import GameRules, digit_batches, play_game, watched
from coursekit.generative.vae import VAE, vae_loss
from coursekit.seq2seq.training import fit

BUDGET_SECONDS = 15
"""Processor seconds that each model of the table may train, on the machine of the record."""

SCHEDULE = Schedule.cosine(200)
"""Of the diffusion model."""

WITHOUT_LABEL = 0.3
"""Share of the training images whose label is withheld from models that can do without."""

MEASUREMENTS = 12
"""Points of a training curve, before the last."""


@dataclass(frozen=True)
class Recipe:
    """How long and how fast a network is trained.

    Attributes
    ----------
    title : str
        What the table calls the model.
    steps, batch_size : int
    lr : float
        Largest step size.
    rules : GameRules, optional
        Of the game, where there are two players.
    """

    title: str
    steps: int
    batch_size: int
    lr: float
    rules: GameRules | None = None


def _game(title: str, steps: int, lr: float, **rules: Any) -> Recipe:
    return Recipe(title, steps, 64, lr, GameRules(lr=lr, batch_size=64, **rules))


RECIPES = {
    "classifier": Recipe("classifier (the judge)", 1500, 64, 3e-3),
    "walk": Recipe("VAE in two dimensions", 1200, 128, 5e-3),
    "vae": Recipe("variational auto-encoder", 3600, 128, 2e-3),
    "gan": _game("GAN", 3000, 1e-3, smoothing=0.5),
    "conditional-gan": _game("conditional GAN", 3000, 1e-3, smoothing=0.5),
    "wgan": _game("Wasserstein GAN", 1100, 1e-3, loss="wasserstein", rounds=3),
    "style": _game("style generator", 600, 2e-3, loss="wasserstein", rounds=2),
    "collapse": _game("style generator, collapsed", 500, 1e-3, smoothing=0.5),
    "diffusion": Recipe("diffusion", 3400, 64, 2e-3),
    "flow": Recipe("flow matching", 3400, 64, 2e-3),
    "pixel": Recipe("pixel by pixel", 180, 64, 3e-3),
}
"""One for each network that is trained; probabilistic PCA needs none."""


def new_network(name: str, generator: torch.Generator | None = None) -> nn.Module:
    """Return a network untrained.

    Parameters
    ----------
    name : str
        One of `RECIPES`.
    generator : torch.Generator, optional
        Draws the weights.

    Returns
    -------
    nn.Module

    Raises
    ------
    KeyError
        If there is no recipe of this name; the message lists those there are.

    Examples
    --------
    >>> new_network("gan", torch.Generator().manual_seed(0)).n_latent
    16
    """
    makers: dict[str, Callable[[], nn.Module]] = {
        "classifier": lambda: DigitClassifier(generator=generator),
        "walk": lambda: VAE(2, (64,), activation=nn.Tanh, generator=generator),
        "vae": lambda: VAE(16, (192, 192), generator=generator),
        "gan": lambda: DigitGenerator(generator=generator),
        "conditional-gan": lambda: DigitGenerator(labelled=True, generator=generator),
        "wgan": lambda: DigitGenerator(generator=generator),
        "style": lambda: StyleGenerator(16, 24, generator),
        "collapse": lambda: StyleGenerator(16, 24, generator),
        "diffusion": lambda: Denoiser(width=192, blocks=2, generator=generator),
        "flow": lambda: Denoiser(width=192, blocks=2, generator=generator),
        "pixel": lambda: PixelGPT(48, 2, 4, generator=generator),
    }
    if name not in makers:
        raise KeyError(f"no recipe {name!r}; there are {', '.join(makers)}.")
    return makers[name]()


@dataclass
class Training:
    """A trained network and what happened.

    Attributes
    ----------
    network : nn.Module
    curve : list of [step, number]
        A measurement of the network as it was trained: the loss on images that it did not see,
        or, of a game, what `measure` gave.
    losses : list of float
        The loss of each step; of a game, the discriminator's.
    cpu_seconds : float
    """

    network: nn.Module
    curve: list[list[float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0


def train(
    name: str,
    seed: int,
    *,
    steps: int | None = None,
    measure: Callable[[nn.Module], float] | None = None,
) -> Training:
    """Train one network by its recipe.

    Parameters
    ----------
    name : str
        One of `RECIPES`.
    seed : int
        Draws weights, images and noise.
    steps : int, optional
        Fewer or more than the recipe says.
    measure : callable, optional
        What the curve of a game shows; for the others it is the loss on held-out images.

    Returns
    -------
    Training

    Raises
    ------
    KeyError
        If there is no recipe of this name.

    Examples
    --------
    >>> training = train("vae", seed=0, steps=3)
    >>> len(training.losses), len(training.curve)
    (3, 4)
    """
    generator = torch.Generator().manual_seed(seed)
    network = new_network(name, generator)
    recipe = RECIPES[name]
    steps = recipe.steps if steps is None else steps
    if recipe.rules is None:
        return _descend(name, network, recipe, steps, generator)
    return _play(network, recipe.rules, steps, generator, measure)


def _descend(
    name: str, network: nn.Module, recipe: Recipe, steps: int, generator: torch.Generator
) -> Training:
    make, loss = LOSSES[name]

    def held_out() -> float:
        g = torch.Generator().manual_seed(1)
        levels, labels = (part[::4] for part in digit_levels("held-out"))
        with torch.no_grad():
            return float(loss(network, *make(levels, labels, g)))

    curve: list[list[float]] = []
    batches = digit_batches(make, generator, recipe.batch_size)
    seen = watched(batches, held_out, max(1, steps // MEASUREMENTS), curve)
    history = fit(network, loss, seen, steps=steps, lr=recipe.lr, warmup=min(100, steps // 10))
    curve.append([steps, held_out()])
    return Training(network, curve, history.losses, history.cpu_seconds)


def _play(
    network: nn.Module,
    rules: GameRules,
    steps: int,
    generator: torch.Generator,
    measure: Callable[[nn.Module], float] | None,
) -> Training:
    labelled = bool(getattr(network, "labelled", False))
    critic = DigitCritic(labelled=labelled, generator=generator)
    curve: list[list[float]] = []

    def watch(step: int) -> None:
        if measure is not None and step % max(1, steps // MEASUREMENTS) == 0:
            curve.append([step, measure(network)])

    history = play_game(
        network,
        critic,
        rules,
        n_latent=int(network.n_latent),  # type: ignore[arg-type]
        steps=steps,
        generator=generator,
        labelled=labelled,
        watch=watch,
    )
    if measure is not None:
        curve.append([steps, measure(network.eval())])
    return Training(network.eval(), curve, history.discriminator, history.cpu_seconds)


def _images(levels: Tensor, labels: Tensor, g: torch.Generator) -> tuple[Tensor, Tensor]:
    return dequantise(levels, g), labels


def _latent(width: int) -> Callable[..., tuple[Tensor, Tensor]]:
    def make(levels: Tensor, labels: Tensor, g: torch.Generator) -> tuple[Tensor, Tensor]:
        return dequantise(levels, g), torch.randn(len(levels), width, generator=g)

    return make


def _noised(levels: Tensor, labels: Tensor, g: torch.Generator) -> tuple[Tensor, ...]:
    t = torch.randint(1, SCHEDULE.steps + 1, (len(levels),), generator=g)
    noise = torch.randn(levels.shape, generator=g)
    return dequantise(levels, g), drop_labels(labels, WITHOUT_LABEL, g), t, noise


def _timed(levels: Tensor, labels: Tensor, g: torch.Generator) -> tuple[Tensor, ...]:
    t, noise = torch.rand(len(levels), generator=g), torch.randn(levels.shape, generator=g)
    return dequantise(levels, g), drop_labels(labels, WITHOUT_LABEL, g), t, noise


def _words(levels: Tensor, labels: Tensor, g: torch.Generator) -> tuple[Tensor, Tensor]:
    return levels, drop_labels(labels, WITHOUT_LABEL, g)


def noise_loss(
    network: nn.Module, x0: Tensor, labels: Tensor | None, t: Tensor, noise: Tensor
) -> Tensor:
    """Return :func:`diffusion_loss` of a network under the chapter's schedule."""
    return diffusion_loss(Diffusion(network, SCHEDULE), x0, labels, t, noise)


LOSSES: dict[str, tuple[Callable[..., Any], Callable[..., Tensor]]] = {
    "classifier": (_images, classifier_loss),
    "walk": (_latent(2), vae_loss),
    "vae": (_latent(16), vae_loss),
    "diffusion": (_noised, noise_loss),
    "flow": (_timed, flow_loss),
    "pixel": (_words, pixel_loss),
}
"""What the loss is given, and the loss."""
