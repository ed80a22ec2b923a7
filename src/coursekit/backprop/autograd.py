"""A tape-based autograd over arrays: each operation states its value and its gradient together.

An operation returns a new :class:`Tensor` that remembers its parents and, for each, the function
that turns the gradient of the result into the parent's; :meth:`Tensor.backward` applies them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array
from coursekit.backprop.activations import sigmoid
from coursekit.backprop.broadcasting import broadcast, matmul, spread, unbroadcast

_SERIAL = count()
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
        Leaves add up what each backward brings, until set to None; other tensors keep the last.

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
        self._version, self._serial = 0, next(_SERIAL)

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

    def __add__(self, other: Any) -> Tensor:
        a, b = self, _tensor(other)
        return _node(broadcast(np.add, a._data, b._data), [(a, lambda g: g), (b, lambda g: g)])

    def __mul__(self, other: Any) -> Tensor:
        a, b = self, _tensor(other)
        data = broadcast(np.multiply, a._data, b._data)
        return _node(data, [(a, lambda g: g * b._data), (b, lambda g: g * a._data)], (a, b))

    def __pow__(self, power: float) -> Tensor:
        if isinstance(power, Tensor):
            raise TypeError("the power is a Tensor; a number wanted: (b * a.log()).exp() is a**b.")
        x = self
        return _node(x._data**power, [(x, lambda g: g * power * x._data ** (power - 1))], (x,))

    def __matmul__(self, other: Any) -> Tensor:
        a, b = self, _tensor(other)
        data = matmul(a._data, b._data)
        at, bt = (x._data.swapaxes(-1, -2) for x in (a, b))  # views, not copies
        return _node(data, [(a, lambda g: g @ bt), (b, lambda g: at @ g)], (a, b))

    def exp(self) -> Tensor:
        """Return e to the power of each element."""
        y = np.exp(self._data)
        return _node(y, [(self, lambda g: g * y)])

    def log(self) -> Tensor:
        """Return the natural logarithm of each element."""
        return _node(np.log(self._data), [(self, lambda g: g / self._data)], (self,))

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent of each element."""
        y = np.tanh(self._data)
        return _node(y, [(self, lambda g: g * (1 - y**2))])

    def sigmoid(self) -> Tensor:
        """Return the logistic function of each element."""
        y = sigmoid(self._data)
        return _node(y, [(self, lambda g: g * y * (1 - y))])

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
        return _node(self._data.reshape(*shape), [(self, lambda g: g.reshape(self.shape))])

    def transpose(self, *axes: int) -> Tensor:
        """Return the axes in another order, reversed if none is given."""
        order = axes or tuple(reversed(range(len(self.shape))))
        back = np.argsort(order)
        return _node(self._data.transpose(order), [(self, lambda g: g.transpose(back))])

    def __getitem__(self, index: Any) -> Tensor:
        def scatter(g: Array) -> Array:
            np.add.at(out := np.zeros(self.shape), index, g)  # taken twice, it collects twice
            return out

        return _node(self._data[index], [(self, scatter)])

    def __neg__(self) -> Tensor:
        return self * -1.0

    def __sub__(self, other: Any) -> Tensor:
        return self + -_tensor(other)

    def __rsub__(self, other: Any) -> Tensor:
        return _tensor(other) + -self

    def __truediv__(self, other: Any) -> Tensor:
        return self * _tensor(other) ** -1.0

    def __rtruediv__(self, other: Any) -> Tensor:
        return self**-1.0 * other

    def __rmatmul__(self, other: Any) -> Tensor:
        return _tensor(other) @ self

    __radd__, __rmul__ = __add__, __mul__

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
            If the graph was used up, a value it saved was changed, nothing requires a gradient,
            or `gradient` is missing for more than one number.
        """
        grads: dict[int, Any] = {id(self): self._seed(gradient)}
        for node in reversed(_tape(self)):
            g = grads.pop(id(node))
            leaf = node._edges == []
            node.grad = np.array(g if node.grad is None or not leaf else node.grad + g)
            node._check_saved()
            for parent, pull_back in node._edges or []:
                if parent.requires_grad:
                    part = unbroadcast(pull_back(g), parent.shape)
                    grads[id(parent)] = grads.get(id(parent), 0.0) + part
            if not leaf and not retain_graph:
                node._edges, node._saved = None, []

    def _seed(self, gradient: ArrayLike | None) -> Array:
        if not self.requires_grad:
            raise RuntimeError(
                "nothing here requires a gradient; Tensor(values, requires_grad=True) does."
            )
        if gradient is None and self._data.size != 1:
            raise RuntimeError(
                f"backward from a tensor of shape {self.shape}: only a single number has a "
                "gradient. Reduce it first, as in loss.mean(), or pass gradient= of that shape."
            )
        given = np.ones(self.shape) if gradient is None else gradient
        return array(given, "gradient", shape=self.shape, finite=False)

    def __repr__(self) -> str:
        return f"Tensor({self._data}, requires_grad={self.requires_grad})"

    def _check_saved(self) -> None:
        for shape in (t.shape for t, version in self._saved if t._version != version):
            raise RuntimeError(
                f"a tensor of shape {shape} was changed in place after an operation saved it for "
                "the way back, so that the gradient would be wrong. Change it after backward, or "
                "make a new tensor: x = x + 1, not x[...] = x.data + 1."
            )


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)


def _node(data: Array, edges: list[Edge], saved: tuple[Tensor, ...] = ()) -> Tensor:
    """Return an operation's result; its gradient will read the values of `saved`."""
    out = Tensor(data, any(parent.requires_grad for parent, _ in edges))
    if out.requires_grad:
        out._edges, out._saved = edges, [(t, t._version) for t in saved]
    return out


def _tape(root: Tensor) -> list[Tensor]:
    """Return what `root` depends on and requires a gradient, in the order of its making."""
    found, stack = {root._serial: root}, [root]
    while stack:  # a loop, because deep graphs would exhaust Python's recursion
        edges = stack.pop()._edges
        if edges is None:
            raise RuntimeError(
                "an earlier backward used this graph up. Compute the loss again, or call the "
                "earlier one with retain_graph=True."
            )
        new = [p for p, _ in edges if p.requires_grad and p._serial not in found]
        found.update((p._serial, p) for p in new)
        stack += new
    return [found[serial] for serial in sorted(found)]
