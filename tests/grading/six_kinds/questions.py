"""One complete question of every kind that a check works on, as a chapter would declare it."""

import itertools
from collections import deque

import numpy as np
import torch
from torch import nn

from coursekit.grading import Close, case, question
from coursekit.grading.drivers import random_calls


def row_norms(power=2, axis=1, root=True):
    """Norms of rows, right or with one thing changed."""

    def answer(X):
        sums = (abs(X) ** power).sum(axis=axis)
        return sums ** (1 / power) if root else sums

    return answer


@question(id="numpy", title="NumPy", asks="row_norms", points=1, section="sec-kinds-numpy")
class Numpy:
    reference = row_norms()

    def cases(rng):
        yield case("three rows", rng.normal(size=(3, 4)))
        yield case("a square", rng.normal(size=(3, 3)))
        yield case("one row", rng.normal(size=(1, 5)), shown=False)

    def with_a_loop(X):
        return np.array([sum(float(x) ** 2 for x in row) ** 0.5 for row in X])

    def in_place(X):
        X *= X
        return X.sum(axis=1) ** 0.5

    variants = [with_a_loop, lambda X: np.linalg.norm(X, axis=1)]
    mistakes = {
        "You went down the columns; an example stands in a row.": row_norms(axis=0),
        "The root is missing.": row_norms(root=False),
        "You added absolute values; add squares.": row_norms(power=1),
        "You squared the input itself.": in_place,
    }
    explain = "Square, add along the row, take the root: $(3,4)$ has the norm 5."


def attend(scale=None, axis=-1, rows=lambda q: q):
    """Attention weights, right or with one thing changed."""

    def answer(q, k):
        scores = rows(q) @ k.T * (q.shape[-1] ** -0.5 if scale is None else scale(q))
        return torch.softmax(scores, dim=axis)

    return answer


@question(id="tensor", title="Tensors", asks="attend", points=3, section="sec-kinds-tensor")
class Tensor:
    parts = {"values": 2, "gradient": 1}

    def driver(answer, q, k, gradient):
        from coursekit.grading.drivers import unfinished

        weights = answer(q, k)
        if gradient is None or unfinished(weights):
            return weights
        if weights.requires_grad:
            weights.backward(gradient)
        return weights, q.grad

    reference = attend()

    def cases(rng):
        def draw(*shape):
            return torch.tensor(rng.normal(size=shape), dtype=torch.float32)

        for name, n, m, d, shown in (
            ("two queries", 2, 3, 4, True),
            ("a square", 3, 3, 2, True),
            ("many keys", 4, 40, 8, False),
        ):
            q, k = draw(n, d), draw(m, d)
            yield case(name, q, k, None, shown=shown, part="values")
            q = q.clone().requires_grad_()
            yield case(f"{name}, and back", q, k, draw(n, m), shown=shown, part="gradient")

    def with_exponentials(q, k):
        e = (torch.einsum("nd,md->nm", q, k) / q.size(1) ** 0.5).exp()
        return e / e.sum(1, keepdim=True)

    def one_by_one(q, k):
        return torch.stack([torch.softmax(k @ row / len(row) ** 0.5, 0) for row in q])

    variants = [with_exponentials, one_by_one]
    mistakes = {
        "The scale is missing: divide by the root of the width.": attend(scale=lambda q: 1.0),
        "You divided by the width, not by its root.": attend(scale=lambda q: 1 / q.shape[-1]),
        "The softmax runs over the keys, the last axis.": attend(axis=0),
        "The values are right, but no gradient comes back: you detached them.": attend(
            rows=lambda q: q.detach()
        ),
    }
    explain = r"Divide by $\sqrt d$, then normalise each query's row."


def gate(squash=torch.sigmoid, swap=False, opened=lambda g: g):
    """A gated layer, right or with one thing changed."""

    class Gate(nn.Module):
        def __init__(self, n_in, n_out):
            super().__init__()
            self.value, self.gate = nn.Linear(n_in, n_out), nn.Linear(n_in, n_out)

        def forward(self, x):
            first, second = (self.gate, self.value) if swap else (self.value, self.gate)
            return first(x) * opened(squash(second(x)))

    return Gate


class WrittenOut(nn.Module):
    """The same with parameters of its own making and einsum."""

    def __init__(self, n_in, n_out):
        super().__init__()
        for name in ("value", "gate"):
            part = nn.Module()
            part.weight = nn.Parameter(torch.zeros(n_out, n_in))
            part.bias = nn.Parameter(torch.zeros(n_out))
            setattr(self, name, part)

    def forward(self, x):
        z, g = (torch.einsum("bi,oi->bo", x, p.weight) + p.bias for p in (self.value, self.gate))
        return z / (1 + torch.exp(-g))


class Functional(gate()):
    def forward(self, x):
        both = nn.functional.linear(
            x, torch.cat([self.value.weight, self.gate.weight])
        ) + torch.cat([self.value.bias, self.gate.bias])
        return nn.functional.glu(both, dim=-1)


