"""Questions about this book with known answers and places, and how an agent does on them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from coursekit.landscape.agent import Trace

FILE = Path(__file__).parent / "evaluation.toml"
KINDS = (
    *("calculation", "table", "two steps", "date", "definition", "explanation"),
    "not in the book",
)


@dataclass(frozen=True)
class Question:
    """A question whose answer is known.

    Attributes
    ----------
    id, kind, asks, otherwise : str
        Its name, one of `KINDS`, the question, and the same in words that the planner's rules
        were not written for.
    answers : tuple of str
        One of them must occur in the answer; none where the book does not say.
    places : tuple of str
        Beginnings of the sources that hold it.
    """

    id: str
    kind: str
    asks: str
    otherwise: str
    answers: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What an agent made of a question.

    Attributes
    ----------
    question : Question
        Which.
    trace : Trace
        What it did.
    right : bool
        The answer holds what it must; or nothing was said where there is nothing to say.
    placed : bool
        One of its sources is a right place; True where there is none to name.
    """

    question: Question
    trace: Trace
    right: bool
    placed: bool

    @property
    def outcome(self) -> str:
        """In a word: ``"right"``, ``"wrong"`` (something false was said), or ``"silent"``."""
        if self.right and self.placed:
            return "right"
        return "wrong" if self.trace.answer else "silent"


@cache
def load_questions() -> tuple[Question, ...]:
    """Return the questions, in the file's order.

    Raises
    ------
    ValueError
        If a kind is unknown, or a question that has an answer names no place.

    Examples
    --------
    >>> questions = load_questions()
    >>> len(questions) >= 25, questions[0].asks
    (True, 'What is 6 * 7e9 * 2e12?')
    """
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["question"]
    found = tuple(
        Question(
            *(r["id"], r["kind"], r["asks"], r["otherwise"]),
            *(tuple(r["answers"]), tuple(r["places"])),
        )
        for r in rows
    )
    for q in found:
        if q.kind not in KINDS or bool(q.answers) != bool(q.places):
            raise ValueError(f"question {q.id!r} has the kind {q.kind!r}, or answers and no place.")
    return found


def judge(question: Question, trace: Trace) -> Verdict:
    """Compare a trace with what is known.

    Parameters
    ----------
    question : Question
        With the known answer.
    trace : Trace
        What an agent did with it.

    Examples
    --------
    >>> question = Question("q", "date", "When?", "Since when?", ("1997",), ("table",))
    >>> trace = Trace("When?", (), "1997: LSTM", ("table timeline",), "answered")
    >>> judge(question, trace).outcome
    'right'
    """
    said = trace.answer.lower()
    if not question.answers:
        return Verdict(question, trace, not said, True)
    right = any(answer.lower() in said for answer in question.answers)
    placed = any(s.startswith(p) for s in trace.sources for p in question.places)
    return Verdict(question, trace, right, placed)


def evaluate_agent(
    answer: Callable[[str], Trace],
    questions: Sequence[Question] | None = None,
    *,
    otherwise: bool = False,
) -> list[Verdict]:
    """Ask every question, and judge.

    Parameters
    ----------
    answer : callable
        From a question to a trace.
    questions : sequence of Question, optional
        Those of the file by default.
    otherwise : bool, default False
        Whether to ask in the other words.

    Returns
    -------
    list of Verdict

    Examples
    --------
    >>> silent = lambda asks: Trace(asks, (), "", (), "not found")
    >>> verdicts = evaluate_agent(silent)
    >>> {v.outcome for v in verdicts if v.question.kind == "not in the book"}
    {'right'}
    """
    chosen = load_questions() if questions is None else questions
    return [judge(q, answer(q.otherwise if otherwise else q.asks)) for q in chosen]


def by_kind(verdicts: Sequence[Verdict]) -> dict[str, dict[str, int]]:
    """Count right, wrong and silent for each kind.

    Examples
    --------
    >>> silent = lambda asks: Trace(asks, (), "", (), "not found")
    >>> by_kind(evaluate_agent(silent, load_questions()[:3]))
    {'calculation': {'right': 0, 'wrong': 0, 'silent': 3}}
    """
    kinds = dict.fromkeys(v.question.kind for v in verdicts)
    return {
        kind: {
            outcome: sum(v.outcome == outcome for v in verdicts if v.question.kind == kind)
            for outcome in ("right", "wrong", "silent")
        }
        for kind in kinds
    }
