"""The built site: its pages, its files, and a server and a browser that see nothing else."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

sys.path.insert(0, str(Path(__file__).parent))

from built import SITE


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder that `make book` wrote."""
    if not (SITE / "index.html").is_file():
        pytest.fail("_build/html is not there: run `make book` first")
    return SITE


@pytest.fixture(scope="session")
def soup(site: Path):
    """Parse a page once."""

    @functools.cache
    def parse(page: str) -> BeautifulSoup:
        return BeautifulSoup((site / page).read_text(encoding="utf8"), "html.parser")

    return parse


@pytest.fixture(scope="module")
def address(site: Path, serve) -> str:
    """Address of a plain static server of the site."""
    return serve(site)


@pytest.fixture
def open_page(browser, address: str):
    """Open a page of the site in a context of its own."""
    contexts = []

    def go(page: str, **options):
        contexts.append(browser.new_context(**options))
        tab = contexts[-1].new_page()
        tab.goto(f"{address}/{page}")
        return tab

    yield go
    for context in contexts:
        context.close()
