"""One assignment and its submissions: a mix of right, wrong and unfinished answers.

The questions are those of chapter 01 that code can grade. A student answers each with the solution,
with one of the known mistakes, or not at all. Which, a seeded generator decides; so the points that
every grader must find are known beforehand.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coursekit.grading.compare import Close
from coursekit.grading.exercises import read_master, solved_edition, student_edition
from coursekit.grading.public import draw, outcomes, seed_of
from coursekit.grading.question import Case, Question, load_questions, question_files
from coursekit.grading.run import Outcome

ASSIGNMENT = "01-basics"
KINDS = ("right", "wrong", "unfinished")
SHARES = (0.7, 0.2, 0.1)
IMPORTS = "import math\n\nimport numpy as np"


@dataclass(frozen=True)
class Exercise:
    """A question with the sources of its answers, its fixed cases and their wanted values."""

    q: Question
    right: str
    wrong: list[str]
    unfinished: str
    cases: list[Case]
    wanted: list[object]

    def source(self, kind: str, rng: np.random.Generator) -> str:
        """Source of an answer of this kind."""
        if kind == "wrong":
            return self.wrong[int(rng.integers(len(self.wrong)))]
        return self.right if kind == "right" else self.unfinished


@dataclass(frozen=True)
class Student:
    """A submission: one source for every question, and the points that it must get."""

    name: str
    answers: dict[str, str]
    points: dict[str, float]


def exercises(root: Path) -> list[Exercise]:
    """The questions that ask for a function and are graded by code, ready for any grader."""
    folder = root / "solutions" / ASSIGNMENT
    questions, master = load_questions(folder), read_master(folder)
    solved = _sources(solved_edition(master, questions, ASSIGNMENT, {}))
    starters = _sources(student_edition(master, questions, ASSIGNMENT, {}))
    mistakes = _known_mistakes(folder)
    made = []
    for q in questions:
        if q.kind == "code" and not q.driver:
            cases = draw(q, seed_of(q.id))
            wanted = outcomes(q, q.reference, cases)
            wrong = [s for s in mistakes[q.id] if _is_wrong(q, s, cases, wanted)]
            values = [o.value for o in wanted]
            made.append(Exercise(q, solved[q.asks], wrong, starters[q.asks], cases, values))
    return [e for e in made if e.wrong]


def _sources(edition: object) -> dict[str, str]:
    """Source of the cell that defines each name."""
    found = {}
    for cell in edition.cells:  # type: ignore[attr-defined]
        if cell.cell_type == "code":
            plain = re.sub(r"^(\s*)[%!].*$", r"\1pass", cell.source, flags=re.MULTILINE)
            for node in ast.parse(plain).body:
                if isinstance(node, ast.FunctionDef):
                    found[node.name] = cell.source
    return found


def _known_mistakes(folder: Path) -> dict[str, list[str]]:
    """Sources of the known mistakes that are functions, by question."""
    found: dict[str, list[str]] = {}
    for path in question_files(folder):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.decorator_list:
                options = {k.arg: k.value for k in node.decorator_list[0].keywords}  # type: ignore[attr-defined]
                asks = ast.literal_eval(options["asks"])
                found[ast.literal_eval(options["id"])] = _mistakes(node, asks)
    return found


def _mistakes(node: ast.ClassDef, asks: str) -> list[str]:
    functions = {f.name: f for f in node.body if isinstance(f, ast.FunctionDef)}
    listed = [s.value for s in node.body if isinstance(s, ast.Assign)]
    sources = []
    for value in (v for d in listed if isinstance(d, ast.Dict) for v in d.values):
        if isinstance(value, ast.Lambda):
            sources.append(f"{asks} = {ast.unparse(value)}")
        elif isinstance(value, ast.Name) and value.id in functions:
            functions[value.id].name = asks
            sources.append(ast.unparse(functions[value.id]))
    return sources


def _is_wrong(q: Question, source: str, cases: list[Case], wanted: list[Outcome]) -> bool:
    """Whether this answer needs nothing but NumPy, and is wrong by its value alone."""
    names: dict = {"np": np, "math": math}
    exec(source, names)
    found = outcomes(q, names[q.asks], cases)
    if any(o.error or o.changed for o in found):
        return False
    return any(q.compare.difference(o.value, w.value) for o, w in zip(found, wanted, strict=True))


def students(exercises: list[Exercise], number: int, seed: int = 0) -> list[Student]:
    """Draw ``number`` submissions, no two of them alike."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(number):
        name = f"student-{index:03d}"
        kinds = {e.q.id: KINDS[int(rng.choice(3, p=SHARES))] for e in exercises}
        answers = {e.q.id: e.source(kinds[e.q.id], rng) for e in exercises}
        points = {e.q.id: float(e.q.points) if kinds[e.q.id] == "right" else 0.0 for e in exercises}
        made.append(Student(name, answers, points))
    return made


def literal(value: object) -> str:
    """Python source of a value, as a teacher writes it into a test."""
    if isinstance(value, np.ndarray):
        return f"np.array({literal(value.tolist())}, dtype={value.dtype.name!r})"
    if isinstance(value, np.generic):
        return literal(value.item())
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        inside = "".join(f"{literal(item)}, " for item in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, float) and not np.isfinite(value):
        return f"float({str(value)!r})"
    return repr(value)


AGREE = """
import numpy as np


def agree(got, wanted, rtol, atol):
    if isinstance(wanted, dict):
        same = got.keys() == wanted.keys()
        return same and all(agree(got[k], wanted[k], rtol, atol) for k in wanted)
    if isinstance(wanted, (list, tuple)):
        pairs = zip(got, wanted, strict=True)
        return len(got) == len(wanted) and all(agree(g, w, rtol, atol) for g, w in pairs)
    if wanted is None or isinstance(wanted, (str, bool)):
        return got == wanted
    got, wanted = np.asarray(got), np.asarray(wanted)
    return got.shape == wanted.shape and np.allclose(got, wanted, rtol, atol, equal_nan=True)
"""


def asserts(exercise: Exercise) -> str:
    """The exercise's tests: one assert for every case, with its inputs and its wanted value."""
    close: Close = exercise.q.compare
    lines = []
    for case, wanted in zip(exercise.cases, exercise.wanted, strict=True):
        inputs = ", ".join(map(literal, case.inputs))
        call = f"{exercise.q.asks}({inputs})"
        lines.append(f"assert agree({call}, {literal(wanted)}, {close.rtol}, {close.atol})")
    return "\n".join(lines)
