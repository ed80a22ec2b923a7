"""What may be said of an answer to hidden inputs: right or not, what kind of difference."""

import builtins
from collections.abc import Callable
from functools import partial
from typing import Any

from coursekit.grading.public import agree, all_agree, outcomes
from coursekit.grading.question import Case, Question
from coursekit.grading.run import Outcome
from coursekit.grading.sandbox import SandboxDied

RIGHT = "right"
# Words of a comparison's sentence, and what is said in their place.
KINDS = {
    "has shape": "the shape is not the one wanted",
    "came back as": "a value of another type came back",
    " is nan": "a value that is not a number came back",
    " is infinite": "an infinite value came back",
    "holds": "the numbers are of another kind (dtype)",
    "has the keys": "the dictionary has other keys",
    "values were wanted": "another number of values came back",
}
DEATHS = {
    "time limit": "It was stopped after {seconds:g} seconds. Does a loop never end?",
    "total time limit": "The submission had used up its time before this question was done.",
    "memory limit": "It was stopped: it took more memory than a notebook has.",
    "process limit": "It was stopped: it started too many processes or threads.",
    "output limit": "It was stopped: it printed more than is kept.",
    "disk limit": "It was stopped: it wrote more to the disk than is allowed.",
    "reply limit": "It was stopped: its result is too large to be sent.",
    "ended": "It ended Python. Return a value instead.",
}


def compared(compare: Any, found: Outcome, wanted: Outcome) -> tuple[str, str]:
    """``("right", "")``, or ``("wrong", why)`` with no value of either in it."""
    if _safely(lambda: agree(compare, found, wanted)):
        return RIGHT, ""
    return "wrong", kind_of_difference(compare, found, wanted)


def _safely(test: Callable[[], bool]) -> bool:
    """``test()``; what a comparison cannot bear does not agree."""
    try:
        return test()
    except Exception:
        return False


def kind_of_difference(compare: Any, found: Outcome, wanted: Outcome) -> str:
    """Say how ``found`` differs, in words that hold nothing of the inputs.

    Even the name of an exception could carry a value out, so only Python's own are named.
    """
    if found.error == "TimeLimit":
        return "it took too long"
    if found.error:
        own = isinstance(getattr(builtins, found.error, None), type)
        return f"it stopped with {found.error if own else 'an exception of its own'}"
    try:
        text = compare.difference(found.value, wanted.value)
    except Exception:
        return "the value cannot be compared"
    if not text:
        return "it changed its inputs"
    return next((said for words, said in KINDS.items() if words in text), "the values differ")


def hint_of(q: Question, cases: list[Case], found: list[Outcome]) -> str:
    """The hint of the known mistake that gives the same on all of these inputs, or nothing."""
    if len(found) < len(cases):
        return ""
    for hint, wrong in q.mistakes.items():
        if _safely(partial(all_agree, q.compare, found, outcomes(q, wrong, cases))):
            return hint
    return ""


def stopped(death: SandboxDied, seconds: float) -> str:
    """What a student reads where a call ended the process."""
    says = DEATHS.get(death.reason, f"It was stopped: {death.reason}.")
    return says.format(seconds=seconds)
