"""From an answer to one kind sentence: what was tried, what came back, what was wanted, and why."""

import difflib
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coursekit.grading import wire
from coursekit.grading.drivers import AnswerError
from coursekit.grading.public import PublicCase, PublicQuestion, agree, all_agree, earned
from coursekit.grading.run import Outcome, attempt, make_driver
from coursekit.grading.show import LONGEST, call_text, value_text

PASSED, WRONG, UNFINISHED, MISSING, WRITTEN = (
    "passed",
    "not yet",
    "not started",
    "not found",
    "for your teacher",
)

ENDED = "Ended"
NO_VALUE = {
    "TimeLimit": "nothing in time",
    ENDED: "nothing",
    AnswerError.__name__: "nothing that can be compared",
}
Again = Callable[[PublicCase], Outcome]
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
        return absent(q, [name for name, value in namespace.items() if callable(value)])
    answer = namespace[q.asks]
    if q.kind == "manual":
        return written(q, answer)
    if not callable(answer):
        return not_callable(q, type(answer).__name__)

    def again(c: PublicCase) -> Outcome:
        return attempt(answer, c.inputs, make_driver(q.driver), q.seconds)

    return judge(q, _try_all(q, answer), again)


def absent(q: PublicQuestion, names: list[str]) -> Diagnosis:
    """Say that the answer is not there; ``names`` are those of functions that are."""
    mine = [name for name in names if name[:1] != "_"]
    near = difflib.get_close_matches(q.asks, mine, n=1)
    guess = f" There is a `{near[0]}`: is it the same, spelled differently?" if near else ""
    return Diagnosis(
        MISSING,
        f"`{q.asks}` does not exist in this notebook yet.{guess} "
        "Run the cell that defines it, then this one.",
    )


def not_callable(q: PublicQuestion, kind: str) -> Diagnosis:
    """Say that the answer is a value of type ``kind`` where a function or class is asked for."""
    return Diagnosis(WRONG, f"`{q.asks}` is a {kind}; a function or class is asked for.")


def written(q: PublicQuestion, answer: Any) -> Diagnosis:
    """What there is to say of a text that a person will read."""
    if not isinstance(answer, str):
        kind = type(answer).__name__
        return Diagnosis(WRONG, f"`{q.asks}` is a {kind}; write your answer as a string.")
    words = len(answer.split())
    if words == 0:
        return Diagnosis(UNFINISHED, f"`{q.asks}` is empty. Your teacher reads what you write.")
    criteria = "; ".join(f"{text} ({points})" for points, text in q.rubric)
    counted = "1 word" if words == 1 else f"{words} words"
    says = f"{counted}, which a person will read. The points are given for: {criteria}."
    return Diagnosis(WRITTEN, says)


def _try_all(q: PublicQuestion, answer: Any) -> list[Outcome]:
    """Try every case, all of them together for at most ``q.seconds``; stop at an endless one."""
    driver, outcomes, end = make_driver(q.driver), [], time.monotonic() + q.seconds
    for c in q.cases:
        outcomes.append(attempt(answer, c.inputs, driver, end - time.monotonic()))
        if outcomes[-1].error == "TimeLimit":
            break
    return outcomes


