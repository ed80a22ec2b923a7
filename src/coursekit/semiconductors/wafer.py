"""Dies on a wafer: exact counts on the grid, and the formulas that estimate them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from coursekit._validate import Array, array, count, positive

FIELD_MM = (26.0, 33.0)
"""Width and height of the field that a lithography machine exposes at once: the reticle limit."""


@dataclass(frozen=True)
class Wafer:
    """A round slice of silicon.

    Attributes
    ----------
    diameter_mm : float, default 300
        Across.
    edge_mm : float, default 3
        Ring at the rim on which no die may lie.
    scribe_mm : float, default 0.1
        Street between two dies, for the saw.

    Raises
    ------
    ValueError
        If a length is negative, or the ring leaves nothing.

    Examples
    --------
    >>> Wafer().radius_mm
    147.0
    """

    diameter_mm: float = 300.0
    edge_mm: float = 3.0
    scribe_mm: float = 0.1

    def __post_init__(self) -> None:
        positive(self.diameter_mm, "diameter_mm")
        positive(self.edge_mm, "edge_mm", zero=True)
        positive(self.scribe_mm, "scribe_mm", zero=True)
        if 2 * self.edge_mm >= self.diameter_mm:
            raise ValueError(
                f"edge_mm is {self.edge_mm:g} on a wafer {self.diameter_mm:g} mm across; "
                "less than half of it wanted."
            )

    @property
    def radius_mm(self) -> float:
        """Radius of the circle in which dies must lie, whole."""
        return self.diameter_mm / 2 - self.edge_mm


@dataclass(frozen=True)
class Die:
    """A rectangle of silicon that becomes one chip, or part of one.

    Attributes
    ----------
    width_mm, height_mm : float
        Its sides.

    Raises
    ------
    ValueError
        If a side is not positive.

    Examples
    --------
    >>> Die(26.0, 33.0).area_mm2
    858.0
    """

    width_mm: float
    height_mm: float

    def __post_init__(self) -> None:
        positive(self.width_mm, "width_mm")
        positive(self.height_mm, "height_mm")

    @property
    def area_mm2(self) -> float:
        """Width times height."""
        return self.width_mm * self.height_mm

    @classmethod
    def of_area(cls, area_mm2: float, aspect: float = 1.0) -> Die:
        """Return a die of this area.

        Parameters
        ----------
        area_mm2 : float
            Area.
        aspect : float, default 1
            Height over width. Published areas seldom come with it.

        Examples
        --------
        >>> Die.of_area(100.0)
        Die(width_mm=10.0, height_mm=10.0)
        """
        area, ratio = float(positive(area_mm2, "area_mm2")), float(positive(aspect, "aspect"))
        return cls(math.sqrt(area / ratio), math.sqrt(area * ratio))


def require_one_field(die: Die, field_mm: tuple[float, float] = FIELD_MM) -> Die:
    """Return `die`, refusing one that no exposure can print whole.

    Parameters
    ----------
    die : Die
        What shall be printed.
    field_mm : tuple of float
        Sides of the field; the default is that of today's machines.

    Raises
    ------
    ValueError
        If the die fits in neither direction; the message says by how much.

    Examples
    --------
    >>> require_one_field(Die(40.7, 40.0))
    Traceback (most recent call last):
    ValueError: the die is 40.7 x 40 mm and the field 26 x 33 mm (858 mm2): it cannot be printed ...
    """
    short, long = sorted((die.width_mm, die.height_mm))
    least, most = sorted(field_mm)
    if short > least or long > most:
        raise ValueError(
            f"the die is {die.width_mm:g} x {die.height_mm:g} mm and the field {field_mm[0]:g} x "
            f"{field_mm[1]:g} mm ({least * most:g} mm2): it cannot be printed in one exposure. "
            "Cut it into dies that fit."
        )
    return die


def place_dies(die: Die, wafer: Wafer, offset_mm: tuple[float, float] = (0.0, 0.0)) -> Array:
    """Return where whole dies lie on a grid.

    Implements :eq:`eq-semiconductors-dies-grid`: a die counts when its four corners are inside.

    Parameters
    ----------
    die : Die
        What is repeated.
    wafer : Wafer
        On which.
    offset_mm : tuple of float
        Where one die of the grid has its lower left corner, from the wafer's middle.

    Returns
    -------
    ndarray, shape (n, 2)
        Lower left corners, mm from the middle, row by row.

    Raises
    ------
    ValueError
        If the die is larger than the usable circle.

    Examples
    --------
    >>> len(place_dies(Die(100.0, 100.0), Wafer(scribe_mm=0.0), (-100.0, -100.0)))
    4
    """
    _fits_circle(die, wafer)
    pitch = np.array([die.width_mm, die.height_mm]) + wafer.scribe_mm
    reach = np.ceil(wafer.radius_mm / pitch).astype(int) + 1
    columns, rows = (np.arange(-n, n + 1) for n in reach)
    x = offset_mm[0] % pitch[0] + pitch[0] * columns
    y = offset_mm[1] % pitch[1] + pitch[1] * rows
    corners = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)  # (grid, 2)
    sides = np.array([die.width_mm, die.height_mm])
    far = np.maximum(np.abs(corners), np.abs(corners + sides))  # of the four corners, (grid, 2)
    return corners[(far**2).sum(1) <= wafer.radius_mm**2 * (1 + 1e-12)]  # (n, 2)


def best_offset(die: Die, wafer: Wafer, steps: int = 24) -> tuple[float, float]:
    """Return the offset of the grid that puts the most whole dies on the wafer.

    Parameters
    ----------
    die : Die
        What is repeated.
    wafer : Wafer
        On which.
    steps : int, default 24
        Offsets tried along each side of a die; the four symmetric ones are among them when even.

    Returns
    -------
    tuple of float
        For :func:`place_dies`, mm.

    Examples
    --------
    >>> best_offset(Die(100.0, 100.0), Wafer(scribe_mm=0.0), steps=2)
    (-100.0, -100.0)
    """
    steps = count(steps, "steps")
    width, height = die.width_mm + wafer.scribe_mm, die.height_mm + wafer.scribe_mm
    tried = [
        (-width * (1 - i / steps), -height * (1 - j / steps))
        for i in range(steps)
        for j in range(steps)
    ]
    return max(tried, key=lambda offset: len(place_dies(die, wafer, offset)))


def dies_on_grid(die: Die, wafer: Wafer, steps: int = 24) -> int:
    """Return how many whole dies a wafer carries, the grid shifted to hold the most.

    Implements :eq:`eq-semiconductors-dies-grid`.

    Parameters
    ----------
    die, wafer, steps
        As in :func:`best_offset`.

    Examples
    --------
    >>> dies_on_grid(Die(100.0, 100.0), Wafer(scribe_mm=0.0))
    4
    """
    return len(place_dies(die, wafer, best_offset(die, wafer, steps)))


def dies_by_formula(
    area_mm2: ArrayLike, diameter_mm: float = 300.0, *, formula: str = "edge"
) -> Array:
    r"""Estimate how many dies a wafer carries.

    Implements :eq:`eq-semiconductors-dies-formula` and its two neighbours (de Vries, 2005).

    Parameters
    ----------
    area_mm2 : array_like
        Area of a die, its street included where there is one.
    diameter_mm : float, default 300
        Of the circle that may be used.
    formula : {"edge", "area", "exponential"}
        ``"area"`` is :math:`\pi d^2/4A`, which forgets the rim. ``"edge"`` subtracts
        :math:`\pi d/\sqrt{2A}` dies that the rim cuts. ``"exponential"`` multiplies the first by
        :math:`e^{-2\sqrt A/d}`.

    Returns
    -------
    ndarray
        Of the shape of `area_mm2`; not rounded.

    Raises
    ------
    ValueError
        If an area is not positive or larger than the wafer, or the formula is unknown.

    Examples
    --------
    >>> [float(dies_by_formula(814.0, formula=f).round(1)) for f in ("area", "edge")]
    [86.8, 63.5]
    """
    area, d = positive(area_mm2, "area_mm2"), float(positive(diameter_mm, "diameter_mm"))
    if (area > math.pi * d**2 / 4).any():
        raise ValueError(
            f"area_mm2 is {area.max():g} and the wafer has {math.pi * d**2 / 4:.0f}; a die smaller "
            "than the wafer wanted."
        )
    whole = math.pi * d**2 / (4 * area)
    if formula == "area":
        return array(whole, "dies")
    if formula == "edge":
        return array(np.maximum(0.0, whole - math.pi * d / np.sqrt(2 * area)), "dies")
    if formula == "exponential":
        return array(whole * np.exp(-2 * np.sqrt(area) / d), "dies")
    raise ValueError(f"formula is {formula!r}; 'edge', 'area' or 'exponential' wanted.")


def _fits_circle(die: Die, wafer: Wafer) -> None:
    diagonal = math.hypot(die.width_mm, die.height_mm)
    if diagonal > 2 * wafer.radius_mm:
        raise ValueError(
            f"the die is {diagonal:.4g} mm from corner to corner and the usable circle "
            f"{2 * wafer.radius_mm:g} mm across; a die that fits on the wafer wanted."
        )
