r"""Pre-tokenisation: cut text into words before any two bytes are merged.

The pattern is GPT-2's: ``'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+``.
The standard library's ``re`` has no ``\p{L}``, and its ``\w`` and ``\s`` draw other lines than
Unicode's categories do, so the three classes are spelled out from ``unicodedata``. A new version of
Python may bring a newer Unicode, in which more characters are letters.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator

SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""Unicode's White_Space characters, as the inside of a character class."""

LOOKAHEAD = 2
"""No pre-token depends on more than this many characters after its end."""


@functools.cache
def pattern() -> re.Pattern[str]:
    """Return the compiled pattern; the first call takes a tenth of a second or so.

    Returns
    -------
    re.Pattern

    Examples
    --------
    >>> pattern().findall("It's 2 words")
    ['It', "'s", ' 2', ' words']
    """
    L, N, S = _category("L"), _category("N"), SPACE
    return re.compile(
        rf"'(?:[sdmt]|ll|ve|re)| ?[{L}]+| ?[{N}]+| ?[^{S}{L}{N}]+|[{S}]+(?![^{S}])|[{S}]+"
    )


def _category(first: str) -> str:
    """Return the characters whose category begins with `first`, as ranges of a class."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == first:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(a)}-{chr(b)}" if a < b else chr(a) for a, b in ranges)


def pre_tokenise(text: str) -> list[str]:
    """Cut a text into pre-tokens: words with the space before them, numbers, marks, gaps.

    No merge of a byte-pair encoding crosses a cut, so that no token is the end of one word and
    the start of another.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        Joined, they are the text.

    Examples
    --------
    >>> pre_tokenise("We don't add  2+2.")
    ['We', ' don', "'t", ' add', ' ', ' 2', '+', '2', '.']
    """
    return pattern().findall(text)


def settled(text: str) -> int:
    r"""Return how many characters of a text are cut the same way whatever text follows.

    Parameters
    ----------
    text : str
        The beginning of a longer text.

    Returns
    -------
    int
        The end of the last pre-token that no following character can change. It is never after
        white space, which would be cut otherwise if the text ended there.

    Examples
    --------
    >>> settled("one two thr")  # "three" may come
    7
    """
    end = 0
    for match in pattern().finditer(text):
        if match.end() > len(text) - LOOKAHEAD:
            break
        if not match[0].isspace():
            end = match.end()
    return end


def special_pattern(special_tokens: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds special tokens, the longer first; None where there are none."""
    longest_first = sorted(special_tokens, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def between_specials(text: str, special: re.Pattern[str] | None) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a text with whether each is a special token; empty ones are left out."""
    start = 0
    for match in special.finditer(text) if special else ():
        if match.start() > start:
            yield text[start : match.start()], False
        yield match[0], True
        start = match.end()
    if start < len(text):
        yield text[start:], False
