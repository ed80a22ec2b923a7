"""Answers learned in one attempt are worth nothing in the next."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import numpy as np

from coursekit.grading.public import draw
from coursekit.grading.question import load_questions
from tests.grading.hostile.attack import HERE, notebook
from tests.grading.hostile.batch import ASSIGNMENT, POINTS, RIGHT, command, grade, rows
from tests.grading.hostile.test_hostile import usable

REPLAY = """
import json
import numpy as np

learned = {{(name, json.dumps(x)): value for name, x, value in json.loads({table!r})}}
plain = lambda x: json.dumps(x.tolist() if hasattr(x, "tolist") else x)
mean_square = lambda x: learned.get(("mean_square", plain(x)), 0.0)
ranks = lambda x: np.array(learned.get(("ranks", plain(x)), [0] * len(x)))
counts = lambda words: learned.get(("counts", plain(words)), {{}})
"""


def plain(value: object) -> object:
    """As JSON can write it."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def everything_asked(out: Path, file: str) -> list[list]:
    """Every input that a submission met, public or fresh, with the right answer.

    No attempt can learn more, whatever channel it finds.
    """
    book = sqlite3.connect(out / "gradebook.sqlite")
    query = "SELECT question, seed FROM evidence JOIN submissions USING (code) WHERE file = ?"
    seeds = [(q, seed) for q, seed in book.execute(query, (file,)) if seed is not None]
    book.close()
    questions = {q.id: q for q in load_questions(HERE / "questions" / ASSIGNMENT)}
    return [
        [questions[q].asks, plain(case.inputs[0]), plain(questions[q].reference(*case.inputs))]
        for q, seed in seeds
        if questions[q].asks != "Account"
        for case in draw(questions[q], seed)
    ]


def test_a_second_attempt_cannot_replay_the_first(tmp_path: Path) -> None:
    tier = [*usable(), "unsafe"][0]
    graded = grade(tmp_path, [], tier)
    out = Path(graded.places["OUT"])
    learned = everything_asked(out, "honest-right.ipynb")
    assert len(learned) > 20
    public = json.loads(graded.places["PUBLIC"])
    learned += [[p["asks"], json.loads(p["inputs"]), p["wanted"]] for p in public]
    cells = [REPLAY.format(table=json.dumps(learned)), RIGHT["account"]]
    (tmp_path / "work" / "mallory.ipynb").write_text(json.dumps(notebook(cells)))
    subprocess.run(command(tmp_path, tier), check=True, capture_output=True)
    replayed = rows(out / "gradebook.sqlite")["mallory.ipynb"]
    assert replayed.points == {"account": POINTS["account"]}
    assert "not on fresh ones" in replayed.words  # the table was right as far as it went
