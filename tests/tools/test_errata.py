"""The lectures' errata and their boxes in the chapters."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "book" / "_ext"))

from coursebook import errata

ROOT = Path(__file__).resolve().parents[2]


def test_a_title_names_all_numbers_of_a_range() -> None:
    found = errata.numbers_in("Errata E009 to E011 and E100: of chips, since E5 is none")
    assert found == ["E009", "E010", "E011", "E100"]


def test_the_first_box_of_a_number_is_taken(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    for stem, title in (("02-b", "Erratum E007: b"), ("01-a", "Errata E007 and E008: a")):
        box = f"# Page\n\n:::{{admonition}} {title}\n:class: erratum\nText of E001.\n:::\n"
        (tmp_path / "book" / f"{stem}.md").write_text(box)
    assert errata.read_boxes(tmp_path) == {"E007": "01-a", "E008": "01-a"}


def test_every_box_names_its_numbers() -> None:
    for page in sorted((ROOT / "book").glob("[01]*.md")):
        titles = re.findall(r"\{admonition\} (.*)\n:class: erratum", page.read_text("utf-8"))
        assert all(errata.numbers_in(title) for title in titles), page.stem


def test_most_errata_have_a_box_of_their_own() -> None:
    rows = re.findall(r"^\| (E\d{3}[^|]*)\|", (ROOT / "book/errata.md").read_text("utf-8"), re.M)
    boxes = errata.read_boxes(ROOT)
    boxed = [row for row in rows if set(errata.numbers_in(row)) & set(boxes)]
    assert len(boxed) > 0.75 * len(rows) > 50
