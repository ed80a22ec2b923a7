"""The site's own check: each thing that can be lost in a build is noticed."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

import verify_book

PROSE = "<main>" + "word " * 100 + "</main>"
SHOWN = '<main>{}<div class="cell_output"><p>42</p></div></main>'.format("word " * 100)


PACKED = {
    "a.whl": "01-topic.ipynb",
    "from-loss-to-silicon.zip": "notebooks/01-topic.ipynb",
    "from-loss-to-silicon-slides.zip": "slides/01-topic.html",
    "from-loss-to-silicon.epub": "book/01-topic.xhtml",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of one page and one notebook, with its built site below _build/html."""
    toc = "format: jb-book\nroot: book/index\nchapters:\n  - file: notebooks/01-topic\n"
    (tmp_path / "_toc.yml").write_text(toc)
    output = {"output_type": "stream", "name": "stdout", "text": ["42\n"]}
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "id": "a"}
    nb = {"cells": [cell | {"source": ["print(42)"], "outputs": [output]}], "metadata": {}}
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01-topic.ipynb").write_text(json.dumps(nb))
    site = tmp_path / "_build" / "html"
    for name, text in [("book/index", PROSE), ("notebooks/01-topic", SHOWN), ("index", PROSE)]:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / f"{name}.html").write_text(text)
    (site / "downloads" / "notebooks").mkdir(parents=True)
    shutil.copy(tmp_path / "notebooks" / "01-topic.ipynb", site / "downloads" / "notebooks")
    for name, member in PACKED.items():
        with zipfile.ZipFile(site / "downloads" / name, "w") as archive:
            archive.writestr(member, "{}")
    (site / "slides").mkdir()
    (site / "slides" / "01-topic.html").write_text(PROSE)
    return tmp_path


def verify(checkout: Path) -> int:
    """Run the check as the build does."""
    return verify_book.verify(checkout, checkout / "_build" / "html")


def test_a_whole_site_passes_and_says_how_many_pages(checkout: Path) -> None:
    assert verify(checkout) == 2


def remove(name: str):
    """A damage: one file of the site is gone."""
    return lambda root: (root / "_build" / "html" / name).unlink()


def rewrite(name: str, text: str):
    """A damage: one file of the checkout or the site says something else."""
    return lambda root: (root / name).write_text(text)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (remove("notebooks/01-topic.html"), "01-topic.html was not written"),
        (remove("index.html"), "index.html was not written"),
        (rewrite("_build/html/book/index.html", "<main>short</main>"), "fewer than"),
        (rewrite("_build/html/notebooks/01-topic.html", PROSE), "0 filled outputs of 1"),
        (
            rewrite(
                "_build/html/notebooks/01-topic.html",
                PROSE + '<div class="cell_output">  </div>',
            ),
            "0 filled outputs of 1",
        ),
        (remove("downloads/notebooks/01-topic.ipynb"), "01-topic.ipynb is missing"),
        (remove("downloads/a.whl"), r"0 files \*\.whl"),
        (remove("downloads/from-loss-to-silicon.epub"), r"0 files from-loss-to-silicon\.epub"),
        (remove("slides/01-topic.html"), "slides/01-topic.html was not written"),
    ],
)
def test_every_loss_is_noticed(checkout: Path, damage, says: str) -> None:
    damage(checkout)
    with pytest.raises(verify_book.BrokenBookError, match=says):
        verify(checkout)


def test_a_notebook_that_never_ran_is_noticed(checkout: Path) -> None:
    path = checkout / "notebooks" / "01-topic.ipynb"
    path.write_text(path.read_text().replace('"execution_count": 1', '"execution_count": null'))
    with pytest.raises(verify_book.BrokenBookError, match="never ran"):
        verify(checkout)


def test_a_zip_without_notebooks_is_noticed(checkout: Path) -> None:
    downloads = checkout / "_build" / "html" / "downloads"
    with zipfile.ZipFile(downloads / "from-loss-to-silicon.zip", "w") as archive:
        archive.writestr("README.md", "")
    with pytest.raises(verify_book.BrokenBookError, match=r"silicon\.zip holds no \*\.ipynb"):
        verify(checkout)
