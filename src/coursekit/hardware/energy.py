"""Energy: of an operation, of a byte that moves, of a token."""

from __future__ import annotations

from coursekit.data.tables import known, load_table

PICO = 1e-12


def energy_of(operation: str) -> float:
    """Return the energy of one operation or one read, in joules, as published.

    Parameters
    ----------
    operation : str
        Of the table ``energy_per_operation``; its row says for which process.

    Raises
    ------
    LookupError
        If the table has no such operation; the message names the nearest.

    Examples
    --------
    >>> energy_of("fp32 multiplication") / energy_of("int8 multiplication")
    18.5
    """
    return PICO * known(load_table("energy_per_operation").one(operation=operation), "energy_pj")


def energy_of_work(
    operations: float, moved: float, *, per_operation: float, per_byte: float
) -> float:
    r"""Return the energy of a computation from its operations and bytes, in joules.

    Implements :eq:`eq-hardware-energy`. What a chip spends on anything else (control, leakage,
    links, cooling) is not in it: it is a lower bound.

    Parameters
    ----------
    operations, moved : float
        Of the computation.
    per_operation, per_byte : float
        Joules of one operation and of one byte moved.

    Raises
    ------
    ValueError
        If a number is negative.

    Examples
    --------
    >>> energy_of_work(2e9, 1e9, per_operation=0.5e-12, per_byte=30e-12)
    0.031
    """
    numbers = {
        "operations": operations,
        "moved": moved,
        "per_operation": per_operation,
        "per_byte": per_byte,
    }
    for name, value in numbers.items():
        if not value >= 0:
            raise ValueError(f"{name} is {value}; a number that is not negative wanted.")
    return operations * per_operation + moved * per_byte


def joules_per_token(watts: float, tokens_per_second: float, chips: int = 1) -> float:
    """Return the energy of a token from the power of what makes it.

    Parameters
    ----------
    watts : float
        Of one chip while it runs; its rated power is an upper bound.
    tokens_per_second : float
        Of all chips together.
    chips : int, default 1
        How many.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> round(joules_per_token(330, 104.9), 2)
    3.15
    """
    if not (watts > 0 and tokens_per_second > 0 and chips >= 1):
        raise ValueError(
            f"watts is {watts}, tokens_per_second {tokens_per_second}, chips {chips}; positive "
            "numbers wanted."
        )
    return chips * watts / tokens_per_second
