"""The trained models of the chapter: draw from any of them, score any of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn

from coursekit.data.checkpoints import load_checkpoint
from coursekit.generative.classifier import DigitClassifier
from coursekit.generative.ddim import sample_ddim
from coursekit.generative.diffusion import Diffusion, diffusion_bound, guess_errors
from coursekit.generative.digits import (
    CLASSES,
    LEVELS,
    PIXELS,
    dequantise,
    digit_levels,
    scale,
    to_levels,
)
from coursekit.generative.flow import flow_log_likelihood, sample_flow
from coursekit.generative.iwae import importance_bound
from coursekit.generative.pixel import PixelGPT, pixel_log_likelihood, sample_pixels
from coursekit.generative.ppca import ProbabilisticPCA
from coursekit.generative.recipes import RECIPES, SCHEDULE, new_network
from coursekit.generative.scores import (
    bits_per_dimension,
    class_coverage,
    frechet_distance,
    precision_recall,
)
from coursekit.generative.vae import VAE

MODELS = (
    "ppca",
    "vae",
    "gan",
    "wgan",
    "style",
    "diffusion",
    "flow",
    "pixel",
    "conditional-gan",
)
"""What the table ranks, by name; `conditional-gan` draws only what it is asked for."""

TAKES_LABELS = ("conditional-gan", "diffusion", "flow", "pixel")
"""Models that can be asked for a digit."""

PPCA_LATENT = 56
"""Latent numbers of the table's probabilistic PCA, chosen on the validation images."""

IMPORTANCE_SAMPLES = 64
"""Draws of the bound that stands for the VAE's likelihood."""

DDIM_STEPS = 50
"""Evaluations for a diffusion sample."""

FLOW_STEPS = 25
"""Steps of Heun's method, two evaluations each, for a flow sample."""

Bits = Literal["exact", "estimate", "bound", "none"]

KIND_OF_BITS: dict[str, Bits] = {
    "ppca": "exact",
    "vae": "bound",
    "diffusion": "bound",
    "flow": "estimate",
    "pixel": "exact",
}
"""What stands behind a model's bits per dimension; the others have none."""


@dataclass(frozen=True)
class Trained:
    """A model by its name, ready to draw and to be scored.

    Attributes
    ----------
    name : str
        One of `MODELS`, or ``"collapse"`` or ``"walk"``.
    network : nn.Module or ProbabilisticPCA
        What was trained.
    """

    name: str
    network: nn.Module | ProbabilisticPCA

    @property
    def title(self) -> str:
        """What the table calls it."""
        return "probabilistic PCA" if self.name == "ppca" else RECIPES[self.name].title

    def diffusion(self) -> Diffusion:
        """Return network and schedule of the diffusion model."""
        if self.name != "diffusion" or isinstance(self.network, ProbabilisticPCA):
            raise ValueError(f"{self.name} is no diffusion model.")
        return Diffusion(self.network, SCHEDULE)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        generator: torch.Generator,
        labels: Tensor | None = None,
        strength: float = 1.0,
    ) -> Tensor:
        """Return n images of grey levels.

        Parameters
        ----------
        n : int
        generator : torch.Generator
            Of everything random.
        labels : Tensor of int64, shape (n,), optional
            What they shall show, for a model of `TAKES_LABELS`.
        strength : float
            Of the guidance; for diffusion and flow.

        Returns
        -------
        Tensor of int64, shape (n, 64)

        Raises
        ------
        ValueError
            If the model takes no labels and got some, or needs them.
        """
        if labels is not None and self.name not in TAKES_LABELS:
            raise ValueError(f"{self.name} takes no labels; {', '.join(TAKES_LABELS)} do.")
        if self.name == "pixel":
            return sample_pixels(self._pixel(), n, generator, labels)
        return to_levels(self._images(n, generator, labels, strength))

    def _images(
        self, n: int, generator: torch.Generator, labels: Tensor | None, strength: float
    ) -> Tensor:
        if isinstance(self.network, ProbabilisticPCA | VAE):
            return self.network.sample(n, generator)
        if self.name == "diffusion":
            return sample_ddim(
                self.diffusion(), n, generator, steps=DDIM_STEPS, labels=labels, strength=strength
            )[-1]
        if self.name == "flow":
            return sample_flow(
                self.network, n, generator, steps=FLOW_STEPS, labels=labels, strength=strength
            )[-1]
        if self.name == "conditional-gan" and labels is None:
            raise ValueError("conditional-gan draws what it is asked for: pass labels.")
        z = torch.randn(n, int(self.network.n_latent), generator=generator)  # type: ignore[arg-type]
        return self.network(z) if labels is None else self.network(z, labels)

    def _pixel(self) -> PixelGPT:
        assert isinstance(self.network, PixelGPT)
        return self.network

    @torch.no_grad()
    def bits(
        self, levels: Tensor, generator: torch.Generator, labels: Tensor | None = None
    ) -> float | None:
        """Return the bits per dimension of images; None where the model has no likelihood.

        Exact for probabilistic PCA and the pixels; a bound from above for the VAE, by importance
        weights, and for diffusion; of the flow an estimate, whose trace is drawn and whose
        equation is solved in steps. Models of densities are given dequantised images.

        Parameters
        ----------
        levels : Tensor of int64, shape (m, 64)
        generator : torch.Generator
            Dequantises, and draws what the bounds draw.
        labels : Tensor of int64, shape (m,), optional
            What they show, for a model of `TAKES_LABELS`.

        Returns
        -------
        float or None
        """
        if self.name not in KIND_OF_BITS:
            return None
        if self.name == "pixel":
            exact = pixel_log_likelihood(self._pixel(), levels, labels)
            return bits_per_dimension(exact, PIXELS)
        density = self._log_density(dequantise(levels, generator), labels, generator)
        return bits_per_dimension(density, PIXELS, width=2 / LEVELS)

    def _log_density(self, x: Tensor, labels: Tensor | None, generator: torch.Generator) -> Tensor:
        if isinstance(self.network, ProbabilisticPCA):
            return self.network.log_likelihood(x)
        if isinstance(self.network, VAE):
            q = self.network.encode(x)
            return importance_bound(self.network, x, q, IMPORTANCE_SAMPLES, generator)
        if self.name == "diffusion":
            return self._chain_bound(x, labels, generator)
        return flow_log_likelihood(self.network, x, labels=labels, generator=generator)

    def _chain_bound(self, x: Tensor, labels: Tensor | None, generator: torch.Generator) -> Tensor:
        """Bound with the steps' variances measured on every third training image."""
        levels, told = (part[::3] for part in digit_levels("train"))
        seen = dequantise(levels, generator)
        errors = guess_errors(self.diffusion(), seen, generator, None if labels is None else told)
        return diffusion_bound(self.diffusion(), x, generator, labels, errors=errors)


