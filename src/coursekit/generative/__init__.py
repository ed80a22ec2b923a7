"""Chapter 08: what a generative model is, mathematically.

A model that can be solved (probabilistic PCA), and those that are trained: variational
auto-encoders, adversarial games, diffusion, flows, and language models of pixels; all of them on
the course's digits, whose 64 pixels run from -1, paper, to 1, ink; and scores that compare them.
"""

# ruff: noqa: E402 - where torch is absent, the reader gets a sentence before the imports fail
from coursekit import optional

optional.require("torch")

from coursekit.generative.classifier import DigitClassifier, classifier_loss
from coursekit.generative.cycle import Translators, cycle_loss, train_cycle
from coursekit.generative.ddim import ddim_step, ddim_times, sample_ddim
from coursekit.generative.diffusion import (
    Diffusion,
    Guess,
    Posterior,
    ddpm_posterior,
    diffusion_bound,
    diffusion_loss,
    forward_step,
    guess_errors,
    q_sample,
    sample_ddpm,
    velocity,
)
from coursekit.generative.digits import (
    CLASSES,
    LEVELS,
    NO_LABEL,
    PIXELS,
    check_images,
    dequantise,
    digit_levels,
    scale,
    to_levels,
)
from coursekit.generative.elbo import (
    LatentModel,
    elbo_evidence_gap,
    elbo_joint_entropy,
    elbo_reconstruction_kl,
    log_joint,
)
from coursekit.generative.flow import (
    divergence,
    flow_log_likelihood,
    flow_loss,
    sample_flow,
    solve,
)
from coursekit.generative.gan import (
    discriminator_loss,
    gan_value,
    generator_loss,
    gradient_on_logit,
    jensen_shannon,
    optimal_discriminator,
)
from coursekit.generative.gaussians import (
    Gaussian,
    gaussian_kl,
    normal_log_density,
    reparameterise,
    sigma_points,
)
from coursekit.generative.guidance import drop_labels, guided
from coursekit.generative.iwae import importance_bound
from coursekit.generative.minmax import play, rotation
from coursekit.generative.networks import (
    Denoiser,
    DigitCritic,
    DigitGenerator,
    mlp,
    time_features,
    with_labels,
)
from coursekit.generative.pixel import (
    PixelGPT,
    pixel_log_likelihood,
    pixel_loss,
    sample_pixels,
)
from coursekit.generative.ppca import ProbabilisticPCA
from coursekit.generative.recipes import RECIPES, Recipe, Training, new_network, train
from coursekit.generative.schedule import Schedule
from coursekit.generative.score import GaussianMixture, perfect_network, score_from_noise
from coursekit.generative.scores import (
    PrecisionRecall,
    bits_per_dimension,
    class_coverage,
    class_shares,
    frechet_distance,
    frechet_gaussians,
    precision_recall,
    symmetric_root,
)
from coursekit.generative.style import StyleGenerator
from coursekit.generative.trained import (
    KIND_OF_BITS,
    MODELS,
    TAKES_LABELS,
    Scores,
    Trained,
    load_classifier,
    load_generative,
    score_samples,
)
from coursekit.generative.training import (
    GameHistory,
    GameRules,
    digit_batches,
    play_game,
    watched,
)
from coursekit.generative.vae import VAE, active_units, vae_loss
from coursekit.generative.wgan import critic_loss, gradient_penalty, wasserstein_1d

__all__ = [
    "CLASSES",
    "KIND_OF_BITS",
    "LEVELS",
    "MODELS",
    "NO_LABEL",
    "PIXELS",
    "RECIPES",
    "TAKES_LABELS",
    "VAE",
    "Denoiser",
    "Diffusion",
    "DigitClassifier",
    "DigitCritic",
    "DigitGenerator",
    "GameHistory",
    "GameRules",
    "Gaussian",
    "GaussianMixture",
    "Guess",
    "LatentModel",
    "PixelGPT",
    "Posterior",
    "PrecisionRecall",
    "ProbabilisticPCA",
    "Recipe",
    "Schedule",
    "Scores",
    "StyleGenerator",
    "Trained",
    "Training",
    "Translators",
    "active_units",
    "bits_per_dimension",
    "check_images",
    "class_coverage",
    "class_shares",
    "classifier_loss",
    "critic_loss",
    "cycle_loss",
    "ddim_step",
    "ddim_times",
    "ddpm_posterior",
    "dequantise",
    "diffusion_bound",
    "diffusion_loss",
    "digit_batches",
    "digit_levels",
    "discriminator_loss",
    "divergence",
    "drop_labels",
    "elbo_evidence_gap",
    "elbo_joint_entropy",
    "elbo_reconstruction_kl",
    "flow_log_likelihood",
    "flow_loss",
    "forward_step",
    "frechet_distance",
    "frechet_gaussians",
    "gan_value",
    "gaussian_kl",
    "generator_loss",
    "gradient_on_logit",
    "gradient_penalty",
    "guess_errors",
    "guided",
    "importance_bound",
    "jensen_shannon",
    "load_classifier",
    "load_generative",
    "log_joint",
    "mlp",
    "new_network",
    "normal_log_density",
    "optimal_discriminator",
    "perfect_network",
    "pixel_log_likelihood",
    "pixel_loss",
    "play",
    "play_game",
    "precision_recall",
    "q_sample",
    "reparameterise",
    "rotation",
    "sample_ddim",
    "sample_ddpm",
    "sample_flow",
    "sample_pixels",
    "scale",
    "score_from_noise",
    "score_samples",
    "sigma_points",
    "solve",
    "symmetric_root",
    "time_features",
    "to_levels",
    "train",
    "train_cycle",
    "vae_loss",
    "velocity",
    "wasserstein_1d",
    "watched",
    "with_labels",
]
