"""The arrows between the packages: which may import which, and that importing is cheap."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.chapters import planned

IMPORT_BUDGET_S = 0.2
BASE = {"data", "viz", "_validate", "chapters", "doctor", "optional"}
# From later to earlier, but for `attention`, the operation, which stands below `transformer`.
ORDER = [c.package for c in planned()]
ORDER.remove("attention")
ORDER.insert(ORDER.index("transformer"), "attention")


def modules(root: Path) -> list[Path]:
    """Every source file of the library."""
    source = root / "src" / "coursekit"
    return [p for p in source.rglob("*.py") if "_book" not in p.parts]


def package_of(file: Path, root: Path) -> str:
    """First name below coursekit that the file belongs to."""
    return file.relative_to(root / "src" / "coursekit").with_suffix("").parts[0]


def imported_packages(file: Path) -> set[str]:
    """First names below coursekit that the file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "coursekit":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("coursekit."):
            found.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("coursekit.")}
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{file}: relative import"
    return found - {"__version__"}


def allowed(package: str) -> set[str]:
    """What a package may import."""
    if package == "__main__":
        return {"cli"}
    if package in {"cli", "__init__", "grading"}:
        return {*BASE, *ORDER, "grading"}
    if package in ORDER:
        return {*BASE, *ORDER[: ORDER.index(package) + 1]}
    return {"_validate", "data", package} if package in {"data", "viz"} else BASE


def test_imports_run_one_way(root: Path) -> None:
    for file in modules(root):
        package = package_of(file, root)
        wrong = imported_packages(file) - allowed(package)
        assert not wrong, f"{file.relative_to(root)} may not import {sorted(wrong)}"


def test_every_chapter_package_is_named_like_its_chapter(root: Path) -> None:
    folders = {p.name for p in (root / "src" / "coursekit").iterdir() if p.is_dir()}
    known = {*(c.package for c in planned()), "data", "viz", "grading"}
    assert {f for f in folders if not f.startswith("_")} <= known


def run_python(code: str) -> str:
    """Standard output of a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_coursekit_is_cheap() -> None:
    code = (
        "import time, sys, json; t = time.perf_counter(); import coursekit;"
        "print(json.dumps([time.perf_counter() - t, sorted(sys.modules)]))"
    )
    seconds, loaded = min((json.loads(run_python(code)) for _ in range(3)), key=lambda r: r[0])
    assert seconds < IMPORT_BUDGET_S
    assert not {"torch", "matplotlib", "numpy", "sklearn", "scipy"} & set(loaded)


def test_chapter_one_runs_without_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None;"
        "import coursekit.basics, coursekit.data, coursekit.viz, coursekit.cli; print('ok')"
    )
    assert run_python(code).strip() == "ok"


def test_an_old_python_is_told_so(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    source = (root / "src" / "coursekit" / "__init__.py").read_text(encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"needs Python 3\.11 or newer, and this is Python 3\.9"):
        exec(source, {"__name__": "coursekit"})
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        exec((root / "tools" / "require_python.py").read_text(encoding="utf-8"))
