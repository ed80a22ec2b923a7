"""How near is near enough, argued once.

Every comparison with an oracle takes its tolerance from here, so that no test invents one.
"""

import numpy as np

EPS = np.finfo(np.float64).eps


def assert_rounds_to(actual, expected, *, terms=1, condition=1.0):
    """Assert equality up to the rounding of a float64 computation, in float64.

    A sum of `terms` numbers carries a relative error of at most about ``terms * EPS`` of the
    largest partial sum, and solving a linear system multiplies that by its condition number.
    The factor 16 covers the exp, log and sqrt around it (a few units in the last place each).
    Errors are measured against the largest entry, since that is what the sums are made of.
    """
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    assert actual.shape == expected.shape, f"shapes {actual.shape} and {expected.shape}"
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    bound = 16 * EPS * terms * condition * scale
    worst = float(np.abs(actual - expected).max(initial=0.0))
    assert worst <= bound, f"off by {worst:.3g}, and rounding explains {bound:.3g}"


def assert_converges_to(actual, expected, *, relative):
    """Assert agreement of two iterative minimisers that each stop at a stated tolerance.

    `relative` is that tolerance times what the problem's curvature makes of it; the caller
    states both.
    """
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    assert actual.shape == expected.shape, f"shapes {actual.shape} and {expected.shape}"
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    worst = float(np.abs(actual - expected).max(initial=0.0))
    assert worst <= relative * scale, f"off by {worst:.3g} at scale {scale:.3g}"


def assert_estimates(estimate, truth, *, standard_errors=5.0):
    """Assert that a Monte Carlo estimate is within five of its own standard errors.

    With a fixed seed the test is deterministic; five would fail by chance once in 1.7 million
    seeds, so that a failure after a change means a bias and not bad luck.
    """
    distance = abs(estimate.value - truth)
    assert distance <= standard_errors * estimate.standard_error, (
        f"{estimate.value:.5g} is {distance / estimate.standard_error:.1f} standard errors "
        f"from {truth:.5g}"
    )


def central_difference(f, theta, step=1e-5):
    """Return the numerical gradient of `f`, error about ``step**2 + EPS / step``, 1e-10 or so."""
    theta = np.asarray(theta, float)
    slope = np.empty_like(theta)
    for i in np.ndindex(theta.shape):
        e = np.zeros_like(theta)
        e[i] = step
        slope[i] = (f(theta + e) - f(theta - e)) / (2 * step)
    return slope


DIFFERENCE = 1e-8
"""Tolerance for a gradient against `central_difference`, a hundred times its error at order 1."""
