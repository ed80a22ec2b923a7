"""Export rules of the United States for advanced chips, applied to a chip's numbers at a date."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from coursekit._validate import positive
from coursekit.data.tables import known, load_table
from coursekit.semiconductors.chip import Chip, performance_density, total_processing_performance
from coursekit.semiconductors.rules import (
    DENSITY,
    MEMORY,
    TPP,
    TRANSFER,
    Paragraph,
    paragraphs,
    review_of_2026,
)

Verdict = Literal["free", "notification", "case-by-case", "licence", "undecided"]
Values = Mapping[str, float | None]
Rules = tuple[Paragraph, ...]

NOTE_2 = 4800.0
"""Below this TPP a chip that is not for data centres is free, by Note 2 to 3A090."""


@dataclass(frozen=True)
class Finding:
    """What a rule says of a chip.

    Attributes
    ----------
    chip, date : str
        Which chip, by the rules announced until when.
    verdict : {"free", "notification", "case-by-case", "licence", "undecided"}
        For China: none needed; licence exception after notice (NAC); licence, each case weighed;
        licence, with denial presumed; or a missing number decides.
    paragraph : str
        That is met, or, for a free chip, missed by least. For an undecided one all that may hold.
    quantity : str
        Of its condition that is met with least to spare, or missed by most.
    value, threshold : float
        Of that quantity; NaN if it is missing.
    margin : float
        Value over threshold less one; NaN if the value is missing.
    """

    chip: str
    date: str
    verdict: Verdict
    paragraph: str
    quantity: str
    value: float
    threshold: float

    @property
    def margin(self) -> float:
        """How far the value lies above the threshold, as a share of it."""
        return self.value / self.threshold - 1


def classify(chip: Chip, date: str) -> Finding:
    """Say what the rules announced until a date make of a chip that goes to China.

    The reading is the plain one of thresholds and of Note 2 to 3A090. It sees numbers and no buyer,
    no use and no letter to a single firm; it is no legal advice.

    Parameters
    ----------
    chip : Chip
        Its numbers.
    date : str
        Year-month-day, as in :func:`paragraphs`.

    Returns
    -------
    Finding

    Examples
    --------
    >>> from coursekit.data.tables import load_table
    >>> from coursekit.semiconductors.chip import chip_from_row
    >>> h20 = chip_from_row(load_table("accelerators").one(name="NVIDIA H20"))
    >>> found = classify(h20, "2023-10-17")
    >>> found.verdict, found.paragraph, found.quantity, round(found.margin, 3)
    ('free', '3A090.b.1', 'TPP', -0.013)
    """
    rules = paragraphs(date)
    if not rules:
        return Finding(chip.name, date, "free", "", "", math.nan, math.nan)
    tpp = total_processing_performance(chip.rates) if chip.rates else None
    if date >= "2023-10-17" and not chip.datacenter and tpp is not None and tpp < NOTE_2:
        return Finding(chip.name, date, "free", "Note 2", TPP, tpp, NOTE_2)
    possible = [_outcome(rules, _values(chip, tpp, a)) for a in _areas(chip, tpp, rules)]
    values = _values(chip, tpp, chip.area_mm2 or chip.area_range_mm2[1])
    if None in possible or len(set(possible)) > 1:
        return _undecided(chip, date, rules, possible, values)
    return _decided(chip, date, rules, str(possible[0]), values)


def bandwidth_density(bandwidth_gb_s: float, area_mm2: float) -> Finding:
    """Say what 3A090.c, announced on 2 December 2024, makes of a stack of memory sold alone.

    Parameters
    ----------
    bandwidth_gb_s : float
        Of a stack, in GB/s.
    area_mm2 : float
        Of its package.

    Returns
    -------
    Finding
        ``"notification"`` where Licence Exception HBM may serve.

    Examples
    --------
    >>> bandwidth_density(819.0, 121.0).verdict
    'licence'
    """
    density = float(positive(bandwidth_gb_s, "bandwidth_gb_s") / positive(area_mm2, "area_mm2"))
    table = load_table("export_thresholds")
    line, eased = (known(table.one(threshold_id=name), "value") for name in ("c", "c.le"))
    verdict: Verdict = "free"
    if density > line:
        verdict = "notification" if density < eased else "licence"
    bound = line if density < eased else eased
    return Finding(
        "HBM stack", "2024-12-02", verdict, "3A090.c", "memory bandwidth density", density, bound
    )


def _areas(chip: Chip, tpp: float | None, rules: Rules) -> list[float]:
    """Areas that stand for all those that are possible: the ends, and where a rule turns."""
    low, high = chip.area_range_mm2
    turns = [c.threshold for r in rules for c in r.conditions if c.quantity == DENSITY]
    between = [a for t in turns if tpp is not None and low < (a := tpp / t) < high]
    return sorted({low, high, *between})


def _values(chip: Chip, tpp: float | None, area: float) -> dict[str, float | None]:
    density = None
    if tpp is not None:
        density = performance_density(tpp, area) if area > 0 else math.inf
    return {TPP: tpp, DENSITY: density, TRANSFER: chip.io_gb_s, MEMORY: chip.memory_gb_s}


def _outcome(rules: Rules, values: Values) -> str | None:
    """Name of the first paragraph that is met, "" if none is, None if a missing number decides."""
    for rule in rules:
        met = rule.met(values)
        if met is None:
            return None
        if met:
            return rule.name
    return ""


def _undecided(
    chip: Chip, date: str, rules: Rules, possible: list[str | None], values: Values
) -> Finding:
    names = [r.name for r in rules if r.name in possible or None in possible]
    if "" in possible or None in possible:
        names.append("none")
    quantity = TPP if values[TPP] is None else TRANSFER if date < "2023-10-17" else DENSITY
    bounds = (c.threshold for r in rules for c in r.conditions if c.quantity == quantity)
    value = values[quantity]
    number = math.nan if value is None else value
    return Finding(chip.name, date, "undecided", " or ".join(names), quantity, number, next(bounds))


def _decided(chip: Chip, date: str, rules: Rules, name: str, values: Values) -> Finding:
    verdict: Verdict = "free"
    found = [(rule, pair) for rule in rules if (pair := rule.binding(values))]
    rule, (_, condition) = max(found, key=lambda item: item[1][0])
    if name:
        rule, (_, condition) = next(item for item in found if item[0].name == name)
        verdict = _verdict(chip, date, name, values)
    if verdict == "undecided":  # the memory's bandwidth is missing
        condition = next(c for c in review_of_2026().conditions if c.quantity == MEMORY)
    value = values[condition.quantity]
    number = math.nan if value is None else value
    return Finding(
        chip.name, date, verdict, rule.name, condition.quantity, number, condition.threshold
    )


def _verdict(chip: Chip, date: str, name: str, values: Values) -> Verdict:
    if ".b." in name or (".a." in name and not chip.datacenter):
        return "notification"
    if date < "2026-01-15":
        return "licence"
    eased = review_of_2026().met(values)
    return "undecided" if eased is None else "case-by-case" if eased else "licence"
