"""Small tasks with answers that can be checked: sums, letters, sorting, and look-ups in tables.

Every task has several phrasings to train on and others that are kept for testing, and a verifier
that checks an answer by its property (sorted, reversed, equal to the sum), not against a string.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from coursekit._validate import count, generator
from coursekit.data.tables import load_table

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Problem(NamedTuple):
    """One thing to do.

    Attributes
    ----------
    task : str
        Name of its task in `TASKS`.
    instruction : str
        What is asked.
    answer : str
        A right answer.
    given : tuple
        What the instruction is about, for the verifier.
    """

    task: str
    instruction: str
    answer: str
    given: tuple[Any, ...]


@dataclass(frozen=True)
class Task:
    """A kind of problem.

    Parameters
    ----------
    draw : callable
        ``draw(rng)`` gives what a problem is about.
    spell : callable
        ``spell(*given)`` gives the words that fill a phrasing's places.
    answer : callable
        ``answer(*given)`` gives a right answer.
    verify : callable
        ``verify(text, *given)`` tells whether a text is a right answer.
    phrasings, held_out : tuple of str
        To train on, and to test with.
    """

    draw: Callable[[np.random.Generator], tuple[Any, ...]]
    spell: Callable[..., dict[str, str]]
    answer: Callable[..., str]
    verify: Callable[..., bool]
    phrasings: tuple[str, ...]
    held_out: tuple[str, ...]


def numbers_in(text: str) -> list[int]:
    """Return the whole numbers of a text, in order.

    Examples
    --------
    >>> numbers_in("3, 1 and -2")
    [3, 1, -2]
    """
    return [int(n) for n in re.findall(r"-?\d+", text)]


def _letters(text: str) -> list[str]:
    """Letters that stand alone."""
    return re.findall(r"\b[a-z]\b", text)


def _spaced(symbols: Sequence[Any]) -> str:
    return " ".join(map(str, symbols))


def _draw_sum(rng: np.random.Generator) -> tuple[int, int]:
    a, b = rng.integers(0, 21, 2)
    return int(a), int(b)


def _draw_digits(rng: np.random.Generator) -> tuple[tuple[int, ...]]:
    return (tuple(int(d) for d in rng.integers(0, 10, rng.integers(2, 6))),)


def _draw_letters(rng: np.random.Generator) -> tuple[tuple[str, ...]]:
    return (tuple(LETTERS[i] for i in rng.integers(0, 26, rng.integers(2, 6))),)


@cache
def makers() -> tuple[tuple[str, str], ...]:
    """Return each accelerator of the course's table with who makes it.

    Examples
    --------
    >>> ("AMD Instinct MI300X", "AMD") in makers() or len(makers()) > 20
    True
    """
    rows = load_table("accelerators").rows
    return tuple(sorted({(str(row["name"]), str(row["vendor"])) for row in rows}))


def _draw_maker(rng: np.random.Generator) -> tuple[str, str]:
    return makers()[int(rng.integers(len(makers())))]


TASKS: dict[str, Task] = {
    "add": Task(
        draw=_draw_sum,
        spell=lambda a, b: {"a": str(a), "b": str(b)},
        answer=lambda a, b: str(a + b),
        verify=lambda text, a, b: numbers_in(text) == [a + b],
        phrasings=(
            "What is {a} + {b}?",
            "Add {a} and {b}.",
            "Compute {a} + {b}.",
            "Give the sum of {a} and {b}.",
            "{a} plus {b} is",
            "How much is {a} plus {b}?",
            "Tell me the sum of {a} and {b}.",
            "If you add {a} to {b}, what do you get?",
            "Please add {a} and {b}.",
            "What do {a} and {b} make together?",
        ),
        held_out=("What do you get if you add {a} and {b}?", "Tell me {a} plus {b}."),
    ),
    "sort": Task(
        draw=_draw_digits,
        spell=lambda digits: {"x": _spaced(digits)},
        answer=lambda digits: _spaced(sorted(digits)),
        verify=lambda text, digits: (
            sorted(found := numbers_in(text)) == found and sorted(digits) == found
        ),
        phrasings=(
            "Sort the numbers {x}.",
            "Put {x} in order.",
            "Write {x} from small to large.",
            "Sort: {x}",
            "Order the digits {x}, smallest first.",
            "Which order have {x} when sorted?",
            "Please put {x} in order.",
            "Sort {x} for me.",
            "Arrange the digits {x}, smallest first.",
            "Tell me {x} from small to large.",
        ),
        held_out=("Please sort {x} for me.", "Arrange {x} from small to large."),
    ),
    "reverse": Task(
        draw=_draw_letters,
        spell=lambda letters: {"x": _spaced(letters)},
        answer=lambda letters: _spaced(letters[::-1]),
        verify=lambda text, letters: _letters(text)[::-1] == list(letters),
        phrasings=(
            "Reverse the letters {x}.",
            "Write {x} backwards.",
            "Reverse: {x}",
            "Spell {x} from the end.",
            "Give the letters {x} in reverse.",
            "Turn around {x}.",
            "Please spell {x} backwards.",
            "Say {x} from the end.",
            "Write the letters {x} in reverse.",
            "Tell me {x} in reverse.",
        ),
        held_out=("Please write {x} in reverse.", "Say {x} backwards."),
    ),
    "last": Task(
        draw=_draw_letters,
        spell=lambda letters: {"x": _spaced(letters)},
        answer=lambda letters: letters[-1],
        verify=lambda text, letters: _letters(text) == [letters[-1]],
        phrasings=(
            "What is the last letter of {x}?",
            "Last of {x}:",
            "Name the letter at the end of {x}.",
            "Give the last of the letters {x}.",
            "Which letter ends {x}?",
            "Copy the last letter of {x}.",
            "Tell me the letter at the end of {x}.",
            "Please name the last letter of {x}.",
            "With what does {x} end?",
            "Say which letter is the last of {x}.",
        ),
        held_out=("Tell me the last letter of {x}.", "With which letter does {x} end?"),
    ),
    "largest": Task(
        draw=_draw_digits,
        spell=lambda digits: {"x": _spaced(digits)},
        answer=lambda digits: str(max(digits)),
        verify=lambda text, digits: numbers_in(text) == [max(digits)],
        phrasings=(
            "What is the largest of {x}?",
            "Largest of {x}:",
            "Which number is the largest in {x}?",
            "Give the maximum of {x}.",
            "Find the greatest of {x}.",
            "Name the largest of the digits {x}.",
            "Tell me the greatest of {x}.",
            "Please give the largest of {x}.",
            "Find the maximum of the digits {x}.",
            "Say which of {x} is the largest.",
        ),
        held_out=("Tell me the largest of {x}.", "Please find the maximum of {x}."),
    ),
    "maker": Task(
        draw=_draw_maker,
        spell=lambda chip, _: {"x": chip},
        answer=lambda _, maker: maker,
        verify=lambda text, _, maker: text.strip().rstrip(".").casefold() == maker.casefold(),
        phrasings=(
            "Who makes the {x}?",
            "Which company makes the {x}?",
            "Name the maker of the {x}.",
            "The {x} is made by",
            "Whose chip is the {x}?",
            "Give the company behind the {x}.",
            "Tell me the maker of the {x}.",
            "Please name the company that makes the {x}.",
            "By whom is the {x} made?",
            "Say who builds the {x}.",
        ),
        held_out=("Tell me who makes the {x}.", "By which company is the {x} made?"),
    ),
}


def draw_problems(
    n: int,
    rng: np.random.Generator,
    *,
    tasks: Sequence[str] = tuple(TASKS),
    held_out: bool = False,
) -> list[Problem]:
    """Draw problems, each task equally likely.

    Parameters
    ----------
    n : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.
    tasks : sequence of str
        Names in `TASKS`.
    held_out : bool
        Whether to phrase them in the ways that are kept for testing.

    Returns
    -------
    list of Problem

    Raises
    ------
    ValueError
        If there is no such task, or none at all.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> problem = draw_problems(1, rng, tasks=["reverse"])[0]
    >>> problem.instruction, problem.answer
    ('Reverse the letters q n h i b.', 'b i h n q')
    """
    count(n, "n")
    generator(rng)
    if not tasks or set(tasks) - set(TASKS):
        raise ValueError(f"tasks is {list(tasks)}; some of {', '.join(TASKS)} wanted.")
    return [_one(tasks[int(rng.integers(len(tasks)))], rng, held_out) for _ in range(n)]


def _one(name: str, rng: np.random.Generator, held_out: bool) -> Problem:
    task = TASKS[name]
    given = task.draw(rng)
    phrasings = task.held_out if held_out else task.phrasings
    phrasing = phrasings[int(rng.integers(len(phrasings)))]
    return Problem(name, phrasing.format(**task.spell(*given)), task.answer(*given), given)


def parse_answer(text: str) -> str:
    """Return the answer in a response: its first line, or what follows ``answer:`` in the last.

    Parameters
    ----------
    text : str
        What the model wrote.

    Returns
    -------
    str
        Empty if there is none.

    Examples
    --------
    >>> parse_answer("42"), parse_answer("17 + 25 is 30 + 12. Answer: 42")
    ('42', '42')
    """
    marked = re.findall(r"answer:\s*(.+)", text, flags=re.IGNORECASE)
    lines = marked or text.strip().splitlines()
    return str(lines[-1] if marked else lines[0]).strip() if lines else ""


def is_right(problem: Problem, response: str) -> bool:
    """Tell whether a response answers a problem, by the task's verifier.

    Parameters
    ----------
    problem : Problem
        What was asked.
    response : str
        What was said.

    Returns
    -------
    bool

    Examples
    --------
    >>> problem = Problem("sort", "Sort: 3 1 2", "1 2 3", ((3, 1, 2),))
    >>> is_right(problem, "1 2 3"), is_right(problem, "1, 2, 3"), is_right(problem, "1 3")
    (True, True, False)
    """
    return TASKS[problem.task].verify(parse_answer(response), *problem.given)
