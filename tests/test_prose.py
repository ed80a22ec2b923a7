"""The book's words: spelled right, spelled one way, and plain, on every page and in every exercise.

The dictionaries are codespell's: its list of misspellings, and its list of British and American
forms, read backwards, since the course writes British English.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *sorted(p for p in (ROOT / "book").rglob("*.md")),
    *sorted((ROOT / "solutions").glob("*/notebook.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
]
EXCEPTIONS = ROOT / "tests" / "words.txt"
# American in the dictionary, and right here: other senses, verbs, and names of laws and firms.
BOTH = {
    *("license", "licenses", "licensed", "organization"),
    *("practice", "program", "stories", "story"),
}
STALE = "|".join(
    (
        r"it is (important|worth|interesting) (to note|noting|to mention)",
        r"\b(delve|leverage|seamless|cutting-edge|state-of-the-art|game[- ]chang|groundbreaking)",
        r"\b(obviously|needless to say|as we all know|in today's)\b",
        r"\b(simply put|in conclusion|let's dive|dive into|unlock the power)\b",
    )
)
TWICE = r"\b(the|a|an|of|to|in|is|and|for|with|on|at|by|it|as|are|be|from) \1\b"
LOUD = "[A-Za-z]!(?=\\s|$)|[\U0001f300-\U0001faff\u2705\u274c\u2728]"
# What is not prose: code, formulas, roles, links, quotations, options, targets, tables' rulers.
NOT_PROSE = [
    (r"\A---\n.*?\n---\n", re.DOTALL),
    (r"^(`{3,}|~{3,}).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL),
    (r"\$\$.*?\$\$[^\n]*", re.DOTALL),
    (r"\$[^$\n]+\$", 0),
    (r"\{[a-z:]+\}`[^`<]+`", 0),
    (r"`[^`]*`", 0),
    (r"\]\([^)]*\)|https?://\S+|<[^>\n]+>", 0),
    (r"^\([\w-]+\)=$|^:[\w-]+:.*$", re.MULTILINE),
    (r"[\"“][^\"”\n]*[\"”]", 0),
]


@cache
def prose(page: Path) -> str:
    """The page with everything else blanked, its lines where they were."""
    text = page.read_text(encoding="utf-8")
    for pattern, flags in NOT_PROSE:
        text = re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=flags)
    return text


def places(pattern: str, page: Path, flags: int = re.IGNORECASE) -> list[str]:
    """Line and words of each match."""
    text = prose(page)
    return [
        f"{page.relative_to(ROOT)}:{text[: found.start()].count(chr(10)) + 1}: {found[0]!r}"
        for found in re.finditer(pattern, text, flags)
    ]


@cache
def american() -> dict[str, str]:
    """American spelling -> British."""
    lines = (files("codespell_lib") / "data" / "dictionary_en-GB_to_en-US.txt").read_text("utf-8")
    pairs = [line.split("->") for line in lines.splitlines() if "->" in line]
    found = {word.strip(): british for british, us in pairs for word in us.split(",")}
    return {word: british for word, british in found.items() if word not in {*BOTH, ""}}


def test_no_word_is_on_codespells_list_of_mistakes(tmp_path: Path) -> None:
    for page in PAGES:
        copy = tmp_path / page.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(prose(page), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", "--ignore-words", str(EXCEPTIONS), "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_list_of_exceptions_holds_no_word_that_needs_none() -> None:
    lines = EXCEPTIONS.read_text(encoding="utf-8").splitlines()
    text = "\n".join(prose(page).lower() for page in PAGES)
    words = [word for word in lines if word[:1].isalpha()]
    assert [word for word in words if not re.search(rf"\b{word}\b", text)] == []


def test_spelling_is_british() -> None:
    found = [
        f"{page.relative_to(ROOT)}: {word}: write {american()[word.lower()]}"
        for page in PAGES
        for word in re.findall(r"[A-Za-z]+", prose(page))
        if word.lower() in american()
    ]
    assert found == []


def test_no_word_stands_twice() -> None:
    assert everywhere(TWICE) == []


def test_prose_is_plain() -> None:
    assert everywhere(STALE) == []
    assert everywhere(LOUD) == []


def test_one_thing_has_one_name() -> None:
    """Where two forms were in use, the glossary's."""
    assert everywhere(r"\bmini ?batch") == []


def everywhere(pattern: str) -> list[str]:
    """Matches on all pages."""
    return [place for page in PAGES for place in places(pattern, page)]


def test_the_lint_sees_what_it_looks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("The color is the the best!\nIt is important to note `color`.\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert [len(places(pattern, page)) for pattern in (TWICE, LOUD, STALE)] == [1, 1, 1]
    assert "color" in american()
    assert "color" not in prose(page).splitlines()[1]
