"""Rows of a table by conditions that are written out, as ``coursekit facts --where`` takes them."""

from __future__ import annotations

from coursekit.data.tables.read import Row, Table, Value


def select(table: Table, conditions: list[str]) -> tuple[Row, ...]:
    """Return the rows that meet every condition.

    Parameters
    ----------
    table : Table
        The facts.
    conditions : list of str
        Each ``COLUMN=VALUE``. Text is compared without regard to case, numbers as numbers; an
        empty value finds what is missing.

    Raises
    ------
    KeyError
        If there is no such column.
    ValueError
        If a condition is not of this form, or its value does not fit the column.

    Examples
    --------
    >>> from coursekit.data.tables import load_table
    >>> [row["name"] for row in select(load_table("accelerators"), ["die_area_mm2=826"])]
    ['NVIDIA A100 SXM4 40GB', 'NVIDIA A100 SXM4 80GB', 'NVIDIA A800 SXM4 80GB', 'Intel Gaudi2']
    """
    rows = table.rows
    for condition in conditions:
        name, equals, text = condition.partition("=")
        if not equals:
            raise ValueError(f"the condition is {condition!r}; COLUMN=VALUE wanted.")
        column = table.column(name)
        if column.type == "string" or text == "":
            rows = tuple(r for r in rows if _folded(r[name]) == text.casefold())
        else:
            wanted = column.read(text)
            rows = tuple(r for r in rows if r[name] == wanted)
    return rows


def _folded(value: Value) -> str:
    return "" if value is None else str(value).casefold()
