"""Taking an answer out of a passage: the sentences that hold most of the question's words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from coursekit.landscape.text import Section, words_of

_BLOCK = re.compile(
    r"^(`{3,}|~{3,}|:{3,}).*?^\1\s*$|^\$\$.*?^\$\$[^\n]*$|^[|#>:(][^\n]*$", re.M | re.S
)
_ROLE = re.compile(r"\{[\w:]+\}`(?:([^`<]*?) *<[^`>]*>|([^`]*))`")
_CITATION = re.compile(r"\s*\{cite:\w\}`[^`]*`")
_SPAN = re.compile(r" *<span lang=.*?</span>")
_HOLE = re.compile(r"\{(?:glue:\w+|eq|ref|numref|doc)\}`|:$")
_END = re.compile(r"(?<=[.:?])\s+(?=[A-Z*$\[\"])|\n\n+")
WINDOW = 2
"""Sentences that may make up an answer together."""


class Quote(NamedTuple):
    """Sentences of a passage, and how much of the question they hold.

    Attributes
    ----------
    text : str
        As it stands in the passage, without markup.
    coverage : float
        Weight of the question's words that occur, as a share of all; from 0 to 1.
    """

    text: str
    coverage: float


def sentences(text: str) -> list[str]:
    r"""Return the prose of a page, sentence by sentence: no code, no tables, no formulas apart.

    A sentence that needs what is not in it is left out: a number that a cell computes, another
    place in the book, the formula after a colon.

    Parameters
    ----------
    text : str
        MyST Markdown.

    Examples
    --------
    >>> sentences("# Title\n\nA {term}`mask` hides. It is\nbool. So {glue:text}`n` are left.")
    ['A mask hides.', 'It is bool.']
    """
    bare = _BLOCK.sub("\n\n", _CITATION.sub("", _SPAN.sub("", text)))
    parts = [p for p in _END.split(bare) if p and not _HOLE.search(p)]
    plain = (_ROLE.sub(lambda m: m[1] or m[2] or "", p) for p in parts)
    return [" ".join(p.replace("**", "").split()) for p in plain if p.strip()]


class Quoter:
    """Finds the best sentences, a word weighing the more the fewer sections have it.

    Parameters
    ----------
    sections : sequence of Section
        All there are.

    Examples
    --------
    >>> pages = [Section("a", "", "Masks", "A mask hides the future. It costs nothing.")]
    >>> quote = Quoter(pages)("What does a mask hide?", pages[0].text, title="Masks")
    >>> quote.text, round(quote.coverage, 2)
    ('A mask hides the future.', 1.0)
    """

    def __init__(self, sections: Sequence[Section]) -> None:
        self._n = len(sections)
        self._df = Counter(w for s in sections for w in {*words_of(s.title), *words_of(s.text)})

    def weight(self, word: str) -> float:
        """Return how telling a word is; one that no section has is the most telling."""
        return math.log(1 + self._n / (self._df[word] + 0.5))

    def __call__(self, question: str, text: str, title: str = "") -> Quote:
        """Return the sentences, at most :data:`WINDOW`, that hold most of the question.

        Parameters
        ----------
        question : str
            In words.
        text : str
            A passage.
        title : str
            Its heading, whose words count for every sentence.
        """
        wanted = {word: self.weight(word) for word in words_of(question)}
        told, all_weight = sentences(text), sum(wanted.values())
        if not told or not wanted:
            return Quote("", 0.0)
        windows = [told[i : i + n] for n in range(1, WINDOW + 1) for i in range(len(told) - n + 1)]
        named = set(words_of(title))

        def share(window: list[str]) -> float:
            held = named.union(*(words_of(s) for s in window))
            return sum(w for word, w in wanted.items() if word in held) / all_weight

        best = max(windows, key=lambda w: (round(share(w), 9), -len(w)))  # the first, and short
        return Quote(" ".join(best), share(best))
