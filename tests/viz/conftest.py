"""A browser without network, and one of each live figure."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from sklearn.datasets import load_diabetes, load_iris

from coursekit.viz import live

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


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
