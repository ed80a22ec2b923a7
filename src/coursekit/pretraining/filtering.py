"""What to keep of a pile of text: rules of quality, and one of each of what occurs twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from coursekit._validate import count

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
BULLETS = ("•", "‣", "-", "*", "·")
Rule = Callable[[list[str], list[str]], bool]

RULES: dict[str, tuple[str, Rule]] = {
    "length": (
        "50 to 100,000 words",
        lambda words, lines: 50 <= len(words) <= 100_000,
    ),
    "word-length": (
        "3 to 10 characters a word, on average",
        lambda words, lines: 3 <= _mean([len(w) for w in words]) <= 10,
    ),
    "symbols": (
        "at most one hash sign, and one ellipsis, to ten words",
        lambda words, lines: max(_hashes(words), _ellipses(words)) <= 0.1 * len(words),
    ),
    "bullets": (
        "at most 90 % of the lines begin with a bullet",
        lambda words, lines: _share(lines, lambda x: x.lstrip().startswith(BULLETS)) <= 0.9,
    ),
    "cut-off": (
        "at most 30 % of the lines end with an ellipsis",
        lambda words, lines: _share(lines, lambda x: x.rstrip().endswith(("…", "..."))) <= 0.3,
    ),
    "letters": (
        "80 % of the words hold a letter",
        lambda words, lines: _share(words, lambda w: any(c.isalpha() for c in w)) >= 0.8,
    ),
    "stop-words": (
        "at least two of: " + ", ".join(STOP_WORDS),
        lambda words, lines: len({w.lower() for w in words} & set(STOP_WORDS)) >= 2,
    ),
}
"""The rules by name: what each asks of a text, and whether words and lines have it."""


def quality(text: str) -> list[str]:
    """Return which of the rules a text breaks; an empty list for one to keep.

    The rules are those of Rae et al. (2021), appendix A1.1, by which web pages were chosen for
    Gopher's training; which signs are bullets is our choice. They know nothing of meaning, and
    they expect English prose.

    Parameters
    ----------
    text : str
        One document.

    Returns
    -------
    list of str
        Names of :data:`RULES`.

    Examples
    --------
    >>> quality("Click here ... " * 40)
    ['symbols', 'cut-off', 'letters', 'stop-words']
    """
    words, lines = text.split(), [line for line in text.splitlines() if line.strip()]
    return [name for name, (_, holds) in RULES.items() if not words or not holds(words, lines)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _share(items: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, items)) / len(items)


def _hashes(words: Sequence[str]) -> int:
    return sum(w.count("#") for w in words)


def _ellipses(words: Sequence[str]) -> int:
    return sum(w.count("…") + w.count("...") for w in words)


def exact_duplicates(texts: Sequence[str]) -> list[int]:
    """Return the places of texts that say what an earlier one says, word for word.

    Parameters
    ----------
    texts : sequence of str
        White space and case do not count.

    Returns
    -------
    list of int
        In rising order; drop these to keep the first of each.

    Examples
    --------
    >>> exact_duplicates(["One text.", "another", "one  text.", "One text"])
    [2]
    """
    seen, repeated = set[str](), list[int]()
    for i, text in enumerate(texts):
        words = " ".join(text.lower().split())
        if words in seen:
            repeated.append(i)
        seen.add(words)
    return repeated


def shingles(text: str, n: int = 5) -> set[str]:
    """Return the runs of `n` words that a text holds, in lower case, without punctuation.

    Parameters
    ----------
    text : str
        A text; one shorter than `n` words is one run, one without words has none.
    n : int
        Words in a run.

    Returns
    -------
    set of str

    Examples
    --------
    >>> sorted(shingles("The cat sat. The cat slept.", 3))
    ['cat sat the', 'sat the cat', 'the cat sat', 'the cat slept']
    """
    words = re.findall(r"\w+", text.lower())
    last = max(len(words) - count(n, "n"), 0)
    return {" ".join(words[i : i + n]) for i in range(last + 1)} if words else set()


def jaccard(a: set[str], b: set[str]) -> float:
    """Return what two sets have in common, as a share of what either has.

    Parameters
    ----------
    a, b : set
        Not both empty.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If both are empty.

    Examples
    --------
    >>> jaccard({"a", "b", "c"}, {"b", "c", "d"})
    0.5
    """
    if not a and not b:
        raise ValueError("both sets are empty; their similarity is not defined.")
    return len(a & b) / len(a | b)
