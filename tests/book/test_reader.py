"""What a reader does: moves figures by keyboard, searches, changes the light, turns scripts off."""

from __future__ import annotations

import pytest
from built import CHAPTERS, PAGES

pytestmark = pytest.mark.browser

FIGURES = "figure.ck-live"
CONTROLS = "input[type=range], input[type=radio], input[type=checkbox], select"
PICTURE = "f => [...f.querySelectorAll('svg, canvas')].map(e => e.outerHTML).join()"
KEYS = {"radio": ("Space",), "checkbox": ("Space",)}
ARROWS = ("ArrowRight", "ArrowLeft", "Home", "End")


def moved(figure, control) -> bool:
    """Whether some key on the control changes the picture."""
    control.focus()
    for key in KEYS.get(control.get_attribute("type"), ARROWS):
        before = figure.evaluate(PICTURE)
        control.press(key)
        figure.page.wait_for_timeout(60)
        if figure.evaluate(PICTURE) != before:
            return True
    return False


def controls_of(figure) -> list:
    """Controls in an order in which each can change something: the chosen radio button last."""
    controls = figure.locator(CONTROLS).all()
    chosen = "c => c.type === 'radio' && c.checked"
    return sorted(controls, key=lambda control: control.evaluate(chosen))


@pytest.mark.parametrize("page", [*CHAPTERS, "book/index.html"])
def test_every_control_moves_its_figure_by_keyboard(page: str, open_page) -> None:
    tab = open_page(page, reduced_motion="reduce")
    figures = tab.locator(FIGURES)
    if page == "book/index.html" or page.split("/")[1][0].isdigit():
        assert figures.count() >= (1 if page == "book/index.html" else 2)
    for figure in figures.all():
        name = figure.get_attribute("data-figure")
        figure.scroll_into_view_if_needed()
        tab.wait_for_function("f => f.dataset.state === 'live'", arg=figure.element_handle())
        controls = controls_of(figure)
        assert controls, name
        for control in controls:
            assert moved(figure, control), f"{name}: {control.evaluate('c => c.outerHTML')}"


@pytest.mark.parametrize("page", [*CHAPTERS, "book/index.html"])
def test_without_scripts_a_figure_is_a_picture_and_words(page: str, open_page) -> None:
    tab = open_page(page, java_script_enabled=False)
    for figure in tab.locator(FIGURES).all():
        assert figure.locator(".ck-fallback svg").is_visible()
        assert len(figure.locator(".ck-description").inner_text()) > 60
        assert figure.locator(".ck-description").is_visible()


def test_search_finds_a_word_and_leads_to_it(open_page) -> None:
    tab = open_page("book/index.html")
    box = tab.get_by_role("searchbox", name="Search the course")
    box.fill("likelihood")
    box.press("Enter")
    tab.wait_for_selector("#search-results li a")
    tab.wait_for_selector("#search-results p.context")
    tab.get_by_text("Search finished").wait_for()
    tab.locator("#search-results li a").first.click()
    assert "likelihood" in tab.locator("main").inner_text().lower()


def test_the_reader_chooses_the_light_and_the_site_remembers(open_page) -> None:
    tab = open_page("book/index.html", color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = tab.evaluate(ground)
    switch = tab.get_by_role("button", name="Switch between light and dark")
    switch.focus()
    switch.press("Enter")
    assert tab.evaluate(ground) != light
    tab.reload()
    assert tab.evaluate(ground) != light
    tab.get_by_role("button", name="Switch between light and dark").press("Enter")
    assert tab.evaluate(ground) == light


def test_on_a_phone_the_contents_open_and_close_by_keyboard(open_page) -> None:
    tab = open_page(CHAPTERS[0], viewport={"width": 360, "height": 780})
    contents = tab.locator("#course")
    assert not contents.is_visible()
    tab.get_by_role("button", name="Contents").press("Enter")
    assert contents.is_visible()
    tab.keyboard.press("Escape")
    assert not contents.is_visible()


def test_the_first_tab_skips_to_the_text(open_page) -> None:
    tab = open_page(CHAPTERS[0])
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.hash") == "#content"


def test_the_front_door_leads_to_the_landing_page(open_page) -> None:
    tab = open_page("index.html")
    tab.wait_for_url("**/book/index.html")
    assert tab.get_by_role("heading", level=1).inner_text() == "From Loss to Silicon"


def test_every_page_is_reached_from_the_landing_page(soup) -> None:
    from urllib.parse import urljoin, urlsplit

    seen, queue = set(), ["book/index.html"]
    while queue:
        page = queue.pop()
        if page in seen or page not in PAGES:
            continue
        seen.add(page)
        for link in soup(page).select("a[href]"):
            if not urlsplit(link["href"]).scheme:
                queue.append(urlsplit(urljoin(page, link["href"])).path)
    apart = {"index.html", "search.html", "genindex.html", "py-modindex.html"}
    assert set(PAGES) - seen <= apart
