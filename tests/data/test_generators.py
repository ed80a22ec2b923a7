"""Made-up data have the distribution they claim."""

import numpy as np
import pytest
from scipy import stats

from coursekit.data import gaussian_mixture, sine, sine_curve


def test_sine_has_uniform_inputs_and_gaussian_noise():
    x, y = sine(5000, 0.3, np.random.default_rng(0))
    assert stats.kstest(x, "uniform").pvalue > 1e-3
    assert stats.kstest(y - np.sin(2 * np.pi * x), stats.norm(0, 0.3).cdf).pvalue > 1e-3


def test_sine_without_noise_is_the_curve():
    x, y = sine(10, 0.0, np.random.default_rng(0))
    assert (y == sine_curve(x)).all()


def test_one_seed_is_one_data_set():
    a, b = (sine(5, 0.1, np.random.default_rng(3)) for _ in range(2))
    assert (a[0] == b[0]).all()
    assert (a[1] == b[1]).all()


MEANS = np.array([[0.0, 0.0], [5.0, -3.0]])
COVARIANCES = np.array([[[2.0, 0.8], [0.8, 1.0]], [[0.5, -0.2], [-0.2, 0.3]]])


@pytest.mark.parametrize("covariances", [COVARIANCES, COVARIANCES[0]])
def test_mixture_has_the_means_covariances_and_weights_asked_for(covariances):
    m, weights = 40_000, [0.3, 0.7]
    X, labels = gaussian_mixture(m, MEANS, covariances, weights, np.random.default_rng(0))
    assert stats.binomtest(int((labels == 0).sum()), m, 0.3).pvalue > 1e-3
    for k, S in enumerate(np.broadcast_to(covariances, (2, 2, 2))):
        own = X[labels == k]
        squares = np.einsum("ij,ij->i", (own - MEANS[k]) @ np.linalg.inv(S), own - MEANS[k])
        assert stats.kstest(squares, stats.chi2(2).cdf).pvalue > 1e-3
        spread = np.sqrt(np.outer(np.diag(S), np.diag(S)))
        assert (np.abs(np.cov(own.T) - S) < 5 * spread * np.sqrt(2 / len(own))).all()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"weights": [0.5, 0.6]}, ValueError, "sums to 1.1"),
        ({"weights": [1.0]}, ValueError, r"\(2,\) wanted"),
        ({"covariances": np.eye(3)}, ValueError, "covariances has shape"),
        ({"covariances": -np.eye(2)}, ValueError, "positive definite"),
        ({"m": 0}, ValueError, "m is 0"),
        ({"rng": 0}, TypeError, "default_rng"),
    ],
)
def test_bad_mixtures_are_named(change, error, words):
    rng = np.random.default_rng(0)
    good = {"m": 5, "means": MEANS, "covariances": np.eye(2), "weights": [0.5, 0.5], "rng": rng}
    with pytest.raises(error, match=words):
        gaussian_mixture(**(good | change))


def test_noise_below_zero_is_named():
    with pytest.raises(ValueError, match="noise is -1"):
        sine(5, -1.0, np.random.default_rng(0))
