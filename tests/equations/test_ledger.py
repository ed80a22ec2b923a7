"""Every numbered equation is checked by a test, and every mark names an equation that exists."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

import editions
import notebooks
from coursebook import equations

FEWEST_PER_CHAPTER = 6


@pytest.fixture(scope="module")
def ledger(root: Path) -> equations.Ledger:
    """The real book's labels, tests and functions."""
    return equations.read_ledger(root)


def test_every_equation_is_checked_and_every_mark_names_one(ledger: equations.Ledger) -> None:
    assert ledger.labels
    assert ledger.problems() == []


def test_every_chapter_has_at_least_six(ledger: equations.Ledger) -> None:
    count = Counter(Path(page).stem for page in ledger.labels.values())
    chapters = [stem for stem in notebooks.stems() if stem[0].isdigit()]
    assert chapters
    assert {stem: count[stem] for stem in chapters if count[stem] < FEWEST_PER_CHAPTER} == {}


def test_most_equations_name_the_function_that_computes_them(ledger: equations.Ledger) -> None:
    in_chapters = [label for label, page in ledger.labels.items() if Path(page).stem[0].isdigit()]
    without = [label for label in in_chapters if label not in ledger.functions]
    assert len(without) <= len(in_chapters) / 4, without


def test_marked_tests_are_run(ledger: equations.Ledger, root: Path) -> None:
    """A mark on something pytest does not collect, or skips, would check nothing."""
    for label, places in ledger.tests.items():
        for place in places:
            name = place.name.split(".")[-1]
            assert name.startswith("test_"), f"{label}: {place.path}:{place.line} is no test"
            assert Path(place.path).name.startswith("test_")
            source = (root / place.path).read_text()
            decorators = next(
                ast.unparse(ast.Module(node.decorator_list, []))
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.FunctionDef) and node.lineno == place.line
            )
            assert "mark.skip" not in decorators
            assert "mark.xfail" not in decorators


def test_page_and_download_edition_see_the_same_equations(ledger: equations.Ledger) -> None:
    assert set(editions.build_index().equations) == set(ledger.labels)


# --- the scanner itself, on small repositories ----------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One equation, one test, one function, all in agreement."""
    for folder in ("book", "tests", "src"):
        (tmp_path / folder).mkdir()
    (tmp_path / "book" / "a.md").write_text("$$x = 1$$ (eq-a-x)\n")
    marked = '@pytest.mark.equation("eq-a-x")\ndef test_x(): ...\n'
    (tmp_path / "tests" / "test_a.py").write_text(marked)
    (tmp_path / "src" / "a.py").write_text('def x():\n    """See :eq:`eq-a-x`."""\n')
    return tmp_path


def test_agreement_has_no_problems(repository: Path) -> None:
    assert equations.read_ledger(repository).problems() == []


def test_an_equation_without_a_test_is_a_problem(repository: Path) -> None:
    (repository / "tests" / "test_a.py").write_text("def test_x(): ...\n")
    (problem,) = equations.read_ledger(repository).problems()
    assert "eq-a-x has no test" in problem


def test_a_test_or_docstring_of_a_missing_equation_is_a_problem(repository: Path) -> None:
    (repository / "book" / "a.md").write_text("no equation\n")
    problems = equations.read_ledger(repository).problems()
    assert len(problems) == 2
    assert all("which no page has" in p for p in problems)


def test_an_equation_inside_a_code_block_is_no_equation(repository: Path) -> None:
    page = repository / "book" / "a.md"
    page.write_text(page.read_text() + "\n```python\n$$y$$ (eq-a-y)\n```\n")
    assert set(equations.read_ledger(repository).labels) == {"eq-a-x"}


@pytest.mark.parametrize("argument", ["name", '"a" + "b"', '"a", "b"', "1"])
def test_a_label_must_be_a_literal(repository: Path, argument: str) -> None:
    code = f"@pytest.mark.equation({argument})\ndef test_x(): ...\n"
    (repository / "tests" / "test_a.py").write_text(code)
    with pytest.raises(ValueError, match="literal label"):
        equations.read_ledger(repository)


def test_two_equations_may_not_share_a_label(repository: Path) -> None:
    (repository / "book" / "b.md").write_text("$$x = 2$$ (eq-a-x)\n")
    with pytest.raises(ValueError, match="taken"):
        equations.read_ledger(repository)
