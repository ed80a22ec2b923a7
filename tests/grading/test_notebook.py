import importlib.util
import json
from pathlib import Path

import nbformat
import pytest

from coursekit.grading import check_notebook
from coursekit.grading.exercises import read_master, solved_edition
from coursekit.grading.question import chapter_folders, load_questions

FOLDERS = chapter_folders(Path(__file__).resolve().parents[2])

RIGHT = """
import numpy as np
def gaussian_mle(x):
    return np.mean(x), np.var(x)
"""


@pytest.fixture
def notebook(tmp_path):
    def write(*cells: str, name: str = "answer.ipynb"):
        code = [nbformat.v4.new_code_cell(cell) for cell in cells]
        path = tmp_path / name
        nbformat.write(nbformat.v4.new_notebook(cells=code), path)
        return path

    return write


START = 'from coursekit.grading import Check\ncheck = Check("01-basics")'


def test_a_notebook_is_run_and_its_table_printed(notebook, capsys):
    path = notebook("%matplotlib inline\n" + START, RIGHT, 'check("gaussian-mle")')
    assert check_notebook(path) == 1
    out = capsys.readouterr().out
    assert "gaussian-mle             passed" in out
    assert "Points so far: 1 of" in out


def test_wrong_answers_are_reported_in_full_where_that_is_asked_for(notebook, capsys):
    wrong = "def log_softmax(logits):\n    return logits"
    path = notebook(START, RIGHT, wrong)
    check_notebook(path)
    assert "came back:" not in capsys.readouterr().out
    check_notebook(path, full=True)
    out = capsys.readouterr().out
    assert out.count("came back:") == out.count("wanted:") == 1, "of the wrong answer alone"
    report, _, table = out.partition("Checks of 01-basics")
    assert report.startswith("A log-softmax that survives large logits: not yet (0 of 2 points)")
    assert "tried (three rows): log_softmax(" in report
    assert "practice check" not in report
    assert "practice check" in table


def test_a_cell_that_fails_is_named_and_the_rest_still_runs(notebook, capsys):
    path = notebook(START, "1 / 0", RIGHT)
    assert check_notebook(path) == 1
    out = capsys.readouterr().out
    assert "Code cell 2 stopped: ZeroDivisionError: division by zero" in out
    assert "gaussian-mle             passed" in out


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_complete_notebook_exits_with_zero(folder, tmp_path, capsys):
    questions = load_questions(folder)
    if any(q.needs and not importlib.util.find_spec(q.needs) for q in questions):
        pytest.skip("a package that a question needs is not installed here")
    solved = solved_edition(read_master(folder), questions, folder.name, {})
    nbformat.write(solved, tmp_path / "solved.ipynb")
    assert check_notebook(tmp_path / "solved.ipynb") == 0
    points = sum(q.points for q in questions if q.kind == "code")
    assert f"{points} of {points}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("while True: pass", "was stopped after 3 seconds, in code cell 2"),
        ("import os; os._exit(7)", "Python ended in code cell 2"),
        ("exit()", "Python ended in code cell 2"),
    ],
)
def test_a_notebook_that_does_not_come_back_is_explained(notebook, capsys, cell, says):
    assert check_notebook(notebook(START, cell), seconds=3) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a notebook"),
        ("not json", "is not a notebook"),
        ("[" * 100_000, "is not a notebook"),
        ("[]", "has no cells"),
        ('{"worksheets": []}', "has no cells"),
        ('{"cells": [{"cell_type": "markdown", "source": "x"}, 3]}', "has no code cell"),
        ('{"cells": [{"cell_type": "code", "source": ["x = 1"]}]}', 'holds no Check("…")'),
        (json.dumps({"cells": [{"cell_type": "code", "source": 'Check("77-x")'}]}), "names '77-x'"),
    ],
)
def test_a_file_that_is_no_exercise_is_explained(tmp_path, capsys, text, says):
    path = tmp_path / "bad.ipynb"
    path.write_text(text, encoding="utf-8")
    assert check_notebook(path) == 2
    assert says in capsys.readouterr().err


def test_a_missing_file_or_a_folder_is_explained(tmp_path, capsys):
    assert check_notebook(tmp_path / "none.ipynb") == 2
    assert check_notebook(tmp_path) == 2
    assert capsys.readouterr().err.count("is not a file") == 2


def test_a_huge_file_is_not_read(tmp_path, capsys):
    path = tmp_path / "huge.ipynb"
    with path.open("wb") as file:
        file.truncate(30 << 20)
    assert check_notebook(path) == 2
    assert "larger than 20 MB" in capsys.readouterr().err
