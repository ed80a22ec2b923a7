"""Outside figures that the course uses, each row with its source and date.

Beside this file lie one CSV a table and ``datapackage.json``, which names type, unit and meaning
of every column. What is missing is None, and :func:`known` refuses it: it is never taken as zero.
``coursekit facts`` shows the tables.
"""

from coursekit.data.tables.read import Column, Table, known, load_table, table_names, unconfirmed
from coursekit.data.tables.read import Row as Row  # for annotations
from coursekit.data.tables.select import select

__all__ = [
    "Column",
    "Table",
    "known",
    "load_table",
    "select",
    "table_names",
    "unconfirmed",
]
