"""Thresholds of the export rules, as conditions that are checked one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from coursekit.data.tables import known, load_table

TPP, DENSITY = "TPP", "performance density"
TRANSFER, MEMORY = "aggregate bidirectional I/O transfer rate", "total DRAM bandwidth"
_TOPS = "TOPS x bit length (any op)"  # what the rule of 2022 calls the quantity that became TPP

DATES = ("2022-10-07", "2023-10-17", "2024-12-02", "2026-01-15")
"""Announcements after which a number means something else."""

_GROUPS = {"2022-10-07": ("2022",), "2023-10-17": ("a1", "a2", "b1", "b2")}
_NAMES = {
    "2022": "3A090",
    "a1": "3A090.a.1",
    "a2": "3A090.a.2",
    "b1": "3A090.b.1",
    "b2": "3A090.b.2",
    "2026": "review of 2026",
}
_HOLDS = {
    ">=": lambda x, t: x >= t,
    ">": lambda x, t: x > t,
    "<": lambda x, t: x < t,
}


@dataclass(frozen=True)
class Condition:
    """A threshold of a rule.

    Attributes
    ----------
    quantity : str
        What is compared.
    operator : {">=", ">", "<"}
        How.
    threshold : float
        With what.

    Examples
    --------
    >>> Condition("TPP", ">=", 4800.0).margin(4992.0)
    0.04
    """

    quantity: str
    operator: str
    threshold: float

    def holds(self, value: float) -> bool:
        """Return whether a value meets the condition."""
        return bool(_HOLDS[self.operator](value, self.threshold))

    def margin(self, value: float) -> float:
        """Return how far inside the condition a value is, as a share of the threshold."""
        distance = value / self.threshold - 1
        return round(-distance if self.operator == "<" else distance, 12)


@dataclass(frozen=True)
class Paragraph:
    """Conditions that hold together.

    Attributes
    ----------
    name : str
        As it is cited.
    conditions : tuple of Condition
        All of which a chip must meet.
    """

    name: str
    conditions: tuple[Condition, ...]

    def met(self, values: Mapping[str, float | None]) -> bool | None:
        """Return whether values meet all conditions; None if what is missing decides.

        Parameters
        ----------
        values : mapping of str to float or None
            Quantity to value.

        Examples
        --------
        >>> rule = Paragraph("toy", (Condition("TPP", ">=", 4800.0), Condition("x", ">=", 1.0)))
        >>> print(rule.met({"TPP": 100.0, "x": None}), rule.met({"TPP": 5000.0, "x": None}))
        False None
        """
        found = [(c, values[c.quantity]) for c in self.conditions]
        if any(v is not None and not c.holds(v) for c, v in found):
            return False
        return None if any(v is None for _, v in found) else True

    def binding(self, values: Mapping[str, float | None]) -> tuple[float, Condition] | None:
        """Return the condition that is met with least to spare, or missed by most, and its margin.

        Where all are met, ceilings are left out: they part a paragraph from the stricter one.
        """
        inside = self.met(values)
        found = [
            (c.margin(v), c)
            for c in self.conditions
            if (v := values[c.quantity]) is not None and not (inside and c.operator == "<")
        ]
        return min(found, key=lambda pair: pair[0]) if found else None


@cache
def paragraphs(date: str) -> tuple[Paragraph, ...]:
    """Return the paragraphs for logic chips by the rules announced until a date, strictest first.

    Parameters
    ----------
    date : str
        Year-month-day. Rules are found by their announcement; when they took effect stands in the
        table ``export_rules``.

    Returns
    -------
    tuple of Paragraph
        Empty before October 2022.

    Raises
    ------
    ValueError
        If the date has another form.

    Examples
    --------
    >>> [p.name for p in paragraphs("2024-01-01")]
    ['3A090.a.1', '3A090.a.2', '3A090.b.1', '3A090.b.2']
    """
    if len(date) != 10 or date[4] + date[7] != "--" or not date.replace("-", "").isdigit():
        raise ValueError(f"date is {date!r}; year-month-day wanted, such as '2023-10-17'.")
    started = [start for start in _GROUPS if start <= date]
    return tuple(map(_paragraph, _GROUPS[max(started)])) if started else ()


@cache
def review_of_2026() -> Paragraph:
    """Return the numbers below which a licence for China is weighed case by case, from 2026 on.

    The rule has further conditions, on sales at home, tests and buyers, that no number shows.

    Examples
    --------
    >>> [c.threshold for c in review_of_2026().conditions]
    [21000.0, 6500.0]
    """
    return _paragraph("2026")


def _paragraph(group: str) -> Paragraph:
    rows = load_table("export_thresholds").where(and_group=group)
    conditions = (
        Condition(str(r["parameter"]).replace(_TOPS, TPP), str(r["operator"]), known(r, "value"))
        for r in rows
    )
    return Paragraph(_NAMES[group], tuple(conditions))
