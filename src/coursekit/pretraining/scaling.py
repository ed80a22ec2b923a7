"""The loss as a function of model size and data, fitted to runs, and what it advises."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from coursekit._validate import array

Floats = NDArray[np.float64]
DELTA = 1e-3
"""Where Huber's loss turns from a parabola into a line, in units of log loss."""

STARTS = {
    "log_A": (2.0, 8.0),
    "log_B": (2.0, 8.0),
    "log_E": (-0.5, 0.5),
    "alpha": (0.3, 0.7),
    "beta": (0.3, 0.7),
}
"""Where the search begins: every combination, for the objective has many dips."""


class ScalingLaw(NamedTuple):
    r"""A law of the form :eq:`eq-pretraining-chinchilla`, Hoffmann et al. (2022), equation 2.

    Attributes
    ----------
    E : float
        What no model of any size gets below: the entropy of the text, as far as the law holds.
    A, alpha : float
        What a finite model adds, :math:`A / N^\alpha`.
    B, beta : float
        What finite data add, :math:`B / D^\beta`.

    Examples
    --------
    >>> law = ScalingLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)  # the paper's
    >>> round(float(law.predict(70e9, 1.4e12)), 2)  # Chinchilla itself
    1.94
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def predict(self, n_parameters: ArrayLike, n_tokens: ArrayLike) -> Floats:
        """Return the loss, in nats a token, of models of N parameters trained on D tokens.

        Parameters
        ----------
        n_parameters, n_tokens : array_like
            N and D, of shapes that fit each other.
        """
        n, d = np.asarray(n_parameters, float), np.asarray(n_tokens, float)
        return np.asarray(self.E + self.A / n**self.alpha + self.B / d**self.beta)

    def optimum(self, compute: float) -> tuple[float, float]:
        r"""Return the N and D of the lowest loss that 6 N D operations can buy.

        Both grow as powers of the compute, with exponents that add up to 1; Hoffmann et al.
        (2022), equation 4.

        Parameters
        ----------
        compute : float
            Operations, C.

        Examples
        --------
        >>> n, d = ScalingLaw(1.69, 406.4, 410.7, 0.34, 0.28).optimum(1e21)
        >>> round(6 * n * d / 1e21, 6)
        1.0
        """
        ratio = self.alpha * self.A / (self.beta * self.B)
        both = self.alpha + self.beta
        n = ratio ** (1 / both) * (compute / 6) ** (self.beta / both)
        return n, compute / 6 / n


def fit_scaling(n_parameters: ArrayLike, n_tokens: ArrayLike, loss: ArrayLike) -> ScalingLaw:
    r"""Fit the five numbers of a scaling law to runs, as Hoffmann et al. (2022), section 3.3.

    The law's logarithm is compared with that of each loss by Huber's function, which a run gone
    wrong cannot drag far; the search is by L-BFGS from many starts.

    Parameters
    ----------
    n_parameters, n_tokens, loss : array_like, shape (runs,)
        N, D and the final loss in nats a token, of five runs or more.

    Returns
    -------
    ScalingLaw

    Raises
    ------
    ValueError
        If there are too few runs, or a number is not positive.

    Examples
    --------
    >>> law = ScalingLaw(E=1.5, A=50.0, B=80.0, alpha=0.4, beta=0.35)
    >>> n, d = np.meshgrid([1e4, 1e5, 1e6], [1e5, 1e6, 1e7])
    >>> found = fit_scaling(n.ravel(), d.ravel(), law.predict(n, d).ravel())
    >>> round(found.E, 2), round(found.alpha, 2), round(found.beta, 2)
    (1.5, 0.4, 0.35)
    """
    n, d, y = (
        array(x, name, ndim=1)
        for x, name in ((n_parameters, "n_parameters"), (n_tokens, "n_tokens"), (loss, "loss"))
    )
    if not len(n) == len(d) == len(y) >= len(STARTS):
        raise ValueError(
            f"there are {len(n)}, {len(d)} and {len(y)} numbers; N, D and the loss of at least "
            f"{len(STARTS)} runs wanted, for as many unknowns."
        )
    if min(n.min(), d.min(), y.min()) <= 0:
        raise ValueError("N, D and the loss have to be positive in every run.")
    logs = np.log(n), np.log(d), np.log(y)
    tries = [
        minimize(_objective, start, logs, jac=True, method="L-BFGS-B")
        for start in product(*STARTS.values())
    ]
    a, b, e, alpha, beta = min(tries, key=lambda found: float(found.fun)).x
    return ScalingLaw(*(float(x) for x in (np.exp(e), np.exp(a), np.exp(b), alpha, beta)))


def _objective(x: Floats, n: Floats, d: Floats, y: Floats) -> tuple[float, Floats]:
    """Huber's loss between the logarithms, times 1e3, and its gradient; all inputs are logs."""
    a, b, e, alpha, beta = x
    terms = np.stack([a - alpha * n, b - beta * d, np.full_like(y, e)])  # (3, runs)
    total = logsumexp(terms, axis=0)  # (runs,)
    error, share = total - y, np.exp(terms - total)  # shares of A's, B's and E's term
    inside = np.abs(error) <= DELTA
    value = np.where(inside, error**2 / 2, DELTA * (np.abs(error) - DELTA / 2)).sum()
    slope = np.clip(error, -DELTA, DELTA) * share  # (3, runs)
    gradient = [*slope.sum(1), -(slope[0] * n).sum(), -(slope[1] * d).sum()]
    return 1e3 * float(value), 1e3 * np.array(gradient)
