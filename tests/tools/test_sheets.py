"""A chapter's sheet holds what the chapter says, all of it, and nothing else."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "book" / "_ext"))

from coursebook import equations, glued, sheets

STEMS = sorted(p.stem for p in (Path(__file__).parents[2] / "book").glob("[01]*.md"))


@pytest.mark.parametrize("stem", STEMS)
def test_every_part_is_filled_and_every_equation_is_there_once(root: Path, stem: str) -> None:
    sheet = sheets.read_sheet(root, stem)
    ours = [label for label, page in equations.labels_in_book(root).items() if stem in page]
    assert list(sheet.equations) == ours
    assert len(sheet.mistakes) >= 3
    assert len(sheet.summary) >= 3


@pytest.mark.parametrize("stem", STEMS)
def test_each_piece_stands_in_the_chapter(root: Path, stem: str) -> None:
    page = " ".join((root / "book" / f"{stem}.md").read_text(encoding="utf-8").split())
    sheet = sheets.read_sheet(root, stem)
    pieces = [*sheet.summary, *sheet.takeaways, *sheet.mistakes, *sheet.symbols]
    pieces += sheet.equations.values()
    assert [piece for piece in pieces if " ".join(piece.split()) not in page] == []


@pytest.mark.parametrize("stem", STEMS)
def test_there_is_a_page_for_it_in_the_contents(root: Path, stem: str) -> None:
    page = root / "book" / "sheets" / f"sheet-{stem}.md"
    assert page.is_file(), f"write {page.name} as its neighbours are, and name it in _toc.yml"
    assert sheets.MARKER.findall(page.read_text(encoding="utf-8")) == [stem]
    assert f"book/sheets/{page.stem}\n" in (root / "_toc.yml").read_text(encoding="utf-8")


def test_glued_values_and_pages_are_made_to_hold_elsewhere() -> None:
    text = "about {glue:text}`share` of it, see {doc}`01-basics` or {doc}`that <01-basics>`"
    assert sheets.elsewhere(text, {"share": "a third"}) == (
        "about a third of it, see {doc}`/notebooks/01-basics` or {doc}`that </notebooks/01-basics>`"
    )


def test_a_value_that_the_notebook_did_not_store_is_an_error() -> None:
    with pytest.raises(KeyError, match="share"):
        sheets.elsewhere("{glue:text}`share`", {})


def test_values_are_read_as_the_notebook_stored_them(root: Path) -> None:
    nb = json.loads((root / "notebooks" / "01-basics.ipynb").read_text(encoding="utf-8"))
    names = set(re.findall(r"\{glue:text\}`([^`]+)`", json.dumps(nb)))
    assert names
    assert names <= set(glued.glued_values(nb))


def test_a_chapter_without_takeaways_is_an_error(root: Path, tmp_path: Path) -> None:
    page = (root / "book" / "01-basics.md").read_text(encoding="utf-8")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "01-basics.md").write_text(
        page.replace(":class: takeaway", ":class: note")
    )
    with pytest.raises(ValueError, match="its sheet has no takeaways"):
        sheets.read_sheet(tmp_path, "01-basics")
