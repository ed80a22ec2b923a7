"""What an attack is, and how the committed ones are read.

An attack is a submission that wants points which its code does not earn, or something outside its
sandbox. Most are small Python files in ``attacks/``: comment lines that say what is tried, and
cells that begin with ``# %%``. Those that are no notebook at all are made in ``makers.py``.

The comment lines are

- ``kind``: what kind of attack it is,
- ``tries``: what it does, and ``holds``: what must keep it from succeeding,
- ``earns``: the questions that it answers rightly and must get points for (none without the line),
- ``says``: what its free text must contain, as a proof that it ran; a text with ``REACHED`` in it
  is a success of the attack,
- ``line``: a pattern that must stand in the gradebook's words on it,
- ``reaches``: tiers that let it reach what it says, because they keep less out,
- ``outside``: it acts on the machine, and is never run without a sandbox;
- ``sample``: it belongs to the sample of `make test`.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "attacks"
HEADER = re.compile(r"^# (kind|tries|holds|earns|says|line|reaches|sample|outside)(?:: (.*))?$")
CELL = re.compile(r"^# %%.*\n", re.MULTILINE)
PLACE = re.compile(r"@([A-Z]+)@")


@dataclass(frozen=True)
class Attack:
    """One attack; ``write(folder, places)`` puts its submission into a folder."""

    name: str
    kind: str
    tries: str
    holds: str
    write: Callable[[Path, dict[str, str]], None]
    earns: frozenset[str] = frozenset()
    says: str = ""
    line: str = ""
    reaches: frozenset[str] = frozenset()
    sample: bool = False
    outside: bool = False
    file: str = ""


def notebook(cells: list[str], **metadata: object) -> dict:
    """A notebook of code cells, as Jupyter writes it."""
    made = [
        {"cell_type": "code", "id": f"cell-{n}", "metadata": {}, "execution_count": None}
        | {"outputs": [], "source": source.splitlines(keepends=True)}
        for n, source in enumerate(cells)
    ]
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def fill(text: str, places: dict[str, str]) -> str:
    """Put real paths, ports and names where a source says ``@OUT@``: an attacker knows them all."""
    return PLACE.sub(lambda found: places[found[1]], text)


def cells_of(source: str) -> list[str]:
    """The cells of an attack's source, its header left out."""
    return [cell.strip("\n") for cell in CELL.split(source)[1:]]


def read(path: Path) -> Attack:
    """Read one file of ``attacks/``."""
    source = path.read_text(encoding="utf-8")
    lines = source.split("# %%", 1)[0].splitlines()
    found = {m[1]: (m[2] or "yes").strip() for line in lines if (m := HEADER.match(line))}
    unknown = [line for line in lines if line and not HEADER.match(line)]
    if unknown or not {"kind", "tries", "holds"} <= found.keys():
        raise ValueError(f"{path}: kind, tries and holds are wanted, and no line like {unknown}")
    name = path.stem.replace("_", "-")

    def write(folder: Path, places: dict[str, str]) -> None:
        text = json.dumps(notebook([fill(cell, places) for cell in cells_of(source)]))
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")

    return Attack(
        name=name,
        write=write,
        file=f"{name}.ipynb",
        **{key: found.get(key, "") for key in ("kind", "tries", "holds", "says", "line")},
        earns=names(found.get("earns", "")),
        reaches=names(found.get("reaches", "")),
        sample="sample" in found,
        outside="outside" in found,
    )


def names(text: str) -> frozenset[str]:
    """The names in a list like ``ranks, counts``."""
    return frozenset(filter(None, (part.strip() for part in text.split(","))))


def committed() -> Iterator[Attack]:
    """Every attack of ``attacks/``, in the order of their names."""
    yield from map(read, sorted(FOLDER.glob("*.py")))
