"""Accelerators as typed records: what is not known stays unknown, and is never taken as zero."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from coursekit.data.tables import Row, known, load_table, unconfirmed

PRECISIONS = {
    "fp32": "fp32_tflops",
    "tf32": "tf32_tflops",
    "16-bit": "bf16_tflops",
    "fp8": "fp8_tflops",
    "fp4": "fp4_tflops",
    "int8": "int8_tops",
}
"""What a peak can be asked for, and the column of the table that holds it; all dense."""


@dataclass(frozen=True)
class Accelerator:
    """A chip, read from one row of the table ``accelerators``.

    Attributes
    ----------
    name, vendor : str
        As the table has them.
    year : int
        Of the first shipment, or of the announcement.
    row : mapping
        The whole row, source and date among it.

    Examples
    --------
    >>> h100 = accelerator("H100 SXM")
    >>> h100.name, h100.peak("16-bit") / 1e12, round(h100.ridge("16-bit"))
    ('NVIDIA H100 SXM5 80GB', 989.4, 295)
    """

    name: str
    vendor: str
    year: int
    row: Row

    def figure(self, column: str) -> float:
        """Return a number of the row in the unit of its column.

        Raises
        ------
        KeyError
            If there is no such column.
        ValueError
            If the figure is not known.
        """
        return known(self.row, column)

    def knows(self, column: str) -> bool:
        """Return whether a figure is there.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        return self.row[column] is not None

    def from_memory(self, column: str) -> bool:
        """Return whether a figure was not found again in any source."""
        return unconfirmed(self.row, column)

    def peak(self, precision: str = "16-bit") -> float:
        """Return the dense peak in operations a second.

        Parameters
        ----------
        precision : {"fp32", "tf32", "16-bit", "fp8", "fp4", "int8"}
            Of the factors; an older chip's "16-bit" may be FP16 alone.

        Raises
        ------
        ValueError
            If the precision is unknown, or the figure is.
        """
        if precision not in PRECISIONS:
            raise ValueError(
                f"precision is {precision!r}; one of {', '.join(map(repr, PRECISIONS))} wanted."
            )
        return 1e12 * self.figure(PRECISIONS[precision])

    @property
    def bandwidth(self) -> float:
        """Bytes a second of its memory (of its SRAM where it has no other)."""
        return 1e9 * self.figure("bandwidth_gb_s")

    @property
    def memory(self) -> float:
        """Bytes of its memory."""
        return 1e9 * self.figure("memory_gb")

    @property
    def power(self) -> float:
        """Its rated power in watts; the row says on what basis."""
        return self.figure("tdp_w")

    @property
    def sram_only(self) -> bool:
        """Whether all of its memory is on the chip."""
        return str(self.row["memory_type"]).startswith("SRAM only")

    def ridge(self, precision: str = "16-bit") -> float:
        """Return the operations a byte at which arithmetic and memory are both busy.

        Implements :eq:`eq-hardware-ridge`.

        Parameters
        ----------
        precision : str
            As in :meth:`peak`.
        """
        return self.peak(precision) / self.bandwidth


@cache
def accelerators() -> tuple[Accelerator, ...]:
    """Return every chip of the table.

    Examples
    --------
    >>> len({chip.vendor for chip in accelerators()}) > 12
    True
    """
    rows = load_table("accelerators").rows
    return tuple(
        Accelerator(str(r["name"]), str(r["vendor"]), int(r["year"] or 0), r) for r in rows
    )


def accelerator(name: str) -> Accelerator:
    """Return one chip, by its name or by a part that no other name has.

    Parameters
    ----------
    name : str
        Such as ``"H100 SXM"``; capitals do not matter.

    Raises
    ------
    LookupError
        If no chip has this name, or several have; the message says which come near.

    Examples
    --------
    >>> accelerator("H100")
    Traceback (most recent call last):
    LookupError: 2 chips are named like 'H100': NVIDIA H100 SXM5 80GB, NVIDIA H100 PCIe 80GB; ...
    """
    chips = {chip.name.lower(): chip for chip in accelerators()}
    wanted = name.strip().lower()
    found = [chips[wanted]] if wanted in chips else [c for n, c in chips.items() if wanted in n]
    if len(found) == 1 and wanted:
        return found[0]
    if found:
        some = ", ".join(chip.name for chip in found[:5])
        raise LookupError(f"{len(found)} chips are named like {name!r}: {some}; say which.")
    near = [chips[n].name for n in get_close_matches(wanted, list(chips), n=3, cutoff=0.4)]
    hint = f" Near it: {', '.join(near)}." if near else ""
    raise LookupError(f"no chip is named {name!r}; `coursekit facts accelerators` lists all.{hint}")
