"""Two pieces of an autograd: broadcasting undone, and a tape of single numbers."""

import math

import numpy as np

from coursekit import backprop
from coursekit.grading import case, question


@question(
    id="unbroadcast",
    title="Undo broadcasting",
    asks="unbroadcast",
    points=2,
    section="sec-backprop-autograd",
)
class Unbroadcast:
    def reference(grad, shape):
        missing = grad.ndim - len(shape)
        repeated = [i + missing for i, n in enumerate(shape) if n == 1]
        return grad.sum(axis=(*range(missing), *repeated)).reshape(shape)

    def cases(rng):
        yield case("a bias over a batch", rng.normal(size=(4, 3)), (3,))
        yield case("a column over a table", rng.normal(size=(3, 3)), (3, 1))
        yield case("nothing was repeated", rng.normal(size=(2, 3)), (2, 3))
        yield case("both at once", rng.normal(size=(2, 4, 3)), (1, 3))
        yield case("a single number", rng.normal(size=(2, 2)), (1, 1))
        yield case("four axes", rng.normal(size=(2, 3, 4, 5)), (3, 1, 5), shown=False)

    def one_axis_at_a_time(grad, shape):
        while grad.ndim > len(shape):
            grad = grad.sum(axis=0)
        for axis, size in enumerate(shape):
            if size == 1:
                grad = grad.sum(axis=axis, keepdims=True)
        return grad

    def by_adding_up(grad, shape):
        found = np.zeros(shape)
        view = np.broadcast_to(np.arange(found.size).reshape(shape), grad.shape)
        np.add.at(found.reshape(-1), view.ravel(), grad.ravel())
        return found

    def undo(reduce=np.sum, ones=True, front=True, keep=True):
        def answer(grad, shape):
            while front and grad.ndim > len(shape):
                grad = reduce(grad, axis=0)
            for axis in [i for i, n in enumerate(shape) if n == 1 and ones][::-1]:
                grad = reduce(grad, axis=axis, keepdims=keep)
            return grad

        return answer

    averaged = undo(np.mean)
    no_ones = undo(ones=False)
    no_front = undo(front=False)
    no_keepdims = undo(keep=False)
    del undo

    def first_copy(grad, shape):
        return grad.ravel()[: math.prod(shape)].reshape(shape)

    def from_the_left(grad, shape):
        while grad.ndim > len(shape):
            grad = grad.sum(axis=-1)
        return backprop.broadcasting.unbroadcast(grad, shape)

    variants = [one_axis_at_a_time, by_adding_up]
    mistakes = {
        "Every copy sends its gradient back: add them up, do not average.": averaged,
        "Axes of length 1 were stretched as well: add up over them and keep the axis.": no_ones,
        "Broadcasting also adds axes in front; add up over those that the shape lacks.": no_front,
        "A stretched axis of length 1 must come back as an axis of length 1.": no_keepdims,
        "You took the gradient of one copy; all copies count.": first_copy,
        "Shapes are lined up from the right, so the extra axes are the first ones.": from_the_left,
    }
    explain = r"""
    Broadcasting copies, and what was copied collects the gradients of all its copies: formula (4)
    once more. Two kinds of axes were copied: those in front that the shape does not have, and those
    where the shape has a 1. Sum over the first kind away, and over the second with the axis kept.
    A gradient of ones of shape $(4,3)$ gives $(4,4,4)$ for shape $(3,)$ and a column of threes for
    shape $(4,1)$. Where nothing was copied there is nothing to sum.
    """


def topological(out):
    """Every value once, what it was made from before it."""
    order = []

    def visit(value):
        if value not in order:
            for parent, _ in value.parents:
                visit(parent)
            order.append(value)

    visit(out)
    return order


def preorder(out):
    """Depth first from the result: a value may come before all that used it has."""
    order = []

    def visit(value):
        if value not in order:
            order.append(value)
            for parent, _ in value.parents:
                visit(parent)

    visit(out)
    return order[::-1]


def repeated(out):
    """Every value as often as there are paths to it, each time with all that it has so far."""
    order, waiting = [], [out]
    while waiting:
        order.append(waiting.pop())
        waiting += [parent for parent, _ in order[-1].parents]
    return order[::-1]


def engine(
    order=topological,
    product=lambda a, b: (b, a),
    slope=lambda z: 1 - math.tanh(z) ** 2,
    add=lambda old, new: old + new,
    seed=1.0,
):
    """A Value class whose parts a mistake replaces."""

    class Value:
        def __init__(self, data, parents=()):
            self.data, self.grad, self.parents = data, 0.0, parents

        def __add__(self, other):
            return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

        def __mul__(self, other):
            for_self, for_other = product(self.data, other.data)
            return Value(self.data * other.data, [(self, for_self), (other, for_other)])

        def tanh(self):
            return Value(math.tanh(self.data), [(self, slope(self.data))])

        def backward(self):
            self.grad = seed
            for value in reversed(order(self)):
                for parent, factor in value.parents:
                    parent.grad = add(parent.grad, factor * value.grad)

    return Value


