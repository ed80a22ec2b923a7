"""How concentrated a market is, also when not all shares are known."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from coursekit._validate import array, positive

WHOLE = 100.0
ROUNDING = 1.5
"""Shares printed without decimals may add up to a little more than the whole."""


class Bounds(NamedTuple):
    """Least and greatest value that the known shares allow."""

    low: float
    high: float


def herfindahl(shares_percent: ArrayLike) -> Bounds:
    r"""Return the Herfindahl-Hirschman index, the sum of the squared shares.

    Implements :eq:`eq-semiconductors-concentration`. 10 000 is a monopoly; the United States'
    Merger Guidelines of 2023 call a market above 1800 highly concentrated. What the shares leave
    of the whole may be crumbs, which add nothing, or firms as large as the smallest one named.

    Parameters
    ----------
    shares_percent : array_like, shape (K,)
        Shares of the firms that are known, in percent.

    Returns
    -------
    Bounds
        Equal where the shares make up the whole.

    Raises
    ------
    ValueError
        If a share is negative, there are none, or they add up to more than the whole or look like
        fractions.

    Examples
    --------
    >>> herfindahl([50, 50])
    Bounds(low=5000.0, high=5000.0)
    >>> herfindahl([60, 20])
    Bounds(low=4000.0, high=4400.0)
    """
    shares = positive(array(shares_percent, "shares_percent", ndim=1), "shares_percent", zero=True)
    total = float(shares.sum())
    if not 0 < total <= WHOLE + ROUNDING:
        raise ValueError(
            f"shares_percent adds up to {total:g}; more than 0 and at most 100 wanted. Give "
            "percent, and each firm once."
        )
    if total <= 1:
        raise ValueError(f"shares_percent adds up to {total:g}; percent, not fractions, wanted.")
    low = float((shares**2).sum())
    rest, smallest = max(0.0, WHOLE - total), float(shares[shares > 0].min())
    full, part = divmod(rest, smallest)
    return Bounds(low, low + full * smallest**2 + part**2)
