"""Which answers are the same code: a report that a person reads, never a verdict.

Code is compared as a stream of tokens in which names, numbers and strings have lost their spelling,
so that renaming and reformatting change nothing. Two answers share as much as their runs of
``RUN`` tokens do (Jaccard). What the starter notebook already holds is left out, and so is what is
so short that there is only one way to write it.
"""

import io
import keyword
import tokenize
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from coursekit.grading.grader.gradebook import Gradebook
from coursekit.grading.grader.pages import page, table, tag, write
from coursekit.grading.grader.standing import standings

RUN = 8
SHORTEST = 60  # tokens; a right answer of ten lines has about a hundred
ALIKE = 0.85
MOST_ALIKE = 5  # students with one form of an answer before it counts as the common way
LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class Pair:
    """Two students whose code is alike: 1.0 is the same but for names and layout."""

    first: str
    second: str
    share: float
    equal_cells: int


def shape(source: str) -> list[str]:
    """The tokens of a cell without spelling: ``n`` a name, ``0`` a number, ``s`` a string.

    Code that Python cannot read gives the tokens up to there.

    Examples
    --------
    >>> shape("total = 3  # three")
    ['n', '=', '0']
    """
    kinds = {tokenize.NUMBER: "0", tokenize.STRING: "s"}
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NAME:
                found.append(token.string if keyword.iskeyword(token.string) else "n")
            elif token.type not in LAYOUT:
                found.append(kinds.get(token.type, token.string))
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass
    return found


def runs(tokens: list[str]) -> set[int]:
    """Hashes of all runs of :data:`RUN` tokens."""
    return {hash(tuple(tokens[i : i + RUN])) for i in range(len(tokens) - RUN + 1)}


def alike(codes: dict[str, list[str]], starter: list[str], least: float = ALIKE) -> list[Pair]:
    """Pairs of students whose code is alike, the most alike first.

    Parameters
    ----------
    codes
        The code cells of each student.
    starter
        The code cells that everybody was given.
    """
    given = runs([t for cell in starter for t in shape(cell)])
    known = {tuple(shape(cell)) for cell in starter}
    known |= _common(codes)
    prints = {who: _fingerprint(cells, known, given) for who, cells in codes.items()}
    pairs = []
    for a, b in combinations(sorted(prints), 2):
        (runs_a, cells_a), (runs_b, cells_b) = prints[a], prints[b]
        both = len(runs_a | runs_b)
        share = len(runs_a & runs_b) / both if both else 0.0
        equal = len(cells_a & cells_b)
        if (share >= least and both >= SHORTEST) or equal:
            pairs.append(Pair(a, b, round(share, 3), equal))
    return sorted(pairs, key=lambda p: (-p.share, -p.equal_cells, p.first, p.second))


def _common(codes: dict[str, list[str]]) -> set[tuple[str, ...]]:
    """Cells that so many students wrote alike that it is simply how one writes it."""
    shared = Counter(
        shaped for cells in codes.values() for shaped in {tuple(shape(cell)) for cell in cells}
    )
    return {shaped for shaped, count in shared.items() if count > MOST_ALIKE}


def _fingerprint(
    cells: list[str], known: set[tuple[str, ...]], given: set[int]
) -> tuple[set[int], set[tuple[str, ...]]]:
    """The runs of a student's own code, and their own cells that are long enough to tell."""
    own = [tokens for cell in cells if (tokens := tuple(shape(cell))) not in known]
    found: set[int] = set()
    for tokens in own:
        found |= runs(list(tokens))
    return found - given, {tokens for tokens in own if len(tokens) >= SHORTEST}


def write_similar(book: Gradebook, out: Path, starter: list[str]) -> list[Pair]:
    """Write ``similar.html`` over the attempts that count; return the pairs."""
    class_ = [s for s in standings(book) if s.attempt and s.attempt["code"]]
    codes = {s.student: book.cells(s.attempt["code"]) for s in class_ if s.attempt}
    same: dict[str, list[str]] = defaultdict(list)
    for s in class_:
        if s.attempt:
            same[s.attempt["code"]].append(s.student)
    pairs = alike(codes, starter)
    write(out / "similar.html", _page(pairs, list(same.values()), book.meta("assignment")))
    return pairs


def _page(pairs: list[Pair], same: list[list[str]], assignment: str) -> str:
    exact = [[", ".join(group)] for group in same if len(group) > 1]
    rows: list[list[Any]] = [
        [p.first, p.second, f"{100 * p.share:.0f} %", str(p.equal_cells)] for p in pairs
    ]
    headings = ["student", "student", "shared code", "equal cells"]
    return page(
        f"{assignment}: equal code",
        tag("h1", f"{assignment}: equal code"),
        tag(
            "p",
            "A report, not a verdict: talk to the people before you conclude anything. Names, "
            "numbers, strings, comments and layout are ignored, and so is the starter notebook. "
            "Short answers have only one form; they are left out.",
        ),
        tag("h2", "The same code to the letter"),
        table("Groups", ["students"], exact) if exact else tag("p", "None."),
        tag("h2", "Alike"),
        table("Pairs", headings, rows, numbers=2) if rows else tag("p", "None."),
    )


def starter_cells(assignment: str) -> list[str]:
    """Code cells of the exercise notebook that students were given; none where it is not here."""
    from importlib.resources import files

    from coursekit.grading.grader import notebooks

    shelf = files("coursekit") / "_book" / "exercises" / f"{assignment}.ipynb"
    around = [p / "exercises" / f"{assignment}.ipynb" for p in Path(__file__).resolve().parents]
    for place in (*around, shelf):
        if place.is_file():
            return notebooks.cells(place.read_bytes())
    return []
