"""The numbers of a chip that export rules ask for, read from the table of accelerators."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from coursekit._validate import positive
from coursekit.data.tables import Row
from coursekit.semiconductors.wafer import FIELD_MM

BITS = {
    "fp64_tflops": 64,
    "fp64_matrix_tflops": 64,
    "fp32_tflops": 32,
    "tf32_tflops": 19,
    "bf16_tflops": 16,
    "fp8_tflops": 8,
    "int8_tops": 8,
    "fp4_tflops": 4,
}
"""Length of the numbers that each rate multiplies. TF32 is stored in 32 bits and multiplies 19."""

SPREAD = 0.2
"""How far an estimated area may be off, either way; the widest that two sources differ by."""


@dataclass(frozen=True)
class Chip:
    """What the rules compare.

    Attributes
    ----------
    name : str
        Of the chip.
    rates : mapping of int to float
        Bit length to the greatest rate at it, in TOPS or TFLOPS, dense; empty if none is published.
    io_gb_s : float or None
        Transfer to other chips, both directions together; None if unknown.
    memory_gb_s : float or None
        Bandwidth of its DRAM, 0 where it has none; None if unknown.
    area_mm2 : float or None
        Of the logic dies together; None if unknown.
    area_range_mm2 : tuple of float
        Between which areas it surely lies.
    datacenter : bool
        Whether it is designed or marketed for data centres.

    Examples
    --------
    >>> toy = Chip("toy", {16: 300.0}, 400.0, 2000.0, 800.0, (800.0, 800.0))
    >>> total_processing_performance(toy.rates)
    4800.0
    """

    name: str
    rates: Mapping[int, float]
    io_gb_s: float | None
    memory_gb_s: float | None
    area_mm2: float | None
    area_range_mm2: tuple[float, float]
    datacenter: bool = True

    def __post_init__(self) -> None:
        low, high = self.area_range_mm2
        if not 0 <= low <= high:
            raise ValueError(f"area_range_mm2 of {self.name} is {low:g} to {high:g}; low first.")
        for name in ("io_gb_s", "memory_gb_s", "area_mm2"):
            if (value := getattr(self, name)) is not None:
                positive(value, f"{name} of {self.name}", zero=name == "memory_gb_s")


def chip_from_row(row: Row) -> Chip:
    """Return what the rules compare, from a row of the table of accelerators.

    Parameters
    ----------
    row : mapping
        Of ``load_table("accelerators")``. What is missing stays unknown. An estimated area may be
        off by a fifth; one that is missing is at most a lithography field for each die.

    Returns
    -------
    Chip

    Examples
    --------
    >>> from coursekit.data.tables import load_table
    >>> v5p = chip_from_row(load_table("accelerators").one(name="Google TPU v5p"))
    >>> v5p.area_mm2, v5p.area_range_mm2
    (None, (0.0, 858.0))
    """
    rates: dict[int, float] = {}
    for column, bits in BITS.items():
        if (rate := row[column]) is not None:
            rates[bits] = max(float(rate), rates.get(bits, 0.0))
    area = _number(row, "die_area_mm2")
    return Chip(
        str(row["name"]),
        rates,
        _number(row, "interconnect_gb_s"),
        _dram_gb_s(row),
        area,
        _area_range(row, area),
        bool(row["datacenter_marketed"]),
    )


def total_processing_performance(rates: Mapping[int, float]) -> float:
    """Return TPP, the greatest product of a rate and the length of its numbers.

    Implements :eq:`eq-semiconductors-tpp` (Technical Notes 1 and 2 to 3A090): a multiplication with
    its addition counts as two operations, so that a datasheet's dense TOPS or TFLOPS go in as
    they stand.

    Parameters
    ----------
    rates : mapping of int to float
        Bit length to TOPS or TFLOPS.

    Raises
    ------
    ValueError
        If no rate is known, or one is not positive. A missing rate is not zero.

    Examples
    --------
    >>> total_processing_performance({8: 600.0, 16: 150.0})
    4800.0
    """
    if not rates:
        raise ValueError("no rate is known, so that TPP is not known either; it is not zero.")
    return float(max(bits * positive(rate, "rate") for bits, rate in rates.items()))


def performance_density(tpp: float, area_mm2: float) -> float:
    """Return TPP on a mm2 of die.

    Implements :eq:`eq-semiconductors-performance-density` (Technical Note 4 to 3A090).

    Parameters
    ----------
    tpp : float
        Of the chip.
    area_mm2 : float
        Of all its logic dies with transistors that are not planar (FinFET and later).

    Raises
    ------
    ValueError
        If an argument is not positive.

    Examples
    --------
    >>> performance_density(2368.0, 814.0).__round__(2)
    2.91
    """
    return float(positive(tpp, "tpp") / positive(area_mm2, "area_mm2"))


def _number(row: Row, column: str) -> float | None:
    value = row[column]
    return None if value is None else float(value)


def _dram_gb_s(row: Row) -> float | None:
    kind = str(row["memory_type"])
    if kind in ("SRAM only", "none external"):  # it has no DRAM at all, which is known
        return 0.0
    return None if "SRAM" in kind else _number(row, "bandwidth_gb_s")


def _area_range(row: Row, area: float | None) -> tuple[float, float]:
    basis = str(row["die_area_basis"]).lower()
    if area is None:
        return 0.0, math.prod(FIELD_MM) * float(row["n_compute_dies"] or 1)
    if "upper bound" in basis:
        return 0.0, area
    if "estimate" in basis or "assumed" in basis:
        return area * (1 - SPREAD), area * (1 + SPREAD)
    return area, area
