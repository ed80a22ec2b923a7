"""Scores against closed forms, scipy and brute force."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.stats import norm
from sklearn.neighbors import NearestNeighbors

from coursekit.generative import (
    LEVELS,
    bits_per_dimension,
    class_coverage,
    class_shares,
    dequantise,
    frechet_distance,
    frechet_gaussians,
    normal_log_density,
    precision_recall,
    symmetric_root,
)
from tests.generative.near import assert_same, gen


def some(seed, d=4):
    a = torch.randn(d, d, generator=gen(seed), dtype=torch.float64)
    return torch.randn(d, generator=gen(seed + 1), dtype=torch.float64), a @ a.T


@pytest.mark.equation("eq-generative-frechet")
def test_the_distance_of_two_normal_distributions_is_the_closed_form():
    (m, S), (n, R) = some(0), some(10)
    inner = np.trace(S.numpy() + R.numpy() - 2 * np.real(sqrtm((S @ R).numpy())))
    expected = float((m - n).square().sum()) + inner
    assert frechet_gaussians(m, S, n, R) == pytest.approx(expected, rel=1e-9)
    assert frechet_gaussians(n, R, m, S) == pytest.approx(expected, rel=1e-9)
    assert frechet_gaussians(m, S, m, S) == pytest.approx(0, abs=1e-9)
    # Diagonal covariances: each axis by itself, (μ - ν)² + (σ - τ)².
    s, r = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 0.5])
    found = frechet_gaussians(torch.zeros(2), torch.diag(s**2), torch.ones(2), torch.diag(r**2))
    assert found == pytest.approx(2 + float((s - r).square().sum()), rel=1e-6)
    assert_same(symmetric_root(S) @ symmetric_root(S), S, terms=100)


def test_samples_of_two_normal_distributions_are_as_far_apart_as_they():
    """The estimate's error falls with the samples; at 50,000 of them it is below a hundredth."""
    (m, S), (n, R) = some(2), some(12)
    x, y = (
        c
        + torch.randn(50_000, 4, generator=gen(s), dtype=torch.float64) @ torch.linalg.cholesky(C).T
        for s, c, C in ((3, m, S), (4, n, R))
    )
    assert frechet_distance(x, y) == pytest.approx(frechet_gaussians(m, S, n, R), rel=0.03)
    few, many = frechet_distance(x[:50], x[50:100]), frechet_distance(x[:5000], x[5000:10000])
    assert few > 20 * many  # equal laws, and few samples make them look apart


def test_precision_and_recall_are_what_neighbours_found_by_another_library_say():
    real, made = torch.randn(80, 3, generator=gen()), 0.7 * torch.randn(90, 3, generator=gen(1))

    def share(centres, points, k=3):
        known = NearestNeighbors(n_neighbors=k + 1).fit(centres)
        radii = known.kneighbors(centres)[0][:, -1]
        inside = np.linalg.norm(points[:, None] - centres[None], axis=-1) <= radii
        return inside.any(1).mean()

    found = precision_recall(real.double(), made.double())
    assert found.precision == pytest.approx(share(real.double().numpy(), made.double().numpy()))
    assert found.recall == pytest.approx(share(made.double().numpy(), real.double().numpy()))


def test_a_missing_mode_costs_recall_and_a_false_one_precision():
    blobs = [10.0 * k + 0.1 * torch.randn(100, 2, generator=gen(k)) for k in range(4)]
    two, three = torch.cat(blobs[:2]), torch.cat(blobs[:3])
    again = torch.cat(
        [10.0 * k + 0.1 * torch.randn(100, 2, generator=gen(9 + k)) for k in range(2)]
    )
    fewer = precision_recall(three, again)
    assert fewer.precision > 0.9
    assert fewer.recall == pytest.approx(2 / 3, abs=0.05)
    more = precision_recall(two, torch.cat([again, blobs[3]]))
    assert more.precision == pytest.approx(2 / 3, abs=0.05)
    assert more.recall > 0.9


@pytest.mark.equation("eq-generative-bits-per-dimension")
def test_bits_of_dequantised_values_bound_the_bits_of_their_levels():
    """A normal density of 0.2 in width: its integral over each interval is the level's chance."""
    edges = 2 * np.arange(LEVELS + 1) / LEVELS - 1
    chance = np.diff(norm(0.1, 0.2).cdf(edges))
    levels = torch.multinomial(torch.tensor(chance), 200_000, replacement=True, generator=gen())
    exact = -np.log2(chance[levels.numpy()]).mean()
    x = dequantise(levels[:, None], gen(1))
    density = normal_log_density(x, torch.tensor(0.1), torch.tensor(math.log(0.04)))
    found = bits_per_dimension(density, 1, width=2 / LEVELS)
    gap = (2 / LEVELS) ** 2 / (24 * 0.2**2)  # in nats: half the variance inside an interval
    assert found - exact == pytest.approx(gap / math.log(2), rel=0.1)
    sure = torch.zeros(5)  # probability 1
    assert bits_per_dimension(sure, 64) == 0
    uniform = torch.full((3,), 64 * math.log(1 / 2))  # the uniform density on -1 … 1
    assert bits_per_dimension(uniform, 64, 2 / LEVELS) == pytest.approx(math.log2(LEVELS))


def test_the_logarithm_of_zero_is_told():
    with pytest.raises(ValueError, match="log of zero"):
        bits_per_dimension(torch.tensor([0.0, -math.inf]), 64)


def test_coverage_counts_classes_that_are_not_all_but_missing():
    labels = torch.tensor([0] * 500 + [1] * 480 + [2] * 20)  # a fair share of four is 250
    assert class_coverage(labels, 4) == 0.5
    assert class_coverage(labels, 4, share=0.05) == 0.75
    assert class_shares(labels, 4).tolist() == [0.5, 0.48, 0.02, 0.0]
    for bad in (torch.tensor([4]), torch.tensor([-1]), torch.zeros(0, dtype=torch.long)):
        with pytest.raises(ValueError, match="labels must be from 0 to 3"):
            class_coverage(bad, 4)


def test_bad_features_are_refused():
    x = torch.randn(5, 2, generator=gen())
    with pytest.raises(ValueError, match="a feature is NaN or infinite"):
        frechet_distance(x, x / 0)
    with pytest.raises(ValueError, match=r"\(m, d\) and \(n, d\) wanted"):
        frechet_distance(x, x[:, :1])
    with pytest.raises(ValueError, match="at least 2 wanted"):
        frechet_distance(x, x[:1])
    with pytest.raises(ValueError, match="more than k = 5 wanted"):
        precision_recall(x, x, k=5)
    with pytest.raises(ValueError, match=r"\(d,\) and \(d, d\) wanted"):
        frechet_gaussians(torch.zeros(2), torch.eye(2), torch.zeros(3), torch.eye(3))
