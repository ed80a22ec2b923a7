"""Energy and carbon of training and of answering, as ranges: what is assumed moves them most."""

from __future__ import annotations

from typing import NamedTuple

from coursekit.data.tables import known, load_table

HOURS_PER_SECOND = 1 / 3600
PUE = (1.05, 1.2, 1.6)
"""All the power of a data centre over that of its machines: a very good one, a common one, an old
one."""

DRAW = (0.6, 0.8, 1.0)
"""What an accelerator draws while it trains, as a share of its rated power."""


class Range(NamedTuple):
    """A figure with its bounds; products of ranges multiply bound by bound.

    Attributes
    ----------
    low, middle, high : float
        In rising order.

    Examples
    --------
    >>> Range(1, 2, 3).times(Range(10, 10, 20))
    Range(low=10, middle=20, high=60)
    """

    low: float
    middle: float
    high: float

    def times(self, other: Range | float) -> Range:
        """Return the product with a number or with another range of positive numbers."""
        low, middle, high = other if isinstance(other, Range) else (other, other, other)
        return Range(self.low * low, self.middle * middle, self.high * high)


MACHINE = Range(10, 25, 65)
"""Watts of a reader's machine while it computes: a thin laptop, a common one, a desktop."""


def training_energy(hours: float, watts: float, pue: float = 1.0) -> float:
    r"""Return the energy of a training run, in kWh.

    Implements :eq:`eq-landscape-energy`, Patterson et al. (2021), section 2.

    Parameters
    ----------
    hours : float
        Of accelerators: as many as there are times the hours that each runs.
    watts : float
        That one draws.
    pue : float
        Power usage effectiveness: all power over that of the machines, at least 1.

    Raises
    ------
    ValueError
        If a number is negative, or `pue` below 1.

    Examples
    --------
    >>> training_energy(1_082_990, 400)  # BLOOM's accelerators
    433196.0
    """
    if not (hours >= 0 and watts >= 0 and pue >= 1):
        raise ValueError(
            f"hours is {hours}, watts {watts}, pue {pue}; numbers of 0 or more wanted, pue at "
            "least 1."
        )
    return hours * watts * pue / 1000


def carbon(kwh: float, grams_per_kwh: float) -> float:
    r"""Return the emissions of electricity, in tonnes of CO2 equivalents.

    Implements :eq:`eq-landscape-carbon`.

    Parameters
    ----------
    kwh : float
        Energy.
    grams_per_kwh : float
        Of the grid that made it.

    Raises
    ------
    ValueError
        If a number is negative.

    Examples
    --------
    >>> round(carbon(433_196, 57), 1)  # BLOOM on France's grid
    24.7
    """
    if not (kwh >= 0 and grams_per_kwh >= 0):
        raise ValueError(
            f"kwh is {kwh} and grams_per_kwh {grams_per_kwh}; numbers of 0 or more wanted."
        )
    return kwh * grams_per_kwh / 1e6


def energy_range(hours: float, watts: float) -> Range:
    """Return the energy of a run in kWh, over what is not known: draw and power usage.

    Parameters
    ----------
    hours : float
        Of accelerators.
    watts : float
        Rated power of one.

    Examples
    --------
    >>> energy_range(1000, 500)
    Range(low=315.0, middle=480.0, high=800.0)
    """
    bounds = zip(DRAW, PUE, strict=True)
    low, middle, high = (round(training_energy(hours, watts * d, p), 9) for d, p in bounds)
    return Range(low, middle, high)


def grid_range(low: str = "France", middle: str = "World", high: str = "India") -> Range:
    """Return the carbon of a kWh in three places, in grams.

    Parameters
    ----------
    low, middle, high : str
        Places of the table ``grid_carbon``.

    Raises
    ------
    LookupError
        If the table has no such place.

    Examples
    --------
    >>> grid_range()
    Range(low=56.0, middle=481.0, high=713.0)
    """
    table = load_table("grid_carbon")
    return Range(*(known(table.one(place=place), "g_per_kwh") for place in (low, middle, high)))


def carbon_range(energy: Range, grid: Range) -> Range:
    """Return emissions in tonnes from energy in kWh and a grid in grams a kWh.

    Examples
    --------
    >>> carbon_range(Range(1e6, 2e6, 3e6), Range(50, 400, 700))
    Range(low=50.0, middle=800.0, high=2100.0)
    """
    return energy.times(grid).times(1e-6)


def run_on_this_machine(cpu_seconds: float, watts: Range = MACHINE) -> Range:
    """Return the energy of a computation on a laptop or desktop, in kWh.

    Parameters
    ----------
    cpu_seconds : float
        Time of the processor.
    watts : Range
        Of the machine while it computes.

    Examples
    --------
    >>> run_on_this_machine(3600)
    Range(low=0.01, middle=0.025, high=0.065)
    """
    if not cpu_seconds >= 0:
        raise ValueError(f"cpu_seconds is {cpu_seconds}; a number of 0 or more wanted.")
    return watts.times(cpu_seconds * HOURS_PER_SECOND / 1000)
