"""Live figures in a real kernel, and what their functions refuse."""

import nbformat
import numpy as np
import pytest

from coursekit.viz import live

CODE = """
import numpy as np
from coursekit.viz import live
live.gaussian_fit(np.random.default_rng(0).normal(size=40))
"""


def test_a_kernel_offers_the_widget_and_the_page():
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert "model_id" in output.data["application/vnd.jupyter.widget-view+json"]
    page = output.data["text/html"]
    assert page.startswith('<figure class="ck-live" data-figure="gaussian-fit"')
    assert page == live.gaussian_fit(np.random.default_rng(0).normal(size=40)).html()
    assert "0x" not in output.data["text/plain"]


def test_python_follows_the_control():
    figure = live.gaussian_fit([1.0, 2.0, 4.0])
    figure.set_state({"mean": 2.5})
    assert figure.mean == 2.5
    assert "mean 2.5" in figure.description()


def test_descriptions_state_the_numbers():
    from scipy import stats

    x = np.array([1.0, 2.0, 4.0, 4.5])
    figure = live.gaussian_fit(x)
    best = stats.norm.logpdf(x, x.mean(), x.std()).mean()
    here = stats.norm.logpdf(x, figure.mean, figure.deviation).mean()
    assert f"{best:.3f}" in figure.description()
    assert f"{here:.3f}" in figure.description()


@pytest.mark.parametrize("kind", ["ridge", "lasso"])
def test_still_weights_are_scikit_learns(figures, kind):
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Lasso, Ridge

    X, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))[round(0.5 * len(y)) :]
    table = np.column_stack([X, y])[order]
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    figure = figures["regularisation_path"]
    figure.kind = kind
    for gamma in (0.02, 0.3):
        model = (
            Ridge(alpha=gamma * len(table), fit_intercept=False)
            if kind == "ridge"
            else Lasso(alpha=gamma / 2, fit_intercept=False, tol=1e-10, max_iter=100_000)
        )
        theirs = model.fit(table[:, :-1], table[:, -1]).coef_
        ours = figure._weights(np.array([gamma, 1.0]))[0]
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: live.gaussian_fit([[1.0, 2.0]]), r"shape \(1, 2\).*one number per example"),
        (lambda: live.gaussian_fit([1.0]), "2 to 1000"),
        (lambda: live.gaussian_fit([3.0, 3.0]), "does not vary"),
        (lambda: live.gaussian_fit([3.0, np.nan]), "missing"),
        (lambda: live.capacity(noise=2.0), r"\(0, 1\]"),
        (lambda: live.capacity(seed=-1), "not negative"),
        (lambda: live.descent_paths("banana"), "'banana'; there are quadratic, rosenbrock, wells"),
        (lambda: live.descent_paths(shown=["lion"]), "'lion'; there are sgd"),
        (lambda: live.descent_paths(kappa=1000), "kappa is 1000; its slider reaches from 2 to 100"),
        (lambda: live.descent_paths(start=(5, 0)), "start u is 5"),
        (lambda: live.signal_depth("swish"), "'swish'; there are tanh, relu"),
        (lambda: live.signal_depth(gain=0.0), "reaches from 0.2 to 5"),
        (lambda: live.signal_depth(seed=-1), "not negative"),
        (lambda: live.backprop_graph([1.0]), "nine numbers"),
        (lambda: live.backprop_graph(x=[1.0]), "two inputs"),
        (lambda: live.backprop_graph(y=2.0), "from 0 to 1"),
        (lambda: live.softmax({"a": 1.0}), "2 to 6"),
        (lambda: live.softmax({"a": 1.0, "b": 9.0}), "from -5 to 5"),
        (lambda: live.softmax({"a": 1.0, "b": 2.0}, label="c"), "the classes are a, b"),
        (
            lambda: live.regularisation_path(np.ones((4, 2)), np.ones(3), ["a", "b"]),
            r"wanted \(m, n\)",
        ),
        (
            lambda: live.regularisation_path(np.ones((9, 2)), np.arange(9), ["a", "b"]),
            "does not vary",
        ),
        (
            lambda: live.regularisation_path(
                np.outer(np.arange(40.0), [1, 2]), np.arange(40.0), ["a", "b"]
            ),
            "linear combination",
        ),
    ],
)
def test_errors_say_what_to_do(make, match):
    with pytest.raises(ValueError, match=match):
        make()
