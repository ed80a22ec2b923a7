"""Exercises that check themselves: authoring, practice checks in the notebook, generated files.

>>> from coursekit.grading import Check
>>> check = Check("01-basics")

A student calls ``check("question-id")``, ``check.all()`` and ``check.explain("question-id")``. A
teacher writes questions with :func:`question` and :func:`case`, uses answers that are more than
functions with :mod:`coursekit.grading.drivers`, and generates the student's files with
:func:`build`.
"""

from coursekit.grading import drivers
from coursekit.grading.check import Check
from coursekit.grading.compare import Close
from coursekit.grading.exercises import build, stale
from coursekit.grading.notebook import NotebookError, check_notebook
from coursekit.grading.question import (
    Case,
    Question,
    QuestionError,
    case,
    load_questions,
    overlaid,
    question,
)

__all__ = [
    "Case",
    "Check",
    "Close",
    "NotebookError",
    "Question",
    "QuestionError",
    "build",
    "case",
    "check_notebook",
    "drivers",
    "load_questions",
    "overlaid",
    "question",
    "stale",
]
