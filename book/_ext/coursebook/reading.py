"""How long a page and its sections take to read, and how steep they are, from the Markdown.

One estimate for the site, the sheets and the downloads. Minutes count words, displayed equations
and the lines of code that are shown; folded code and outputs do not count. How steep a section is
follows from how many formulas and lines of code stand on a hundred words of it, by `STEPS`: a
measure of density and no judgement of how hard an idea is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

WORDS_A_MINUTE = 180  # of technical prose
CODE_LINES_A_MINUTE = 12
EQUATIONS_A_MINUTE = 2
# On a hundred words: formulas within a line, plus three for a displayed one, plus the code's lines
# over five. The limits leave about a third of the sections below and a sixth above.
STEPS = ((5.0, "gentle"), (9.0, "steady"), (float("inf"), "steep"))
DISPLAYED, LINES = 3, 1 / 5
CLOSING = ("symbols", "mistakes", "exercises", "summary")  # looked up more than read: no step

HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
CODE_CELL = re.compile(r"^```\{code-cell\}.*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDED = re.compile(r"^:tags: \[.*(?:hide-input|hide-cell|remove-cell|remove-input)", re.MULTILINE)
EQUATION = re.compile(r"\$\$.*?\$\$(?:[ \t]*\([\w-]+\))?", re.DOTALL)
TARGET = re.compile(r"^\([\w-]+\)=\s*$", re.MULTILINE)
INLINE = re.compile(r"\$[^$\n]+\$")
SECTION = re.compile(r"^\((?P<label>[\w-]+)\)=\s*\n+## (?P<title>.+)$", re.MULTILINE)
NEXT = re.compile(r"^## ", re.MULTILINE)


@dataclass(frozen=True)
class Effort:
    """What a stretch of a page asks of its reader: counts of words, formulas and code lines."""

    words: int
    equations: int  # displayed
    formulas: int  # within a line
    code_lines: int

    @property
    def exact_minutes(self) -> float:
        """Minutes, not rounded."""
        return (
            self.words / WORDS_A_MINUTE
            + self.equations / EQUATIONS_A_MINUTE
            + self.code_lines / CODE_LINES_A_MINUTE
        )

    @property
    def minutes(self) -> int:
        """Whole minutes, one at least."""
        return max(1, round(self.exact_minutes))

    @property
    def step(self) -> str:
        """The first of `STEPS` whose limit `density` keeps."""
        return next(name for limit, name in STEPS if self.density <= limit)

    @property
    def density(self) -> float:
        """Formulas and code on a hundred words."""
        dense = self.formulas + DISPLAYED * self.equations + LINES * self.code_lines
        return 100 * dense / max(1, self.words)


def effort(text: str) -> Effort:
    """Count a stretch of Markdown."""
    text = HEADER.sub("", text)
    shown = [code for code in CODE_CELL.findall(text) if not FOLDED.search(code)]
    prose = TARGET.sub("", CODE_CELL.sub("", text))
    words = EQUATION.sub("", prose)
    return Effort(
        words=len(words.split()),
        equations=len(EQUATION.findall(prose)),
        formulas=len(INLINE.findall(words)),
        code_lines=sum(bool(line.strip()) for code in shown for line in code.splitlines()),
    )


def minutes(page: str) -> int:
    """Minutes that a whole page takes."""
    return effort(page).minutes


def section_texts(page: str) -> dict[str, tuple[str, str]]:
    """Label -> (title, text) of every labelled section of the second level, in order."""
    hidden = CODE_CELL.sub(lambda cell: re.sub(r"[^\n]", " ", cell[0]), page)  # "## " in code
    found = {}
    for opening in SECTION.finditer(hidden):
        end = NEXT.search(hidden, opening.end())
        text = page[opening.end() : end.start() if end else len(page)]
        found[opening["label"]] = (opening["title"].strip(), text)
    return found


def section_efforts(page: str) -> dict[str, Effort]:
    """Label -> effort of every labelled section of the second level, in order."""
    return {label: effort(text) for label, (_, text) in section_texts(page).items()}
