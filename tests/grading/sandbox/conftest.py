"""Every way to run a submission that this machine allows, cold and warm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from coursekit.grading import wire
from coursekit.grading.sandbox import Limits, Pool, Reply, Session, available, open_session, users

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]

WAYS = ["bubblewrap-cold", "bubblewrap-warm", "user-cold", "user-warm"]


def other_python() -> str | None:
    """The system's Python, where it is of this one's version."""
    program = shutil.which("python3", path="/usr/bin")
    if program is None:
        return None
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = subprocess.run([program, "-c", code], capture_output=True, text=True, check=False)
    here = "{}.{}".format(*sys.version_info)
    return program if version.stdout.strip() == here else None


def allow_other_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that this is a throw-away container, and use a Python that every user can run."""
    monkeypatch.setenv(users.IN_CONTAINER, "1")
    if users.why_not() and (program := other_python()):
        environment = users.python_for_all()[1]
        monkeypatch.setattr(users, "python_for_all", lambda: (program, environment))


@dataclass
class Sandbox:
    """One way to run submissions."""

    tier: str
    pool: Pool | None

    def open(self, *cells: str, slot: int = 0, **limits: float) -> Session:
        """A session with these cells."""
        chosen = Limits(**limits)  # type: ignore[arg-type]
        return open_session(list(cells), tier=self.tier, limits=chosen, slot=slot, pool=self.pool)

    def ask(self, code: str, *inputs: object, seconds: float = 10.0, **limits: float) -> Reply:
        """The reply of ``f(*inputs)``, where ``code`` defines ``f``."""
        with self.open(code, **limits) as session:
            return session.call("f", wire.encode(inputs), "", seconds)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try everything in every way in `make test-all`, and else leave out the slow ones.

    A cold session is a pool that is used once, so what holds warm holds cold.
    """
    if "sandbox" in metafunc.fixturenames:
        ways = WAYS
        if os.environ.get("COURSEKIT_TEST_ALL") != "1":
            few = "limits" in metafunc.module.__name__
            ways = [w for w in WAYS if w.endswith("warm") or (w == WAYS[0] and not few)]
        metafunc.parametrize("sandbox", ways, indirect=True, scope="module")


@pytest.fixture(scope="module")
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Each way that isolates and is usable here; the others are skipped, with the reason."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        tier, warmth = request.param.split("-")
        if tier == "user":
            allow_other_users(monkeypatch)
        if reason := available()[tier]:
            if os.environ.get("CI") == "true" and tier == "bubblewrap":
                pytest.fail(reason)
            pytest.skip(reason)
        if warmth == "cold":
            yield Sandbox(tier, None)
            return
        with Pool(tier, preload=("numpy",)) as pool:
            yield Sandbox(tier, pool)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that only the grader may read."""
    file = tmp_path / "secret.key"
    file.write_text("the-secret-of-the-grader")
    file.chmod(0o600)
    return file