def judge(q: PublicQuestion, outcomes: list[Outcome], again: Again) -> Diagnosis:
    """Explain what came of the cases of ``q``, tried in their order.

    Parameters
    ----------
    q
        The question as published.
    outcomes
        One outcome a case. The later ones may lack, when a call took too long or ended its process;
        then the first that lacks counts as wrong.
    again
        Tries one case once more: a wrong answer that differs between two tries is told so.
    """
    if outcomes and all(_unfinished(o) for o in outcomes):
        return Diagnosis(UNFINISHED, _to_start(q))
    tried = [*outcomes, *[Outcome(error=ENDED)] * (len(q.cases) - len(outcomes))]
    right = [agree(q.compare, o, Outcome(c.wanted)) for c, o in zip(q.cases, tried, strict=True)]
    if all(right):
        names = "; ".join(c.name for c in q.cases)
        return Diagnosis(PASSED, f"Right on every public input: {names}.", points=q.points)
    number = right.index(False)
    first, outcome = q.cases[number], tried[number]
    came, wanted = _both(q, outcome, first.wanted)
    return Diagnosis(
        WRONG,
        _why(q, again, first, outcome),
        points=earned(q, right),
        case=first.name,
        tried=call_text(q, first.inputs),
        came=came,
        wanted=wanted,
        hint=_hint(q, outcomes, number),
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


def _why(q: PublicQuestion, again: Again, c: PublicCase, outcome: Outcome) -> str:
    if outcome.error == "TimeLimit":
        return (
            f"It was stopped after {q.seconds:g} seconds. Does a loop never end? "
            "These inputs are small: a right answer needs far less."
        )
    if outcome.error:
        return _raised(outcome)
    if not _repeats(q, again, c, outcome):
        return (
            "The same inputs gave two different answers. Use only the inputs: no random numbers "
            "of your own, and nothing kept from the call before."
        )
    difference = q.compare.difference(outcome.value, c.wanted)
    if outcome.changed and not difference:
        return "The value is right, but your code changed its input. Work on a copy."
    warning = f" (Python warned: {outcome.warning}.)" if outcome.warning else ""
    return difference[:1].upper() + difference[1:] + warning


def _repeats(q: PublicQuestion, again: Again, c: PublicCase, outcome: Outcome) -> bool:
    """Whether the same call gives the same value again; true of values that cannot be compared."""
    try:
        wire.encode(outcome.value)
    except wire.WireError:
        return True
    second = again(c)
    return bool(second.error) or not q.compare.difference(second.value, outcome.value)


def _raised(outcome: Outcome) -> str:
    where = f", in {outcome.line}" if outcome.line else ""
    if outcome.error == ENDED:
        return "Nothing came back: the call ended Python. Return a value instead."
    if outcome.error == AnswerError.__name__:  # a driver has said what is wrong
        return outcome.message
    if outcome.error == "SystemExit":
        return f"It tried to end Python{where}. Return a value instead."
    if outcome.error == "NotImplementedError":
        return f"A part of it is not written yet{where}."
    colon = f": {outcome.message}" if outcome.message else ""
    return f"It stopped with {outcome.error}{colon}{where}."


def _both(q: PublicQuestion, outcome: Outcome, wanted: Any) -> tuple[str, str]:
    """What came back and what was wanted; of dictionaries too long to show, what differs."""
    if outcome.error:
        return NO_VALUE.get(outcome.error, outcome.error), value_text(wanted)
    got = outcome.value
    if len(value_text(wanted)) == LONGEST and _same_keys(got, wanted):
        apart = [k for k in wanted if q.compare.difference(got[k], wanted[k])]
        got, wanted = ({k: each[k] for k in apart} or each for each in (got, wanted))
    return value_text(got), value_text(wanted)


def _same_keys(got: Any, wanted: Any) -> bool:
    plain = type(got) is type(wanted) is dict and all(type(k) is str for k in got)
    return plain and got.keys() == wanted.keys()


def _hint(q: PublicQuestion, outcomes: list[Outcome], first: int) -> str:
    """The hint of the known mistake that answers alike on all cases, else on the ``first`` wrong.

    Two mistakes at once agree with neither everywhere, but often with one of them somewhere.
    """
    if len(outcomes) == len(q.cases):
        for m in q.mistakes:
            if all_agree(q.compare, outcomes, m.outcomes):
                return m.hint
    if first >= len(outcomes) or outcomes[first].error:  # the same exception, another cause
        return ""
    alike = [m.hint for m in q.mistakes if agree(q.compare, outcomes[first], m.outcomes[first])]
    return f"{PERHAPS} {alike[0]}" if len(alike) == 1 else ""


def _fingerprint(outcomes: list[Outcome]) -> str:
    """Same for two answers that do the same: running one cell twice is one attempt."""
    text = "\n".join(f"{o.error}|{o.message}|{o.line}|{value_text(o.value)}" for o in outcomes)
    return hashlib.sha256(text.encode()).hexdigest()
