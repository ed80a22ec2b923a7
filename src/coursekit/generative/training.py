"""How every model of the chapter is trained: the same images, the same processor time.

Models with one loss take :func:`coursekit.seq2seq.fit`, chapter 03's loop. A game has two
players, and a loop of its own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.generative.digits import CLASSES, dequantise, digit_levels
from coursekit.generative.gan import discriminator_loss, generator_loss
from coursekit.generative.wgan import critic_loss, gradient_penalty

Maker = Callable[[Tensor, Tensor, torch.Generator], tuple[Any, ...]]
"""Makes a loss's arguments of grey levels (B, 64), labels (B,) and a source of noise."""


def digit_batches(
    make: Maker, generator: torch.Generator, batch_size: int = 128
) -> Iterator[tuple[Any, ...]]:
    """Yield batches of training digits without end, drawn with replacement.

    Parameters
    ----------
    make : callable
        ``make(levels, labels, generator)`` gives the loss's arguments.
    generator : torch.Generator
        Draws the rows, and what `make` draws.
    batch_size : int
        B.

    Yields
    ------
    tuple
        What `make` returns.

    Examples
    --------
    >>> def images(levels, labels, g): return dequantise(levels, g), labels
    >>> x, labels = next(digit_batches(images, torch.Generator().manual_seed(0), 32))
    >>> x.shape, labels.shape
    (torch.Size([32, 64]), torch.Size([32]))
    """
    levels, labels = digit_levels("train")
    while True:
        rows = torch.randint(len(levels), (count(batch_size, "batch_size"),), generator=generator)
        yield make(levels[rows], labels[rows], generator)


def watched(
    batches: Iterator[Any], measure: Callable[[], float], every: int, into: list[list[float]]
) -> Iterator[Any]:
    """Yield the batches, and before every so many take a measurement of the model.

    Parameters
    ----------
    batches : iterator
        What is passed on.
    measure : callable
        Called without arguments; gives a number.
    every : int
        Batches from one measurement to the next.
    into : list
        Gets a pair ``[step, number]`` each time.

    Yields
    ------
    Any
        The batches.

    Examples
    --------
    >>> curve = []
    >>> list(watched(iter("abc"), lambda: 0.5, 2, curve)), curve
    (['a', 'b', 'c'], [[0, 0.5], [2, 0.5]])
    """
    for step, batch in enumerate(batches):
        if step % every == 0:
            into.append([step, measure()])
        yield batch


@dataclass
class GameHistory:
    """What happened in a game.

    Attributes
    ----------
    discriminator, generator : list of float
        One a step: each player's loss before it.
    cpu_seconds : float
        Time of the processor.
    """

    discriminator: list[float] = field(default_factory=list)
    generator: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class GameRules:
    """Which game is played, and how.

    Attributes
    ----------
    loss : {"non-saturating", "original", "wasserstein"}
        Of the two players.
    rounds : int
        Steps of the discriminator, or critic, for each of the generator.
    lr : float
        Largest step size of both, which falls to 0 along half a cosine.
    batch_size : int
    penalty : float
        Weight of the gradient penalty; for the Wasserstein game.
    smoothing : float
        Standard deviation of the noise that is added to what the discriminator sees, at the
        first step; it falls to 0. It keeps a discriminator of few images from being sure.
    """

    loss: str = "non-saturating"
    rounds: int = 1
    lr: float = 1e-3
    batch_size: int = 64
    penalty: float = 10.0
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if self.loss not in ("non-saturating", "original", "wasserstein"):
            raise ValueError(
                f"loss is {self.loss!r}; 'non-saturating', 'original' or 'wasserstein' wanted."
            )


