"""Asking the tables of the book: which thing, which of its figures."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import NamedTuple

from coursekit.data.tables import Row, Table, load_table

NAMES = {"accelerators": "name", "llms": "model"}
"""The tables that answer, and the column that names a row."""

FIGURES: tuple[tuple[str, str, str, str], ...] = (
    (r"bandwidth", "accelerators", "bandwidth_gb_s", "GB/s"),
    (r"transistor", "accelerators", "transistors_billion", "billion transistors"),
    (r"die area|area|large is the die", "accelerators", "die_area_mm2", "mm²"),
    (r"memory", "accelerators", "memory_gb", "GB"),
    (r"power|watts?|tdp", "accelerators", "tdp_w", "W"),
    (r"process|node", "accelerators", "process_node", ""),
    (r"foundry|manufactur", "accelerators", "foundry", ""),
    (r"bf16|16[- ]bit|tflops", "accelerators", "bf16_tflops", "TFLOP/s"),
    (r"year|when|released|launch", "accelerators", "year", ""),
    (r"parameters", "llms", "params_total_b", "billion parameters"),
    (r"tokens", "llms", "tokens_trained_b", "billion tokens"),
    (r"context", "llms", "context_tokens", "tokens"),
    (r"released?|when|year", "llms", "release", ""),
    (r"who made|which company|organi[sz]ation", "llms", "org", ""),
)
"""Words of a question, and the table, column and unit that they mean; the first that fits."""

_SPLIT = re.compile(r"[\s()/,;:?!\"']+")


class Figure(NamedTuple):
    """What a question asks for.

    Attributes
    ----------
    table, column, unit : str
        Where it stands, and in what it is counted.
    """

    table: str
    column: str
    unit: str


class Fact(NamedTuple):
    """A cell of a table.

    Attributes
    ----------
    name : str
        Of the row.
    figure : Figure
        Of the column.
    value : str, float or None
        None where it is not known.
    source, as_of : str
        Where it was read, and when it held.
    """

    name: str
    figure: Figure
    value: str | float | None
    source: str
    as_of: str

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.name}: {self.figure.column} is not known"
        shown = f"{self.value:g}" if isinstance(self.value, float) else str(self.value)
        return f"{self.name}: {shown} {self.figure.unit}".rstrip()


def tokens(text: str) -> list[str]:
    """Split text at blanks and brackets, hyphens kept, as names of models need it.

    Examples
    --------
    >>> tokens("How large is GPT-3 (davinci)?")
    ['how', 'large', 'is', 'gpt-3', 'davinci']
    """
    return [part.strip(".").lower() for part in _SPLIT.split(text) if part.strip(".")]


@cache
def _rarity(table: str) -> Counter[str]:
    """In how many names of a table each token stands."""
    return Counter(t for row in load_table(table) for t in set(tokens(_name(table, row))))


def _name(table: str, row: Row) -> str:
    return str(row[NAMES[table]])


def named(question: str, table: str) -> list[str]:
    """Return the rows that a question names, in the order in which it does.

    A row is named by the tokens of its name that few other names have; of several that fit
    equally, the first in the table is meant.

    Parameters
    ----------
    question : str
        In words.
    table : str
        Of :data:`NAMES`.

    Examples
    --------
    >>> named("Has the H20 more memory than the A100?", "accelerators")
    ['NVIDIA H20', 'NVIDIA A100 SXM4 40GB']
    """
    rare, left, found = _rarity(table), tokens(question), []
    names = [_name(table, row) for row in load_table(table)]
    while True:
        scored = [(_fit(tokens(name), left, rare), -i) for i, name in enumerate(names)]
        score, place = max(scored)
        if score <= 0:
            break
        name = names[-place]
        first = next(i for i, t in enumerate(tokens(question)) if t in tokens(name) and t in left)
        found.append((first, name))
        left = [t for t in left if t not in tokens(name)]
    return [name for _, name in sorted(found)]


def _fit(name: list[str], question: list[str], rare: Counter[str]) -> float:
    """How well a name fits: rare shared tokens, less a little for those that are missing."""
    shared = [t for t in name if t in question]
    if not any(_telling(t, rare) for t in shared):
        return 0.0
    return sum(1 / rare[t] for t in shared) + 0.1 * len(shared) - 0.01 * len(name)


def _telling(token: str, rare: Counter[str]) -> bool:
    return rare[token] <= 6 and (any(c.isdigit() for c in token) or rare[token] <= 2)


def asked_for(question: str, tables: tuple[str, ...] = tuple(NAMES)) -> Figure | None:
    """Return which figure a question asks for; None where the tables have none such.

    Examples
    --------
    >>> asked_for("What is the memory bandwidth of the H100?")
    Figure(table='accelerators', column='bandwidth_gb_s', unit='GB/s')
    """
    for pattern, table, column, unit in FIGURES:
        if table in tables and re.search(rf"\b(?:{pattern})", question, re.IGNORECASE):
            return Figure(table, column, unit)
    return None


def look_up(name: str, figure: Figure) -> Fact:
    """Return a fact, its source with it.

    Parameters
    ----------
    name : str
        Of the row, in full.
    figure : Figure
        Which column.

    Raises
    ------
    KeyError, LookupError
        If the table has no such column or row.

    Examples
    --------
    >>> str(look_up("NVIDIA H20", Figure("accelerators", "memory_gb", "GB")))
    'NVIDIA H20: 96 GB'
    """
    table = load_table(figure.table)
    row = table.one(**{NAMES[figure.table]: name})
    table.column(figure.column)
    return _fact(row, figure)


def extreme(figure: Figure, *, largest: bool = True) -> Fact:
    """Return the fact with the largest, or smallest, known number of a column.

    Raises
    ------
    ValueError
        If the column holds no numbers.

    Examples
    --------
    >>> extreme(Figure("accelerators", "die_area_mm2", "mm²")).name
    'Cerebras WSE-2'
    """
    table: Table = load_table(figure.table)
    if table.column(figure.column).type == "string":
        raise ValueError(f"{figure.column} holds text; name a column of numbers.")
    rows = [row for row in table if row[figure.column] is not None]
    pick = max if largest else min
    return _fact(pick(rows, key=lambda row: float(row[figure.column] or 0)), figure)


def _fact(row: Row, figure: Figure) -> Fact:
    value = row[figure.column]
    kept = float(value) if isinstance(value, int | float) and figure.column != "year" else value
    name = _name(figure.table, row)
    shown = str(kept) if isinstance(kept, int) else kept
    return Fact(name, figure, shown, str(row["source"]), str(row["as_of"]))
