"""The build: what makes it build again, what it says of a failed step, what a release holds."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import build_book
import release

EVERYTHING = [
    *build_book.PAGES,
    *build_book.CODE,
    *build_book.FURNITURE,
    *build_book.OTHER,
]
ROOMS = [
    "book/01-topic.md",
    "book/references.bib",
    "book/_ext/coursebook/badges.py",
    "book/_static/site.css",
    "notebooks/01-topic.ipynb",
    "exercises/01-topic.ipynb",
    "solutions/01-topic/questions.py",
    "src/coursekit/topic/idea.py",
    "src/coursekit/data/tables/facts.csv",
    "src/coursekit/viz/fonts/face.ttf",
    "tests/topic/test_idea.py",
    "tools/editions.py",
    "_config.yml",
    "_toc.yml",
    "pyproject.toml",
    "constraints.txt",
]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one file in every room."""
    for name in ROOMS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    monkeypatch.setattr(build_book, "ROOT", tmp_path)
    monkeypatch.setattr(build_book, "BUILD", tmp_path / "_build")
    (tmp_path / "_build").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ROOMS)
def test_a_change_in_any_room_is_a_reason_to_build(checkout: Path, name: str) -> None:
    before = build_book.digest(EVERYTHING)
    assert build_book.digest(EVERYTHING) == before
    (checkout / name).write_text("after")
    assert build_book.digest(EVERYTHING) != before


def test_what_the_build_writes_itself_is_no_reason(checkout: Path) -> None:
    before = build_book.digest(EVERYTHING)
    for name in ("src/coursekit/_book/notebooks/a.ipynb", "src/coursekit/__pycache__/a.pyc"):
        (checkout / name).parent.mkdir(parents=True)
        (checkout / name).write_text("made")
    assert build_book.digest(EVERYTHING) == before


def test_a_new_verification_is_a_reason_since_pages_show_it(checkout: Path) -> None:
    before = build_book.digest(EVERYTHING)
    (checkout / "_build" / "verified.json").write_text("{}")
    assert build_book.digest(EVERYTHING) != before


def test_a_failed_step_shows_its_warnings(checkout: Path) -> None:
    code = "print('fine'); print('a.md:3: WARNING: odd'); raise SystemExit(4)"
    with pytest.raises(build_book.BuildError, match=r"(?s)step failed \(exit 4\).*WARNING: odd"):
        build_book.run("step", "python", "-c", code)


def test_a_release_holds_wheel_zips_epub_site_and_their_sums(tmp_path: Path) -> None:
    site = tmp_path / "html"
    (site / "downloads").mkdir(parents=True)
    (site / "index.html").write_text("hello")
    downloads = {"coursekit.whl", "book.zip", "slides.zip", "book.epub"}
    for name in downloads:
        (site / "downloads" / name).write_text(name)
    files = release.gather(site, tmp_path / "dist")
    assert {f.name for f in files} == downloads | {"site.tar.gz", "SHA256SUMS"}
    sums = (tmp_path / "dist" / "SHA256SUMS").read_text()
    assert f"{hashlib.sha256(b'book.zip').hexdigest()}  book.zip" in sums


def test_a_release_of_half_a_build_is_refused(tmp_path: Path) -> None:
    (tmp_path / "html").mkdir()
    with pytest.raises(FileNotFoundError, match="run `make book` first"):
        release.gather(tmp_path / "html", tmp_path / "dist")
    assert not (tmp_path / "dist").exists()
