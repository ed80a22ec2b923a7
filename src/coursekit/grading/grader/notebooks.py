"""A notebook is data: its code cells in their order, and nothing else of it, is believed."""

import hashlib
import json
from typing import Any

MAX_BYTES = 20 << 20
MAX_CELLS = 2000
MAX_CODE = 2 << 20


class UnreadableError(ValueError):
    """The file is not a notebook that can be graded; the message says why."""


def cells(data: bytes) -> list[str]:
    r"""The sources of the code cells, in order.

    Outputs, metadata, cell ids and attachments are not looked at: a forged one changes nothing.

    Raises
    ------
    UnreadableError
        If the file is too large, not JSON, too deeply nested, or holds no code cell.

    Examples
    --------
    >>> cells(b'{"cells": [{"cell_type": "code", "source": ["x = 1\\n", "y = 2"]}]}')
    ['x = 1\ny = 2']
    """
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"The file is larger than {MAX_BYTES >> 20} MB.")
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"The file is not a notebook ({type(error).__name__}).") from error
    found = notebook.get("cells") if type(notebook) is dict else None
    if type(found) is not list:
        raise UnreadableError("The file has no list of cells: a notebook of format 4 is wanted.")
    sources = [_source(c) for c in found if type(c) is dict and c.get("cell_type") == "code"]
    _bounded(sources)
    return sources


def _bounded(sources: list[str]) -> None:
    if not sources:
        raise UnreadableError("The notebook has no code cell.")
    if len(sources) > MAX_CELLS:
        raise UnreadableError(f"The notebook has {len(sources)} code cells, above {MAX_CELLS}.")
    if (size := sum(map(len, sources))) > MAX_CODE:
        raise UnreadableError(f"The notebook's code has {size} characters, above {MAX_CODE}.")


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    if type(source) is list:
        source = "".join(part for part in source if type(part) is str)
    return printable(source) if type(source) is str else ""


def printable(text: str) -> str:
    """``text`` with what no file can hold (halves of surrogate pairs) replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def one_text(text: str) -> str:
    """Text from a submission as a page or a database can hold it: printable signs, lines, tabs."""
    return "".join(c for c in printable(text) if c.isprintable() or c in "\n\t")


def code_hash(sources: list[str]) -> str:
    """SHA-256 of the code cells in order: what makes two submissions the same work."""
    return hashlib.sha256(json.dumps(sources, ensure_ascii=True).encode()).hexdigest()