@question(id="module", title="A module", asks="Gate", points=2, section="sec-kinds-module")
class Module:
    def driver(answer, n_in, n_out, weights, x, gradient):
        from coursekit.grading.drivers import use_module

        return use_module(answer(n_in, n_out), weights, [x], gradient=gradient)

    reference = gate()

    def cases(rng):
        def draw(*shape):
            return torch.tensor(rng.normal(size=shape), dtype=torch.float32)

        for name, n_in, n_out, shown in (
            ("two to three", 2, 3, True),
            ("a square", 3, 3, True),
            ("five to one", 5, 1, False),
        ):
            weights = {"value.weight": draw(n_out, n_in), "value.bias": draw(n_out)}
            weights |= {"gate.weight": draw(n_out, n_in), "gate.bias": draw(n_out)}
            x = draw(4, n_in).requires_grad_()
            yield case(name, n_in, n_out, weights, x, draw(4, n_out), shown=shown)

    variants = [WrittenOut, Functional]
    mistakes = {
        "A gate is opened by a sigmoid, between 0 and 1; yours is a tanh.": gate(squash=torch.tanh),
        "Value and gate changed places.": gate(swap=True),
        "Without a squashing function the gate is not one.": gate(squash=lambda g: g),
        "No gradient goes through your gate: do not detach it.": gate(opened=lambda g: g.detach()),
    }
    explain = r"$v(x)\cdot\sigma(g(x))$, entry by entry."


@question(id="plain", title="Plain Python", asks="run_lengths", points=1, section="sec-kinds-plain")
class Plain:
    def reference(text):
        return [(letter, len(list(run))) for letter, run in itertools.groupby(text)]

    def cases(rng):
        def draw(n):
            return "".join(rng.choice(list("ab"), size=n)) + "aabbba"

        yield case("a word", draw(int(rng.integers(4, 9))))
        yield case("one letter", "a" * int(rng.integers(2, 30)))
        yield case("nothing", "")
        yield case("a long word", draw(60), shown=False)

    def with_a_loop(text):
        runs = []
        for letter in text:
            if runs and runs[-1][0] == letter:
                runs[-1] = (letter, runs[-1][1] + 1)
            else:
                runs.append((letter, 1))
        return runs

    def from_the_end(text):
        runs = []
        while text:
            rest = text.rstrip(text[-1])
            runs.insert(0, (text[-1], len(text) - len(rest)))
            text = rest
        return runs

    def last_lost(text):
        return [(letter, len(list(run))) for letter, run in itertools.groupby(text)][:-1]

    def counted(text):
        return sorted({(letter, text.count(letter)) for letter in text})

    def one_less(text):
        return [(letter, len(list(run)) - 1) for letter, run in itertools.groupby(text)]

    def joined(text):
        return "".join(f"{letter}{len(list(run))}" for letter, run in itertools.groupby(text))

    variants = [with_a_loop, from_the_end]
    mistakes = {
        "The last run is missing.": last_lost,
        "You counted letters of the whole text, not of each run.": counted,
        "Each count is one too small.": one_less,
        "You returned one string; a list of pairs is wanted.": joined,
    }
    explain = "Go through the letters and compare each with the one before."


def rolling(keep=lambda size: size, below=lambda values, size: len(values), first=()):
    """A rolling mean, right or with one thing changed."""

    class Rolling:
        def __init__(self, size):
            self.values, self.size = deque(first, maxlen=keep(size)), size

        def update(self, value):
            self.values.append(value)

        @property
        def mean(self):
            return sum(self.values) / below(self.values, self.size) if self.values else 0.0

    return Rolling


class WithAList:
    """The same with a list and an index."""

    def __init__(self, size):
        self.size, self.values = size, []

    def update(self, value):
        self.values = [*self.values, value][-self.size :]

    @property
    def mean(self):
        return float(np.mean(self.values)) if self.values else 0.0


class WithASum(WithAList):
    def __init__(self, size):
        super().__init__(size)
        self.total = 0.0

    def update(self, value):
        self.total += value - (self.values[0] if len(self.values) == self.size else 0.0)
        super().update(value)

    @property
    def mean(self):
        return self.total / max(len(self.values), 1)


@question(id="state", title="State", asks="Rolling", points=2, section="sec-kinds-state")
class State:
    def driver(answer, size, calls):
        from coursekit.grading.drivers import use_object

        return use_object(lambda: answer(size), calls)

    reference = rolling()

    def cases(rng):
        kinds = {"update": lambda rng: (float(rng.normal()),), "mean": lambda rng: ()}
        full = [("update", 1.0), ("mean",), *[("update", 2.0)] * 6, ("mean",)]
        for name, size, count, shown in (
            ("a window of three", 3, 12, True),
            ("a window of one", 1, 6, True),
            ("a long run", 5, 60, False),
        ):
            yield case(name, size, full + random_calls(rng, kinds, count), shown=shown)

    variants = [WithAList, WithASum]
    mistakes = {
        "Old values never leave: keep the last ones only.": rolling(keep=lambda size: None),
        "The window holds one value too many.": rolling(keep=lambda size: size + 1),
        "Before the window is full, divide by what it holds.": rolling(
            below=lambda values, size: size
        ),
        "A new window is empty; yours begins with a zero.": rolling(first=[0.0]),
    }
    explain = "Keep the last values of this object and average what is there."


