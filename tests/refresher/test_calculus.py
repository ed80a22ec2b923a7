"""Derivatives, gradients, Jacobians: the refresher's numerical ones against automatic ones."""

import math

import numpy as np
import pytest
import torch

# A central difference with h = 1e-5 errs by h^2 f'''/6 and, through rounding, by eps |f| / h. With
# values of size one and third derivatives up to 100, both stay below 1e-8.
TOLERANCE = 1e-8


def torch_function(x):
    return torch.sin(x[0] * x[1]) + torch.exp(-x[2]) * x[0] + torch.tanh(x[1]) ** 2


def numpy_function(x):
    return math.sin(x[0] * x[1]) + math.exp(-x[2]) * x[0] + math.tanh(x[1]) ** 2


@pytest.mark.equation("eq-refresher-derivative")
@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (lambda x: x**3 - 2 * x, lambda x: 3 * x**2 - 2),
        (lambda x: 1 / x, lambda x: -1 / x**2),
        (math.sqrt, lambda x: 0.5 / math.sqrt(x)),
        (math.atan, lambda x: 1 / (1 + x**2)),
    ],
)
def test_central_difference_finds_the_textbook_derivative(page, f, exact):
    for x in (0.5, 1.0, 2.3):
        assert page.derivative(f, x) == pytest.approx(exact(x), abs=TOLERANCE)


@pytest.mark.equation("eq-refresher-derivative")
def test_central_difference_converges_with_the_square_of_h(page):
    errors = [abs(page.derivative(math.exp, 1.0, h) - math.e) for h in (0.1, 0.05)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.01)


@pytest.mark.equation("eq-refresher-taylor")
def test_second_order_is_exact_for_a_parabola(page):
    def parabola(x):
        return 2 - 3 * x + 0.5 * x**2

    # The second difference divides rounding by 1e-8, so its error is about 1e-7 times h^2.
    assert page.taylor(parabola, 1.0, 3.0) == pytest.approx(parabola(4.0), abs=1e-5)


@pytest.mark.equation("eq-refresher-taylor")
def test_what_second_order_leaves_out_falls_with_the_cube_of_h(page):
    left_out = [abs(page.taylor(math.exp, 0.0, h) - math.exp(h)) for h in (0.1, 0.05)]
    assert left_out[0] / left_out[1] == pytest.approx(8, rel=0.05)


@pytest.mark.equation("eq-refresher-gradient")
def test_gradient_agrees_with_automatic_differentiation(page, rng):
    for x in rng.normal(size=(20, 3)):
        tensor = torch.tensor(x, requires_grad=True)
        torch_function(tensor).backward()
        np.testing.assert_allclose(
            page.gradient(numpy_function, x), tensor.grad.numpy(), atol=TOLERANCE
        )


@pytest.mark.equation("eq-refresher-gradient")
def test_no_direction_grows_faster_than_the_gradient(page, rng):
    x, step = np.array([0.3, -0.8, 0.1]), 1e-4
    uphill = page.gradient(numpy_function, x)
    uphill /= math.hypot(*uphill)
    best = numpy_function(x + step * uphill)
    for direction in rng.normal(size=(200, 3)):
        direction /= math.hypot(*direction)
        if direction @ uphill < 0.99:  # closer ones differ by less than the curvature term
            assert numpy_function(x + step * direction) < best


@pytest.mark.equation("eq-refresher-least-squares")
@pytest.mark.parametrize(("m", "n"), [(1, 1), (6, 3), (3, 6)])
def test_least_squares_gradient_agrees_with_automatic_differentiation(page, rng, m, n):
    A, b, theta = rng.normal(size=(m, n)), rng.normal(size=m), rng.normal(size=n)
    tensor = torch.tensor(theta, requires_grad=True)
    ((torch.tensor(A) @ tensor - torch.tensor(b)) ** 2).sum().backward()
    shown = page.least_squares_gradient(A, b, theta)
    np.testing.assert_allclose(shown, tensor.grad.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.equation("eq-refresher-jacobian")
def test_jacobian_of_a_chain_is_the_product_and_agrees_with_torch(page, rng):
    W, x = rng.normal(size=(4, 3)), rng.normal(size=3)
    inner, outer = lambda v: np.sin(W @ v), lambda u: np.array([u[0] * u[1], u[2] ** 2 - u[3]])

    def composed(v):
        u = torch.sin(torch.tensor(W) @ v)
        return torch.stack([u[0] * u[1], u[2] ** 2 - u[3]])

    exact = torch.autograd.functional.jacobian(composed, torch.tensor(x)).numpy()
    assert exact.shape == (2, 3)
    product = page.jacobian(outer, inner(x)) @ page.jacobian(inner, x)
    np.testing.assert_allclose(product, exact, atol=TOLERANCE)
    np.testing.assert_allclose(page.jacobian(lambda v: outer(inner(v)), x), exact, atol=TOLERANCE)
