"""The other graders: their environments, and the assignment in the form that each of them wants."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

from graders.clock import Spent, timed
from graders.submissions import AGREE, IMPORTS, Exercise, Student, asserts

PACKAGES = {
    "otter-grader": ["otter-grader[grading,plugins]==7.0.0", "ipykernel"],
    "nbgrader": ["nbgrader==0.9.6"],
}
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def environment(folder: Path, name: str, pins: list[str]) -> Path:
    """Make the environment of one grader, unless it is there; return its ``bin``."""
    home = folder / name
    if not (home / "complete").is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *PACKAGES[name], *pins], check=True)
        (home / "complete").touch()
    return home / "bin"


def cell(source: str, name: str = "", **graded: object) -> dict:
    """A code cell; with a name it is one that nbgrader knows."""
    metadata = {}
    if name:
        kind = {"grade": False, "solution": False, "locked": False, "task": False, **graded}
        metadata = {"nbgrader": {"grade_id": name, "schema_version": 3, **kind}}
    empty = {"execution_count": None, "outputs": [], "cell_type": "code"}
    return {"id": name or "imports", "metadata": metadata, "source": source, **empty}


def write(path: Path, cells: list[dict]) -> None:
    """Write a notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = {"cells": cells, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book), encoding="utf-8")


def plain_cells(exercises: list[Exercise], answers: dict[str, str], name: str) -> list[dict]:
    """A student's notebook without any test in it: imports and one answer a cell."""
    first = cell(f"# {name}\n{IMPORTS}")
    return [first, *(cell(answers[e.q.id], f"answer-{e.q.id}", solution=True) for e in exercises)]


def otter_files(room: Path, bin: Path, exercises: list[Exercise], people: list[Student]) -> None:
    """Tests in otter's exception-based form, its archive, and the submissions."""
    for e in exercises:
        body = textwrap.indent(asserts(e), "    ")
        head = f"from otter.test_files import test_case\n\nOK_FORMAT = False\nname = {e.q.id!r}\n"
        test = (
            f"points = {e.q.points}\n{AGREE}\n\n@test_case()\ndef test_cases({e.q.asks}):\n{body}\n"
        )
        path = room / "tests" / f"{e.q.id}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + test, encoding="utf-8")
    write_plain(room / "work", exercises, people)
    make = [str(bin / "otter"), "generate", "-t", "tests", "-o", "autograder.zip"]
    timed([*make, "--no-environment", "--no-requirements"], room, path=bin)


def otter_command(room: Path, bin: Path, exercises: list[Exercise], people: list[Student]) -> Spent:
    """``otter run`` for every submission: otter's command for grading without Docker."""
    otter_files(room, bin, exercises, people)
    spent, found = Spent(0.0, 0.0), {}
    for s in people:
        options = ["-a", "autograder.zip", "-o", str(room), "--no-logo"]
        spent += timed(
            [str(bin / "otter"), "run", *options, f"work/{s.name}.ipynb"], room, path=bin
        )
        results = json.loads((room / "results.json").read_text(encoding="utf-8"))
        scores = {t["name"].split(" ")[0]: t.get("score", 0.0) for t in results["tests"]}
        found[s.name] = {e.q.id: scores.get(e.q.id, 0.0) for e in exercises}
    (room / "found.json").write_text(json.dumps(found), encoding="utf-8")
    return spent


def otter_loop(room: Path, bin: Path, exercises: list[Exercise], people: list[Student]) -> Spent:
    """Otter's Python interface in one process for all: a loop that a teacher would write."""
    otter_files(room, bin, exercises, people)
    (room / "loop.py").write_text(OTTER_LOOP, encoding="utf-8")
    return timed([str(bin / "python"), "loop.py"], room, path=bin)


OTTER_LOOP = """
import contextlib, io, json, pathlib
from otter.api import grade_submission

found = {}
for path in sorted(pathlib.Path("work").glob("*.ipynb")):
    with contextlib.redirect_stdout(io.StringIO()):
        graded = grade_submission(str(path), "autograder.zip", quiet=True)
    found[path.stem] = {name: result.score for name, result in graded.results.items()}
pathlib.Path("found.json").write_text(json.dumps(found))
"""


def nbgrader(
    room: Path, bin: Path, exercises: list[Exercise], people: list[Student]
) -> dict[str, Spent]:
    """nbgrader: ``autograde`` over all submissions, and the feedback pages apart."""
    tests = [cell(AGREE, "agree", locked=True)]
    for e in exercises:
        graded = {"grade": True, "locked": True, "points": e.q.points}
        tests.append(cell(asserts(e), f"test-{e.q.id}", **graded))
    right = {e.q.id: e.right for e in exercises}
    write(room / "source" / "hw" / "hw.ipynb", [*plain_cells(exercises, right, "hw"), *tests])
    for s in people:
        path = room / "submitted" / s.name / "hw" / "hw.ipynb"
        write(path, [*plain_cells(exercises, s.answers, s.name), *tests])
    config = 'c = get_config()\nc.CourseDirectory.course_id = "bench"\n'
    (room / "nbgrader_config.py").write_text(config, encoding="utf-8")
    program = str(bin / "nbgrader")
    timed([program, "generate_assignment", "hw"], room, path=bin)
    spent = {
        "nbgrader": timed([program, "autograde", "hw"], room, path=bin),
        "nbgrader, feedback pages in addition": timed(
            [program, "generate_feedback", "hw"], room, path=bin
        ),
    }
    (room / "read.py").write_text(NBGRADER_READ, encoding="utf-8")
    subprocess.run([str(bin / "python"), "read.py"], cwd=room, check=True)
    return spent


NBGRADER_READ = """
import json, pathlib
from nbgrader.api import Gradebook

found = {}
with Gradebook("sqlite:///gradebook.db") as book:
    for s in book.assignment_submissions("hw"):
        (notebook,) = s.notebooks
        grades = {g.name.removeprefix("test-"): g.auto_score or 0.0 for g in notebook.grades}
        found[s.student.id] = grades
pathlib.Path("found.json").write_text(json.dumps(found))
"""


def wrong_points(room: Path, people: list[Student]) -> list[str]:
    """What a grader found that is not as it must be."""
    found = json.loads((room / "found.json").read_text(encoding="utf-8"))
    return [
        f"{s.name}: {question} got {found.get(s.name, {}).get(question)}, {points} was right"
        for s in people
        for question, points in s.points.items()
        if found.get(s.name, {}).get(question) != points
    ]


def write_plain(folder: Path, exercises: list[Exercise], people: list[Student]) -> None:
    """The submissions as a folder of notebooks, one a student."""
    for s in people:
        write(folder / f"{s.name}.ipynb", plain_cells(exercises, s.answers, s.name))
