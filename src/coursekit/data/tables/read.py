"""Reading the tables: typed columns, read-only rows, and errors that say what there is."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

Value = str | int | float | bool | None
Row = Mapping[str, Value]
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes
    ----------
    name : str
        Its heading, with the unit.
    type : {"string", "number", "integer", "boolean"}
        Of its values.
    description : str
        In words.
    required : bool
        Whether every row has it.
    allowed : tuple of str
        The values there may be; empty where any may.
    """

    name: str
    type: str
    description: str
    required: bool = False
    allowed: tuple[str, ...] = ()

    def read(self, cell: str) -> Value:
        """Return the value of a CSV cell, None for an empty one.

        Parameters
        ----------
        cell : str
            As it stands in the file.

        Raises
        ------
        ValueError
            If the cell does not fit the column.

        Examples
        --------
        >>> area = Column("die_area_mm2", "number", "Area of the dies.")
        >>> area.read("814"), area.read("")
        (814.0, None)
        """
        if cell == "":
            if self.required:
                raise ValueError(f"{self.name} is empty, and every row needs it.")
            return None
        if self.allowed and cell not in self.allowed:
            raise ValueError(f"{self.name} is {cell!r}; one of {', '.join(self.allowed)} wanted.")
        try:
            return _READERS[self.type](cell)
        except (KeyError, ValueError):
            raise ValueError(f"{self.name} is {cell!r}; a {self.type} wanted.") from None


_READERS: dict[str, Any] = {
    "string": str,
    "number": float,
    "integer": int,
    "boolean": {"true": True, "false": False}.__getitem__,
}


@dataclass(frozen=True)
class Table:
    """Rows of facts.

    Attributes
    ----------
    name, title : str
        What it is called, and what it holds.
    columns : tuple of Column
        Names, types, units and meanings.
    rows : tuple of mappings from column to value
        Read-only. Numbers are numbers; what is not known is None.
    show : tuple of str
        The columns that a short view shows.

    Examples
    --------
    >>> chips = load_table("accelerators")
    >>> chips.one(name="NVIDIA H100 SXM5 80GB")["die_area_mm2"]
    814.0
    >>> sorted(row["name"] for row in chips.where(vendor="Graphcore"))
    ['Graphcore Bow IPU']
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    show: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def column(self, name: str) -> Column:
        """Return the description of a column.

        Parameters
        ----------
        name : str
            Its heading.

        Raises
        ------
        KeyError
            If there is none; the message names the nearest.
        """
        names = [c.name for c in self.columns]
        if name not in names:
            raise KeyError(f"{self.name} has no column {name!r}{_nearest(name, names)}")
        return self.columns[names.index(name)]

    def where(self, **equal: Value) -> tuple[Row, ...]:
        """Return the rows in which every named column has the given value; there may be none.

        Parameters
        ----------
        **equal
            Column and value. Text is compared as it stands, None finds what is missing.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        for name in equal:
            self.column(name)
        return tuple(r for r in self.rows if all(r[k] == v for k, v in equal.items()))

    def one(self, **equal: Value) -> Row:
        """Return the one row in which every named column has the given value.

        Parameters
        ----------
        **equal
            As :meth:`where` takes them.

        Raises
        ------
        KeyError
            If there is no such column.
        LookupError
            If no row fits, or more than one does; the message says what there is.

        Examples
        --------
        >>> load_table("accelerators").one(name="H20")
        Traceback (most recent call last):
        LookupError: accelerators has no row with name='H20'; did you mean 'NVIDIA H20' or 'NVID...
        """
        found = self.where(**equal)
        asked = ", ".join(f"{k}={v!r}" for k, v in equal.items())
        if not found:
            hint = "."
            if len(equal) == 1:
                ((name, value),) = equal.items()
                hint = _nearest(str(value), [str(r[name]) for r in self.rows])
            raise LookupError(f"{self.name} has no row with {asked}{hint}")
        if len(found) > 1:
            raise LookupError(
                f"{self.name} has {len(found)} rows with {asked}; name further columns."
            )
        return found[0]


