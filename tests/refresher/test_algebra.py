"""Vectors, matrices, logarithms: what the refresher shows, against independent computations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp
from torch import from_numpy
from torch.nn.functional import linear

RTOL = 64 * np.finfo(float).eps  # sums of at most 64 terms of like size, float64


@pytest.mark.equation("eq-refresher-dot")
@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 180, 290])
def test_dot_product_is_lengths_times_cosine_of_the_angle_that_was_drawn(page, degrees):
    phi, start = math.radians(degrees), 0.4
    a = 3.0 * np.array([math.cos(start), math.sin(start)])
    b = 0.5 * np.array([math.cos(start + phi), math.sin(start + phi)])
    assert page.dot(a, b) == pytest.approx(3.0 * 0.5 * math.cos(phi), abs=1e-15)


@pytest.mark.equation("eq-refresher-dot")
def test_dot_product_obeys_the_law_of_cosines_in_64_dimensions(page, rng):
    a, b = rng.normal(size=(2, 64))
    opposite = math.dist(a, b) ** 2
    assert opposite == pytest.approx(math.hypot(*a) ** 2 + math.hypot(*b) ** 2 - 2 * page.dot(a, b))


def test_dot_product_refuses_vectors_of_different_length(page):
    with pytest.raises(ValueError, match="zip"):
        page.dot([1.0, 2.0], [1.0])


@pytest.mark.equation("eq-refresher-norm")
@given(
    x=st.lists(st.floats(-100, 100).map(lambda v: round(v, 3)), min_size=1, max_size=20),
    scale=st.sampled_from([-3.0, 0.5, 2.0]),
)
def test_norms_match_the_standard_library_and_scale(page, x, scale):
    assert page.norm(x, 1) == pytest.approx(math.fsum(map(abs, x)), rel=RTOL)
    assert page.norm(x, 2) == pytest.approx(math.hypot(*x), rel=RTOL)
    for order in (1, 2):
        longer = page.norm([scale * v for v in x], order)
        assert longer == pytest.approx(abs(scale) * page.norm(x, order), rel=RTOL)


@pytest.mark.equation("eq-refresher-matvec")
def test_mixing_columns_equals_one_dot_product_per_row(page, rng):
    A, x = rng.integers(-9, 9, size=(4, 7)), rng.integers(-9, 9, size=7)
    by_rows = [sum(int(A[i, j]) * int(x[j]) for j in range(7)) for i in range(4)]
    assert page.matvec(A, x).tolist() == by_rows


@pytest.mark.equation("eq-refresher-batch")
@pytest.mark.parametrize(("m", "n", "q"), [(1, 1, 1), (5, 3, 2), (2, 64, 10)])
def test_rows_times_transposed_weights_is_torchs_linear_layer(page, rng, m, n, q):
    X, W, b = rng.normal(size=(m, n)), rng.normal(size=(q, n)), rng.normal(size=q)
    expected = linear(from_numpy(X), from_numpy(W), from_numpy(b)).numpy()
    np.testing.assert_allclose(page.affine(X, W, b), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.equation("eq-refresher-quadratic")
def test_eigenvalue_sum_equals_the_double_sum(page, rng):
    A = rng.normal(size=(6, 6))
    A, x = A + A.T, rng.normal(size=6)
    double = math.fsum(x[i] * A[i, j] * x[j] for i in range(6) for j in range(6))
    assert page.quadratic(A, x) == pytest.approx(double, rel=1e-12, abs=1e-12)


@pytest.mark.equation("eq-refresher-quadratic")
@pytest.mark.parametrize("smallest", [0.1, -0.1])
def test_the_form_is_positive_everywhere_exactly_when_no_eigenvalue_is_negative(page, smallest):
    c, s = math.cos(0.7), math.sin(0.7)
    rotation = np.array([[c, -s], [s, c]])
    A = rotation @ np.diag([2.0, smallest]) @ rotation.T
    angles = np.linspace(0, math.pi, 361)
    lowest = min(page.quadratic(A, np.array([math.cos(t), math.sin(t)])) for t in angles)
    assert lowest == pytest.approx(smallest, abs=1e-3)  # grid of half a degree


@pytest.mark.equation("eq-refresher-log-product")
def test_sum_of_logs_is_the_log_of_an_exact_integer_product(page, rng):
    a = rng.integers(1, 10_000, size=500)
    exact = math.log(math.prod(a.tolist()))  # a Python integer of some 1,800 digits: no overflow
    assert page.log_product(a) == pytest.approx(exact, rel=1e-13)


@pytest.mark.equation("eq-refresher-logsumexp")
@given(
    z=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    shift=st.sampled_from([-1e5, 0.0, 1e5]),
)
def test_log_sum_exp_agrees_with_scipy_at_any_height(page, z, shift):
    z = np.array(z) + shift
    assert page.log_sum_exp(z) == pytest.approx(logsumexp(z), rel=1e-14, abs=1e-12)


@pytest.mark.equation("eq-refresher-logsumexp")
def test_log_sum_exp_of_the_logs_of_integers_is_the_log_of_their_sum(page):
    assert page.log_sum_exp(np.log([1, 2, 3, 4])) == pytest.approx(math.log(10), rel=1e-15)
