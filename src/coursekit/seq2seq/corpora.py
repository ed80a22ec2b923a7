"""Text to learn words from: Python's documentation, and one in which analogies are planted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from coursekit._validate import count, generator


def documentation_sentences(shortest: int = 3) -> list[list[str]]:
    """Return the language reference that Python itself carries, in words and sentences.

    It is the text behind ``help("topics")``, from the standard library. It differs between
    versions of Python, and so does all that is learned from it.

    Parameters
    ----------
    shortest : int
        Words that a sentence must have.

    Returns
    -------
    list of list of str
        Lower-case words; what is neither a letter nor an underscore divides them.

    Raises
    ------
    ImportError
        If this Python came without its documentation.

    Examples
    --------
    >>> sentences = documentation_sentences()
    >>> len(sentences) > 3000, all(len(s) >= 3 for s in sentences)
    (True, True)
    """
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name] for name in sorted(topics)).lower()
    parts = re.split(r"[.!?:;]\s|\n\s*\n|\n\s+\* ", text)
    sentences = (re.findall(r"[a-z_]+", part) for part in parts)
    return [s for s in sentences if len(s) >= count(shortest, "shortest")]


class Planted(NamedTuple):
    """A made-up text and the analogies that it holds.

    Attributes
    ----------
    sentences : list of list of str
        The text.
    pairs : tuple of (str, str)
        Words that differ in one thing only, the same for all: any two pairs make an analogy.
    """

    sentences: list[list[str]]
    pairs: tuple[tuple[str, str], ...]


COUPLES = (
    *(("king", "queen"), ("man", "woman"), ("boy", "girl"), ("actor", "actress")),
    *(("uncle", "aunt"), ("prince", "princess"), ("waiter", "waitress"), ("son", "daughter")),
)
_SIGNS = (("he", "his", "him", "himself"), ("she", "her", "hers", "herself"))
_WORLDS = (
    ("crown", "throne", "palace", "reign"),
    ("work", "vote", "adult", "taxes"),
    ("school", "toys", "play", "small"),
    ("stage", "film", "script", "applause"),
    ("nephew", "niece", "visit", "presents"),
    ("castle", "heir", "royal", "ball"),
    ("menu", "table", "tray", "tip"),
    ("parents", "home", "family", "birthday"),
)
_FILLERS = ("the", "a", "and", "was", "saw", "with", "there", "then", "often", "near")


def planted_sentences(m: int, rng: np.random.Generator) -> Planted:
    """Draw sentences in which each word keeps two kinds of company: its couple's, and its side's.

    *King* and *queen* share crown and throne; *king*, *uncle* and *boy* share he and his. So the
    difference of the two words of a couple is the same for all couples, and nothing else is.

    Parameters
    ----------
    m : int
        Number of sentences.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Planted

    Raises
    ------
    TypeError, ValueError
        If `m` is below 1 or `rng` is no generator.

    Examples
    --------
    >>> text = planted_sentences(1, np.random.default_rng(1))
    >>> len(text.sentences[0]), len(text.pairs)
    (7, 8)
    """
    rng, sentences = generator(rng), []
    for _ in range(count(m, "m")):
        couple, side = int(rng.integers(len(COUPLES))), int(rng.integers(2))
        company = [
            *_draw(rng, _WORLDS[couple], 2),
            *_draw(rng, _SIGNS[side], 2),
            *_draw(rng, _FILLERS, 2),
        ]
        words = [company[i] for i in rng.permutation(6)]
        sentences.append([*words[:3], COUPLES[couple][side], *words[3:]])
    return Planted(sentences, COUPLES)


def _draw(rng: np.random.Generator, words: Sequence[str], n: int) -> list[str]:
    return [words[int(rng.integers(len(words)))] for _ in range(n)]
