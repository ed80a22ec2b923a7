"""What the whole suite shares: fixed examples, when a browser is needed, what is summed up."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Properties are checked on the same examples every time, however busy the machine is.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

# Before torch, and with it Triton, is imported: kernels run in Triton's interpreter here.
os.environ.setdefault("TRITON_INTERPRET", "1")

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# A browser that asks nothing of the network by itself.
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def thorough() -> bool:
    """Whether this is `make test-all`, which leaves no seed out."""
    return os.environ.get("COURSEKIT_TEST_ALL") == "1"


class Silent(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps its log to itself."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve a folder as a plain static server would, on localhost; returns its address."""
    servers = []

    def start(folder: Path) -> str:
        handler = functools.partial(Silent, directory=str(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def browser():
    """One Chromium for the module, closed after it: Playwright allows one engine at a time."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a browser its tests are left out, which in CI is a failure."""
    if item.get_closest_marker("browser") and CHROMIUM is None:
        reason = "no Chromium on this machine: `make system-deps` installs it on Debian"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def seconds_by_notebook(terminal) -> dict[str, float]:
    """Seconds that the cells of each notebook took, kernel start apart."""
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminal.stats.values():
        for report in reports:
            name = getattr(report, "nodeid", "").split("::")[0]
            if getattr(report, "when", None) == "call" and name.endswith(".ipynb"):
                seconds[name] += report.duration
    return dict(seconds)


def mutation_totals(terminal) -> dict[str, float]:
    """What the tests of the exercises' questions counted, whichever worker ran them."""
    totals: dict[str, float] = defaultdict(float)
    for report in terminal.stats.get("passed", []):
        for name, count in getattr(report, "user_properties", []):
            if name == "slowest check, s":
                totals[name] = max(totals[name], count)
            elif name in ("questions", "right answers accepted", "mistakes named"):
                totals[name] += count
    return dict(totals)


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the seconds per notebook, and leave them to `make test`, which holds the budget."""
    if totals := mutation_totals(terminalreporter):
        line = ", ".join(f"{name}: {count:.4g}" for name, count in totals.items())
        terminalreporter.write_line(f"mutation table: {line}")
    spent = seconds_by_notebook(terminalreporter)
    for name, seconds in sorted(spent.items()):
        terminalreporter.write_line(f"{seconds:6.1f} s  {name}")
    if spent:
        (ROOT / "_build").mkdir(exist_ok=True)
        (ROOT / "_build" / "notebook-seconds.json").write_text(json.dumps(spent), encoding="utf-8")
