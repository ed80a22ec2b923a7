"""Chapter 01: what a machine minimises when it "learns".

Likelihood, divergence, losses and risk, regularisation, descent, capacity, two kinds of
classifier and honest splits: pure functions of NumPy arrays in float64, examples first
(``X`` of shape (m, n), ``y`` (m,), ``Y`` (m, q)), logarithms natural, information in nats.
"""

from coursekit.basics.capacity import (
    BiasVariance,
    bias_variance,
)
from coursekit.basics.classifiers import (
    GaussianClassifier,
    SoftmaxRegression,
)
from coursekit.basics.descent import (
    gradient_descent,
    sgd,
)
from coursekit.basics.divergence import (
    cross_entropy,
    entropy,
    kl_divergence,
    kl_gaussians,
    kl_integral,
    kl_monte_carlo,
)
from coursekit.basics.estimate import (
    Estimate,
    mean_estimate,
)
from coursekit.basics.features import (
    polynomial_features,
    standardise,
)
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
from coursekit.basics.prior import (
    gaussian_log_prior,
    laplace_log_prior,
    lasso_gamma,
    ridge_gamma,
)
from coursekit.basics.regularisation import (
    LinearFit,
    l1_penalty,
    l2_penalty,
    lasso,
    lasso_path,
    regularised_risk,
    ridge,
    ridge_path,
    soft_threshold,
)
from coursekit.basics.risk import (
    empirical_risk,
    generalisation_gap,
    monte_carlo_risk,
)
from coursekit.basics.splits import (
    group_split,
    near_duplicates,
    select_by_correlation,
    train_validation_test,
)

__all__ = [
    "BiasVariance",
    "Estimate",
    "GaussianClassifier",
    "GaussianFit",
    "LinearFit",
    "SoftmaxRegression",
    "bias_variance",
    "cross_entropy",
    "empirical_risk",
    "entropy",
    "gaussian_log_likelihood",
    "gaussian_log_pdf",
    "gaussian_log_prior",
    "gaussian_mle",
    "generalisation_gap",
    "gradient_descent",
    "group_split",
    "kl_divergence",
    "kl_gaussians",
    "kl_integral",
    "kl_monte_carlo",
    "l1_penalty",
    "l2_penalty",
    "laplace_log_prior",
    "lasso",
    "lasso_gamma",
    "lasso_path",
    "likelihood",
    "log_likelihood",
    "log_softmax",
    "mean_estimate",
    "monte_carlo_risk",
    "multivariate_gaussian_log_pdf",
    "near_duplicates",
    "negative_log_likelihood",
    "polynomial_features",
    "regularised_risk",
    "ridge",
    "ridge_gamma",
    "ridge_path",
    "select_by_correlation",
    "sgd",
    "soft_threshold",
    "softmax",
    "softmax_cross_entropy",
    "softmax_cross_entropy_gradient",
    "squared_error",
    "standardise",
    "train_validation_test",
    "zero_one_error",
]
