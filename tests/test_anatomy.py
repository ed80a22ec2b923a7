"""The anatomy that every chapter keeps: what a reader finds in one, they find in all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

OPT_OUT = "nbval-ignore-output"
ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.stem[0].isdigit()]
SECTIONS = ("symbols", "mistakes", "exercises", "summary")
LONGEST_SHOWN_CELL = 15


def read(path: Path) -> nbformat.NotebookNode:
    """The notebook."""
    return nbformat.read(path, as_version=4)


def code_cells(nb: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Cells of code, the installing one apart."""
    return [c for c in nb.cells if c.cell_type == "code" and "find_spec" not in c.source]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """The cell's tags."""
    return cell.metadata.get("tags", [])


def prose(nb: nbformat.NotebookNode) -> str:
    """All Markdown."""
    return "\n".join(c.source for c in nb.cells if c.cell_type == "markdown")


def outputs(nb: nbformat.NotebookNode, kind: str) -> list[str]:
    """All outputs of one kind."""
    found = (o.get("data", {}).get(kind) for c in nb.cells for o in c.get("outputs", []))
    return ["".join(text) for text in found if text]


def by_stem(paths: list[Path]):
    """Parametrise over notebooks, named by their stems."""
    return pytest.mark.parametrize("path", paths, ids=[p.stem for p in paths])


@by_stem(NOTEBOOKS)
def test_few_cells_opt_out_of_comparison_and_each_asserts(path: Path) -> None:
    cells = code_cells(read(path))
    out = [c for c in cells if OPT_OUT in tags(c)]
    assert len(out) <= len(cells) / 4
    for cell in out:
        assert "assert" in cell.source, (
            f"this cell is not compared and claims nothing:\n{cell.source}"
        )


@by_stem(NOTEBOOKS)
def test_no_cell_shows_a_warning_or_an_error_by_accident(path: Path) -> None:
    for cell in code_cells(read(path)):
        for output in cell.outputs:
            assert output.get("name") != "stderr", cell.source
            assert output.output_type != "error" or "raises-exception" in tags(cell), cell.source


@by_stem(NOTEBOOKS)
def test_cells_fit_a_screen(path: Path) -> None:
    for cell in code_cells(read(path)):
        if "hide-input" not in tags(cell):
            lines = [line for line in cell.source.splitlines() if line.strip()]
            assert len(lines) <= LONGEST_SHOWN_CELL, f"{len(lines)} lines:\n{cell.source}"


@by_stem(NOTEBOOKS)
def test_every_picture_has_words(path: Path) -> None:
    pictures = outputs(read(path), "image/svg+xml")
    assert len(pictures) >= 6
    for svg in pictures:
        label = re.search(r'role="img"[^>]*aria-label="([^"]+)"', svg)
        assert label
        assert len(label[1].split()) >= 8, label[1]


@by_stem(CHAPTERS)
def test_a_chapter_has_pictures_and_live_figures(path: Path) -> None:
    nb = read(path)
    live = [text for text in outputs(nb, "text/html") if 'class="ck-live"' in text]
    assert len(outputs(nb, "image/svg+xml")) >= 8
    assert len(live) >= 2


@by_stem(CHAPTERS)
def test_a_chapter_has_its_closing_sections(path: Path) -> None:
    nb, package = read(path), path.stem.split("-", 1)[1]
    for section in SECTIONS:
        assert f"(sec-{package}-{section})=" in prose(nb)
    assert f"{{exercise-list}} {path.stem}" in prose(nb)
    assert "## Further reading" in prose(nb)


@by_stem(CHAPTERS)
def test_a_chapter_has_the_length_of_a_lecture(path: Path) -> None:
    assert 60 <= len(read(path).cells) <= 140


@by_stem(CHAPTERS)
def test_most_cells_claim_something(path: Path) -> None:
    nb = read(path)
    assert sum("assert" in cell.source for cell in code_cells(nb)) >= 15


@by_stem(CHAPTERS)
def test_three_mistakes_are_shown_failing(path: Path) -> None:
    package = path.stem.split("-", 1)[1]
    text = [c.source if c.cell_type == "markdown" else "\0code" for c in read(path).cells]
    joined = "\n".join(text)
    section = joined.split(f"(sec-{package}-mistakes)=")[1].split(f"(sec-{package}-exercises)=")[0]
    assert section.count("\0code") >= 3


@by_stem(CHAPTERS)
def test_a_chapter_has_eight_graded_exercises_and_an_open_one(path: Path) -> None:
    checks = ROOT / "src" / "coursekit" / "grading" / "checks" / f"{path.stem}.json"
    questions = json.loads(checks.read_text())["questions"]
    kinds = [question["kind"] for question in questions]
    assert kinds.count("code") >= 8
    assert "manual" in kinds
    for question in questions:
        assert f"({question['section']})=" in prose(read(path)), question["id"]
