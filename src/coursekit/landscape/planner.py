"""Rules that choose the next tool: what a language model would do, written out.

Each rule looks at the question and at the steps so far, and returns the next action, or None
where it has nothing to say. They understand a handful of forms, and say so when none fits. A
language model in their place would understand far more, and would also follow what it reads:
``coursekit.landscape.injection`` shows that.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from coursekit.landscape.agent import Action, Planner, Step
from coursekit.landscape.facts import NAMES, Figure, asked_for, named
from coursekit.landscape.quote import Quote, Quoter
from coursekit.landscape.text import words_of

Rule = Callable[[str, tuple[Step, ...]], Action | None]

SURE, ENOUGH, DEEPEST = 0.9, 0.65, 4
"""Share of the question's words in a quote at which reading stops; the least that answers; and how
many sections are read."""

_SUM = re.compile(r"(?<![\w.])[-(\d][\d\s.,e+*/%^()×−-]*[-+*/%^×−][\d\s.e+*/%^()×−-]*[\d)]")
_FUNCTION = re.compile(r"\b(?:sqrt|log2?|log10|exp)\([^a-z]*\)")
_TIMES = re.compile(r"how many times|ratio of|how much (?:more|larger|faster|bigger)", re.I)
_MOST = re.compile(r"\b(largest|most|biggest|highest|smallest|least|lowest)\b", re.I)
_WHEN = re.compile(r"\b(?:when (?:was|were|did|is)|(?:in )?(?:which|what) year)\b", re.I)
_BITS = re.compile(r"\bin (\d+)[- ]bits?\b|\bat (\d+)[- ]bits?\b", re.I)


def arithmetic(question: str, steps: tuple[Step, ...]) -> Action | None:
    """Calculate an expression that stands in the question.

    Examples
    --------
    >>> arithmetic("What is 6 * 7e9 * 2e12?", ()).argument
    '6 * 7e9 * 2e12'
    """
    found = _FUNCTION.search(question) or _SUM.search(question)
    if not found:
        return None
    if not steps:
        return Action("The question holds a sum; I calculate it.", "calculate", found[0].strip())
    return _told("That is the value.", steps[0])


def comparison(question: str, steps: tuple[Step, ...]) -> Action | None:
    """Look up one figure of two things, and divide.

    "How many times the memory of A has B" asks for B over A, "how many times more … A than B" for
    A over B.
    """
    figure, names = _subject(question)
    if not (figure and len(names) == 2 and _TIMES.search(question)):
        return None
    if not re.search(r"\b(?:than|to)\b", question):
        names = names[::-1]
    if len(steps) < 2:
        return _fetch(figure, names[len(steps)])
    numbers = [_number(step) for step in steps[:2]]
    if None in numbers:
        return Action("A figure is missing, so there is no ratio.", "answer", "")
    if len(steps) == 2:
        return Action("Both are known; I divide.", "calculate", f"{numbers[0]} / {numbers[1]}")
    told = [step.observation.text for step in steps]
    answer = f"{told[2]} times ({told[0]}; {told[1]})"
    return Action("The ratio, with what it is made of.", "answer", answer)


def weights(question: str, steps: tuple[Step, ...]) -> Action | None:
    """Work out the memory that a model's parameters take at some number of bits."""
    bits, names = _BITS.search(question), named(question, "llms")
    if not (bits and names and re.search(r"bytes|memory|GB|space", question)):
        return None
    if not steps:
        return _fetch(Figure("llms", "params_total_b", ""), names[0])
    number = _number(steps[0])
    if number is None:
        return Action("The model's size is not known.", "answer", "")
    if len(steps) == 1:
        expression = f"{number} * {bits[1] or bits[2]} / 8"
        return Action("Billions of parameters times bytes each.", "calculate", expression)
    told = f"{steps[1].observation.text} GB ({steps[0].observation.text})"
    return Action("Billions of bytes are GB.", "answer", told)


def single_fact(question: str, steps: tuple[Step, ...]) -> Action | None:
    """Look up one figure of one thing, or the largest of all."""
    figure, names = _subject(question)
    most = _MOST.search(question)
    if not figure or not (names or (most and _about_chips(question))):
        return None
    looked = [s for s in steps if s.action.tool == "facts"]
    if not looked:
        if names:
            return _fetch(figure, names[0])
        small = str(most and most[1]).lower() in ("smallest", "least", "lowest")
        return _fetch(figure, "smallest" if small else "largest")
    if "not known" in looked[0].observation.text:
        return Action("The table says that it is not known.", "answer", "")
    return _told("That is the figure.", looked[0])


