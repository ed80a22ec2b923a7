"""The lecture decks: nothing of a chapter is lost, and they show from a folder, by keyboard."""

from __future__ import annotations

import os
import re
import zipfile
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from built import CHAPTERS, SITE

DECKS = [Path(page).stem for page in CHAPTERS if Path(page).stem[0].isdigit()]
# A browser pages through some of them, and through all in `make test-all`.
PAGED = DECKS if os.environ.get("COURSEKIT_TEST_ALL") == "1" else DECKS[::4]
ROOMS = ("notebooks", "slides")
WEIGHTS = {stem: (SITE / "notebooks" / f"{stem}.html").stat().st_size for stem in DECKS}
LIGHTEST = min(WEIGHTS, key=WEIGHTS.__getitem__, default="")
READY = "body[data-state=ready]"
SILENT = re.compile(r"<(script|style|pre|svg)\b.*?</\1>", re.DOTALL)
LOUD = ("error", "warning")
# A heading's link to itself, how long a section takes, folded code: a page's furniture.
FURNITURE = ".headerlink, .ck-pace, details.hide, .ck-chapter, .ck-signature, .ck-keys"
PATIENCE = 90_000  # milliseconds, on a machine that does other things too
LEAST_WORDS_OF_NOTES = 800

every_deck = pytest.mark.parametrize("stem", DECKS)
paged_decks = pytest.mark.parametrize("stem", PAGED)


@cache
def text_of(room: str, stem: str) -> str:
    return (SITE / room / f"{stem}.html").read_text(encoding="utf8")


@cache
def tree_of(room: str, stem: str) -> BeautifulSoup:
    """The article, without code, drawings and furniture."""
    tree = BeautifulSoup(SILENT.sub("", text_of(room, stem)), "html.parser")
    for tag in tree.select(FURNITURE):
        tag.decompose()
    return tree.select_one(".ck-body")


def words(tag) -> str:
    return " ".join(tag.get_text().split())


# --- nothing is lost ------------------------------------------------------------------------------


@every_deck
def test_the_decks_headings_are_the_chapters(stem: str) -> None:
    page, deck = (tree_of(room, stem).select("h1, h2, h3") for room in ROOMS)
    assert [words(h) for h in deck] == [words(h) for h in page]


@every_deck
def test_every_numbered_equation_is_on_one_slide(stem: str) -> None:
    page, deck = (
        tree_of(room, stem).select(".ck-equation[id]") for room in ("notebooks", "slides")
    )
    assert [e["id"] for e in deck] == [e["id"] for e in page]
    assert [words(e.select_one(".math")) for e in deck] == [
        words(e.select_one(".math")) for e in page
    ]
    assert not [e for e in deck if e.find_parent("aside")]


@every_deck
@pytest.mark.parametrize("figure", [r"<svg[^>]*ck-plot", r'<figure[^>]*class="ck-live"'])
def test_every_picture_and_live_figure_is_on_a_slide(stem: str, figure: str) -> None:
    notes = re.findall(r'<aside class="notes">.*?</aside>', text_of("slides", stem), re.DOTALL)
    page, deck = (re.findall(figure, text_of(room, stem)) for room in ROOMS)
    assert len(deck) == len(page) > 0
    assert not [note for note in notes if re.search(figure, note)]


@every_deck
def test_every_takeaway_is_shown(stem: str) -> None:
    page, deck = (tree_of(room, stem).select(".takeaway") for room in ROOMS)
    assert [words(box) for box in deck] == [words(box) for box in page]
    assert not [box for box in deck if box.find_parent("aside")]


@every_deck
def test_every_paragraph_is_shown_or_said(stem: str) -> None:
    for room in ROOMS:
        for formula in tree_of(room, stem).select(".math"):
            formula.string = ""  # on a slide TeX, in the notes MathML
    wanted = [words(p) for p in tree_of("notebooks", stem).select("section > p")]
    given = {words(p) for p in tree_of("slides", stem).select("p")}
    assert [text for text in wanted if text and text not in given] == []
    notes = " ".join(words(note) for note in tree_of("slides", stem).select("aside.notes"))
    assert len(notes.split()) > LEAST_WORDS_OF_NOTES


@every_deck
def test_links_lead_somewhere_and_no_name_is_given_twice(stem: str) -> None:
    deck = BeautifulSoup(SILENT.sub("", text_of("slides", stem)), "html.parser")
    ids = [tag["id"] for tag in deck.select("[id]")]
    assert len(set(ids)) == len(ids)
    broken = []
    for link in deck.select("a[href]"):
        url = urlsplit(link["href"])
        if url.fragment.startswith("/"):
            broken += [link["href"]] if url.fragment[1:] not in ids else []
        elif not url.scheme and not (SITE / "slides" / unquote(url.path)).resolve().is_file():
            broken.append(link["href"])
    assert broken == []


