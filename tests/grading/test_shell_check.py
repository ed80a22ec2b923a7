"""Notebooks as people write them, checked from a shell: IPython's syntax, pictures, leftovers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from coursekit.grading import check_notebook, notebook
from coursekit.grading.notebook import MAX_OUTPUT, run_notebook

START = 'from coursekit.grading import Check\ncheck = Check("01-basics")'
RIGHT = "import numpy as np\ndef gaussian_mle(x):\n    return np.mean(x), np.var(x)"
GRADING = Path(check_notebook.__code__.co_filename).parent


@pytest.fixture
def run(tmp_path):
    """Run a notebook of these cells; return its report and each name's value at the end."""

    def run(*cells: str, seconds: float = 60) -> dict:
        code = [nbformat.v4.new_code_cell(cell) for cell in (START, *cells, RIGHT)]
        path = tmp_path / "answer.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=code), path)
        return run_notebook(path, seconds)

    return run


PYTHON = {
    "a remainder on a line of its own": ("x = (10\n     % 3)", "x == 1"),
    "text whose lines look like commands": ('x = """\n!ls\n%time\n?\n"""', "x.count('!ls') == 1"),
    "a shell command's output": ("x = !ls", "list(x) == []"),
    "help": ("x = 1\nprint?\nlen??\n?print", "x == 1"),
    "a line magic": ("%matplotlib inline\nx = 1", "x == 1"),
    "a line magic inside": ("x = 0\nif True:\n    %pip install {x}\n    x = 1", "x == 1"),
    "a shell line": ("!echo {x}\nx = 1", "x == 1"),
    "a shell line over two lines": ("!echo one \\\n  two\nx = 1", "x == 1"),
    "a value from a magic": ("y = %pwd\nx = 1", "x == 1"),
    "a timed cell": ("%%time\nx = 1", "x == 1"),
    "a timed line": ("%time x = 1", "x == 1"),
    "a cell that keeps its output": ("%%capture out\nx = 1\nprint(x)", "x == 1"),
    "a magic inside a timed cell": ("%%time\n%matplotlib inline\nx = 1", "x == 1"),
    "a cell in another language": ("%%bash\nfor i in 1; do echo; done", "True"),
    "an await": ("import asyncio\nx = await asyncio.sleep(0, 1)", "x == 1"),
    "an await, and one more": (
        "import asyncio\nasync def one():\n    return 1\nx = await one()",
        "x == 1",
    ),
    "a call of IPython": ('get_ipython().run_line_magic("matplotlib", "inline")\nx = 1', "x == 1"),
    "an imported IPython": (
        "from IPython import get_ipython\nget_ipython().magic('pwd')\n%pwd\nx = 1",
        "x == 1",
    ),
    "a display": ("from IPython.display import clear_output\nclear_output()\ndisplay(3)", "True"),
    "an indented cell": ("    x = 1\n    x += 0", "x == 1"),
    "widgets": ("import ipywidgets\nx = ipywidgets.IntSlider(1).value", "x == 1"),
    "the end of a line": ("x = 1;", "x == 1"),
}


def test_cells_run_as_in_a_notebook(run):
    cells = [
        part for cell, holds in PYTHON.values() for part in ("x = None", cell, f"assert {holds}")
    ]
    names = [name for name in PYTHON for _ in range(3)]
    stopped = {names[int(line.split()[2]) - 2]: line for line in run(*cells)["problems"]}
    assert stopped == {}


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("x = (1", "SyntaxError"),
        ("x = '''", "SyntaxError"),
        ("%%time\nx = (1", "SyntaxError"),
        ("%%time\n1 / 0", "ZeroDivisionError"),
        ("%time 1 / 0", "ZeroDivisionError"),
        ("await 3", "TypeError"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", "E: "),
        ("raise ValueError('\\ud800')", "ValueError: \\ud800"),
        ("x = '\\0'\nraise ValueError(x)", "ValueError"),
    ],
)
def test_a_cell_that_stops_is_named_and_the_rest_runs(run, capsys, cell, says):
    report = run(cell)
    assert len(report["problems"]) == 1
    assert f"Code cell 2 stopped: {says}" in report["problems"][0]
    assert "gaussian-mle             passed" in report["table"]


