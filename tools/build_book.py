"""Build the published site into ``_build/html`` and prove that it is whole.

    python tools/build_book.py [--clean]

In order: execute what is stale, write the download editions, the wheel and the zip, let Jupyter
Book make the pages (executing nothing), add the downloads, the lecture decks and the EPUB, and
check the result (`verify_book.py`). A second call with nothing changed does nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

import epub
import notebooks
import slides
from editions import site_address, write_editions
from verify_book import BrokenBookError, pages_of_toc, verify

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "_build"
HTML = BUILD / "html"
ARCHIVE = "from-loss-to-silicon.zip"
# The wheel and the zip carry one date: the same input gives the same bytes.
PACKED_AT = "1767225600"

tell = Console(stderr=True)

PAGES = ("book/**/*.md", "book/*.bib", "book/*.json", "notebooks/*.ipynb")
CODE = ("src/**/*", "tests/**/*.py")
FURNITURE = ("_config.yml", "_toc.yml", "book/_ext/**/*", "book/_static/**/*", "constraints.txt")
OTHER = (
    "exercises/*.ipynb",
    "solutions/**/*",
    "tools/*",
    "README.md",
    "LICENSE*",
    "pyproject.toml",
)


class BuildError(RuntimeError):
    """A step of the build failed; the message says which and shows its last words."""


def digest(patterns: Iterable[str]) -> str:
    """Digest of the names and contents of the files that match."""
    found = hashlib.sha256()
    files = {f for pattern in patterns for f in ROOT.glob(pattern) if f.is_file()}
    for file in sorted(f for f in files if "__pycache__" not in f.parts and "_book" not in f.parts):
        found.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    verified = BUILD / "verified.json"
    found.update(verified.read_bytes() if verified.is_file() else b"")
    return found.hexdigest()


def run(name: str, *command: str | Path) -> None:
    """Run one step quietly; on failure show the end of what it printed."""
    log = BUILD / f"{name}.log"
    with tell.status(name), log.open("w") as out:
        words = [str(word) for word in command]
        plain = {**os.environ, "NO_COLOR": "1", "COLUMNS": "400"}
        done = subprocess.run(words, cwd=ROOT, env=plain, stdout=out, stderr=out, check=False)
    if done.returncode:
        raise BuildError(
            f"{name} failed (exit {done.returncode}); all of it is in {log}\n{told(log)}"
        )


def told(log: Path) -> str:
    """The warnings and errors of a step's log, or where there are none its end."""
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join([li for li in lines if "WARNING" in li or "ERROR" in li] or lines[-40:])


def execute_stale() -> None:
    """Bring exercises and notebooks up to date."""
    run("exercises", sys.executable, "-m", "coursekit", "exercises", "build")
    for stem in notebooks.stale():
        tell.print(f"{stem}: made in {notebooks.build(stem, tell=tell):.1f} s")


def build_wheel(folder: Path) -> Path:
    """The installable library, with the notebooks inside."""
    shutil.rmtree(folder, ignore_errors=True)
    os.environ["SOURCE_DATE_EPOCH"] = PACKED_AT
    run("wheel", sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    return next(folder.glob("*.whl"))


def build_archive(target: Path, wheel: Path, shelf: Path) -> None:
    """One zip with all that a reader needs in an empty folder."""
    members = {"README.md": ROOT / "tools" / "download_readme.md", wheel.name: wheel}
    members |= {name: ROOT / name for name in ("LICENSE", "LICENSE-text")}
    members |= {str(f.relative_to(shelf)): f for f in sorted(shelf.rglob("*.ipynb"))}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in members.items():
            info = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            info.external_attr, info.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, file.read_bytes())


def write_downloads(folder: Path) -> None:
    """Everything that the site offers beside its pages."""
    shelf = ROOT / "src" / "coursekit" / "_book"
    shutil.rmtree(shelf, ignore_errors=True)
    write_editions(shelf)
    wheel = build_wheel(BUILD / "wheel")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(shelf, folder)
    shutil.copy2(wheel, folder)
    build_archive(folder / ARCHIVE, wheel, shelf)


def write_from_pages() -> None:
    """Lecture decks and the EPUB, which are made from the finished pages."""
    with tell.status("slides and EPUB"):
        slides.write_decks(HTML)
        slides.pack_decks(HTML, HTML / "downloads" / slides.ARCHIVE, site_address())
        book = epub.write_epub(ROOT, HTML, BUILD / epub.NAME)
    shutil.copy2(book, HTML / "downloads")


def build_pages() -> None:
    """Jupyter Book, every warning an error; from nothing where the site's furniture changed."""
    furniture, stamp = digest(FURNITURE), BUILD / "furniture.digest"
    if not stamp.is_file() or stamp.read_text() != furniture:
        shutil.rmtree(HTML, ignore_errors=True)
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
    jupyter_book = Path(sys.executable).parent / "jupyter-book"
    run("pages", jupyter_book, "build", ".", "--path-output", ".", "-W", "-n", "--keep-going")
    stamp.write_text(furniture)


def build(clean: bool) -> str:
    """Build what is out of date; return the summary line."""
    start = time.perf_counter()
    if clean:
        shutil.rmtree(HTML, ignore_errors=True)
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    stamp = HTML / ".complete"
    now = digest([*PAGES, *CODE, *FURNITURE, *OTHER])
    if stamp.is_file() and stamp.read_text() == now and not notebooks.stale():
        seconds = time.perf_counter() - start
        return f"nothing changed: {len(pages_of_toc(ROOT))} pages ({seconds:.1f} s)"
    stamp.unlink(missing_ok=True)
    execute_stale()
    executed = time.perf_counter()
    write_downloads(BUILD / "downloads")
    build_pages()
    shutil.copytree(BUILD / "downloads", HTML / "downloads", dirs_exist_ok=True)
    write_from_pages()
    pages = verify(ROOT, HTML)
    stamp.write_text(digest([*PAGES, *CODE, *FURNITURE, *OTHER]))
    seconds = time.perf_counter() - executed
    return f"built {pages} pages in {seconds:.1f} s (and {executed - start:.1f} s of execution)"


def main() -> int:
    """Parse the command line, build, and print where the site is."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--clean", action="store_true", help="start from nothing")
    try:
        summary = build(parser.parse_args().clean)
    except (BuildError, BrokenBookError, ValueError) as error:
        tell.print(str(error), markup=False, highlight=False)
        return 1
    print(f"{summary}\n{HTML / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
