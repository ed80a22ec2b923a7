r"""The lecture's eight formulas, corrected: :math:`\phi'` is taken at :math:`z`, not at :math:`o`.

One example, column convention: :math:`o^{[i-1]}` has shape (n_in,), :math:`z^{[i]}` (n_out,),
:math:`W^{[i]}` (n_out, n_in). First (1) to (4) number by number, then (5) to (8) with matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from coursekit._validate import Array

Derivative = Callable[[Array], Array]


class AffineGradient(NamedTuple):
    """What the affine map passes back.

    Attributes
    ----------
    W : ndarray, shape (n_out, n_in)
        With respect to the weights.
    w : ndarray, shape (n_out,)
        With respect to the bias.
    o : ndarray, shape (n_in,)
        With respect to the output of the layer before.
    """

    W: Array
    w: Array
    o: Array


def activation_backward_scalar(grad_o: Array, z: Array, derivative: Derivative) -> Array:
    r"""Return :math:`\partial f_k/\partial z^{[i]}_j`, one component after the other.

    Formula (1), :eq:`eq-backprop-1`: the slide's :math:`\phi'(o)` is corrected to
    :math:`\phi'(z)`.

    Parameters
    ----------
    grad_o : ndarray, shape (n,)
        Gradient with respect to the layer's output.
    z : ndarray, shape (n,)
        Its input.
    derivative : callable
        :math:`\phi'`, componentwise.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> activation_backward_scalar(np.array([1.0, 1.0]), np.array([2.0, 3.0]), lambda z: 2 * z)
    array([4., 6.])
    """
    grad_z = np.empty_like(grad_o)
    for j in range(len(z)):
        grad_z[j] = grad_o[j] * derivative(z[j])  # (1)
    return grad_z


def affine_backward_scalar(grad_z: Array, o_prev: Array, W: Array) -> AffineGradient:
    r"""Return the affine map's gradients by loops over all weights.

    Formulas (2), (3) and (4): :eq:`eq-backprop-2`, :eq:`eq-backprop-3`, :eq:`eq-backprop-4`.

    Parameters
    ----------
    grad_z : ndarray, shape (n_out,)
        Gradient with respect to the layer's input.
    o_prev : ndarray, shape (n_in,)
        Output of the layer before.
    W : ndarray, shape (n_out, n_in)
        Weights.

    Returns
    -------
    AffineGradient

    Examples
    --------
    >>> affine_backward_scalar(np.array([1.0]), np.array([2.0, 3.0]), np.array([[4.0, 5.0]]))
    AffineGradient(W=array([[2., 3.]]), w=array([1.]), o=array([4., 5.]))
    """
    n_out, n_in = W.shape
    grad_W, grad_w, grad_o = np.empty_like(W), np.empty_like(grad_z), np.zeros_like(o_prev)
    for j in range(n_out):
        grad_w[j] = grad_z[j]  # (3)
        for l in range(n_in):  # noqa: E741
            grad_W[j, l] = o_prev[l] * grad_z[j]  # (2)
            grad_o[l] += W[j, l] * grad_z[j]  # (4), the sum over j
    return AffineGradient(grad_W, grad_w, grad_o)


def activation_backward(grad_o: Array, z: Array, derivative: Derivative) -> Array:
    r"""Return :math:`\nabla_{z^{[i]}} f_k = D\phi^{[i]}(z^{[i]})\,\nabla_{o^{[i]}} f_k`.

    Formula (5), :eq:`eq-backprop-5`; the Jacobian is diagonal, so that its product with a vector
    is a componentwise product.

    Parameters
    ----------
    grad_o, z : ndarray, shape (n,)
        Gradient with respect to the layer's output, and the layer's input.
    derivative : callable
        :math:`\phi'`, componentwise.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> activation_backward(np.array([1.0, 1.0]), np.array([2.0, 3.0]), lambda z: 2 * z)
    array([4., 6.])
    """
    return derivative(z) * grad_o


def affine_backward(grad_z: Array, o_prev: Array, W: Array) -> AffineGradient:
    r"""Return the affine map's gradients as an outer product, a copy and a product with W^T.

    Formulas (6), (7) and (8): :eq:`eq-backprop-6`, :eq:`eq-backprop-7`, :eq:`eq-backprop-8`.
    The slide's ``numpy.dot(grad_z, val_o.T)`` is a number, or an error, for one-axis arrays: the
    outer product is ``numpy.outer``.

    Parameters
    ----------
    grad_z : ndarray, shape (n_out,)
        Gradient with respect to the layer's input.
    o_prev : ndarray, shape (n_in,)
        Output of the layer before.
    W : ndarray, shape (n_out, n_in)
        Weights.

    Returns
    -------
    AffineGradient

    Examples
    --------
    >>> affine_backward(np.array([1.0]), np.array([2.0, 3.0]), np.array([[4.0, 5.0]]))
    AffineGradient(W=array([[2., 3.]]), w=array([1.]), o=array([4., 5.]))
    """
    return AffineGradient(
        W=np.outer(grad_z, o_prev),  # type: ignore[arg-type]  # (6)
        w=grad_z.copy(),  # (7)
        o=W.T @ grad_z,  # (8)
    )


def chain_rule(jacobian: Array, outer_gradient: Array) -> Array:
    r"""Return :math:`\nabla h(\theta) = Df(\theta)^T\,\nabla g(f(\theta))` for h = g after f.

    Implements :eq:`eq-backprop-chain-rule`.

    Parameters
    ----------
    jacobian : ndarray, shape (m, n)
        :math:`Df(\theta)`.
    outer_gradient : ndarray, shape (m,)
        :math:`\nabla g` at :math:`f(\theta)`.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> chain_rule(np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]), np.array([1.0, 10.0]))
    array([ 1., 12., 30.])
    """
    return jacobian.T @ outer_gradient


def chain_rule_scalar(jacobian: Array, outer_gradient: Array) -> Array:
    r"""Return the same sum by sum: :math:`\sum_j \partial_i f_j\,\nabla_j g` for each i.

    Implements :eq:`eq-backprop-chain-scalar`; arguments and result as in :func:`chain_rule`.

    Examples
    --------
    >>> chain_rule_scalar(np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]), np.array([1.0, 10.0]))
    array([ 1., 12., 30.])
    """
    m, n = jacobian.shape
    return np.array([sum(jacobian[j, i] * outer_gradient[j] for j in range(m)) for i in range(n)])
