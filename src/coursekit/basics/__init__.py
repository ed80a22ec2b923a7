"""Chapter 01: what a machine minimises when it "learns".

Likelihood, divergence, losses and risk, regularisation, descent, capacity, two kinds of
classifier and honest splits: pure functions of NumPy arrays in float64, examples first
(``X`` of shape (m, n), ``y`` (m,), ``Y`` (m, q)), logarithms natural, information in nats.
"""

from coursekit.basics.divergence import (
    cross_entropy,
    entropy,
    kl_divergence,
    kl_gaussians,
    kl_integral,
    kl_monte_carlo,
)
from coursekit.basics.estimate import Estimate, mean_estimate
from coursekit.basics.likelihood import (
    GaussianFit,
    gaussian_log_likelihood,
    gaussian_log_pdf,
    gaussian_mle,
    likelihood,
    log_likelihood,
    multivariate_gaussian_log_pdf,
)
from coursekit.basics.losses import (
    log_softmax,
    negative_log_likelihood,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
    squared_error,
    zero_one_error,
)
from coursekit.basics.risk import empirical_risk, generalisation_gap, monte_carlo_risk

__all__ = [
    "Estimate",
    "GaussianFit",
    "cross_entropy",
    "empirical_risk",
    "entropy",
    "gaussian_log_likelihood",
    "gaussian_log_pdf",
    "gaussian_mle",
    "generalisation_gap",
    "kl_divergence",
    "kl_gaussians",
    "kl_integral",
    "kl_monte_carlo",
    "likelihood",
    "log_likelihood",
    "log_softmax",
    "mean_estimate",
    "monte_carlo_risk",
    "multivariate_gaussian_log_pdf",
    "negative_log_likelihood",
    "softmax",
    "softmax_cross_entropy",
    "softmax_cross_entropy_gradient",
    "squared_error",
    "zero_one_error",
]
