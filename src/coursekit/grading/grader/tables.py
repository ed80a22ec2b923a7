"""CSV files that a spreadsheet opens as text and numbers, never as a formula."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe(value: Any) -> str:
    """A cell: numbers as they are, text that a spreadsheet would calculate behind an apostrophe.

    Examples
    --------
    >>> safe("=1+1"), safe(-2.5), safe("anna")
    ("'=1+1", '-2.5', 'anna')
    """
    if isinstance(value, int | float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    text = "".join(c for c in str(value) if c.isprintable() or c in "\n\t")
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def csv_text(headings: list[str], rows: Iterable[list[Any]]) -> str:
    """A CSV file with every cell made safe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([safe(h) for h in headings])
    writer.writerows([[safe(cell) for cell in row] for row in rows])
    return buffer.getvalue()


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file by its headings; commas, semicolons or tabs part the cells.

    Raises
    ------
    ValueError
        If the file has no headings or is not text.
    """
    try:
        text = path.read_bytes().decode("utf-16" if _utf16(path) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a CSV file in UTF-8; save it as one.") from error
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=mark)
    if not reader.fieldnames:
        raise ValueError(f"{path} is empty; a first line of headings is wanted.")
    return [
        {(key or "").strip(): (cell or "").strip() for key, cell in row.items() if key is not None}
        for row in reader
    ]


def _utf16(path: Path) -> bool:
    """Whether the file begins as Blackboard's tab-separated downloads do."""
    with path.open("rb") as file:
        return file.read(2) in (b"\xff\xfe", b"\xfe\xff")
