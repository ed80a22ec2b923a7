"""What the built site holds, read from its files: links, weights, labels, furniture."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from built import CHAPTERS, PAGES, ROOT

FEWEST_PAGES = 15
VENDOR_LIMIT = 3_000_000
REMOTE = re.compile(r"^(https?:)?//")
# What a browser fetches by itself, in a tag or in a style sheet.
FETCHED = [
    *(("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("use", "href")),
    *(("link[rel=stylesheet]", "href"), ("link[rel=icon]", "href"), ("link[rel=preload]", "href")),
]


def test_the_site_has_pages() -> None:
    assert len(PAGES) >= FEWEST_PAGES
    assert CHAPTERS


@cache
def anchors(soup, page: str) -> set[str]:
    return {tag["id"] for tag in soup(page).select("[id]")}


@pytest.mark.parametrize("page", PAGES)
def test_every_internal_link_and_anchor_resolves(page: str, site: Path, soup) -> None:
    broken = []
    for tag in soup(page).select("a[href]"):
        url = urlsplit(tag["href"])
        if url.scheme or url.netloc:
            continue
        target = (site / page).parent / unquote(url.path) if url.path else site / page
        target = target.resolve()
        if not target.is_file():
            broken.append(tag["href"])
        elif url.fragment and target.suffix == ".html":
            name = target.relative_to(site).as_posix()
            if unquote(url.fragment) not in anchors(soup, name):
                broken.append(tag["href"])
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_fetched_from_elsewhere(page: str, soup) -> None:
    fetched = [
        tag[attribute]
        for selector, attribute in FETCHED
        for tag in soup(page).select(f"{selector}[{attribute}]")
    ]
    assert [url for url in fetched if REMOTE.match(url)] == []


def test_style_sheets_fetch_nothing_from_elsewhere(site: Path) -> None:
    for sheet in site.rglob("*.css"):
        urls = re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet.read_text(encoding="utf8"))
        assert [url for url in urls if REMOTE.match(url)] == [], sheet.name
        local = [url for url in urls if not url.startswith("data:")]
        assert [url for url in local if not (sheet.parent / url).is_file()] == [], sheet.name


@pytest.mark.parametrize("page", PAGES)
def test_every_picture_says_what_it_shows(page: str, soup) -> None:
    nameless = [
        str(picture)[:120]
        for picture in soup(page).select("img, svg")
        if not (picture.get("alt") or picture.get("aria-label"))
        and picture.get("aria-hidden") != "true"
        and not picture.find_parent(attrs={"aria-hidden": "true"})
    ]
    assert nameless == []


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_a_language_a_title_and_one_heading(page: str, soup) -> None:
    html = soup(page).html
    assert html.get("lang") == "en"
    assert html.title.get_text().strip()
    if page != "index.html":
        assert len(html.select("h1")) == 1


def test_no_two_pages_share_a_title(soup) -> None:
    titles = [soup(page).title.get_text() for page in PAGES if page != "index.html"]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("page", CHAPTERS)
def test_no_id_is_given_twice(page: str, soup) -> None:
    ids = [tag["id"] for tag in soup(page).select("[id]")]
    assert {name for name in ids if ids.count(name) > 1} == set()


@pytest.mark.parametrize("page", CHAPTERS)
def test_figures_follow_the_page_and_not_the_light_palette(page: str, soup) -> None:
    palette = json.loads((ROOT / "src/coursekit/viz/palette.json").read_text(encoding="utf8"))
    drawings = soup(page).select(".cell_output .ck-picture svg")
    assert len(drawings) == len(soup(page).select(".cell_output .ck-picture"))
    text = "".join(str(drawing).lower() for drawing in drawings)
    assert [name for name, tones in palette.items() if tones["light"] in text] == []
    assert not soup(page).select(".cell_output img[src$=svg]")


# --- equations ------------------------------------------------------------------------------------


def test_every_number_has_its_badge_and_every_badge_its_test(soup) -> None:
    numbered = 0
    for page in PAGES:
        for box in soup(page).select(".ck-equation .eqno"):
            numbered += 1
            badge = box.select_one("a.ck-checked")
            assert badge is not None, f"{page}: {box.get_text()}"
            path, line = re.search(r"/blob/main/(tests/.+\.py)#L(\d+)$", badge["href"]).groups()
            source = (ROOT / path).read_text(encoding="utf8").splitlines()
            assert source[int(line) - 1].lstrip().startswith(("def test_", "class Test"))
    assert numbered >= 6


def test_the_table_of_equations_lists_each_once(soup) -> None:
    on_pages = [f"equation-{b.parent['id'].removeprefix('equation-')}" for b in boxes(soup)]
    listed = [
        urlsplit(row.select_one("a")["href"]).fragment
        for row in soup("book/equations.html").select("main tbody tr")
    ]
    assert sorted(listed) == sorted(on_pages)


def boxes(soup) -> list:
    return [box for page in PAGES for box in soup(page).select(".ck-equation[id] > .eqno")]


# --- furniture ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_offers_its_notebook_colab_and_exercises(page: str, site: Path, soup) -> None:
    stem = Path(page).stem
    links = {tag["href"]: tag for tag in soup(page).select(".ck-actions a")}
    notebook = f"../downloads/notebooks/{stem}.ipynb"
    assert links[notebook].has_attr("download")
    assert json.loads((site / notebook.removeprefix("../")).read_text(encoding="utf8"))["cells"]
    assert any(url.startswith("https://colab.research.google.com/github/") for url in links)
    if stem[0].isdigit():
        exercises = f"../downloads/exercises/{stem}.ipynb"
        assert links[exercises].has_attr("download")
        assert (site / exercises.removeprefix("../")).is_file()


@pytest.mark.parametrize("page", [p for p in PAGES if p.startswith(("book/", "notebooks/"))])
def test_the_edit_link_leads_to_what_people_edit(page: str, soup) -> None:
    if page == "book/index.html":
        return
    (link,) = [a for a in soup(page).select(".ck-verified a") if "/edit/" in a["href"]]
    source = link["href"].partition("/edit/main/")[2]
    assert source == f"book/{Path(page).relative_to(Path(page).parts[0]).with_suffix('.md')}"
    assert (ROOT / source).is_file()


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_says_when_it_was_verified(page: str, soup) -> None:
    text = soup(page).select_one(".ck-verified").get_text()
    assert re.search(r"Last verified \d{4}-\d\d-\d\d.*Python 3\.\d+|Not yet verified", text, re.S)


def test_the_map_shows_eleven_chapters_and_links_only_those_that_exist(soup) -> None:
    stops = soup("book/index.html").select(".ck-map > li")
    assert len(stops) == 11
    for stop in stops:
        assert ("published" in stop["class"]) == bool(stop.select_one("a"))


def test_downloads_are_complete(soup, site: Path) -> None:
    page = soup("book/downloads.html")
    files = [a["href"] for a in page.select("main a[download]")]
    assert any(file.endswith(".whl") for file in files)
    assert any(file.endswith(".zip") for file in files)
    offered = {Path(file).name for file in files}
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert notebook.name in offered


# --- what is vendored -----------------------------------------------------------------------------


def test_vendored_files_are_those_of_the_manifests() -> None:
    command = [sys.executable, "tools/vendor.py", "check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_vendored_files_stay_small() -> None:
    files = [p for p in (ROOT / "book/_static/vendor").rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < VENDOR_LIMIT


def test_the_search_index_is_not_a_burden(site: Path) -> None:
    assert len(gzip.compress((site / "searchindex.js").read_bytes())) < 300_000
