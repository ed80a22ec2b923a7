"""The built site: its pages, its files, and a server and a browser that see nothing else."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

sys.path.insert(0, str(Path(__file__).parent))

from built import CHROMIUM, QUIET, SITE


class Silent(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps its log to itself."""

    def log_message(self, *args: object) -> None:
        pass


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
def address(site: Path) -> Iterator[str]:
    """Address of a plain static server of the site."""
    handler = functools.partial(Silent, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def browser():
    """One Chromium for the module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


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