def trainer(zero=True, sign=-1.0, reduction="mean", late=False):
    """A training loop, right or with one thing changed."""

    def train(model, X, y, learning_rate, steps):
        losses = []
        for _ in range(steps):
            if zero:
                model.zero_grad()
            loss = nn.functional.mse_loss(model(X).squeeze(-1), y, reduction=reduction)
            loss.backward()
            with torch.no_grad():
                for p in model.parameters():
                    p += sign * learning_rate * p.grad
                now = nn.functional.mse_loss(model(X).squeeze(-1), y, reduction=reduction)
            losses.append((now if late else loss).item())
        return losses

    return train


@question(id="training", title="A training loop", asks="train", points=2, section="sec-kinds-train")
class Training:
    seconds = 2.0
    repetitions = 2
    compare = Close(rtol=1e-4, atol=1e-5)  # plain numbers that were computed in float32

    def driver(answer, weights, X, y, learning_rate, steps):
        import torch

        from coursekit.grading.drivers import after_training

        model = torch.nn.Linear(X.shape[1], 1)

        def loss(model):
            return ((model(X).squeeze(-1) - y) ** 2).mean()

        return after_training(answer, model, weights, loss, X, y, learning_rate, steps)

    reference = trainer()

    def cases(rng):
        def draw(*shape):
            return torch.tensor(rng.normal(size=shape), dtype=torch.float32)

        for name, n, steps, shown in (
            ("one step", 2, 1, True),
            ("four steps", 3, 4, True),
            ("thirty steps", 2, 30, False),
        ):
            weights = {"weight": draw(1, n), "bias": draw(1)}
            yield case(name, weights, draw(20, n), draw(20) + 2, 0.05, steps, shown=shown)

    def with_an_optimiser(model, X, y, learning_rate, steps):
        sgd, losses = torch.optim.SGD(model.parameters(), lr=learning_rate), []
        for _ in range(steps):
            sgd.zero_grad()
            losses.append(((model(X)[:, 0] - y) ** 2).mean())
            losses[-1].backward()
            sgd.step()
        return [loss.item() for loss in losses]

    def by_hand(model, X, y, learning_rate, steps):
        losses = []
        with torch.no_grad():
            for _ in range(steps):
                error = model(X)[:, 0] - y
                losses.append(float(error @ error) / len(y))
                model.weight -= learning_rate * 2 * (error @ X)[None] / len(y)
                model.bias -= learning_rate * 2 * error.mean()
        return losses

    variants = [with_an_optimiser, by_hand]
    mistakes = {
        "Gradients of earlier steps add up: set them to zero.": trainer(zero=False),
        "You climb: subtract the gradient.": trainer(sign=1.0),
        "You summed over the examples; take the mean.": trainer(reduction="sum"),
        "You report each loss after its step; report it before.": trainer(late=True),
    }
    explain = "Zero the gradients, compute the loss, go back, step; report each loss."


def histogram(density=False, labels=True, right=0.0, log=False):
    """A histogram, right or with one thing changed."""

    def draw(ax, values, edges):
        counts, _ = np.histogram(values, edges, density=density)
        ax.bar(edges[:-1] + right, counts, width=np.diff(edges), align="edge", log=log)
        if labels:
            ax.set(xlabel="value", ylabel="count")

    return draw


@question(id="plot", title="A plot", asks="histogram", points=1, section="sec-kinds-plot")
class Plot:
    seconds = 5.0  # the first picture of a session imports Matplotlib
    compare = Close(atol=1e-8)

    def driver(answer, values, edges):
        from coursekit.grading.drivers import draw_on_axes

        return draw_on_axes(answer, values, edges)

    reference = histogram()

    def cases(rng):
        edges = np.array([-4.0, -1.0, 0.0, 0.5, 4.0])
        yield case("thirty values", rng.normal(size=30).clip(-3.9, 3.9), edges)
        yield case("many values", rng.normal(size=500).clip(-3.9, 3.9), edges, shown=False)

    def with_hist(ax, values, edges):
        ax.hist(values, bins=edges)
        ax.set_xlabel("x")
        ax.set_ylabel("how many")

    def with_a_loop(ax, values, edges):
        for low, high in itertools.pairwise(edges):
            inside = ((values >= low) & (values < high)).sum()
            ax.bar((low + high) / 2, inside, width=high - low)
        ax.set(xlabel="x", ylabel="n")

    variants = [with_hist, with_a_loop]
    mistakes = {
        "These are densities; counts are wanted.": histogram(density=True),
        "Name both axes.": histogram(labels=False),
        "Each bar begins at the left edge of its bin; yours are moved.": histogram(right=0.25),
        "The counts stand on a logarithmic axis; leave it straight.": histogram(log=True),
    }
    explain = "Count the values between each pair of edges; draw a bar as wide as the bin."


@question(
    id="essay", title="Words", asks="essay", points=2, section="sec-kinds-essay", kind="manual"
)
class Essay:
    rubric = [(1, "names a reason"), (1, "gives an example")]
