"""The book's agent, put together: what ``coursekit ask`` runs."""

from __future__ import annotations

from functools import cache

from coursekit.landscape.agent import Planner, Tools, Trace, run_agent
from coursekit.landscape.planner import ENOUGH, rule_planner
from coursekit.landscape.quote import Quoter
from coursekit.landscape.toolbox import book_tools
from coursekit.landscape.trained import book_index


@cache
def book_agent(enough: float = ENOUGH) -> tuple[Tools, Planner]:
    """Return the tools and the planner for questions about this book.

    Parameters
    ----------
    enough : float
        How much of a question a quote must hold, see :func:`rule_planner`.

    Examples
    --------
    >>> tools, planner = book_agent()
    >>> planner("What is beam search?", ()).tool
    'search'
    """
    index = book_index()
    return book_tools(index), rule_planner(Quoter(index.sections), enough)


def ask(question: str, *, max_steps: int = 8) -> Trace:
    """Answer a question about this book, or say that no answer was found.

    Parameters
    ----------
    question : str
        In English.
    max_steps : int, default 8
        Tools that may be used.

    Returns
    -------
    Trace
        The answer, where it stands, and every step on the way.

    Examples
    --------
    >>> trace = ask("How many parameters does GPT-3 have?")
    >>> trace.answer, trace.sources
    ('GPT-3: 175 billion parameters', ('table llms',))
    """
    return run_agent(question, *book_agent(), max_steps=max_steps)