def known(row: Row, column: str) -> float:
    """Return a number of a row, and refuse one that is missing.

    Parameters
    ----------
    row : mapping
        A row of a table.
    column : str
        Which number.

    Raises
    ------
    KeyError
        If the row has no such column.
    TypeError
        If the column holds no numbers.
    ValueError
        If the figure is not known.

    Examples
    --------
    >>> known(load_table("accelerators").one(name="Google TPU v5p"), "die_area_mm2")
    Traceback (most recent call last):
    ValueError: die_area_mm2 of Google TPU v5p is not known; it is not zero. Leave the row out, ...
    """
    if column not in row:
        raise KeyError(f"the row has no column {column!r}{_nearest(column, list(row))}")
    value = row[column]
    if value is None:
        name = next(str(v) for v in row.values() if isinstance(v, str))
        raise ValueError(
            f"{column} of {name} is not known; it is not zero. Leave the row out, or find a "
            "source for the figure."
        )
    if isinstance(value, str):
        raise TypeError(f"{column} is {value!r}, which is text; name a column of numbers.")
    return float(value)


def unconfirmed(row: Row, column: str) -> bool:
    """Return whether a figure was not found again in any source.

    Parameters
    ----------
    row : mapping
        A row of a table.
    column : str
        Which figure.

    Examples
    --------
    >>> a100 = load_table("accelerators").one(name="NVIDIA A100 SXM4 40GB")
    >>> unconfirmed(a100, "bf16_tflops"), unconfirmed(a100, "fp64_matrix_tflops")
    (False, True)
    """
    if column not in row:
        raise KeyError(f"the row has no column {column!r}{_nearest(column, list(row))}")
    from_memory = str(row.get("fields_from_memory") or "").split(";")
    return row["verified"] == "memory" or column in from_memory


def table_names() -> tuple[str, ...]:
    """Return the names of all tables.

    Examples
    --------
    >>> "market" in table_names()
    True
    """
    return tuple(resource["name"] for resource in _package()["resources"])


@cache
def load_table(name: str) -> Table:
    """Read a table.

    Parameters
    ----------
    name : str
        One of :func:`table_names`.

    Raises
    ------
    KeyError
        If there is no such table; the message lists them.
    ValueError
        If a cell does not fit its column; the message says which line.

    Examples
    --------
    >>> load_table("export_thresholds").one(threshold_id="a.1")["value"]
    4800.0
    """
    for resource in _package()["resources"]:
        if resource["name"] == name:
            columns = tuple(map(_column, resource["schema"]["fields"]))
            rows = tuple(_rows(FOLDER / resource["path"], columns))
            return Table(name, resource["title"], columns, rows, tuple(resource["show"]))
    raise KeyError(f"no table {name!r}; there are {', '.join(table_names())}.")


@lru_cache(maxsize=1)
def _package() -> dict[str, Any]:
    return json.loads((FOLDER / "datapackage.json").read_text(encoding="utf-8"))


def _column(field: dict[str, Any]) -> Column:
    limits = field.get("constraints", {})
    return Column(
        field["name"],
        field["type"],
        field["description"],
        limits.get("required", False),
        tuple(limits.get("enum", ())),
    )


def _rows(path: Path, columns: tuple[Column, ...]) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        heading = next(reader)
        if heading != [c.name for c in columns]:
            raise ValueError(f"{path.name}: the heading is not that of datapackage.json.")
        for cells in reader:
            try:
                pairs = zip(columns, cells, strict=True)
                yield MappingProxyType({c.name: c.read(cell) for c, cell in pairs})
            except ValueError as error:
                raise ValueError(f"{path.name}, line {reader.line_num}: {error}") from None


def _nearest(name: str, names: list[str]) -> str:
    holding = [n for n in names if name.lower() in n.lower()]
    close = holding[:3] or get_close_matches(name, names, n=1)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