def play_game(
    maker: nn.Module,
    judge: nn.Module,
    rules: GameRules,
    *,
    n_latent: int,
    steps: int,
    generator: torch.Generator,
    labelled: bool = False,
    watch: Callable[[int], None] | None = None,
) -> GameHistory:
    """Train a generator and a discriminator on the digits against each other.

    Parameters
    ----------
    maker : nn.Module
        The generator: z (B, k) to images (B, 64); with labels where the game has them.
    judge : nn.Module
        The discriminator or critic: images to logits (B, 1).
    rules : GameRules
        Losses and settings.
    n_latent : int
        k.
    steps : int
        Of the generator.
    generator : torch.Generator
        Draws images, labels and noise.
    labelled : bool
        Whether both networks are given labels.
    watch : callable, optional
        Called before each step with its number.

    Returns
    -------
    GameHistory

    Raises
    ------
    FloatingPointError
        If a loss is not a finite number.

    Examples
    --------
    >>> from coursekit.generative.networks import mlp
    >>> g = torch.Generator().manual_seed(0)
    >>> maker, judge = mlp((4, 8, 64), g), mlp((64, 8, 1), g)
    >>> history = play_game(maker, judge, GameRules(), n_latent=4, steps=2, generator=g)
    >>> len(history.generator)
    2
    """
    game = _Game(maker, judge, rules, n_latent, labelled, generator)
    history, start = GameHistory(), time.process_time()
    for step in range(count(steps, "steps")):
        if watch is not None:
            watch(step)
        game.set_rate(step / steps)
        history.discriminator.append([game.judge_step() for _ in range(rules.rounds)][-1])
        history.generator.append(game.maker_step())
        if not math.isfinite(history.discriminator[-1] + history.generator[-1]):
            raise FloatingPointError(f"step {step + 1}: a loss is not finite; take a smaller lr.")
    history.cpu_seconds = time.process_time() - start
    return history


class _Game:
    """Players, their optimisers and their batches."""

    def __init__(
        self,
        maker: nn.Module,
        judge: nn.Module,
        rules: GameRules,
        n_latent: int,
        labelled: bool,
        generator: torch.Generator,
    ) -> None:
        self.maker, self.judge, self.rules = maker, judge, rules
        self.n_latent, self.labelled, self.generator = n_latent, labelled, generator
        betas = (0.0, 0.9) if rules.loss == "wasserstein" else (0.5, 0.99)
        self.players = [
            torch.optim.Adam(m.parameters(), lr=rules.lr, betas=betas) for m in (maker, judge)
        ]
        self.noise = rules.smoothing
        self.batches = digit_batches(
            lambda levels, labels, g: (dequantise(levels, g), labels), generator, rules.batch_size
        )

    def set_rate(self, done: float) -> None:
        """Set both step sizes, and the smoothing, at this share of the steps."""
        for player in self.players:
            player.param_groups[0]["lr"] = self.rules.lr * (1 + math.cos(math.pi * done)) / 2
        self.noise = self.rules.smoothing * (1 - done)

    def make(self) -> tuple[Tensor, Tensor]:
        """Return images of the generator and the labels they were asked for."""
        B = self.rules.batch_size
        z = torch.randn(B, self.n_latent, generator=self.generator)
        labels = torch.randint(CLASSES, (B,), generator=self.generator)
        return (self.maker(z, labels) if self.labelled else self.maker(z)), labels

    def score(self, x: Tensor, labels: Tensor) -> Tensor:
        """Return the judge's logits (B, 1)."""
        if self.noise:
            x = x + self.noise * torch.randn(x.shape, generator=self.generator)
        return self.judge(x, labels) if self.labelled else self.judge(x)

    def judge_step(self) -> float:
        """Take one step of the judge and return its loss."""
        real, labels = next(self.batches)
        with torch.no_grad():
            made, asked = self.make()
        scores = self.score(real, labels), self.score(made, asked)
        if self.rules.loss == "wasserstein":
            loss = critic_loss(*scores)
            loss = loss + self.rules.penalty * gradient_penalty(
                self.judge, real, made, self.generator
            )
        else:
            loss = discriminator_loss(*scores)
        return self._descend(1, loss)

    def maker_step(self) -> float:
        """Take one step of the maker and return its loss."""
        scores = self.score(*self.make())
        if self.rules.loss == "wasserstein":
            loss = -scores.mean()
        elif self.rules.loss == "original":
            loss = generator_loss(scores, "original")
        else:
            loss = generator_loss(scores)
        return self._descend(0, loss)

    def _descend(self, player: int, loss: Tensor) -> float:
        self.players[player].zero_grad()
        loss.backward()
        self.players[player].step()
        return loss.item()
