"""The refresher's own functions, so that the tests check what the page shows."""

import ast
from pathlib import Path
from types import SimpleNamespace

import jupytext
import numpy as np
import pytest

PAGE = Path(__file__).parents[2] / "book" / "refresher.md"


@pytest.fixture(scope="session")
def page():
    """Every function that a cell of ``book/refresher.md`` defines; no other line of it runs."""
    notebook = jupytext.read(PAGE, fmt="md:myst")
    names = {"np": np}
    for cell in notebook.cells:
        if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", []):
            tree = ast.parse(cell.source)
            tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
            exec(compile(tree, str(PAGE), "exec"), names)
    return SimpleNamespace(**names)


@pytest.fixture
def rng():
    return np.random.default_rng(20)
