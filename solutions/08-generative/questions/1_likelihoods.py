"""What can be computed exactly: a likelihood, a divergence, a bound."""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from coursekit.grading import case, question


def log_gaussian(x, mean, covariance, factor=0.5, pi=2.0, half_determinant=0.5):
    d, gap = len(x), x - mean
    _, log_determinant = np.linalg.slogdet(covariance)
    away = gap @ np.linalg.solve(covariance, gap)
    return -0.5 * d * np.log(pi * np.pi) - half_determinant * log_determinant - factor * away


@question(
    id="ppca-likelihood",
    title="A likelihood with the latents integrated out",
    asks="ppca_log_likelihood",
    points=2,
    section="sec-generative-ppca",
)
class PpcaLikelihood:
    def reference(x, mu, W, sigma):
        return log_gaussian(x, mu, W @ W.T + sigma**2 * np.eye(len(x)))

    def cases(rng):
        for name, d, k, shown in (
            ("two pixels, one latent", 2, 1, True),
            ("three pixels, two latents", 3, 2, True),
            ("one pixel", 1, 1, True),
            ("six pixels", 6, 3, False),
        ):
            sigma = float(rng.uniform(0.4, 0.9))
            yield case(
                name,
                rng.normal(size=d),
                rng.normal(size=d),
                rng.normal(size=(d, k)),
                sigma,
                shown=shown,
            )

    def by_scipy(x, mu, W, sigma):
        return multivariate_normal(mu, W @ W.T + sigma**2 * np.eye(len(x))).logpdf(x)

    def by_the_small_matrix(x, mu, W, sigma):
        d, k = W.shape
        M = W.T @ W + sigma**2 * np.eye(k)
        gap = x - mu
        away = (gap @ gap - gap @ W @ np.linalg.solve(M, W.T @ gap)) / sigma**2
        log_determinant = np.linalg.slogdet(M)[1] + (d - k) * np.log(sigma**2)
        return -0.5 * (d * np.log(2 * np.pi) + log_determinant + away)

    def noise_not_squared(x, mu, W, sigma):
        return log_gaussian(x, mu, W @ W.T + sigma * np.eye(len(x)))

    def no_noise_added(x, mu, W, sigma):
        return log_gaussian(x, mu, sigma**2 * np.eye(len(x)))

    def mean_forgotten(x, mu, W, sigma):
        return log_gaussian(x, 0 * mu, W @ W.T + sigma**2 * np.eye(len(x)))

    def no_determinant(x, mu, W, sigma):
        return log_gaussian(x, mu, W @ W.T + sigma**2 * np.eye(len(x)), half_determinant=0.0)

    def two_pi_forgotten(x, mu, W, sigma):
        return log_gaussian(x, mu, W @ W.T + sigma**2 * np.eye(len(x)), pi=1 / np.pi)

    variants = [by_scipy, by_the_small_matrix]
    mistakes = {
        "It is the square of sigma that goes into the covariance.": noise_not_squared,
        "W is missing: the latents spread x too, by W W^T.": no_noise_added,
        "Subtract the mean mu before you measure how far x is.": mean_forgotten,
        "The log-determinant of the covariance is missing.": no_determinant,
        "The constant with 2 pi is missing.": two_pi_forgotten,
    }
    explain = r"""
    $x=Wz+\mu+\sigma n$ with independent standard Gaussians $z$ and $n$ is Gaussian with mean $\mu$
    and covariance $C=WW^T+\sigma^2I$. So $\log p(x)=-\tfrac12(d\log2\pi+\log\det C+
    (x-\mu)^TC^{-1}(x-\mu))$. No integral is left.
    """


