"""Symbols of the chapters and their rows on the page of notation."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "book" / "_ext"))

from coursebook import symbols

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("[01]*.md"))
FEWEST_LINKED = 0.5  # of a section's letters: many stand in displayed formulas alone


def test_rows_are_read_with_their_meaning_and_place(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "notation.md").write_text(
        "(sec-notation-a)=\n## A\n\n| symbol | meaning |\n|---|---|\n"
        "| $x$, $y$ | {term}`logits <logit>`, both |\n| $P(a\\|b)$ | a chance |\n"
    )
    found = symbols.read_symbols(tmp_path)["a"]
    assert found["x"] == found["y"] == symbols.Symbol("symbol-a-1", "logits, both")
    assert found[r"P(a\|b)"].anchor == "symbol-a-2"


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_a_chapter_uses_the_symbols_that_its_section_lists(page: Path) -> None:
    known = symbols.read_symbols(ROOT)
    own = {
        tex
        for name in symbols.sections_of(page.stem.partition("-")[2])
        for tex in known.get(name, {})
    }
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    used = own & set(re.findall(r"(?<!\$)\$([^$\n]+)\$(?!\$)", prose))
    assert own
    assert len(used) >= FEWEST_LINKED * len(own), sorted(own - used)
