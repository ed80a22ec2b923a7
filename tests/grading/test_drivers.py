"""The helpers that drivers share, each against what it claims."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from coursekit.grading.drivers import (
    AnswerError,
    after_training,
    draw_on_axes,
    drawn,
    random_calls,
    use_module,
    use_object,
)

torch = pytest.importorskip("torch")
nn = torch.nn


def test_a_module_gets_the_weights_and_gives_output_and_gradients():
    """For y = x Wᵀ + b: dW = gᵀx, db = the column sums of g, dx = g W."""
    rng = np.random.default_rng(0)
    W, b, x, g = (torch.tensor(rng.normal(size=s)) for s in ((2, 3), (2,), (4, 3), (4, 2)))
    x.requires_grad_()
    found = use_module(
        nn.Linear(3, 2, dtype=torch.float64), {"weight": W, "bias": b}, [x], gradient=g
    )
    expected = {
        "output": x @ W.T + b,
        "gradient of weight": g.T @ x,
        "gradient of bias": g.sum(0),
        "gradient of input 1": g @ W,
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


def test_several_outputs_take_several_gradients():
    lstm = nn.LSTMCell(1, 2)
    weights = {name: torch.ones_like(p) for name, p in lstm.named_parameters()}
    ones = torch.ones(3, 2)
    found = use_module(lstm, weights, [torch.ones(3, 1)], gradient=(ones, ones))
    h, c = lstm(torch.ones(3, 1))
    expected = torch.autograd.grad((h + c).sum(), lstm.weight_ih)[0]
    torch.testing.assert_close(found["gradient of weight_ih"], expected)
    with pytest.raises(AnswerError, match="a tuple of 2 torch tensors"):
        use_module(
            nn.Linear(1, 1),
            {"weight": torch.ones(1, 1), "bias": torch.ones(1)},
            [torch.ones(3, 1)],
            gradient=(ones, ones),
        )


@pytest.mark.parametrize("odd", [3, "text", [1], object(), nn.Linear])
def test_what_is_no_module_is_named(odd):
    with pytest.raises(AnswerError, match=r"of type \w+ came; a torch\.nn\.Module was wanted"):
        use_module(odd, {}, [])


def test_calls_reach_methods_attributes_and_properties():
    class Counter:
        def __init__(self):
            self.total = 0

        def add(self, n):
            self.total += n

        @property
        def double(self):
            return 2 * self.total

    calls = [("add", 3), ("total",), ("double",), ("add", 1), ("total",)]
    found = use_object(Counter, calls)
    assert found["the first object"] == found["a second object"] == [None, 3, 6, None, 4]


def test_what_objects_share_shows_in_the_second():
    class Shared:
        kept = []  # noqa: RUF012 - the mistake itself

        def push(self, x):
            self.kept.append(x)
            return len(self.kept)

    found = use_object(Shared, [("push", 1), ("push", 1)])
    assert found["the first object"] == [1, 2]
    assert found["a second object"] == [3, 4]


def test_random_calls_are_drawn_from_the_generator_alone():
    kinds = {"push": lambda rng: (int(rng.integers(9)),), "size": lambda rng: ()}
    first, again, other = (random_calls(np.random.default_rng(s), kinds, 30) for s in (1, 1, 2))
    assert first == again != other
    assert {call[0] for call in first} == {"push", "size"}
    assert all(len(call) == (2 if call[0] == "push" else 1) for call in first)


def test_everything_that_stands_on_the_axes_is_read():
    ax = Figure().add_subplot()
    assert drawn(ax) is None
    ax.plot([1, 2], [3, 4], label="a line")
    ax.scatter([1.0, 2.0], [5.0, np.nan])
    ax.bar([0, 1], [2, 3], width=0.5)
    ax.imshow([[1, 2], [3, 4]])
    ax.fill_between([0, 1], [0, 1])
    ax.set(xlabel="x", ylabel="y", yscale="log")
    ax.legend()
    found = drawn(ax)
    np.testing.assert_array_equal(found["lines"], [([1, 2], [3, 4])])
    np.testing.assert_array_equal(found["points"], [[[1, 5], [np.nan, np.nan]]])  # hidden
    assert found["bars"] == [(-0.25, 0, 0.5, 2), (0.75, 0, 0.5, 3)]
    np.testing.assert_array_equal(found["images"], [[[1, 2], [3, 4]]])
    assert found["scales"] == ["linear", "log"]
    assert found["labels of the axes"]
    assert found["legend"] == ["a line"]


def test_a_figure_of_the_answers_own_is_closed_and_said():
    import matplotlib.pyplot as plt

    mine = plt.figure()
    before = plt.get_fignums()

    def with_pyplot(ax):
        plt.figure()
        plt.plot([1, 2])

    with pytest.raises(AnswerError, match="draw on the given ax"):
        draw_on_axes(with_pyplot)
    assert plt.get_fignums() == before
    plt.close(mine)


def test_the_loss_after_training_is_measured_and_not_believed():
    weights = {"weight": torch.tensor([[2.0]]), "bias": torch.tensor([0.0])}
    one = torch.ones(1, 1)

    def step(model, x):
        """One step of gradient descent on y², from y = 2: by 0.1 · 2y in both parameters."""
        model(x).square().sum().backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
        return 0.0

    found = after_training(step, nn.Linear(1, 1), weights, lambda m: m(one).square().sum(), one)
    assert found["what the loop returned"] == 0.0
    assert found["loss before"] == pytest.approx(4.0, rel=1e-6)  # float32
    assert found["loss after"] == pytest.approx((2.0 - 2 * 0.4) ** 2, rel=1e-6)
    assert found["weights after"]["weight"].item() == pytest.approx(1.6, rel=1e-6)
    nothing = after_training(lambda m, x: None, nn.Linear(1, 1), weights, lambda m: 0.0, one)
    assert nothing is None


def test_importing_the_helpers_imports_neither_torch_nor_matplotlib():
    code = (
        "import sys, coursekit.grading.drivers as d; d.use_object(list, [('append', 1)])\n"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