@question(
    id="tape",
    title="A tape of single numbers",
    asks="Value",
    points=4,
    section="sec-backprop-autograd",
)
class Tape:
    def driver(answer, expression, x, y, z):
        x, y, z = (answer(number) for number in (x, y, z))
        if x + y is None and x * y is None and x.tanh() is None:
            return None
        out = eval(expression, {"x": x, "y": y, "z": z})
        out.backward()
        return [out.data, x.grad, y.grad, z.grad]

    reference = engine()

    def cases(rng):
        for name, expression in (
            ("a sum and a product", "x * y + z"),
            ("an activation", "(x * y + z).tanh()"),
            ("a number used twice", "x * x + x * y"),
            ("a result used twice", "(lambda u: u * (u + z))(x * y)"),
            ("the same from the other side", "(lambda u: (u + z) * u)(x + y.tanh())"),
            ("a number not used", "x.tanh() * y.tanh()"),
        ):
            yield case(name, expression, *(0.5 + rng.uniform(0.1, 0.9, size=3)).tolist())
        deep = "(lambda u: (u + x) * (u.tanh() + u * z) + u)((x + y) * (y + z).tanh() + x * x)"
        yield case("deeper", deep, *rng.normal(size=3).tolist(), shown=False)

    class Numbered:
        """Values know how many there were before them; backward starts with the newest."""

        made = 0

        def __init__(self, data, *parents):
            self.data, self.grad, self.parents = data, 0.0, parents
            self.number = type(self).made = type(self).made + 1

        def __add__(self, other):
            return type(self)(self.data + other.data, (self, 1.0), (other, 1.0))

        def __mul__(self, other):
            return type(self)(self.data * other.data, (self, other.data), (other, self.data))

        def tanh(self):
            return type(self)(math.tanh(self.data), (self, math.cosh(self.data) ** -2))

        def backward(self):
            waiting, self.grad = {self}, 1.0
            while waiting:
                value = max(waiting, key=lambda v: v.number)
                waiting.remove(value)
                for parent, factor in value.parents:
                    parent.grad += factor * value.grad
                    waiting.add(parent)

    class AllPaths:
        """Sends the gradient along every path of the graph, one after the other."""

        def __init__(self, data, parents=()):
            self.data, self.grad, self.parents = data, 0.0, parents

        def __add__(self, other):
            return type(self)(self.data + other.data, [(self, 1.0), (other, 1.0)])

        def __mul__(self, other):
            pairs = [(self, other.data), (other, self.data)]
            return type(self)(self.data * other.data, pairs)

        def tanh(self):
            o = math.tanh(self.data)
            return type(self)(o, [(self, (1 - o) * (1 + o))])

        def backward(self, arriving=1.0):
            self.grad += arriving
            for parent, factor in self.parents:
                parent.backward(factor * arriving)

    overwrites = engine(add=lambda old, new: new)
    too_early = engine(order=preorder)
    too_often = engine(order=repeated)
    own_factor = engine(product=lambda a, b: (a, b))
    no_factor = engine(product=lambda a, b: (1.0, 1.0))
    slope_at_o = engine(slope=lambda z: 1 - math.tanh(math.tanh(z)) ** 2)
    no_seed = engine(seed=0.0)
    one_step = engine(order=lambda out: [out])

    variants = [Numbered, AllPaths]
    mistakes = {
        "A number that is used twice collects two gradients: add to its grad.": overwrites,
        "A value passed its gradient on before all that used it had sent theirs: sort first.": (
            too_early
        ),
        "A value that is used twice passed its whole gradient on twice: visit each one once.": (
            too_often
        ),
        "In a product each factor's gradient carries the other factor.": own_factor,
        "A product passes its gradient on multiplied by the other factor, a sum as it is.": (
            no_factor
        ),
        "The derivative of tanh is 1 - tanh(z)^2; you took tanh once more.": slope_at_o,
        "All gradients are 0: the result's gradient with respect to itself is 1.": no_seed,
        "The gradient stopped after one operation: go on to what came before.": one_step,
    }
    explain = r"""
    Every operation returns a new value that remembers what it was made from and the derivative for
    each: 1 and 1 for a sum, the other factor for a product, $1-\tanh^2$ for tanh. `backward` puts
    the values in an order in which each comes after all that it was made from, sets the result's
    gradient to 1 and walks through that order from the end, adding derivative times own gradient to
    each parent. For $u=xy$ and $f=u\,(u+z)$ with $x=1$, $y=2$, $z=3$: $u$ gets 5 from the product
    and 2 through the sum, 7 together, and only then passes $7\cdot2$ on to $x$.
    """
