r"""The lecture's network, layer by layer, for one example in the column convention.

:math:`g_\theta = \phi^{[d]}\circ\psi^{[d]}\circ\cdots\circ\phi^{[1]}\circ\psi^{[1]}`: affine maps
and activations in turn, each with a forward and a backward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array
from coursekit.backprop.activations import activation, softmax, softmax_jacobian
from coursekit.backprop.formulas import (
    activation_backward,
    activation_backward_scalar,
    affine_backward,
    affine_backward_scalar,
)
from coursekit.backprop.losses import Loss


class Affine:
    r"""The map :math:`z = Wo + w`, :eq:`eq-backprop-affine`.

    Parameters
    ----------
    W : array_like, shape (n_out, n_in)
        Weights.
    w : array_like, shape (n_out,)
        Bias: one number for each output, not a matrix as on the slide.

    Raises
    ------
    ValueError
        If the shapes disagree.

    Examples
    --------
    >>> psi = Affine([[1.0, 2.0]], [0.5])
    >>> psi.forward([3.0, 4.0])
    array([11.5])
    >>> psi.backward(np.array([2.0])), psi.grad_W, psi.grad_w
    (array([2., 4.]), array([[6., 8.]]), array([2.]))
    """

    def __init__(self, W: ArrayLike, w: ArrayLike) -> None:
        self.W = array(W, "W", ndim=2)
        self.w = array(w, "w", shape=(len(self.W),))

    def forward(self, o: ArrayLike) -> Array:
        """Return z, shape (n_out,), and keep `o`, shape (n_in,), for the way back."""
        n_in = self.W.shape[1]
        o = np.asarray(o)
        if o.shape != (n_in,):
            raise ValueError(
                f"the affine map takes vectors of shape ({n_in},) and got {o.shape}; one example "
                "at a time. For a batch of rows use coursekit.backprop.MLP."
            )
        self.o = o
        return self.W @ o + self.w

    def backward(self, grad_z: Array, *, scalar: bool = False) -> Array:
        """Set `grad_W` and `grad_w` by (6) and (7), and return the gradient for `o` by (8).

        With ``scalar=True`` by the loops of (2), (3) and (4).
        """
        _needs_forward(self, "o")
        formulas = affine_backward_scalar if scalar else affine_backward
        self.grad_W, self.grad_w, grad_o = formulas(grad_z, self.o, self.W)
        return grad_o


class Activation:
    r"""The map :math:`o = \phi(z)`, :eq:`eq-backprop-activation`.

    Parameters
    ----------
    name : str
        A componentwise activation of :func:`coursekit.backprop.activation`, or ``"softmax"``,
        which goes back through its full Jacobian.

    Examples
    --------
    >>> phi = Activation("relu")
    >>> phi.forward(np.array([-1.0, 2.0]))
    array([0., 2.])
    >>> phi.backward(np.array([5.0, 5.0]))
    array([0., 5.])
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.phi = None if name == "softmax" else activation(name)

    def forward(self, z: ArrayLike) -> Array:
        """Return o, of the shape of `z`, and keep `z` for the way back."""
        self.z = np.asarray(z)
        return softmax(self.z) if self.phi is None else self.phi.value(self.z)

    def backward(self, grad_o: Array, *, scalar: bool = False) -> Array:
        """Return the gradient with respect to `z`, shape (n,), by (5), or (1) if `scalar`."""
        _needs_forward(self, "z")
        if self.phi is None:
            return softmax_jacobian(self.z).T @ grad_o
        formula = activation_backward_scalar if scalar else activation_backward
        return formula(grad_o, self.z, self.phi.derivative)


Layer = Affine | Activation


class Gradient(NamedTuple):
    """The gradient of one example's loss.

    Attributes
    ----------
    loss : float
        The loss itself.
    parameters : list of ndarray
        Gradients of W[1], w[1], …, W[d], w[d], each of its parameter's shape.
    x : ndarray, shape (n,)
        Gradient with respect to the input.
    """

    loss: float
    parameters: list[Array]
    x: Array


class Network:
    r"""A chain of layers, :eq:`eq-backprop-network`.

    Parameters
    ----------
    layers : sequence of Affine and Activation
        In the order in which the input meets them.

    Raises
    ------
    ValueError
        If an affine map takes another number of inputs than the one before gives.

    Examples
    --------
    >>> g = Network([Affine([[1.0, -1.0]], [0.0]), Activation("relu"), Affine([[3.0]], [1.0])])
    >>> g.forward([5.0, 3.0])
    array([7.])
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)
        widths = [layer.W.shape for layer in self.affine]
        for i, ((n_out, _), (_, n_in)) in enumerate(pairwise(widths)):
            if n_out != n_in:
                raise ValueError(
                    f"affine map {i + 1} gives {n_out} numbers and affine map {i + 2} takes "
                    f"{n_in}; W[{i + 2}] of shape (…, {n_out}) wanted."
                )

    @property
    def affine(self) -> list[Affine]:
        """The affine maps, in order."""
        return [layer for layer in self.layers if isinstance(layer, Affine)]

    @property
    def parameters(self) -> list[Array]:
        """W[1], w[1], …, W[d], w[d]: the arrays themselves, to be changed in place."""
        return [theta for psi in self.affine for theta in (psi.W, psi.w)]

    def forward(self, x: ArrayLike) -> Array:
        r"""Return :math:`g_\theta(x)`, shape (q,), for one example `x`, shape (n,)."""
        o = np.asarray(x)
        for layer in self.layers:
            o = layer.forward(o)
        return o


def gradient(
    network: Network, x: ArrayLike, y: ArrayLike, loss: Loss, *, scalar: bool = False
) -> Gradient:
    r"""Return the gradient of one example's loss with respect to every parameter.

    Forward through all layers, the loss's gradient at the output (:eq:`eq-backprop-output`),
    and back through all layers by formulas (5) to (8), or (1) to (4) if `scalar`.

    Parameters
    ----------
    network : Network
        The model :math:`g_\theta`.
    x : array_like, shape (n,)
        Input.
    y : array_like
        Target, as `loss` takes it.
    loss : Loss
        For example ``SQUARED_ERROR``.
    scalar : bool, default False
        Use the formulas with loops.

    Returns
    -------
    Gradient

    Raises
    ------
    ValueError
        If a shape does not fit.

    Examples
    --------
    >>> from coursekit.backprop import SQUARED_ERROR
    >>> g = Network([Affine([[2.0]], [1.0]), Activation("tanh")])
    >>> loss, (grad_W, grad_w), grad_x = gradient(g, [-0.5], [1.0], SQUARED_ERROR)
    >>> loss, grad_W.item(), grad_w.item(), grad_x.item()
    (1.0, 1.0, -2.0, -4.0)
    """
    o = network.forward(x)
    grad = loss.gradient(o, y)
    for layer in reversed(network.layers):
        grad = layer.backward(grad, scalar=scalar)
    parameters = [g for psi in network.affine for g in (psi.grad_W, psi.grad_w)]
    return Gradient(loss(o, y), parameters, grad)


def _needs_forward(layer: Layer, saved: str) -> None:
    if not hasattr(layer, saved):
        raise RuntimeError(
            f"{type(layer).__name__}.backward needs the {saved} of the forward pass; "
            "call forward first."
        )