@question(
    id="gaussian-kl",
    title="What a code costs",
    asks="gaussian_kl",
    points=1,
    section="sec-generative-vae",
)
class GaussianKl:
    def reference(mean, log_var):
        return 0.5 * np.sum(mean**2 + np.exp(log_var) - 1 - log_var, axis=1)

    def cases(rng):
        yield case("two examples", rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
        yield case("the prior itself", np.zeros((1, 2)), np.zeros((1, 2)))
        yield case("one latent", rng.normal(size=(4, 1)), rng.normal(size=(4, 1)))
        yield case("wide", rng.normal(size=(3, 8)), 2 * rng.normal(size=(3, 8)), shown=False)

    def latent_by_latent(mean, log_var):
        out = np.zeros(len(mean))
        for j in range(mean.shape[1]):
            variance = np.exp(log_var[:, j])
            out += (mean[:, j] ** 2 + variance) / 2 - 0.5 - np.log(variance) / 2
        return out

    def from_two_entropies(mean, log_var):
        k = mean.shape[1]
        entropy = 0.5 * (k * np.log(2 * np.pi * np.e) + log_var.sum(1))
        cross = 0.5 * (k * np.log(2 * np.pi) + (mean**2 + np.exp(log_var)).sum(1))
        return cross - entropy

    def averaged(mean, log_var):
        return 0.5 * np.mean(mean**2 + np.exp(log_var) - 1 - log_var, axis=1)

    def over_the_batch(mean, log_var):
        return 0.5 * np.sum(mean**2 + np.exp(log_var) - 1 - log_var)

    def as_a_deviation(mean, log_var):
        return 0.5 * np.sum(mean**2 + np.exp(2 * log_var) - 1 - 2 * log_var, axis=1)

    def other_sign(mean, log_var):
        return 0.5 * np.sum(mean**2 + np.exp(log_var) - 1 + log_var, axis=1)

    def not_halved(mean, log_var):
        return np.sum(mean**2 + np.exp(log_var) - 1 - log_var, axis=1)

    variants = [latent_by_latent, from_two_entropies]
    mistakes = {
        "Add up over the latents; you took their mean.": averaged,
        "Keep the examples apart: one number for each.": over_the_batch,
        "What log_var holds is the variance's logarithm, not the deviation's.": as_a_deviation,
        "The logarithm of the variance enters with a minus.": other_sign,
        "The factor one half is missing.": not_halved,
    }
    explain = r"""
    Each latent adds $\tfrac12(\mu^2+\sigma^2-1-\log\sigma^2)$; it is 0 exactly when the code is the
    prior, and it may be summed because the latents are independent. With $\mu=1$ and $\sigma=1$ a
    latent costs half a nat.
    """


@question(
    id="importance-bound",
    title="A tighter bound",
    asks="importance_bound",
    points=1,
    section="sec-generative-importance",
)
class ImportanceBound:
    def reference(log_p, log_q):
        return logsumexp(log_p - log_q, axis=1) - np.log(log_p.shape[1])

    def cases(rng):
        yield case("three samples", rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
        yield case("one sample", rng.normal(size=(2, 1)), rng.normal(size=(2, 1)))
        far = rng.normal(size=(1, 4)) - 2000
        yield case("images, whose densities are tiny", far, rng.normal(size=(1, 4)))
        yield case(
            "many samples", 3 * rng.normal(size=(3, 50)), rng.normal(size=(3, 50)), shown=False
        )

    def by_its_largest(log_p, log_q):
        log_w = log_p - log_q
        top = log_w.max(axis=1, keepdims=True)
        return top[:, 0] + np.log(np.mean(np.exp(log_w - top), axis=1))

    def added_in_pairs(log_p, log_q):
        log_w = (log_p - log_q).T
        return np.logaddexp.reduce(log_w, axis=0) - np.log(len(log_w))

    def the_elbo(log_p, log_q):
        return np.mean(log_p - log_q, axis=1)

    def not_divided(log_p, log_q):
        return logsumexp(log_p - log_q, axis=1)

    def naive(log_p, log_q):
        with np.errstate(divide="ignore"):
            return np.log(np.mean(np.exp(log_p - log_q), axis=1))

    def upside_down(log_p, log_q):
        return logsumexp(log_q - log_p, axis=1) - np.log(log_p.shape[1])

    def without_q(log_p, log_q):
        return logsumexp(log_p, axis=1) - np.log(log_p.shape[1])

    variants = [by_its_largest, added_in_pairs]
    mistakes = {
        "This is the ELBO, the mean of logarithms; take the logarithm of the mean.": the_elbo,
        "Divide the sum by the number of samples.": not_divided,
        "Here exp underflows to 0: take the largest weight out before you add.": naive,
        "The weight is p over q, not q over p.": upside_down,
        "The samples come from q: divide by its density.": without_q,
    }
    explain = r"""
    The weights $w_i=p(x,z_i)/q(z_i\mid x)$ have mean $p(x)$. So $\log\tfrac1K\sum_iw_i$ is an
    estimate of $\log p(x)$, too low on average and the nearer the larger $K$. In logarithms:
    `logsumexp(log_p - log_q) - log(K)`. With $K=1$ it is the ELBO's own estimate.
    """
