"""Every kind of question through the whole grader: NumPy, torch, modules, state, loops, plots.

What is right and what is wrong is declared with the questions: variants and known mistakes.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tinyclass import hand_in, notebook

from coursekit.grading.grader.bank import collect, opened
from coursekit.grading.grader.batch import Order, grade
from coursekit.grading.grader.gradebook import open_gradebook
from coursekit.grading.grader.standing import Standing, standings

NAME = "91-kinds"
RIGHT = "q.variants[{0}]"
WRONG = "list(q.mistakes.values())[{0} % len(q.mistakes)]"
ASSIGN = """
for q in list(vars().values()):
    if getattr(q, "kind", "") == "code":
        globals()[q.asks] = {}
"""


@pytest.fixture(scope="module")
def own(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kinds")
    (folder / NAME).mkdir()
    text = (root / "tests" / "grading" / "six_kinds" / "questions.py").read_text(encoding="utf-8")
    (folder / NAME / "questions.py").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def found(own: Path, sandboxed: str, tmp_path_factory: pytest.TempPathFactory):
    """Two notebooks of right answers and two of mistakes, graded in the best sandbox here."""
    room = tmp_path_factory.mktemp("graded-kinds")
    declared = (own / NAME / "questions.py").read_text(encoding="utf-8")
    files = {f"right{i}": notebook(declared, ASSIGN.format(RIGHT.format(i))) for i in range(2)}
    files |= {f"wrong{i}": notebook(declared, ASSIGN.format(WRONG.format(i))) for i in range(2)}
    grade(Order(hand_in(room / "in", **files), room / "out", collect(NAME, None, own), sandboxed))
    with open_gradebook(room / "out") as book:
        yield {s.student: s for s in standings(book)}


@pytest.mark.parametrize("student", ["right0", "right1"])
def test_every_right_answer_earns_all_points(found: dict[str, Standing], student: str) -> None:
    for line in found[student].lines:
        if line.question["kind"] == "code":
            assert line.points == line.question["points"], (line.question["id"], line.score)


@pytest.mark.parametrize("number", [0, 1])
def test_every_mistake_loses_points_and_earns_its_own_hint(
    found: dict[str, Standing], number: int, own: Path
) -> None:
    with opened(collect(NAME, None, own)) as questions:
        hints = {q.id: list(q.mistakes) for q in questions if q.kind == "code"}
    lines = {line.question["id"]: line for line in found[f"wrong{number}"].lines}
    for question, known in hints.items():
        line = lines[question]
        assert line.points is not None
        assert line.points < line.question["points"], question
        assert line.score["hint"] == known[number], question
