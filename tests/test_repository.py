"""The repository says the same thing everywhere, and the README says what was measured."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from coursekit import __version__
from coursekit.chapters import planned
from coursekit.grading.exercises import page
from coursekit.grading.question import question_files


@pytest.fixture(scope="module")
def setup_benchmark(root: Path):
    """The script that measures the set-up."""
    spec = importlib.util.spec_from_file_location("setup_benchmark", root / "benchmarks/setup.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_states_the_figures_that_were_measured(root: Path, setup_benchmark) -> None:
    readme = (root / "README.md").read_text()
    assert setup_benchmark.fill(readme, setup_benchmark.measured()) == readme


def test_a_readme_without_its_marks_is_an_error(setup_benchmark) -> None:
    with pytest.raises(ValueError, match="lost its measured:begin"):
        setup_benchmark.fill("no marks", {})


def test_one_version_everywhere(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert project["version"] == __version__ == citation["version"]
    newest = re.search(r"^## \[([^\]]+)\]", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest
    assert newest[1] in {"Unreleased", __version__}


def test_pins_lie_in_the_ranges_that_the_metadata_promises(root: Path) -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    requirements = [Requirement(line) for group in groups for line in group]
    for file in ("constraints.txt", "constraints-oldest.txt"):
        pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (root / file).read_text(), re.MULTILINE))
        pins = {name.lower().replace("_", "-"): version for name, version in pins.items()}
        for requirement in requirements:
            version = pins.get(requirement.name.lower().replace("_", "-"))
            assert version is None or version in requirement.specifier, (file, str(requirement))


def test_every_dependency_is_pinned(root: Path) -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pinned = (root / "constraints.txt").read_text().lower().replace("_", "-")
    missing = [r for r in wanted if f"\n{Requirement(r).name.lower()}==" not in f"\n{pinned}"]
    assert missing == []


def test_a_published_chapter_has_its_stem_in_every_room(root: Path) -> None:
    published = [c for c in planned() if (root / "book" / f"{c.stem}.md").is_file()]
    assert published
    for chapter in published:
        for room in (
            f"notebooks/{chapter.stem}.ipynb",
            f"exercises/{chapter.stem}.ipynb",
            f"solutions/{chapter.stem}/notebook.md",
            f"src/coursekit/{chapter.package}/__init__.py",
            f"src/coursekit/grading/checks/{chapter.stem}.json",
            f"tests/{chapter.package}",
        ):
            assert (root / room).exists(), f"{chapter.stem} lacks {room}"
        assert question_files(root / "solutions" / chapter.stem)


def test_nothing_committed_names_this_machine(root: Path) -> None:
    """Notebooks carry no path of the machine that executed them."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True
    )
    home = str(Path.home())
    for name in listed.stdout.split("\n"):
        path = root / name
        if path.suffix in {".ipynb", ".json", ".md"} and path.is_file():
            text = path.read_text(encoding="utf-8")
            assert str(root) not in text, name
            assert len(home) < 4 or f"{home}/" not in text, name


def test_the_sites_address_is_the_same_wherever_it_is_written(root: Path) -> None:
    """A fork that publishes elsewhere changes `baseurl`; this test lists what else to change."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    base = config["html"]["baseurl"]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Homepage"] == base
    assert page("01-basics") == f"{base}notebooks/01-basics.html"
    for name in ("README.md", "tools/download_readme.md", "book/01-basics.md"):
        assert base in (root / name).read_text(encoding="utf-8"), name