def event(question: str, steps: tuple[Step, ...]) -> Action | None:
    """Look a date up in the timeline; go on to the book where no event fits."""
    if not _WHEN.search(question):
        return None
    topic = " ".join(w for w in words_of(_WHEN.sub("", question)) if w not in _VERBS)
    if not steps:
        return Action("A date is asked for; I look in the timeline.", "dates", topic)
    first = steps[0].observation.text.split("\n")[0]
    wanted, held = set(words_of(topic)), set(words_of(first))
    if len(steps) > 1 or not wanted or len(wanted & held) < 0.6 * len(wanted):
        return None
    return Action("The first event fits.", "answer", first, (steps[0].observation.source,))


_VERBS = frozenset(
    words_of(
        "published proposed released invented introduced announced launched appear come out "
        "popularised signed win won beat paper first"
    )
)


def from_the_book(quoter: Quoter, enough: float) -> Rule:
    """Return the rule that searches, reads the best sections, and quotes.

    Parameters
    ----------
    quoter : Quoter
        Chooses the sentences.
    enough : float
        The least share of the question's words that a quote must hold.
    """

    def rule(question: str, steps: tuple[Step, ...]) -> Action | None:
        searches = [s for s in steps if s.action.tool == "search"]
        if not searches:
            return Action("I look for sections about it.", "search", question)
        places = [line.split(" | ")[0] for line in searches[0].observation.text.split("\n")]
        read = [s for s in steps if s.action.tool == "read"]
        quotes = [(_quote(quoter, question, s), s.observation.source) for s in read]
        best, place = max(quotes, key=lambda q: q[0].coverage, default=(Quote("", 0.0), ""))
        unread = [p for p in places[:DEEPEST] if p and p not in [s.action.argument for s in read]]
        if best.coverage < SURE and unread:
            return Action("I read the best section not yet read.", "read", unread[0])
        if best.coverage < enough:
            return Action("Nothing I read holds enough of the question.", "answer", "")
        return Action("These sentences hold most of the question.", "answer", best.text, (place,))

    return rule


def rule_planner(quoter: Quoter, enough: float = ENOUGH) -> Planner:
    """Return the planner of ``coursekit ask``: the first rule that has something to say.

    Parameters
    ----------
    quoter : Quoter
        Over the sections of the book.
    enough : float
        The least share of the question's words, by weight, that a quote must hold to be given as
        an answer; lower, and more is answered and more of it wrong.

    Examples
    --------
    >>> planner = rule_planner(Quoter([]))
    >>> planner("What is 2 + 3?", ()).tool, planner("What is a mask?", ()).tool
    ('calculate', 'search')
    """
    rules = (weights, comparison, arithmetic, event, single_fact, from_the_book(quoter, enough))

    def plan(question: str, steps: tuple[Step, ...]) -> Action:
        actions = (rule(question, steps) for rule in rules)
        return next(action for action in actions if action is not None)

    return plan


def _subject(question: str) -> tuple[Figure | None, list[str]]:
    """Which figure, and of which rows: of the table that has both."""
    for table in NAMES:
        names, figure = named(question, table), asked_for(question, (table,))
        if names and figure:
            return figure, names
    return asked_for(question), []


def _about_chips(question: str) -> bool:
    return bool(re.search(r"\b(?:chip|accelerator|GPU|model)s?\b", question, re.I))


def _fetch(figure: Figure, name: str) -> Action:
    thought = f"The table {figure.table} has the column {figure.column}."
    return Action(thought, "facts", f"{figure.table} | {name} | {figure.column}")


def _told(thought: str, step: Step) -> Action:
    """Answer with what a step said, unless it failed."""
    said = step.observation
    return Action(thought, "answer", said.text if said.source else "", (said.source,))


def _number(step: Step) -> str | None:
    """The number in a fact, which stands after the colon."""
    found = re.search(r": ([-\d.e+]+)", step.observation.text)
    return found[1] if found else None


def _quote(quoter: Quoter, question: str, step: Step) -> Quote:
    title, _, text = step.observation.text.partition("\n\n")
    return quoter(question, text, title)
