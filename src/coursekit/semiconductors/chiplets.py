"""One large die or several small ones, and memory in layers: what cutting costs and saves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coursekit._validate import count, positive
from coursekit.semiconductors.cost import cost_per_good_die
from coursekit.semiconductors.wafer import dies_by_formula
from coursekit.semiconductors.yields import Model, expected_defects, murphy


@dataclass(frozen=True)
class Process:
    """A way to make dies.

    Attributes
    ----------
    wafer_price : float
        Of a processed wafer, in any currency.
    density_per_cm2 : float
        Defects that kill.
    diameter_mm : float, default 294
        Of the circle that may be used; 300 less a ring of 3.
    model : callable
        Yield from expected defects.

    Examples
    --------
    >>> Process(10_000.0, 0.1).die_yield(100.0).__round__(3)
    0.906
    """

    wafer_price: float
    density_per_cm2: float
    diameter_mm: float = 294.0
    model: Model = murphy

    def die_yield(self, area_mm2: float) -> float:
        """Return the share of dies of this area that work.

        Parameters
        ----------
        area_mm2 : float
            Of a die.
        """
        return float(self.model(expected_defects(area_mm2, self.density_per_cm2)))

    def die_cost(self, area_mm2: float) -> float:
        """Return what a working die of this area costs, by :eq:`eq-semiconductors-cost`.

        Parameters
        ----------
        area_mm2 : float
            Of a die.

        Raises
        ------
        ValueError
            If no die of this area fits on a wafer.
        """
        dies = float(dies_by_formula(area_mm2, self.diameter_mm))
        if dies < 1:
            raise ValueError(
                f"a die of {area_mm2:g} mm2 fits less than once on the wafer; a smaller one wanted."
            )
        return float(cost_per_good_die(self.wafer_price, dies, self.die_yield(area_mm2)))


def chiplet_cost(
    area_mm2: float,
    parts: int,
    process: Process,
    *,
    overhead: float = 0.10,
    package: float = 0.0,
    bond_yield: float = 1.0,
) -> float:
    """Return what a working package of several tested dies costs.

    Implements :eq:`eq-semiconductors-chiplet`. Dies are tested before they are put together; one
    bad bond loses the package with all dies in it.

    Parameters
    ----------
    area_mm2 : float
        Of all that is computed with, as if on one die.
    parts : int
        Equal dies; 1 is the single die, without overhead.
    process : Process
        How they are made.
    overhead : float, default 0.10
        Share of area that each part adds to speak to the others.
    package : float, default 0
        Price of package and assembly.
    bond_yield : float, default 1
        Chance that one die is joined well.

    Returns
    -------
    float
        In the currency of the process.

    Raises
    ------
    ValueError
        If a number is negative, or the chance is none.

    Examples
    --------
    >>> mature = Process(10_000.0, 0.1)
    >>> chiplet_cost(777.0, 4, mature) < chiplet_cost(777.0, 1, mature)
    True
    """
    n = count(parts, "parts")
    extra = float(positive(overhead, "overhead", zero=True)) if n > 1 else 0.0
    price = float(positive(package, "package", zero=True))
    each = process.die_cost(float(positive(area_mm2, "area_mm2")) / n * (1 + extra))
    return (n * each + price) / _chance(bond_yield, "bond_yield") ** n


def stack_yield(
    layer_yield: float, layers: int, bond_yield: float, *, tested: bool = True
) -> float:
    """Return the share of stacks of memory that work.

    Implements :eq:`eq-semiconductors-stack`. A stack has `layers` dies of memory on a base, each
    joined by a bond. With tested dies only the bonds can fail.

    Parameters
    ----------
    layer_yield : float
        Share of memory dies that work.
    layers : int
        Dies in a stack.
    bond_yield : float
        Chance that one layer is joined well.
    tested : bool, default True
        Whether dies are tested before they are stacked.

    Examples
    --------
    >>> round(stack_yield(0.9, 8, 0.99), 3), round(stack_yield(0.9, 8, 0.99, tested=False), 3)
    (0.923, 0.397)
    """
    n = count(layers, "layers")
    die, bond = _chance(layer_yield, "layer_yield"), _chance(bond_yield, "bond_yield")
    return bond**n * (1.0 if tested else die**n)


def stack_cost(
    die_cost: float, layers: int, *, layer_yield: float, bond_yield: float, base_cost: float = 0.0
) -> float:
    """Return what a working stack of tested memory dies costs.

    Implements :eq:`eq-semiconductors-stack`.

    Parameters
    ----------
    die_cost : float
        What it costs to make one memory die, good or bad.
    layers, layer_yield, bond_yield
        As in :func:`stack_yield`.
    base_cost : float, default 0
        Of the logic die below.

    Examples
    --------
    >>> stack_cost(9.0, 8, layer_yield=0.9, bond_yield=1.0)
    80.0
    """
    price = float(positive(die_cost, "die_cost")) / _chance(layer_yield, "layer_yield")
    parts = count(layers, "layers") * price + float(positive(base_cost, "base_cost", zero=True))
    return parts / stack_yield(layer_yield, layers, bond_yield)


def _chance(value: float, name: str) -> float:
    if not (np.isfinite(value) and 0 < value <= 1):
        raise ValueError(f"{name} is {value}; a chance more than 0 and at most 1 wanted.")
    return float(value)