@cache
def load_classifier() -> DigitClassifier:
    """Return the course's own classifier, trained.

    Returns
    -------
    DigitClassifier

    Examples
    --------
    >>> load_classifier()(torch.full((1, 64), -1.0)).shape
    torch.Size([1, 10])
    """
    model = DigitClassifier()
    model.load_state_dict(load_checkpoint("generative-classifier"))
    return model.eval()


def fit_ppca() -> ProbabilisticPCA:
    """Return the table's probabilistic PCA, fitted to the training digits in closed form.

    Returns
    -------
    ProbabilisticPCA

    Examples
    --------
    >>> fit_ppca().n_latent == PPCA_LATENT
    True
    """
    x = dequantise(digit_levels("train")[0], torch.Generator().manual_seed(0))
    return ProbabilisticPCA.fit(x, PPCA_LATENT)


def load_generative(name: str) -> Trained:
    """Return a trained model of the chapter.

    Parameters
    ----------
    name : str
        One of `MODELS`; or ``"walk"``, a VAE in two dimensions, or ``"collapse"``, a GAN
        that went wrong.

    Returns
    -------
    Trained

    Raises
    ------
    KeyError
        If there is no such model; the message lists those there are.

    Examples
    --------
    >>> load_generative("gan").sample(2, torch.Generator().manual_seed(0)).shape
    torch.Size([2, 64])
    """
    if name == "ppca":
        return Trained(name, fit_ppca())
    if name not in (*MODELS, "walk", "collapse"):
        raise KeyError(f"no model {name!r}; there are {', '.join((*MODELS, 'walk', 'collapse'))}.")
    network = new_network(name)
    network.load_state_dict(load_checkpoint(f"generative-{name}"))
    return Trained(name, network.eval())


@dataclass(frozen=True)
class Scores:
    """How good a set of images is, beside images that no model saw.

    Attributes
    ----------
    frechet : float
        Fréchet distance of the classifier's features.
    precision, recall : float
        By nearest neighbours, among the same features.
    coverage : float
        Share of the ten digits that are drawn at least a tenth as often as they should be.
    nearest : float
        Median distance to the nearest training image, over that of the unseen images: 1 for
        images as new as those, 0 for copies.
    """

    frechet: float
    precision: float
    recall: float
    coverage: float
    nearest: float


@torch.no_grad()
def score_samples(levels: Tensor, classifier: DigitClassifier | None = None) -> Scores:
    """Score images beside the held-out digits.

    Parameters
    ----------
    levels : Tensor of int64, shape (n, 64)
        Grey levels; 712 of them, as many as there are held-out digits, to compare with the table.
    classifier : DigitClassifier, optional
        Whose features count; the course's own by default.

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        If there are fewer than four images, or they are no grey levels.

    Examples
    --------
    >>> score_samples(digit_levels("held-out")[0]).frechet < 1e-6
    True
    """
    judge = load_classifier() if classifier is None else classifier
    held_out, train = (scale(digit_levels(part)[0]) for part in ("held-out", "train"))
    x = scale(levels)
    real, made = judge.features(held_out), judge.features(x)
    precision, recall = precision_recall(real, made)
    return Scores(
        frechet=frechet_distance(real, made),
        precision=precision,
        recall=recall,
        coverage=class_coverage(judge(x).argmax(1), CLASSES),
        nearest=float(_to_nearest(x, train) / _to_nearest(held_out, train)),
    )


def _to_nearest(x: Tensor, train: Tensor) -> Tensor:
    """Median over x of the distance to the nearest training image."""
    return torch.cdist(x, train).min(1).values.median()
