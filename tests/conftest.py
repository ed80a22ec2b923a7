"""What the whole suite shares: fixed examples, when a browser is needed, seconds per notebook."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import settings

# Properties are checked on the same examples every time, however busy the machine is.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK_BUDGET_S = 60
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def thorough() -> bool:
    """Whether this is `make test-all`, which leaves no seed out."""
    return os.environ.get("COURSEKIT_TEST_ALL") == "1"


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


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the table of seconds per notebook."""
    for name, spent in sorted(seconds_by_notebook(terminalreporter).items()):
        over = "  OVER BUDGET" if spent > NOTEBOOK_BUDGET_S else ""
        terminalreporter.write_line(f"{spent:6.1f} s of {NOTEBOOK_BUDGET_S}  {name}{over}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A notebook over its budget fails the run."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal and any(s > NOTEBOOK_BUDGET_S for s in seconds_by_notebook(terminal).values()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
