"""The pairing tool: what it holds stale, what it leaves alone, and that reruns change no byte."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest

import notebooks

PAGE = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A page

```{code-cell} ipython3
from coursekit.topic import double
%pip --version
print(double(21), object())
```
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one page and one library function behind it."""
    package = tmp_path / "src" / "coursekit" / "topic"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text("from coursekit.topic.arithmetic import double\n")
    (package / "arithmetic.py").write_text("def double(x):\n    return 2 * x\n")
    (package / "table.csv").write_text("a,b\n1,2\n")
    (package.parent / "unrelated.py").write_text("")
    (tmp_path / "book").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book" / "01-topic.md").write_text(PAGE)
    (tmp_path / "constraints.txt").write_text("numpy==1\n")
    return tmp_path


def pretend_executed(root: Path, stem: str = "01-topic") -> None:
    """Write the pair as `build` does, without running a kernel."""
    nb = notebooks.source_notebook(stem, root)
    nb.metadata["coursekit"] = {"inputs": notebooks.digest_of_inputs(nb, root)}
    nbformat.write(nb, root / "notebooks" / f"{stem}.ipynb")


def test_a_missing_notebook_is_stale_and_an_executed_one_is_not(checkout: Path) -> None:
    assert notebooks.stale(checkout) == ["01-topic"]
    pretend_executed(checkout)
    assert notebooks.stale(checkout) == []


@pytest.mark.parametrize(
    "changed",
    [
        "book/01-topic.md",
        "src/coursekit/topic/arithmetic.py",
        "src/coursekit/topic/table.csv",
        "constraints.txt",
    ],
)
def test_a_change_in_any_input_makes_it_stale(checkout: Path, changed: str) -> None:
    pretend_executed(checkout)
    file = checkout / changed
    file.write_text(file.read_text() + "\n1\n")
    assert notebooks.stale(checkout) == ["01-topic"]


def test_a_change_elsewhere_in_the_library_does_not(checkout: Path) -> None:
    pretend_executed(checkout)
    (checkout / "src" / "coursekit" / "unrelated.py").write_text("x = 1\n")
    assert notebooks.stale(checkout) == []


def test_an_edited_notebook_is_stale_though_its_page_is_not(checkout: Path) -> None:
    pretend_executed(checkout)
    path = checkout / "notebooks" / "01-topic.ipynb"
    path.write_text(path.read_text().replace("double(21)", "double(22)"))
    assert notebooks.stale(checkout) == ["01-topic"]


def test_new_words_keep_the_outputs_and_start_no_kernel(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_executed(checkout)
    path = checkout / "notebooks" / "01-topic.ipynb"
    nb = nbformat.read(path, as_version=4)
    code = next(cell for cell in nb.cells if cell.cell_type == "code")
    code["outputs"] = [nbformat.v4.new_output("stream", text="42\n")]
    code["execution_count"] = 1
    nbformat.write(nb, path)
    page = checkout / "book" / "01-topic.md"
    page.write_text(page.read_text().replace("# A page", "# A better page\n\nWith a paragraph."))
    assert notebooks.stale(checkout) == ["01-topic"]
    monkeypatch.setattr(notebooks, "execute", lambda *args: pytest.fail("a kernel was started"))
    notebooks.build("01-topic", checkout)
    assert notebooks.stale(checkout) == []
    kept = nbformat.read(path, as_version=4).cells
    assert "With a paragraph." in kept[0].source
    assert kept[1].outputs == code["outputs"]
    assert kept[1].execution_count == 1


def test_new_code_or_a_new_tag_is_executed(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = checkout / "book" / "01-topic.md"
    tagged = "ipython3\n:tags: [hide-input]\n"
    for old, new in [("double(21)", "double(22)"), ("ipython3\n", tagged)]:
        page.write_text(PAGE)
        pretend_executed(checkout)
        page.write_text(PAGE.replace(old, new))
        started = []
        monkeypatch.setattr(notebooks, "execute", lambda *args, log=started: log.append(args))
        notebooks.build("01-topic", checkout)
        assert len(started) == 1, new


def test_a_notebook_with_merge_marks_is_made_anew(checkout: Path) -> None:
    pretend_executed(checkout)
    path = checkout / "notebooks" / "01-topic.ipynb"
    path.write_text("<<<<<<< HEAD\n" + path.read_text())
    assert notebooks.stale(checkout) == ["01-topic"]


def test_a_notebook_without_a_page_is_an_orphan(checkout: Path) -> None:
    pretend_executed(checkout)
    (checkout / "book" / "01-topic.md").unlink()
    assert notebooks.orphans(checkout) == ["01-topic"]


def test_imports_are_followed_through_packages(checkout: Path) -> None:
    names = notebooks.imported_names(ast.parse("from coursekit import topic"))
    found = {f.name for f in notebooks.library_files(names, checkout)}
    assert found == {"__init__.py", "arithmetic.py", "table.csv"}


def test_cell_ids_depend_on_place_and_not_on_chance(checkout: Path) -> None:
    first, second = (notebooks.source_notebook("01-topic", checkout) for _ in range(2))
    assert [c["id"] for c in first.cells] == [c["id"] for c in second.cells]
    assert len({c["id"] for c in first.cells}) == len(first.cells)


def test_a_failing_cell_leaves_the_old_notebook_whole(checkout: Path) -> None:
    pretend_executed(checkout)
    path = checkout / "notebooks" / "01-topic.ipynb"
    before = path.read_bytes()
    page = checkout / "book" / "01-topic.md"
    page.write_text(PAGE.replace("print(", "raise ValueError("))
    with pytest.raises(notebooks.FailedNotebookError, match=r"cell 1 of 1 failed.*\n"):
        notebooks.build("01-topic", checkout)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_rerun_changes_no_byte(checkout: Path) -> None:
    page = checkout / "book" / "01-topic.md"
    code = "import ipywidgets, random\nprint(random.Random(1).random())\nipywidgets.IntSlider(3)\n"
    page.write_text(PAGE.split("from coursekit")[0] + code + "```\n")
    runs = []
    for force in (False, True, False):
        notebooks.build("01-topic", checkout, force=force)
        runs.append((checkout / "notebooks" / "01-topic.ipynb").read_bytes())
    assert runs[0] == runs[1] == runs[2]
    assert b"0.13436424411240122" in runs[0]
