"""From an answer to one kind sentence: what was tried, what came back, what was wanted, and why."""

import difflib
import hashlib
import time
from dataclasses import dataclass
from typing import Any

from coursekit.grading import wire
from coursekit.grading.public import PublicCase, PublicQuestion, agree, all_agree
from coursekit.grading.run import Outcome, attempt, make_driver
from coursekit.grading.show import call_text, value_text

PASSED, WRONG, UNFINISHED, MISSING, WRITTEN = (
    "passed",
    "not yet",
    "not started",
    "not found",
    "for your teacher",
)

PERHAPS = "Judging by this input alone:"


@dataclass(frozen=True)
class Diagnosis:
    """The result of one check of one question.

    ``attempt`` identifies what the answer did, and is empty where there was no honest attempt (a
    missing or unfinished answer).
    """

    status: str
    says: str
    points: int = 0
    case: str = ""
    tried: str = ""
    came: str = ""
    wanted: str = ""
    hint: str = ""
    attempt: str = ""


def diagnose(q: PublicQuestion, namespace: dict[str, Any]) -> Diagnosis:
    """Look the answer up in ``namespace``, try it on every public case, and explain the result."""
    if q.asks not in namespace:
        return Diagnosis(MISSING, _not_there(q, namespace))
    answer = namespace[q.asks]
    if q.kind == "manual":
        return _written(q, answer)
    if not callable(answer):
        kind = type(answer).__name__
        return Diagnosis(WRONG, f"`{q.asks}` is a {kind}; a function or class is asked for.")
    return _judge(q, answer, _try_all(q, answer))


def _not_there(q: PublicQuestion, namespace: dict[str, Any]) -> str:
    mine = [name for name, value in namespace.items() if name[:1] != "_" and callable(value)]
    near = difflib.get_close_matches(q.asks, mine, n=1)
    guess = f" There is a `{near[0]}`: is it the same, spelled differently?" if near else ""
    return (
        f"`{q.asks}` does not exist in this notebook yet.{guess} "
        "Run the cell that defines it, then this one."
    )


def _written(q: PublicQuestion, answer: Any) -> Diagnosis:
    if not isinstance(answer, str):
        kind = type(answer).__name__
        return Diagnosis(WRONG, f"`{q.asks}` is a {kind}; write your answer as a string.")
    words = len(answer.split())
    if words == 0:
        return Diagnosis(UNFINISHED, f"`{q.asks}` is empty. Your teacher reads what you write.")
    criteria = "; ".join(f"{text} ({points})" for points, text in q.rubric)
    says = f"{words} words, which a person will read. The points are given for: {criteria}."
    return Diagnosis(WRITTEN, says)


def _try_all(q: PublicQuestion, answer: Any) -> list[Outcome]:
    """Try every case, all of them together for at most ``q.seconds``; stop at an endless one."""
    driver, outcomes, end = make_driver(q.driver), [], time.monotonic() + q.seconds
    for c in q.cases:
        outcomes.append(attempt(answer, c.inputs, driver, end - time.monotonic()))
        if outcomes[-1].error == "TimeLimit":
            break
    return outcomes


def _judge(q: PublicQuestion, answer: Any, outcomes: list[Outcome]) -> Diagnosis:
    if all(_unfinished(o) for o in outcomes):
        return Diagnosis(UNFINISHED, _to_start(q))
    wanted = [Outcome(c.wanted) for c in q.cases]
    pairs = zip(q.cases, outcomes, wanted, strict=False)
    wrong = [(c, o) for c, o, w in pairs if not agree(q.compare, o, w)]
    if not wrong:
        names = "; ".join(c.name for c in q.cases)
        return Diagnosis(PASSED, f"Right on every public input: {names}.", points=q.points)
    first, outcome = wrong[0]
    return Diagnosis(
        WRONG,
        _why(q, answer, first, outcome),
        case=first.name,
        tried=call_text(q.asks, q.parameters, first.inputs),
        came=_came(outcome),
        wanted=value_text(first.wanted),
        hint=_hint(q, outcomes, q.cases.index(first)),
        attempt=_fingerprint(outcomes),
    )


def _unfinished(outcome: Outcome) -> bool:
    if outcome.error:
        return outcome.error == "NotImplementedError"
    return _empty(outcome.value)


def _empty(value: Any, depth: int = 0) -> bool:
    """Whether it is None or an ellipsis, or a tuple or list of nothing else (not of itself)."""
    if type(value) in (tuple, list) and len(value):
        return depth < 8 and all(_empty(part, depth + 1) for part in value)
    return value is None or value is Ellipsis


def _to_start(q: PublicQuestion) -> str:
    return (
        f"`{q.asks}` gives nothing yet. Put your answer where the `...` stands; "
        "if you have written one, it does not return (or draw) its result."
    )


def _why(q: PublicQuestion, answer: Any, c: PublicCase, outcome: Outcome) -> str:
    if outcome.error == "TimeLimit":
        return (
            f"It was stopped after {q.seconds:g} seconds. Does a loop never end? "
            "These inputs are small: a right answer needs far less."
        )
    if outcome.error:
        return _raised(outcome)
    if not _repeats(q, answer, c, outcome):
        return (
            "The same inputs gave two different answers. Use only the inputs: no random numbers "
            "of your own, and nothing kept from the call before."
        )
    difference = q.compare.difference(outcome.value, c.wanted)
    if outcome.changed and not difference:
        return "The value is right, but your code changed its input. Work on a copy."
    warning = f" (NumPy warned: {outcome.warning}.)" if outcome.warning else ""
    return difference[:1].upper() + difference[1:] + warning


def _repeats(q: PublicQuestion, answer: Any, c: PublicCase, outcome: Outcome) -> bool:
    """Whether the same call gives the same value again; true of values that cannot be compared."""
    try:
        wire.encode(outcome.value)
    except wire.WireError:
        return True
    again = attempt(answer, c.inputs, make_driver(q.driver), q.seconds)
    return bool(again.error) or not q.compare.difference(again.value, outcome.value)


def _raised(outcome: Outcome) -> str:
    where = f", in {outcome.line}" if outcome.line else ""
    if outcome.error == "SystemExit":
        return f"It tried to end Python{where}. Return a value instead."
    if outcome.error == "NotImplementedError":
        return f"A part of it is not written yet{where}."
    colon = f": {outcome.message}" if outcome.message else ""
    return f"It stopped with {outcome.error}{colon}{where}."


def _came(outcome: Outcome) -> str:
    if outcome.error == "TimeLimit":
        return "nothing in time"
    return outcome.error or value_text(outcome.value)


def _hint(q: PublicQuestion, outcomes: list[Outcome], first: int) -> str:
    """The hint of the known mistake that answers alike on all cases, else on the ``first`` wrong.

    Two mistakes at once agree with neither everywhere, but often with one of them somewhere.
    """
    if len(outcomes) == len(q.cases):
        for m in q.mistakes:
            if all_agree(q.compare, outcomes, m.outcomes):
                return m.hint
    if outcomes[first].error:  # the same exception may have another cause
        return ""
    alike = [m.hint for m in q.mistakes if agree(q.compare, outcomes[first], m.outcomes[first])]
    return f"{PERHAPS} {alike[0]}" if len(alike) == 1 else ""


def _fingerprint(outcomes: list[Outcome]) -> str:
    """Same for two answers that do the same: running one cell twice is one attempt."""
    text = "\n".join(f"{o.error}|{o.message}|{o.line}|{value_text(o.value)}" for o in outcomes)
    return hashlib.sha256(text.encode()).hexdigest()