def test_pictures_are_drawn_without_a_screen(run, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "svg")
    draw = (
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n"
        "assert plt.get_backend().lower() == 'agg'"
    )
    assert run(draw)["problems"] == []


LEFT = """
import subprocess, sys
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
open("left.txt", "w").write(str(left.pid))
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_process_that_a_cell_leaves_running_holds_nobody_up(run, tmp_path):
    start = time.monotonic()
    assert "passed" in run(LEFT)["table"]
    assert time.monotonic() - start < 20
    if sys.platform == "linux":
        time.sleep(0.2)
        assert not alive(int((tmp_path / "left.txt").read_text(encoding="utf-8")))


def test_endless_output_is_not_kept(run, tmp_path, monkeypatch):
    largest = 0
    truncate = os.truncate

    def seen(path, size):
        nonlocal largest
        largest = max(largest, Path(path).stat().st_size)
        truncate(path, size)

    monkeypatch.setattr(os, "truncate", seen)
    shout = (
        "import sys, time\nend = time.monotonic() + 2\n"
        f"while time.monotonic() < end:\n    sys.stderr.write('x' * {MAX_OUTPUT // 8})\n"
        "    time.sleep(0.01)\n"
        "sys.stderr.write('\\nlast words')\nsys.stderr.flush()\nimport os; os._exit(3)"
    )
    with pytest.raises(ValueError, match=r"exit status 3\): last words"):
        run(shout)
    assert largest > MAX_OUTPUT


def test_text_beyond_ascii_survives_a_plain_locale(tmp_path):
    cells = [nbformat.v4.new_code_cell(c) for c in (START, 'print("η")\nraise ValueError("η")')]
    path = tmp_path / "größe.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    code = "import sys; from coursekit.grading import check_notebook as c; sys.exit(c(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-W", "error::EncodingWarning", "-c", code, str(path)],
        env={
            **os.environ,
            "LC_ALL": "C",
            "PYTHONCOERCECLOCALE": "0",
            "PYTHONWARNDEFAULTENCODING": "1",
            "PYTHONIOENCODING": "utf-8",
        },
        capture_output=True,
        timeout=60,
    )
    said = done.stdout.decode()
    assert done.returncode == 1, done.stderr.decode()
    assert "Code cell 2 stopped: ValueError: η" in said


def test_every_file_of_grading_is_read_and_written_as_utf_8():
    import ast

    calls = [
        (path.name, node.lineno)
        for path in GRADING.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", ""))
        in ("open", "read_text", "write_text")
        and not any(k.arg == "encoding" for k in node.keywords)
        and not any(isinstance(a, ast.Constant) and "b" in str(a.value) for a in node.args)
    ]
    assert calls == []


def test_who_reads_the_help_is_told_to_trust_the_notebook():
    assert "only notebooks that you trust" in " ".join((check_notebook.__doc__ or "").split())


@pytest.mark.parametrize(
    "quoted",
    [
        'Check("01-basics")',
        "Check( '01-basics' )",
        "Check(\n  '01-basics')",
        'Check(assignment="01-basics")',
    ],
)
def test_the_assignment_is_found_however_it_is_written(tmp_path, quoted):
    path = tmp_path / "answer.ipynb"
    cell = {"cell_type": "code", "source": f"from coursekit.grading import Check\n{quoted}"}
    path.write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    assert "Checks of 01-basics" in run_notebook(path, 60)["table"]


def test_the_end_of_a_long_output_is_kept(tmp_path):
    said = tmp_path / "said.txt"
    said.write_bytes(b"x" * (MAX_OUTPUT + 5) + b"\nlast words")
    notebook._keep_end(said)
    assert said.stat().st_size == notebook.TAIL
    assert notebook._last_line(said) == ": last words"
