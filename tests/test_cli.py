"""The command line as a reader meets it: what it prints, writes and refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coursekit import __version__, chapters, cli, doctor

run = CliRunner().invoke


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that carries one chapter, its exercises and the refresher."""
    folder = tmp_path / "installed"
    for name in ("notebooks/01-basics", "exercises/01-basics", "notebooks/refresher"):
        file = folder / f"{name}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'"{name}"')
    monkeypatch.setattr(chapters, "shelf", lambda: folder)
    return folder


def test_version() -> None:
    assert run(cli.app, ["--version"]).output.strip() == f"coursekit {__version__}"


def test_doctor_speaks_to_machines() -> None:
    result = run(cli.app, ["doctor", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["packages"]["numpy"]


def test_doctor_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"scikit-learn": None}
    real = doctor.version_of
    monkeypatch.setattr(doctor, "version_of", lambda name: found.get(name, real(name)))
    result = run(cli.app, ["doctor"])
    assert result.exit_code == 1
    assert "pip install scikit-learn" in result.output


@pytest.mark.parametrize("name", ["01-basics", "1", "01", "basics", "Basics"])
def test_a_chapter_goes_by_stem_number_or_topic(shelf: Path, tmp_path: Path, name: str) -> None:
    result = run(cli.app, ["get", name, str(tmp_path / "mine")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "mine/notebooks/01-basics.ipynb").read_text() == '"notebooks/01-basics"'
    assert (tmp_path / "mine/exercises/01-basics.ipynb").read_text() == '"exercises/01-basics"'


def test_all_means_all(shelf: Path, tmp_path: Path) -> None:
    assert run(cli.app, ["get", "all", str(tmp_path / "mine")]).exit_code == 0
    assert len(list((tmp_path / "mine").rglob("*.ipynb"))) == 3


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("01-basic", "did you mean '01-basics'"),
        ("zebra", "unknown chapter 'zebra'. Available: 01-basics, refresher"),
        ("04-transformer", "planned and not in this version"),
        ("4", "chapter 04-transformer is planned"),
        ("04", "chapter 04-transformer is planned"),
    ],
)
def test_an_unknown_chapter_says_what_there_is(
    shelf: Path, tmp_path: Path, name: str, says: str
) -> None:
    result = run(cli.app, ["get", name, str(tmp_path / "mine")])
    assert result.exit_code == 2
    assert says in result.output
    assert not (tmp_path / "mine").exists()


def test_get_never_loses_a_readers_work(shelf: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    run(cli.app, ["get", "01-basics", str(mine)])
    (mine / "exercises/01-basics.ipynb").write_text("my answers")
    (mine / "notebooks/01-basics.ipynb").unlink()
    result = run(cli.app, ["get", "01-basics", str(mine)])
    assert result.exit_code == 1
    assert "--force" in result.output
    assert (mine / "exercises/01-basics.ipynb").read_text() == "my answers"
    assert not (mine / "notebooks/01-basics.ipynb").exists()
    assert run(cli.app, ["get", "01-basics", str(mine), "--force"]).exit_code == 0
    assert (mine / "exercises/01-basics.ipynb").read_text() == '"exercises/01-basics"'


@pytest.mark.parametrize("module", ["numpy", "anywidget", "scipy", "threadpoolctl"])
def test_doctor_misses_every_package_that_a_reader_needs(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    real = doctor.version_of
    monkeypatch.setattr(doctor, "version_of", lambda n: None if n == module else real(n))
    assert doctor.missing() == [module]


def test_doctor_survives_a_broken_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str):
        raise OSError("a library is missing")

    monkeypatch.setattr(doctor, "require", broken)
    assert doctor.accelerator() == "torch does not load: a library is missing"


def test_a_file_in_the_way_is_said_and_nothing_is_left(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "exercises").write_text("a file where a folder is wanted")
    monkeypatch.setattr("sys.argv", ["coursekit", "get", "1", str(mine)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    said = capsys.readouterr()
    assert left.value.code == 1
    assert "exercises" in said.err
    assert "Traceback" not in said.err
    assert [p.name for p in mine.rglob("*") if p.is_file()] == ["exercises"]


def test_building_exercises_outside_a_checkout_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("sys.argv", ["coursekit", "exercises", "build", "--root", str(tmp_path)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    assert "solutions" in capsys.readouterr().err


def test_this_installation_carries_every_published_notebook(root: Path) -> None:
    published = {p.stem for p in (root / "notebooks").glob("*.ipynb")}
    assert published <= set(chapters.available())


def test_check_names_a_missing_notebook(tmp_path: Path) -> None:
    result = run(cli.app, ["check", str(tmp_path / "none.ipynb")])
    assert result.exit_code == 2
    assert "none.ipynb" in result.output


TEACHING = ("grade", "regrade", "audit", "freeze", "gradescope", "classroom", "gradebook")


def test_help_lists_the_teachers_commands_after_the_students() -> None:
    text = run(cli.app, ["--help"]).output
    places = [re.search(rf"\W{name}  ", text) for name in ("check", *TEACHING[:-1])]
    assert all(places)
    assert [p.start() for p in places if p] == sorted(p.start() for p in places if p)


@pytest.mark.parametrize("name", TEACHING)
def test_a_teachers_command_explains_itself(name: str) -> None:
    found = run(cli.app, [name, "--help"])
    assert found.exit_code == 0
    assert "Usage" in found.output


def test_help_loads_neither_torch_nor_a_plotting_library_nor_the_gradebook() -> None:
    code = (
        "import sys; from coursekit import cli; "
        "print([m for m in ('torch', 'matplotlib', 'sqlite3', 'distributed') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_benchmark_says_that_it_needs_a_gpu(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("triton")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    done = run(cli.app, ["bench", "attention", "--out", str(tmp_path / "gpu.json")])
    assert done.exit_code == 2
    assert "torch sees no GPU here" in done.stderr
    assert not (tmp_path / "gpu.json").exists()
