"""The published exercise notebooks, unsolved and solved, through the grader."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tinyclass import hand_in

from coursekit.grading.exercises import notebook_text, read_master, solved_edition, student_edition
from coursekit.grading.grader.bank import collect
from coursekit.grading.grader.batch import Order, grade
from coursekit.grading.grader.gradebook import open_gradebook
from coursekit.grading.grader.standing import standings
from coursekit.grading.question import chapter_folders, load_questions

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = chapter_folders(ROOT)
if os.environ.get("COURSEKIT_TEST_ALL") != "1":  # `make test` takes one chapter, the newest
    FOLDERS = FOLDERS[-1:]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_the_solved_notebook_earns_everything_and_the_unsolved_nothing(
    folder: Path, sandboxed: str, tmp_path: Path
) -> None:
    master, questions = read_master(folder), load_questions(folder)
    editions = {
        name: notebook_text(make(master, questions, folder.name, {})).encode()
        for name, make in (("solved", solved_edition), ("unsolved", student_edition))
    }
    source, out = hand_in(tmp_path / "in", **editions), tmp_path / "out"
    grade(Order(source, out, collect(folder.name, ROOT / "solutions"), sandboxed))
    with open_gradebook(out) as book:
        found = {s.student: s for s in standings(book)}
    for line in found["solved"].lines:
        wanted = line.question["points"] if line.question["kind"] == "code" else None
        assert line.points == wanted, (line.question["id"], line.score)
    assert found["unsolved"].raw == 0
    for s in found.values():
        assert s.result
        assert s.result["events"] == []
        assert s.result["cell_errors"] == []
