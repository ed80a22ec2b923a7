"""The book as one work: what one page names another has, and nothing stands unused."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml
from pybtex.database import parse_file

from coursekit.chapters import planned

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
CHAPTERS = [c for c in planned() if (BOOK / f"{c.stem}.md").is_file()]
READ = [*(f"{c.stem}.md" for c in CHAPTERS), "refresher.md"]
FEWEST_TERMS = 150
KOREAN = re.compile(r'<span lang="ko">[^<]*[\uac00-\ud7a3][^<]*</span>')
ROLE = re.compile(r"\{(term|ref|eq|doc|cite:[tp])\}`([^`]+)`")
TARGETED = re.compile(r".*<([^<>]+)>", re.DOTALL)


@cache
def text(name: str) -> str:
    """A page of the book."""
    return (BOOK / name).read_text(encoding="utf-8")


def named(name: str, role: str) -> list[str]:
    """What a page's roles of one kind point to, in order."""
    found = []
    for kind, content in ROLE.findall(text(name)):
        if kind.startswith(role):
            target = TARGETED.fullmatch(content)
            found.append(" ".join((target[1] if target else content).split()))
    return found


@cache
def glossary() -> dict[tuple[str, ...], str]:
    """Each entry's names -> its words."""
    block = text("glossary.md").split("```{glossary}\n")[1].split("\n```")[0]
    entries = {}
    for entry in re.split(r"\n\s*\n", block.strip()):
        lines = entry.splitlines()
        names = tuple(line for line in lines if not line.startswith(" "))
        entries[names] = "\n".join(line.strip() for line in lines if line.startswith(" "))
    return entries


# --- the glossary ---------------------------------------------------------------------------------


def test_the_glossary_is_long_enough_and_says_something_of_each_term() -> None:
    assert len(glossary()) >= FEWEST_TERMS
    assert [names for names, words in glossary().items() if len(words.split()) < 5] == []


def test_every_term_is_used_in_a_chapter() -> None:
    used = {term.lower() for page in READ for term in named(page, "term")}
    idle = [names for names in glossary() if not used & {name.lower() for name in names}]
    assert idle == [], "link them with {term} where a chapter first uses them, or take them out"


def test_terms_are_in_order_and_none_stands_twice() -> None:
    plain = [names[0].lower().replace("-", " ") for names in glossary()]
    first = [re.sub(r"[^a-z0-9 ]", "", name) for name in plain]
    assert first == sorted(first)
    every = Counter(name.lower() for names in glossary() for name in names)
    assert [name for name, count in every.items() if count > 1] == []


def test_most_terms_have_their_korean_name() -> None:
    korean = [names for names, words in glossary().items() if KOREAN.search(words)]
    assert len(korean) >= 0.75 * len(glossary())


@pytest.mark.parametrize("page", READ)
def test_every_chapter_links_its_words(page: str) -> None:
    assert len(set(named(page, "term"))) >= 8


# --- sources --------------------------------------------------------------------------------------


def test_every_citation_resolves_and_every_source_is_cited() -> None:
    known = set(parse_file(str(BOOK / "references.bib")).entries)
    cited = {
        key.strip()
        for page in BOOK.rglob("*.md")
        for keys in named(page.relative_to(BOOK).as_posix(), "cite")
        for key in keys.split(",")
    }
    assert cited - known == set()
    assert known - cited == set()


def test_every_source_says_who_what_when_and_where() -> None:
    for key, entry in parse_file(str(BOOK / "references.bib")).entries.items():
        assert entry.persons.get("author") or entry.persons.get("editor"), key
        assert entry.fields.get("title"), key
        assert re.fullmatch(r"\d{4}", entry.fields.get("year", "")), key
        places = ("journal", "booktitle", "publisher", "howpublished", "institution", "url")
        places += ("eprint", "school", "note", "doi", "organization", "archiveprefix")
        assert any(entry.fields.get(place) for place in places), key


# --- notation -------------------------------------------------------------------------------------


def notation() -> dict[str, list[list[str]]]:
    """Section -> the cells of its rows."""
    found: dict[str, list[list[str]]] = {}
    for part in re.split(r"^## ", text("notation.md"), flags=re.MULTILINE)[1:]:
        title, *lines = part.splitlines()
        rows = [line for line in lines if line.startswith("| $")]
        found[title] = [re.split(r"(?<!\\)\|", row.strip("|")) for row in rows]
    return {title: rows for title, rows in found.items() if rows}


def test_each_symbol_stands_once_in_its_section_and_with_one_meaning_in_the_book() -> None:
    meanings = Counter()
    for title, rows in notation().items():
        symbols = [s.strip(" ,;") for row in rows for s in re.findall(r"\$[^$]+\$", row[0])]
        twice = {symbol for symbol in symbols if symbols.count(symbol) > 1}
        assert twice == set(), title
        meanings.update((row[0].strip(), row[1].strip()) for row in rows)
    assert [pair for pair, count in meanings.items() if count > 1] == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_a_chapter_links_its_symbols_before_its_first_section(chapter) -> None:
    target = f"sec-notation-{chapter.package}"
    assert f"({target})=" in text("notation.md"), f"give notation.md a section ({target})="
    opening = text(f"{chapter.stem}.md").split("\n## ")[0]
    assert target in opening, f"link {{ref}}`{target}` where {chapter.stem} says what it needs"


