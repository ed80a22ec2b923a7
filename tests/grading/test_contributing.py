"""What CONTRIBUTING shows of a question is what works: it is executed here."""

import ast
import json
import re
import shutil
import textwrap
from pathlib import Path

import nbformat
import pytest

from coursekit.grading import build
from coursekit.grading.diagnose import PASSED, WRONG, diagnose
from coursekit.grading.exercises import BLOCK
from coursekit.grading.public import from_json
from coursekit.grading.question import load_questions

ROOT = Path(__file__).resolve().parents[2]
STEM, ID = "01-basics", "mean-squared-error"


@pytest.fixture(scope="module")
def section() -> str:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.split("## A question\n")[1].split("\n## ")[0]


@pytest.fixture(scope="module")
def shown(section) -> tuple[str, str]:
    """The class and the cells that the page shows."""
    cells = re.search(r"````markdown\n(.*?)````\n", section, re.DOTALL)[1]
    code = re.search(r"```python\n(.*?)```\n", section, re.DOTALL)[1]
    return code, cells


@pytest.fixture(scope="module")
def checkout(shown, tmp_path_factory) -> Path:
    """A copy of a chapter with the page's question added: one class, one heading, two cells."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "solutions" / STEM, root / "solutions" / STEM)
    (root / "book").mkdir()
    shutil.copy(ROOT / "book" / f"{STEM}.md", root / "book")
    code, cells = shown
    questions = root / "solutions" / STEM / "questions.py"
    questions.write_text(f"{questions.read_text(encoding='utf-8')}\n\n{code}", encoding="utf-8")
    master = root / "solutions" / STEM / "notebook.md"
    before, after = master.read_text(encoding="utf-8").split("## How far are you?")
    text = f"{before}{cells}\n## How far are you?{after}"
    master.write_text(text, encoding="utf-8")
    build(root)
    return root


@pytest.fixture(scope="module")
def public(checkout):
    path = checkout / "src" / "coursekit" / "grading" / "checks" / f"{STEM}.json"
    return from_json(json.loads(path.read_text(encoding="utf-8")))[ID]


def test_the_student_gets_a_starter_and_a_check(checkout):
    notebook = nbformat.read(checkout / "exercises" / f"{STEM}.ipynb", as_version=4)
    cells = {c.id: c.source for c in notebook.cells}
    assert cells[f"{ID}-answer"] == "def mean_squared_error(predictions, y):\n    ..."
    assert cells[f"{ID}-check"] == f'check("{ID}")'
    assert "The mean squared error" in cells[f"{ID}-text"]


def test_the_solution_shown_passes_and_its_starter_is_not_begun(shown, public):
    source = re.search(r"ipython3\n(def .*?)```", shown[1], re.DOTALL)[1]
    for text, status in ((source, PASSED), (BLOCK.sub(r"\g<indent>...", source), "not started")):
        names = {}
        exec("import numpy as np\n" + text, names)
        assert diagnose(public, names).status == status


def test_every_mistake_and_variant_shown_does_what_the_page_says(checkout, public):
    q = {q.id: q for q in load_questions(checkout / "solutions" / STEM)}[ID]
    for answer in (q.reference, *q.variants):
        assert diagnose(public, {q.asks: answer}).status == PASSED
    for hint, answer in q.mistakes.items():
        found = diagnose(public, {q.asks: answer})
        assert (found.status, found.hint) == (WRONG, hint)


def drivers(code: str) -> set[str]:
    tree = ast.walk(ast.parse(code))
    return {ast.dump(n) for n in tree if isinstance(n, ast.FunctionDef) and n.name == "driver"}


def test_the_drivers_shown_are_those_of_the_tested_questions(section):
    blocks = re.findall(r"```python\n(def driver.*?)```\n", section, re.DOTALL)
    assert len(blocks) == 4
    tested = (ROOT / "tests" / "grading" / "six_kinds" / "questions.py").read_text(encoding="utf-8")
    assert set().union(*map(drivers, map(textwrap.dedent, blocks))) <= drivers(tested)
