"""One of each live figure, and a shell that displays."""

from __future__ import annotations

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from sklearn.datasets import load_diabetes, load_iris

from coursekit.viz import live


@pytest.fixture(scope="session")
def figures() -> dict[str, live.LiveFigure]:
    diabetes = load_diabetes()
    return {
        "gaussian_fit": live.gaussian_fit(load_iris().data[50:100, 2], quantity="petal length, cm"),
        "regularisation_path": live.regularisation_path(
            diabetes.data, diabetes.target, diabetes.feature_names
        ),
        "capacity": live.capacity(seed=0),
        "descent_paths": live.descent_paths(),
        "signal_depth": live.signal_depth(),
        "backprop_graph": live.backprop_graph(),
        "softmax": live.softmax({"cat": 2.0, "dog": 1.0, "ship": -1.0}),
    }


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(scope="session", autouse=True)
def shell():
    """A shell, without which IPython displays nothing."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()
