"""Dates as people write them, and as the standard ISO 8601 does: a task of characters."""

from __future__ import annotations

import datetime

import numpy as np

from coursekit._validate import count, generator

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)
STYLES = 6


def written_date(day: datetime.date, style: int) -> str:
    """Write a date in one of six ways, all of which say which day it was.

    Parameters
    ----------
    day : datetime.date
        The day.
    style : int
        0 to 5.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such style.

    Examples
    --------
    >>> for style in range(6):
    ...     print(written_date(datetime.date(2017, 6, 12), style))
    12 June 2017
    June 12, 2017
    Monday 12 June 2017
    12 jun 2017
    the 12th of June 2017
    2017, June 12
    """
    month, weekday = MONTHS[day.month - 1], DAYS[day.weekday()]
    ways = (
        f"{day.day} {month} {day.year}",
        f"{month} {day.day}, {day.year}",
        f"{weekday} {day.day} {month} {day.year}",
        f"{day.day:02d} {month[:3].lower()} {day.year}",
        f"the {day.day}{_ordinal(day.day)} of {month} {day.year}",
        f"{day.year}, {month} {day.day}",
    )
    if not 0 <= style < len(ways):
        raise ValueError(f"style is {style}; 0 to {len(ways) - 1} wanted.")
    return ways[style]


def _ordinal(n: int) -> str:
    if 11 <= n <= 13:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")


def date_pairs(m: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Draw dates of the years 1900 to 2099, in a random style and as ISO 8601 writes them.

    Parameters
    ----------
    m : int
        How many; days may repeat.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of (str, str), length m
        What is read, and ``"YYYY-MM-DD"``. Take ``list(text)`` for the characters.

    Raises
    ------
    TypeError, ValueError
        If `m` is below 1 or `rng` is no generator.

    Examples
    --------
    >>> [iso for _, iso in date_pairs(2, np.random.default_rng(0))]
    ['2070-02-15', '2002-03-25']
    """
    rng = generator(rng)
    last = (LAST - FIRST).days
    drawn = []
    for _ in range(count(m, "m")):
        day = FIRST + datetime.timedelta(days=int(rng.integers(last + 1)))
        drawn.append((written_date(day, int(rng.integers(STYLES))), day.isoformat()))
    return drawn
