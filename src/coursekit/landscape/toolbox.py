"""The tools of the book's agent: search, read, facts, dates, calculate."""

from __future__ import annotations

from coursekit.data.tables import Row, load_table
from coursekit.landscape.agent import Observation, Tool
from coursekit.landscape.calculate import calculate
from coursekit.landscape.facts import FIGURES, Figure, extreme, look_up
from coursekit.landscape.retrieval import Index, KeywordIndex
from coursekit.landscape.text import Section

SHOWN = 5
"""Sections that a search lists."""


def book_tools(index: Index) -> dict[str, Tool]:
    """Return the tools that answer questions about the book.

    Parameters
    ----------
    index : Index
        Over the sections that may be read, such as :func:`coursekit.landscape.book_index`.

    Returns
    -------
    dict of str to Tool
        None of them changes anything.

    Examples
    --------
    >>> tools = book_tools(KeywordIndex([Section("a", "sec-a", "Masks", "A mask hides.")]))
    >>> list(tools)
    ['search', 'read', 'facts', 'dates', 'calculate']
    >>> tools["search"].run("mask").text
    'a#sec-a | Masks'
    >>> tools["facts"].run("accelerators | NVIDIA H20 | memory_gb").text
    'NVIDIA H20: 96 GB'
    """
    sections = {s.place: s for s in index.sections}
    timeline = timeline_index()

    def search(query: str) -> Observation:
        hits = index.search(query, SHOWN)
        return Observation("\n".join(f"{h.section.place} | {h.section.title}" for h in hits))

    def read(place: str) -> Observation:
        if place not in sections:
            raise LookupError(f"there is no section {place!r}; search first.")
        section = sections[place]
        return Observation(f"{section.title}\n\n{section.text}", place, trusted=False)

    def dates(query: str) -> Observation:
        hits = timeline.search(query, 3)
        return Observation("\n".join(h.section.text for h in hits), "table timeline")

    tools = (
        Tool("search", "Lists the sections that fit a query.", search),
        Tool("read", "Returns the text of a section.", read),
        Tool("facts", "Looks a figure up: TABLE | ROW | COLUMN, or largest as the row.", facts),
        Tool("dates", "Lists the events of the timeline that fit a query.", dates),
        Tool("calculate", "Evaluates arithmetic.", _calculator),
    )
    return {tool.name: tool for tool in tools}


def facts(request: str) -> Observation:
    """Answer ``TABLE | ROW | COLUMN`` from the tables; the row may be ``largest`` or ``smallest``.

    Raises
    ------
    ValueError, LookupError
        If the request is not of this form, or names what there is not.

    Examples
    --------
    >>> facts("accelerators | largest | memory_gb").source
    'table accelerators'
    """
    parts = [part.strip() for part in request.split("|")]
    if len(parts) != 3:
        raise ValueError(f"the request is {request!r}; TABLE | ROW | COLUMN wanted.")
    table, name, column = parts
    units = {(t, c): unit for _, t, c, unit in FIGURES}
    figure = Figure(table, column, units.get((table, column), ""))
    if name in ("largest", "smallest"):
        fact = extreme(figure, largest=name == "largest")
    else:
        fact = look_up(name, figure)
    return Observation(str(fact), f"table {table}")


def timeline_index() -> KeywordIndex:
    """Return an index of the timeline's events.

    Examples
    --------
    >>> timeline_index().search("AlexNet", 1)[0].section.text
    '2012: AlexNet wins ILSVRC-2012 (Krizhevsky, Sutskever, Hinton)'
    """
    return KeywordIndex(
        [
            Section("timeline", str(i), str(row["event"]), _event(row))
            for i, row in enumerate(load_table("timeline"))
        ]
    )


def _event(row: Row) -> str:
    return f"{row['year']}: {row['event']} ({row['who']})"


def _calculator(expression: str) -> Observation:
    return Observation(f"{calculate(expression):.6g}", "calculator")
