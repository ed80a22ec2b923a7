"""A tape-based autograd over arrays: each operation states its value and its gradient together.

An operation returns a new :class:`Tensor` that remembers its parents and, for each, the function
that turns the gradient of the result into the parent's; :meth:`Tensor.backward` applies them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array
from coursekit.backprop.broadcasting import broadcast, spread, unbroadcast

Edge = tuple["Tensor", Callable[[Array], Array]]


class Tensor:
    """An array that can say how it was made.

    Parameters
    ----------
    data : array_like
        Copied, as float64; read back through the read-only ``data``.
    requires_grad : bool, default False
        Whether ``backward`` should fill ``grad``.

    Attributes
    ----------
    grad : ndarray or None
        Of the shape of ``data``. Leaves add up what each backward brings, until set to None;
        results of operations keep the last.

    Examples
    --------
    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    array([2., 4., 6.])
    """

    __array_priority__ = 100  # so that ndarray + Tensor asks the tensor

    def __init__(self, data: ArrayLike, requires_grad: bool = False) -> None:
        self._data = np.array(array(data, "data", finite=False))
        self.requires_grad = requires_grad
        self.grad: Array | None = None
        self._edges: list[Edge] | None = []  # None once backward has used them up
        self._saved: list[tuple[Tensor, int]] = []
        self._version = 0

    def __repr__(self) -> str:
        return f"Tensor({self._data}, requires_grad={self.requires_grad})"

    @property
    def data(self) -> Array:
        """The array, read-only: writing to it would spoil gradients; use ``t[...] = value``."""
        view = self._data.view()
        view.flags.writeable = False
        return view

    shape = property(lambda self: self._data.shape, doc="Shape of the array.")
    T = property(lambda self: self.transpose(), doc="The transpose.")

    def __setitem__(self, index: Any, value: ArrayLike) -> None:
        """Change values in place; a graph that saved them refuses to go backward afterwards."""
        self._data[index] = value
        self._version += 1

    # --- operations: value, and gradient for each parent ----------------------------------------

    def __add__(self, other: Any) -> Tensor:
        other = _tensor(other)
        out = broadcast(np.add, self._data, other._data)
        return _node(out, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other: Any) -> Tensor:
        a, b = self, _tensor(other)
        data = broadcast(np.multiply, a._data, b._data)
        return _node(data, [(a, lambda g: g * b._data), (b, lambda g: g * a._data)], (a, b))

    def __pow__(self, power: float) -> Tensor:
        if isinstance(power, Tensor):
            raise TypeError("the power is a Tensor; a number wanted: (b * a.log()).exp() is a**b.")
        x, data = self, self._data**power
        return _node(data, [(x, lambda g: g * power * x._data ** (power - 1))], (x,))

    def __matmul__(self, other: Any) -> Tensor:
        a, b = self, _tensor(other)
        if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
            raise ValueError(
                f"cannot multiply shapes {a.shape} @ {b.shape}: (…, m, n) @ (…, n, k) wanted. "
                "Transpose one, or reshape a vector to (n, 1)."
            )
        to_a, to_b = (
            (lambda g: g @ b._data.swapaxes(-1, -2)),
            (lambda g: a._data.swapaxes(-1, -2) @ g),
        )
        return _node(a._data @ b._data, [(a, to_a), (b, to_b)], (a, b))

    def exp(self) -> Tensor:
        """Return e to the power of each element."""
        y = np.exp(self._data)
        return _node(y, [(self, lambda g: g * y)], save_result=True)

    def log(self) -> Tensor:
        """Return the natural logarithm of each element."""
        x = self
        return _node(np.log(x._data), [(x, lambda g: g / x._data)], (x,))

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent of each element."""
        y = np.tanh(self._data)
        return _node(y, [(self, lambda g: g * (1 - y**2))], save_result=True)

    def sigmoid(self) -> Tensor:
        """Return the logistic function of each element."""
        y = 0.5 * (1 + np.tanh(0.5 * self._data))
        return _node(y, [(self, lambda g: g * y * (1 - y))], save_result=True)

    def relu(self) -> Tensor:
        """Return each element where it is positive, else 0."""
        positive = self._data > 0
        return _node(self._data * positive, [(self, lambda g: g * positive)])

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Return the sum along `axis`, an int, a tuple of ints or None for all."""
        x, data = self, self._data.sum(axis=axis, keepdims=keepdims)
        return _node(data, [(x, lambda g: spread(g, x.shape, axis, keepdims))])

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Return the mean along `axis`."""
        total = self.sum(axis, keepdims)
        return total * (total._data.size / self._data.size)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Return the largest element along `axis`; where several are, they share the gradient."""
        x, data = self, self._data.max(axis=axis, keepdims=keepdims)
        ties = x._data == x._data.max(axis=axis, keepdims=True)
        share = ties / ties.sum(axis=axis, keepdims=True)
        return _node(data, [(x, lambda g: share * spread(g, x.shape, axis, keepdims))])

    def reshape(self, *shape: int) -> Tensor:
        """Return the elements in another shape."""
        x = self
        return _node(x._data.reshape(*shape), [(x, lambda g: g.reshape(x.shape))])

    def transpose(self, *axes: int) -> Tensor:
        """Return the axes in another order, reversed if none is given."""
        order = axes or tuple(reversed(range(len(self.shape))))
        back = np.argsort(order)
        return _node(self._data.transpose(order), [(self, lambda g: g.transpose(back))])

    def __getitem__(self, index: Any) -> Tensor:
        x = self

        def scatter(g: Array) -> Array:
            np.add.at(out := np.zeros(x.shape), index, g)  # taken twice, it collects twice
            return out

        return _node(x._data[index], [(x, scatter)])

    # --- what follows from those ------------------------------------------------------------

    def __neg__(self) -> Tensor:
        return self * -1.0

    def __sub__(self, other: Any) -> Tensor:
        return self + -_tensor(other)

    def __rsub__(self, other: Any) -> Tensor:
        return _tensor(other) + -self

    def __truediv__(self, other: Any) -> Tensor:
        return self * _tensor(other) ** -1.0

    def __rtruediv__(self, other: Any) -> Tensor:
        return _tensor(other) / self

    def __rmatmul__(self, other: Any) -> Tensor:
        return _tensor(other) @ self

    __radd__, __rmul__ = __add__, __mul__

    # --- the way back -------------------------------------------------------------------------

    def backward(self, gradient: ArrayLike | None = None, *, retain_graph: bool = False) -> None:
        """Fill ``grad`` of every tensor that this one depends on and that requires it.

        Parameters
        ----------
        gradient : array_like, optional
            Gradient of the objective with respect to this tensor; 1 for a single number.
        retain_graph : bool, default False
            Keep the graph, to go back through it again.

        Raises
        ------
        RuntimeError
            If the graph was used up, a value that it saved was changed in place, nothing requires
            a gradient, or `gradient` is missing for more than one number.
        """
        grads = {id(self): self._seed(gradient)}
        for node in reversed(_topological(self)):
            g = grads.pop(id(node))
            leaf = node._edges == []
            node.grad = g if node.grad is None or not leaf else node.grad + g
            node._check_saved()
            for parent, pull_back in node._edges or []:
                if parent.requires_grad:
                    part = unbroadcast(pull_back(g), parent.shape)
                    grads[id(parent)] = grads[id(parent)] + part if id(parent) in grads else part
            if not leaf and not retain_graph:
                node._edges, node._saved = None, []

    def _seed(self, gradient: ArrayLike | None) -> Array:
        if not self.requires_grad:
            raise RuntimeError(
                "this tensor depends on nothing that requires a gradient. Create parameters with "
                "Tensor(values, requires_grad=True)."
            )
        if gradient is None and self._data.size != 1:
            raise RuntimeError(
                f"backward from a tensor of shape {self.shape}: only a single number has a "
                "gradient. Reduce it first, as in loss.mean(), or pass gradient= of that shape."
            )
        given = np.ones(self.shape) if gradient is None else gradient
        return array(given, "gradient", shape=self.shape, finite=False)

    def _check_saved(self) -> None:
        for tensor, version in self._saved:
            if tensor._version != version:
                raise RuntimeError(
                    f"a tensor of shape {tensor.shape} was changed in place after an operation "
                    "saved it for the way back; its gradient would be wrong. Change it after "
                    "backward, or write a new tensor, x = x + 1, not x[...] = x.data + 1."
                )


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)


def _node(
    data: Array, edges: list[Edge], saved: tuple[Tensor, ...] = (), save_result: bool = False
) -> Tensor:
    """Return an operation's result; its gradient will need the values of `saved`."""
    out = Tensor(data, any(parent.requires_grad for parent, _ in edges))
    if out.requires_grad:
        out._edges = edges
        out._saved = [(t, t._version) for t in (*saved, *([out] if save_result else []))]
    return out


def _topological(root: Tensor) -> list[Tensor]:
    """Return every tensor that `root` depends on and that requires a gradient, parents first."""
    order: list[Tensor] = []
    seen: set[int] = set()
    stack = [(root, False)]
    while stack:  # a loop, because deep graphs would exhaust Python's recursion
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            if node._edges is None:
                raise RuntimeError(
                    "this graph was used by a backward already and is gone. Compute the loss "
                    "again, or call the first backward with retain_graph=True."
                )
            stack.append((node, True))
            stack += [(p, False) for p, _ in node._edges if p.requires_grad]
    return order
