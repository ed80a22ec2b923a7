"""A loop that answers with tools: plan, act, look, and again, with a record of every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from coursekit._validate import count

LONGEST = 16_000
"""Characters of an observation that a planner gets to see."""


@dataclass(frozen=True)
class Action:
    """What a planner wants done next.

    Attributes
    ----------
    thought : str
        Why, in words, for whoever reads the record.
    tool : str
        Name of a tool; ``"answer"`` ends the loop.
    argument : str
        What the tool is given, or the answer; an empty answer says that none was found.
    sources : tuple of str
        What an answer rests on; all that was read where it is empty.
    """

    thought: str
    tool: str
    argument: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observation:
    """What a tool gave back.

    Attributes
    ----------
    text : str
        For the planner to read.
    source : str
        Where it is from: a place in the book, a table, the tool itself.
    trusted : bool
        False for text that others wrote, such as a page: it is material, never an instruction.
    """

    text: str
    source: str = ""
    trusted: bool = True


@dataclass(frozen=True)
class Step:
    """One turn of the loop: what was wanted, and what came of it."""

    action: Action
    observation: Observation


@dataclass(frozen=True)
class Trace:
    """All that happened between a question and its answer.

    Attributes
    ----------
    question : str
        As asked.
    steps : tuple of Step
        In order.
    answer : str
        Empty where none was found.
    sources : tuple of str
        Where the observations are from that the answer rests on.
    ended : {"answered", "not found", "out of steps", "in circles"}
        Why the loop ended.
    """

    question: str
    steps: tuple[Step, ...]
    answer: str
    sources: tuple[str, ...]
    ended: Literal["answered", "not found", "out of steps", "in circles"]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and strings, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Tool:
    """What an agent may use.

    Attributes
    ----------
    name, does : str
        What it is called, and what it does in a sentence.
    run : callable
        Takes the argument, gives an observation, raises `ValueError` or `LookupError` where it
        cannot.
    effect : bool
        Whether it changes something outside, such as sending a message.
    """

    name: str
    does: str
    run: Callable[[str], Observation]
    effect: bool = False


Tools = Mapping[str, Tool]
Planner = Callable[[str, tuple[Step, ...]], Action]
Guard = Callable[[str, tuple[Step, ...], Action, Tool], str]
"""Returns why an action is refused, or an empty string."""


def run_agent(
    question: str,
    tools: Tools,
    planner: Planner,
    *,
    guard: Guard | None = None,
    max_steps: int = 6,
) -> Trace:
    """Let a planner use tools until it answers.

    A tool that fails does not end the loop: what it says is the next observation. An action that
    was taken before ends it, since nothing new can come of it.

    Parameters
    ----------
    question : str
        What to answer.
    tools : mapping of str to Tool
        By name.
    planner : callable
        Takes the question and the steps so far, returns the next :class:`Action`. A language
        model would stand here.
    guard : callable, optional
        May refuse an action, see ``coursekit/landscape/injection.py``.
    max_steps : int, default 6
        Tools that may be used.

    Returns
    -------
    Trace

    Raises
    ------
    ValueError
        If the question is empty.

    Examples
    --------
    >>> def planner(question, steps):
    ...     if not steps:
    ...         return Action("It looks like a greeting.", "echo", question)
    ...     return Action("The tool said it.", "answer", steps[-1].observation.text)
    >>> tools = {"echo": Tool("echo", "Says it again.", lambda text: Observation(text, "echo"))}
    >>> trace = run_agent("Hello", tools, planner)
    >>> trace.answer, trace.sources, trace.ended
    ('Hello', ('echo',), 'answered')
    """
    if not question.strip():
        raise ValueError("the question is empty; ask something.")
    steps: tuple[Step, ...] = ()
    while True:
        action = planner(question, steps)
        if action.tool == "answer":
            ended: Any = "answered" if action.argument else "not found"
            sources = (action.sources or used(steps)) if action.argument else ()
            return Trace(question, steps, action.argument, sources, ended)
        if len(steps) == count(max_steps, "max_steps"):
            return Trace(question, steps, "", (), "out of steps")
        if any(_same(step.action, action) for step in steps):
            return Trace(question, steps, "", (), "in circles")
        steps += (Step(action, _take(question, steps, action, tools, guard)),)


def _same(a: Action, b: Action) -> bool:
    return (a.tool, a.argument) == (b.tool, b.argument)


def _take(
    question: str, steps: tuple[Step, ...], action: Action, tools: Tools, guard: Guard | None
) -> Observation:
    """Use a tool, unless it does not exist or the guard refuses."""
    if action.tool not in tools:
        return Observation(f"There is no tool {action.tool!r}; there are {', '.join(tools)}.")
    tool = tools[action.tool]
    if guard and (why := guard(question, steps, action, tool)):
        return Observation(f"Refused: {why}")
    try:
        seen = tool.run(action.argument)
    except (ValueError, LookupError) as error:
        return Observation(f"{tool.name} failed: {error.args[0]}")
    return Observation(seen.text[:LONGEST], seen.source, seen.trusted)


def used(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Return the sources of what was read, each once; lists of search results are not read.

    Examples
    --------
    >>> found = Step(Action("", "search", "loss"), Observation("…", ""))
    >>> read = Step(Action("", "read", "01-basics"), Observation("…", "01-basics", False))
    >>> used((found, read, read))
    ('01-basics',)
    """
    return tuple(dict.fromkeys(s.observation.source for s in steps if s.observation.source))