# --- one idea, several chapters -------------------------------------------------------------------


@pytest.mark.parametrize("chapter", CHAPTERS[1:], ids=lambda chapter: chapter.stem)
def test_a_chapter_leads_back_to_where_its_ideas_began(chapter) -> None:
    page = f"{chapter.stem}.md"
    labels = [*named(page, "ref"), *named(page, "eq")]
    other = [label for label in labels if label.split("-")[1] != chapter.package]
    elsewhere = {label for label in other if not label.startswith("sec-notation")}
    assert len(elsewhere) + len(set(named(page, "doc"))) >= 3


def test_every_erratum_leads_to_the_section_that_shows_it() -> None:
    rows = [line for line in text("errata.md").splitlines() if line.startswith("| E")]
    labels = {label for page in READ for label in re.findall(r"^\(([\w-]+)\)=$", text(page), re.M)}
    assert len(rows) >= 80
    for row in rows:
        shown = re.findall(r"\{ref\}`([\w-]+)`", row.rsplit("|", 2)[1])
        assert shown, row
        assert set(shown) <= labels, row


def test_every_erratum_box_has_its_row() -> None:
    boxed = re.compile(r"^:::+\{admonition\} Errat(?:um|a)\b([^\n]*)", re.MULTILINE)
    listed = set(re.findall(r"E\d{3}", text("errata.md")))
    for first, last in re.findall(r"(E\d{3}) to (E\d{3})", text("errata.md")):
        listed |= {f"E{n:03}" for n in range(int(first[1:]), int(last[1:]) + 1)}
    shown = {n for page in READ for title in boxed.findall(text(page)) for n in number(title)}
    assert shown
    assert shown - listed == set()


def number(title: str) -> list[str]:
    """Numbers of errata in a box's title."""
    return re.findall(r"E\d{3}", title)


# --- contents -------------------------------------------------------------------------------------


def test_every_page_of_the_book_is_in_the_contents() -> None:
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    yaml.safe_load(contents)
    published = {c.stem for c in CHAPTERS}
    for page in sorted(BOOK.rglob("*.md")):
        name = page.relative_to(ROOT).with_suffix("").as_posix()
        stem = page.stem.removeprefix("sheet-")
        if stem[:2].isdigit() and stem not in published:
            continue  # the sheet of a chapter to come
        paired = f"notebooks/{page.stem}"
        assert f"{name}\n" in contents or f"{paired}\n" in contents, name


# --- figures in the prose -------------------------------------------------------------------------

UNIT = (
    r"(?:%|percent|million|billion|trillion|[GT]B|[kMG]W|watts?|dollars|euros|TFLOP/s|GB/s|nm|mm²)"
)
FIGURE = re.compile(rf"(?<![\w.$])\d[\d,.]*\s?{UNIT}(?!\w)")
CONSTANT = re.compile(r"(?<!\d)(?:0|50|95|99|100) ?%")  # certain, a coin, usual levels
SOURCED = re.compile(r"\{cite:|\{glue:|\bE\d{3}\b|\bassum|\bunconfirmed|no source")
READS_A_TABLE = re.compile(r"\bfact\(|load_table|\.one\(|\.where\(|accelerator\(|\bknown\(")
CELL = re.compile(r"^```\{code-cell\}.*?^```[ \t]*$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[str]:
    """Paragraphs and code cells of a chapter before its closing sections, in order."""
    body = re.split(r"^\(sec-\w+-symbols\)=$", text(page), flags=re.MULTILINE)[0]
    body = re.sub(r"\A---\n.*?\n---\n", "", body, flags=re.DOTALL)
    cut = re.split(f"({CELL.pattern})", body, flags=re.MULTILINE | re.DOTALL)
    found = []
    for piece in cut:
        found += [piece] if piece.startswith("```{code-cell}") else re.split(r"\n\s*\n", piece)
    return [piece.strip() for piece in found if piece.strip() not in ("", "+++")]


def stray_figures(found: list[str]) -> list[str]:
    """Paragraphs with a figure from outside that neither they nor the cells beside them source."""
    stray = []
    for place, block in enumerate(found):
        prose = re.sub(r"\$[^$]*\$|`[^`]*`", "", block)
        if block.startswith(("```", "|", "$$")) or SOURCED.search(block):
            continue
        beside = [b for b in found[max(0, place - 1) : place + 2] if b.startswith("```{code-cell}")]
        if FIGURE.search(CONSTANT.sub("", prose)) and not any(map(READS_A_TABLE.search, beside)):
            stray.append(" ".join(block.split()))
    return stray


@pytest.mark.parametrize("page", READ)
def test_every_outside_figure_in_the_prose_has_a_source_beside_it(page: str) -> None:
    assert stray_figures(blocks(page)) == []


def test_a_figure_without_a_source_is_found() -> None:
    cell = '```{code-cell} ipython3\nfact("die", "area")\n```'
    assert stray_figures(["A wafer costs 20,000 dollars."]) == ["A wafer costs 20,000 dollars."]
    assert stray_figures(["A wafer costs 20,000 dollars {cite:p}`someone2026wafer`."]) == []
    assert stray_figures(["A wafer costs 20,000 dollars.", cell]) == []
    assert stray_figures(["A coin lands on heads in 50 % of throws."]) == []
