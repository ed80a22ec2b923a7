"""A frozen release, and what is packed with it: run as the systems run it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from tinyclass import NAME, answers, hand_in, notebook
from typer.testing import CliRunner

from coursekit import cli
from coursekit.grading.grader import classroom, gradescope
from coursekit.grading.grader.bank import Bank, collect
from coursekit.grading.grader.gradebook import contents, open_gradebook
from coursekit.grading.grader.release import (
    ReleaseError,
    freeze,
    verified,
    wheel_digest,
    zipped,
)
from coursekit.grading.grader.standing import standings

run = CliRunner().invoke


@pytest.fixture(scope="session")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library's wheel without the notebooks, which take a while to write."""
    room = tmp_path_factory.mktemp("wheel")
    ignore = shutil.ignore_patterns("__pycache__", "_book")
    shutil.copytree(root / "src", room / "src", ignore=ignore)
    for name in ("README.md", "LICENSE"):
        shutil.copy(root / name, room)
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    hook = text.index("[tool.hatch.build.targets.wheel.hooks.custom]")
    text = text[:hook] + text[text.index("[tool.hatch.build.targets.sdist]") :]
    assert tomllib.loads(text)
    (room / "pyproject.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(room)]
    subprocess.run(command, cwd=room, check=True, capture_output=True)
    return next(room.glob("*.whl"))


@pytest.fixture(scope="session")
def release(bank: Bank, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frozen release of the small assignment."""
    path = tmp_path_factory.mktemp("release") / "tiny.zip"
    path.write_bytes(freeze("2026-spring", bank, wheel))
    return path


def test_a_release_holds_library_questions_and_versions(release: Path, bank: Bank) -> None:
    found = verified(release)
    assert found.bank == bank
    assert found.manifest["name"] == "2026-spring"
    assert found.manifest["versions"]["numpy"]
    assert "numpy==" in found.files["constraints.txt"].decode()
    assert found.wheel.startswith("coursekit-")


def test_equal_inputs_make_equal_bytes(release: Path, bank: Bank, wheel: Path) -> None:
    again = freeze("2026-spring", bank, wheel)
    assert hashlib.sha256(again).digest() == hashlib.sha256(release.read_bytes()).digest()


def test_the_wheels_source_is_recognised(wheel: Path, tmp_path: Path) -> None:
    """Both hashes are over the same files in the same order."""
    files = {"coursekit/b.py": b"2", "coursekit/a/x.py": b"1", "coursekit/a.py": b"0"}
    assert wheel_digest(zipped(files)) != wheel_digest(zipped({**files, "coursekit/b.py": b"3"}))
    with zipfile.ZipFile(wheel) as archive:
        room = tmp_path / "installed"
        archive.extractall(room)
    command = "from coursekit.grading.grader.versions import source_digest as s; print(s())"
    env = {**os.environ, "PYTHONPATH": str(room), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", command], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == wheel_digest(wheel.read_bytes())


@pytest.mark.parametrize("change", ["edit", "drop", "add"])
def test_a_release_that_was_touched_is_refused(release: Path, tmp_path: Path, change: str) -> None:
    with zipfile.ZipFile(release) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    name = next(n for n in files if n.startswith("questions/"))
    if change == "edit":
        files[name] = files[name].replace(b"2.0 * x", b"3.0 * x")
    elif change == "drop":
        del files["README.txt"]
    else:
        files["extra.py"] = b"1"
    path = tmp_path / "bad.zip"
    path.write_bytes(zipped(files))
    with pytest.raises(ReleaseError, match="has been changed"):
        verified(path)


def test_what_is_no_release_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    for data in (b"nonsense", zipped({"a": b"b"})):
        path.write_bytes(data)
        with pytest.raises(ReleaseError, match="no frozen release"):
            verified(path)


def test_a_release_grades_with_its_own_library_and_questions(
    release: Path, class_: Path, graded: Path, tmp_path: Path
) -> None:
    """The release's library is another than the one that starts: it takes over."""
    old = tmp_path / "old.zip"
    found = verified(release)
    library = tmp_path / found.wheel
    with zipfile.ZipFile(io.BytesIO(found.files[found.wheel])) as inside:
        files = {name: inside.read(name) for name in inside.namelist()}
    files["coursekit/grading/grader/outputs.py"] += b"\n# of last year\n"
    library.write_bytes(zipped(files))
    old.write_bytes(freeze("old", found.bank, library))
    out = tmp_path / "out"
    out.mkdir()
    shutil.copy(graded / "secret.key", out)
    command = [sys.executable, "-m", "coursekit", "grade", str(class_), "-a", NAME]
    options = ["-o", str(out), "--release", str(old), "--sandbox", "unsafe", "--json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    mine, theirs = (contents(o / "gradebook.sqlite") for o in (out, graded))
    assert mine["scores"] == theirs["scores"]
    with open_gradebook(out) as book:
        ran = json.loads(book.rows("SELECT versions FROM results")[0]["versions"])["coursekit"]
    assert wheel_digest(library.read_bytes())[:12] in ran


def test_a_release_is_of_one_assignment(release: Path, class_: Path, tmp_path: Path) -> None:
    args = ["grade", str(class_), "-a", "01-basics", "-o", str(tmp_path), "--release", str(release)]
    found = run(cli.app, args)
    assert found.exit_code == 2
    assert f"release of {NAME}" in found.output


def test_freeze_writes_a_zip_and_its_hash(own_questions: Path, wheel: Path, tmp_path: Path) -> None:
    args = ["freeze", "2026-spring", "-a", NAME, "-o", str(tmp_path), "--wheel", str(wheel)]
    found = run(cli.app, [*args, "--questions", str(own_questions)])
    assert found.exit_code == 0, found.output
    path = tmp_path / f"{NAME}-2026-spring.zip"
    assert hashlib.sha256(path.read_bytes()).hexdigest() in found.output
    assert verified(path).manifest["assignment"] == NAME


def environment(root: Path, **more: str) -> dict[str, str]:
    """A machine without a network that has the course's dependencies: pip installs the wheel."""
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "VENV_OPTIONS": "--system-site-packages"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, **offline, "PATH": path, "PYTHON": sys.executable, **more}


def lend_packages(venv: Path) -> None:
    """Let an environment that is made inside another see that one's packages too."""
    site = next(venv.glob("lib/python3*/site-packages"))
    (site / "lent.pth").write_text("\n".join(p for p in sys.path if p.endswith("-packages")))


@pytest.fixture(scope="session")
def container(bank: Bank, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gradescope's folders after the image was built: the zip unpacked, `setup.sh` run."""
    root = tmp_path_factory.mktemp("autograder")
    data = gradescope.archive("g", bank, wheel, call_s=5.0, submission_s=60.0)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            path = Path(archive.extract(info, root / "source"))
            path.chmod(info.external_attr >> 16)
    env = environment(root, AUTOGRADER_ROOT=str(root))
    subprocess.run([root / "source" / "setup.sh"], env=env, check=True)
    lend_packages(root / "venv")
    shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
    return root


def autograde(root: Path, **files: bytes) -> dict:
    """What Gradescope does with one submission; returns its results."""
    shutil.rmtree(root / "submission", ignore_errors=True)
    shutil.rmtree(root / "results", ignore_errors=True)
    hand_in(root / "submission", **files)
    (root / "results").mkdir()
    about = {"users": [{"name": "Anna Q", "email": "a@x.org"}], "created_at": "2026-01-01"}
    (root / "submission_metadata.json").write_text(json.dumps(about))
    env = environment(root, AUTOGRADER_ROOT=str(root))
    done = subprocess.run(
        [root / "run_autograder"], env=env, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads((root / "results" / "results.json").read_text())


def test_gradescope_gets_points_and_reasons(container: Path) -> None:
    found = autograde(container, work=answers(double="def double(x):\n    return x ** 2"))
    assert found["score"] == 5.0
    assert found["stdout_visibility"] == "hidden"
    tests = {t["name"]: t for t in found["tests"]}
    assert tests["Sum and largest"]["status"] == "passed"
    assert (tests["Twice as much"]["score"], tests["Twice as much"]["max_score"]) == (0.0, 2.0)
    assert "hint: Twice, not squared." in tests["Twice as much"]["output"]
    assert "Anna Q" in found["output"]
    assert "essay" in found["output"]


def test_gradescope_runs_the_wheel_of_the_archive(container: Path) -> None:
    command = "import coursekit; print(coursekit.__file__)"
    python = container / "venv" / "bin" / "python"
    done = subprocess.run([python, "-c", command], capture_output=True, text=True, check=True)
    assert str(container / "venv") in done.stdout


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "There is no notebook"),
        ({"w": b"nonsense"}, "not a notebook"),
        ({"w": notebook("import os\nos._exit(0)")}, "w.ipynb"),
    ],
)
def test_gradescope_is_told_what_a_student_can_mend(container: Path, files, says) -> None:
    found = autograde(container, **files)
    assert found["score"] == 0.0
    assert says in found["output"]


def test_the_archive_is_made_by_one_command(
    own_questions: Path, wheel: Path, tmp_path: Path
) -> None:
    path = tmp_path / "autograder.zip"
    args = ["gradescope", NAME, "-o", str(path), "--wheel", str(wheel)]
    found = run(cli.app, [*args, "--questions", str(own_questions)])
    assert found.exit_code == 0, found.output
    with zipfile.ZipFile(path) as archive:
        modes = {i.filename: i.external_attr >> 16 for i in archive.infolist()}
        assert len(archive.read("secret.key")) == 32
    assert modes["setup.sh"] == modes["run_autograder"] == 0o100755


def steps(text: str) -> list[dict]:
    """The steps of the workflow that run something."""
    job = yaml.safe_load(text)["jobs"]["run-autograding-tests"]
    return [step for step in job["steps"] if "run" in step]


def test_the_classrooms_steps_grade_the_notebook(root: Path, wheel: Path, tmp_path: Path) -> None:
    """The workflow's own commands, in a repository as a student has it, by the runner's shell."""
    repo, temp = tmp_path / "repo", tmp_path / "temp"
    args = ["classroom", "01-basics", "-o", str(repo), "--wheel", str(wheel)]
    made = run(cli.app, args)
    assert made.exit_code == 0, made.output
    (repo / "exercises").mkdir()
    shutil.copy(root / "exercises" / "01-basics.ipynb", repo / "exercises")
    temp.mkdir()
    sudo = tmp_path / "bin"
    sudo.mkdir()
    (sudo / "sudo").write_text("#!/bin/sh\nexit 0\n")  # the runner's; here nothing is installed
    (sudo / "sudo").chmod(0o755)
    outputs = {"GITHUB_OUTPUT": str(temp / "out"), "GITHUB_STEP_SUMMARY": str(temp / "summary")}
    env = environment(repo, RUNNER_TEMP=str(temp), GITHUB_ACTOR="anna", **outputs)
    env["PATH"] = f"{sudo}:{env['PATH']}"
    for step in steps((repo / classroom.WORKFLOW).read_text()):
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(shell, cwd=repo, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (step["name"], done.stdout, done.stderr)
        if step["name"] == "Install":
            lend_packages(temp / "coursekit" / "venv")
    key, _, value = (temp / "out").read_text().strip().partition("=")
    told = json.loads(base64.b64decode(value))
    assert key == "result"
    assert told["max_score"] == 33
    assert sum(t["score"] for t in told["tests"]) == 0
    assert "| gaussian-mle | not started | 0 / 1 |" in (temp / "summary").read_text()
    with open_gradebook(temp / "coursekit" / "out") as book:
        assert [s.student for s in standings(book)] == ["anna"]


def test_private_questions_do_not_go_into_a_template(bank: Bank, wheel: Path) -> None:
    with pytest.raises(ValueError, match="read by every student"):
        classroom.files("x", bank, wheel)


def test_the_workflow_names_only_pinned_actions(root: Path) -> None:
    text = classroom.workflow(collect("01-basics", root / "solutions"))
    job = yaml.safe_load(text)["jobs"]["run-autograding-tests"]
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used
    assert all(action.rpartition("@")[2].startswith("v") for action in used)
    assert "__" not in text