def test_the_packed_decks_need_nothing_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(SITE / "downloads" / "from-loss-to-silicon-slides.zip") as archive:
        archive.extractall(tmp_path)
    assert sorted(p.stem for p in (tmp_path / "slides").glob("*.html")) == DECKS
    for file in (tmp_path / "slides").glob("*.html"):
        head = file.read_text(encoding="utf8").split("</head>")[0]
        for path in re.findall(r'(?:src|href)="([^"]+)"', head):
            assert (file.parent / path).is_file(), path
        assert '<a class="reference internal" href="../' not in file.read_text(encoding="utf8")


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture
def show(browser):
    """Open a deck from its folder, without a server; what it asks for and complains of is kept."""
    contexts = []

    def go(stem: str, query: str = "", **options):
        options = {"viewport": {"width": 1280, "height": 720}, "reduced_motion": "reduce"} | options
        contexts.append(browser.new_context(**options))
        contexts[-1].set_default_timeout(PATIENCE)
        tab = contexts[-1].new_page()
        tab.asked, tab.complaints = [], []
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.on(
            "console", lambda m: m.type in ("error", "warning") and tab.complaints.append(m.text)
        )
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.on("requestfailed", lambda request: tab.complaints.append(request.url))
        tab.goto((SITE / "slides" / f"{stem}.html").as_uri() + query)
        if options.get("java_script_enabled", True):
            tab.wait_for_selector(READY)
        return tab

    yield go
    for context in contexts:
        context.close()


PAGE_THROUGH = """async () => {
  const late = [], small = [];
  const settled = (slide) => new Promise((done) => {
    const look = (tries) =>
      slide.scrollHeight <= 721 || !tries ? done() : setTimeout(look, 50, tries - 1);
    look(slide.querySelector(".ck-live") ? 100 : 2);
  });
  for (const slide of Reveal.getSlides()) {
    const { h, v } = Reveal.getIndices(slide);
    Reveal.slide(h, v);
    await settled(slide);
    const name = `${h}/${v} ${slide.innerText.slice(0, 40)}`;
    const { scrollHeight: height, scrollWidth: width } = slide;
    if (height > 721 || width > 1281) late.push(`${name}: ${width} x ${height}`);
    const scale = Number(slide.querySelector(".ck-fit").style.zoom || 1);
    if (scale < 0.75) small.push(`${name}: ${scale}`);
  }
  return [late, small];
}"""
UNTYPESET = ".slides .ck-slide > :not(aside) .math:not(:has(mjx-container)), mjx-merror"


@pytest.mark.browser
@paged_decks
def test_a_deck_opens_from_a_folder_and_every_slide_fits(stem: str, show) -> None:
    tab = show(stem)
    overflowing, small = tab.evaluate(PAGE_THROUGH)
    assert overflowing == []
    assert small == []
    assert tab.locator(UNTYPESET).all_inner_texts() == []
    assert tab.locator("aside.notes .math:not(:has(math))").count() == 0
    assert [url for url in tab.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert tab.complaints == []


@pytest.mark.browser
def test_keys_move_the_slides_and_open_the_notes(show) -> None:
    tab = show(LIGHTEST)
    at = "Reveal.getSlidePastCount()"
    tab.keyboard.press("Space")
    tab.keyboard.press("Space")
    assert tab.evaluate(at) == 2
    tab.keyboard.press("Shift+Space")
    assert tab.evaluate(at) == 1
    notes = tab.locator(".speaker-notes")
    assert not notes.is_visible()
    tab.keyboard.press("n")
    assert notes.is_visible()
    tab.keyboard.press("o")
    assert tab.evaluate("Reveal.isOverview()")
    tab.keyboard.press("o")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    before = tab.evaluate(ground)
    tab.keyboard.press("d")
    assert tab.evaluate(ground) != before


@pytest.mark.browser
def test_the_speakers_window_shows_the_notes_of_the_slide(show) -> None:
    tab = show(LIGHTEST)
    said = "Reveal.getCurrentSlide().querySelector('aside.notes').textContent.trim()"
    while len(tab.evaluate(said)) < 80:
        tab.keyboard.press("Space")
    with tab.expect_popup() as opened:
        tab.keyboard.press("s")
    value = opened.value.locator(".speaker-controls-notes .value")
    value.get_by_text(tab.evaluate(said)[:40]).first.wait_for()


@pytest.mark.browser
def test_a_link_to_an_equation_leads_to_its_slide(show) -> None:
    tab = show(LIGHTEST)
    link = tab.locator('.ck-slide > :not(aside) a[href^="#/equation-"]').first
    target = link.get_attribute("href")
    link.evaluate("a => a.click()")
    tab.wait_for_function("id => Reveal.getCurrentSlide().querySelector(id)", arg=f"#{target[2:]}")


PHONE = {"viewport": {"width": 360, "height": 780}}


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_a_deck_is_a_handout_that_scrolls_one_way(scheme: str, show) -> None:
    tab = show(LIGHTEST, color_scheme=scheme, **PHONE)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert tab.locator("aside.notes p").first.is_visible()
    assert tab.complaints == []


@pytest.mark.browser
def test_without_scripts_a_deck_is_a_handout(show) -> None:
    tab = show(LIGHTEST, java_script_enabled=False)
    assert tab.locator(".ck-slide").last.is_visible()
    assert tab.locator("aside.notes p").first.is_visible()
