"""The chapters' sheets and paces as the site shows them, and that a sheet prints on one page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from built import CHAPTERS, PAGES

SHEETS = [page for page in PAGES if page.startswith("book/sheets/")]
PACE = re.compile(r"\d+ min( · (gentle|steady|steep))?")


def test_every_chapter_links_to_its_sheet_and_so_do_the_downloads(soup) -> None:
    numbered = [page for page in CHAPTERS if Path(page).name[0].isdigit()]
    assert len(SHEETS) == len(numbered)
    for page in numbered:
        sheet = f"../book/sheets/sheet-{Path(page).name}"
        assert soup(page).select(f'.ck-actions a[href="{sheet}"]')
    offered = {a["href"] for a in soup("book/downloads.html").select("main td a")}
    assert {f"sheets/{Path(sheet).name}" for sheet in SHEETS} <= offered


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_section_says_what_it_asks_of_the_reader(page: str, soup) -> None:
    found = [p.get_text() for p in soup(page).select("section > h2 + .ck-pace")]
    assert len(found) >= 5
    assert [text for text in found if not PACE.fullmatch(text)] == []
    labelled = [h for h in soup(page).select("section[id] > h2") if h.find_previous_sibling("span")]
    assert [h.get_text() for h in labelled if not h.find_next_sibling(class_="ck-pace")] == []


@pytest.mark.browser
@pytest.mark.parametrize("page", SHEETS)
def test_a_sheet_prints_on_one_page_with_no_formula_cut(page: str, open_page) -> None:
    tab = open_page(
        page, viewport={"width": 1504, "height": 1039}
    )  # A3 less its margins, in pixels
    tab.evaluate("async () => { await MathJax.startup.promise; await document.fonts.ready }")
    tab.emulate_media(media="print")
    cut = tab.evaluate(
        """() => [...document.querySelectorAll(".ck-equation .math")]
        .filter(e => e.scrollWidth > e.clientWidth + 1)
        .map(e => e.closest(".ck-equation").previousElementSibling.textContent)"""
    )
    assert cut == []
    paper = tab.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1


@pytest.mark.parametrize("page", [p for p in CHAPTERS if Path(p).name[0].isdigit()])
def test_symbols_lead_to_their_rows_with_their_meaning(page: str, soup) -> None:
    links = soup(page).select("a.ck-symbol")
    assert len(links) >= 4
    rows = {row["id"] for row in soup("book/notation.html").select("tr[id]")}
    assert {link["href"].partition("#")[2] for link in links} <= rows
    assert all(link["title"] for link in links)
