"""``check("softmax")`` in a notebook: practice, with a diagnosis, within a second."""

import os
import sys
from typing import Any

from coursekit.grading.diagnose import PASSED, Diagnosis, diagnose
from coursekit.grading.public import PublicQuestion, load
from coursekit.grading.report import Note, Report, Table, link
from coursekit.grading.show import call_text, value_text

ATTEMPTS = 2
SWITCH = "COURSEKIT_EXPLAIN"


class Check:
    """The practice checks of one assignment.

    Parameters
    ----------
    assignment
        Name of the assignment, as in ``Check("01-basics")``. An unknown name raises
        ``ValueError`` and lists those that exist.
    explain
        Whether :meth:`explain` may explain. A teacher closes it with ``explain=False`` in the
        notebook that goes to a class, or with the environment variable ``COURSEKIT_EXPLAIN=0`` for
        a whole server.

    Notes
    -----
    The data that a check compares with is public and ships with the package: inputs, wanted values
    and the answers of known mistakes, no solutions. The explanations ship with it too: closing them
    hides them from view, not from someone who opens the package. A check is for practice; it is not
    a grade.
    """

    def __init__(self, assignment: str, *, explain: bool = True) -> None:
        self.assignment = load(assignment)
        self._open = explain and os.environ.get(SWITCH) != "0"
        self._attempts: dict[str, set[str]] = {}
        self._points: dict[str, int] = {}

    def __call__(self, id: str, namespace: dict[str, Any] | None = None) -> Report:
        """Check the answer to question ``id`` and report.

        The answer is looked up by its name where the call is made, or in ``namespace``. An unknown
        ``id`` raises ``ValueError``; nothing that the answer does raises anything.
        """
        q = self.assignment[id]
        found = self._diagnose(q, _names(1) if namespace is None else namespace)
        return Report(q, found, self.assignment.page, self._total())

    def all(self, namespace: dict[str, Any] | None = None) -> Table:
        """Check every question and return a table."""
        names = _names(1) if namespace is None else namespace
        rows = [(q, self._diagnose(q, names)) for q in self.assignment.questions.values()]
        return Table(self.assignment.name, rows, self._total())

    def explain(self, id: str) -> Note:
        """Show a worked answer to question ``id`` and the section to read again.

        It opens once two different answers were tried, or a right one was. It holds the way to the
        answer in words and one of the public inputs with the value wanted for it, and no code.
        """
        q = self.assignment[id]
        tried = len(self._attempts.get(id, ()))
        address = link(self.assignment.page, q.section)
        again = f"Read again: [{q.section_title or 'the section of the chapter'}]({address})."
        if not self._open:
            return Note(f"Explanations are switched off here. {again}")
        if q.kind == "manual":
            return Note(
                f"**{q.title}** has a model answer in "
                f"`solutions/{self.assignment.name}/notebook.md`; compare after you have written "
                "yours."
            )
        if tried < ATTEMPTS and self._points.get(id) != q.points:
            return Note(
                f"The explanation of **{q.title}** opens after {ATTEMPTS} different attempts that "
                f"run; so far there {'is' if tried == 1 else 'are'} {tried}. "
                f'`check("{id}")` counts them.'
            )
        return Note(f"**{q.title}**\n\n{q.explain}\n\n{_worked(q)}\n\n{again}")

    def __repr__(self) -> str:
        known = ", ".join(self.assignment.questions)
        return f"Checks of {self.assignment.name}: {known}. {self._total()}"

    def _diagnose(self, q: PublicQuestion, namespace: dict[str, Any]) -> Diagnosis:
        found = diagnose(q, namespace)
        self._points[q.id] = found.points
        if found.status != PASSED and found.attempt:
            self._attempts.setdefault(q.id, set()).add(found.attempt)
        return found

    def _total(self) -> str:
        questions = self.assignment.questions.values()
        possible = sum(q.points for q in questions if q.kind == "code")
        by_hand = sum(q.points for q in questions if q.kind == "manual")
        more = f", and {by_hand} more from your teacher" if by_hand else ""
        return f"Points so far: {sum(self._points.values())} of {possible}{more}."


def _worked(q: PublicQuestion) -> str:
    """The public case that is shortest to read, with the value wanted for it, as Markdown."""
    texts = [(c.name, call_text(q, c.inputs), value_text(c.wanted)) for c in q.cases]
    name, call, wanted = min(texts, key=lambda text: len("".join(text)))
    return f"An example ({name}):\n\n```text\n{call}\n\n{wanted}\n```"


def _names(depth: int) -> dict[str, Any]:
    """What is defined where the caller of the caller stands."""
    frame = sys._getframe(depth + 1)
    return {**frame.f_globals, **frame.f_locals}
