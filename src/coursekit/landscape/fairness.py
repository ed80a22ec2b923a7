"""A fairness audit: rates of groups, the measures that compare them, and why not all can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coursekit._validate import Array, array, count, generator, labels
from coursekit.posttraining import Reliability, reliability

Criterion = Literal["one threshold", "demographic parity", "equal opportunity"]
CRITERIA: tuple[Criterion, ...] = ("one threshold", "demographic parity", "equal opportunity")
"""Ways to choose thresholds: the same for all, equal shares accepted, equal shares of the good."""


class Applicants(NamedTuple):
    """People, a score for each, and what came of it.

    Attributes
    ----------
    score : ndarray, shape (n,)
        Probability of the good outcome, as a model gives it.
    outcome : ndarray of int64, shape (n,)
        1 is good: the loan was paid back.
    group : ndarray of int64, shape (n,)
        0 or 1.
    """

    score: Array
    outcome: NDArray[np.int64]
    group: NDArray[np.int64]


class Rates(NamedTuple):
    """What a decision does to one group; a share of nobody is NaN.

    Attributes
    ----------
    n : int
        People.
    base : float
        Share with the good outcome.
    accepted : float
        Share accepted.
    true_positive, false_positive : float
        Share accepted of those with the good outcome, and of the others.
    precision : float
        Share of good outcomes among the accepted.
    """

    n: int
    base: float
    accepted: float
    true_positive: float
    false_positive: float
    precision: float


def applicants(
    n: int,
    rng: np.random.Generator,
    *,
    base_rates: tuple[float, float] = (0.6, 0.4),
    share: float = 0.5,
    spread: float = 3.0,
) -> Applicants:
    """Draw applicants of two groups whose scores are calibrated in each.

    A score is drawn from a beta distribution with the group's base rate as its mean, and the
    outcome is then good with just that probability: no model could know more, and none is biased.

    Parameters
    ----------
    n : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.
    base_rates : (float, float)
        Share of good outcomes in each group, between 0 and 1.
    share : float
        Part of group 1 in all.
    spread : float
        Sum of the beta's two parameters: the smaller, the surer the scores.

    Returns
    -------
    Applicants

    Raises
    ------
    ValueError
        If a share is not between 0 and 1, or `spread` is not positive.

    Examples
    --------
    >>> people = applicants(1000, np.random.default_rng(0))
    >>> [round(float(people.score[people.group == g].mean()), 1) for g in (0, 1)]
    [0.6, 0.4]
    """
    for name, p in (("share", share), *(("base_rates", p) for p in base_rates)):
        if not 0 < p < 1:
            raise ValueError(f"{name} holds {p}; a number between 0 and 1 wanted.")
    if not spread > 0:
        raise ValueError(f"spread is {spread}; more than 0 wanted.")
    group = (generator(rng).random(count(n, "n")) < share).astype(np.int64)  # (n,)
    mean = np.array(base_rates)[group]  # (n,)
    score = rng.beta(spread * mean, spread * (1 - mean))  # (n,)
    outcome = (rng.random(n) < score).astype(np.int64)
    return Applicants(score, outcome, group)


def group_rates(outcome: ArrayLike, accepted: ArrayLike, group: ArrayLike) -> dict[int, Rates]:
    """Return the rates of each group.

    Parameters
    ----------
    outcome, accepted : array_like of 0 and 1, shape (n,)
        What came of it, and what was decided.
    group : array_like of int, shape (n,)
        Whose.

    Returns
    -------
    dict of int to Rates

    Raises
    ------
    ValueError
        If the shapes differ or a value is not 0 or 1.

    Examples
    --------
    >>> rates = group_rates([1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0])[0]
    >>> rates.base, rates.accepted, rates.true_positive, rates.false_positive, rates.precision
    (0.5, 0.5, 0.5, 0.5, 0.5)
    """
    m = len(array(outcome, "outcome", ndim=1))
    y, d = (labels(x, n, m=m, classes=2) for x, n in ((outcome, "outcome"), (accepted, "accepted")))
    g = labels(group, "group", m=m)
    return {int(k): _rates(y[g == k], d[g == k]) for k in np.unique(g)}


def _rates(y: NDArray[np.int64], d: NDArray[np.int64]) -> Rates:
    def share(values: NDArray[np.int64]) -> float:
        return float(values.mean()) if len(values) else float("nan")

    return Rates(len(y), share(y), share(d), share(d[y == 1]), share(d[y == 0]), share(y[d == 1]))


def demographic_parity_gap(accepted: ArrayLike, group: ArrayLike) -> float:
    """Return how far the shares accepted of the groups lie apart; 0 is demographic parity.

    Implements :eq:`eq-landscape-demographic-parity`.

    Parameters
    ----------
    accepted : array_like of 0 and 1, shape (n,)
        What was decided.
    group : array_like of int, shape (n,)
        Of whom.

    Examples
    --------
    >>> demographic_parity_gap([1, 1, 1, 0], [0, 0, 1, 1])
    0.5
    """
    rates = group_rates(np.ones_like(accepted), accepted, group)
    return _gap([r.accepted for r in rates.values()])


def equalised_odds_gap(outcome: ArrayLike, accepted: ArrayLike, group: ArrayLike) -> float:
    """Return the larger of the gaps in true and in false positive rates; 0 is equalised odds.

    Implements :eq:`eq-landscape-equalised-odds`, Hardt et al. (2016).

    Parameters
    ----------
    outcome, accepted : array_like of 0 and 1, shape (n,)
        What came of it, and what was decided.
    group : array_like of int, shape (n,)
        Of whom.

    Examples
    --------
    >>> equalised_odds_gap([1, 1, 0, 0, 1, 1, 0, 0], [1, 1, 1, 0, 1, 0, 1, 0], [0] * 4 + [1] * 4)
    0.5
    """
    rates = group_rates(outcome, accepted, group).values()
    return max(_gap([r.true_positive for r in rates]), _gap([r.false_positive for r in rates]))


def precision_gap(outcome: ArrayLike, accepted: ArrayLike, group: ArrayLike) -> float:
    """Return how far the shares of good outcomes among the accepted lie apart.

    Parameters
    ----------
    outcome, accepted, group
        As in :func:`equalised_odds_gap`.

    Examples
    --------
    >>> precision_gap([1, 0, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1])
    0.5
    """
    return _gap([r.precision for r in group_rates(outcome, accepted, group).values()])


def _gap(values: list[float]) -> float:
    return max(values) - min(values)


def calibration_by_group(
    score: ArrayLike, outcome: ArrayLike, group: ArrayLike, bins: int = 10
) -> dict[int, Reliability]:
    """Return what a reliability diagram draws, for each group.

    Parameters
    ----------
    score : array_like, shape (n,)
        Probabilities of the good outcome.
    outcome : array_like of 0 and 1, shape (n,)
        What came of it.
    group : array_like of int, shape (n,)
        Of whom.
    bins : int
        Intervals of the score.

    Returns
    -------
    dict of int to Reliability
        As :func:`coursekit.posttraining.reliability` gives it.

    Examples
    --------
    >>> found = calibration_by_group([0.5, 0.5, 0.9], [1, 0, 1], [0, 0, 1])
    >>> found[0].accuracy, found[1].confidence
    (array([0.5]), array([0.9]))
    """
    p, y, g = array(score, "score", ndim=1), np.asarray(outcome), np.asarray(group)
    return {int(k): reliability(p[g == k], y[g == k], bins=bins) for k in np.unique(g)}


def calibration_gap(
    score: ArrayLike, outcome: ArrayLike, group: ArrayLike, bins: int = 10
) -> float:
    """Return by how much scores miss the outcomes in the worst group; 0 is calibration in each.

    Implements :eq:`eq-landscape-calibration-groups`: the mean distance of score and share of good
    outcomes over bins, weighted by people.

    Parameters
    ----------
    score, outcome, group, bins
        As in :func:`calibration_by_group`.

    Examples
    --------
    >>> calibration_gap([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 1], [0, 0, 1, 1])
    0.5
    """
    found = calibration_by_group(score, outcome, group, bins).values()
    return max(float(np.average(abs(r.confidence - r.accuracy), weights=r.counts)) for r in found)


def forced_false_positive_rate(base: float, precision: float, true_positive: float) -> float:
    r"""Return the false positive rate that three other rates leave no choice about.

    Implements :eq:`eq-landscape-impossibility`, Chouldechova (2017), equation 2.6. Where two
    groups have different base rates and equal precision and true positive rates, their false
    positive rates must differ.

    Parameters
    ----------
    base, precision, true_positive : float
        Of a group; between 0 and 1, `precision` above 0 and `base` below 1.

    Raises
    ------
    ValueError
        If a rate is out of range.

    Examples
    --------
    >>> [round(forced_false_positive_rate(p, 0.75, 0.6), 4) for p in (0.4, 0.6)]
    [0.1333, 0.3]
    """
    if not (0 <= base < 1 and 0 < precision <= 1 and 0 <= true_positive <= 1):
        raise ValueError(
            f"base is {base}, precision {precision}, true_positive {true_positive}; rates from 0 "
            "to 1 wanted, base below 1 and precision above 0."
        )
    return base / (1 - base) * (1 - precision) / precision * true_positive


def thresholds_for(people: Applicants, criterion: Criterion, rate: float) -> dict[int, float]:
    """Return each group's threshold, so that a criterion holds and a given rate is met.

    Parameters
    ----------
    people : Applicants
        With both groups.
    criterion : {"one threshold", "demographic parity", "equal opportunity"}
        ``"one threshold"`` accepts the share `rate` of all by one threshold, ``"demographic
        parity"`` that share of each group, ``"equal opportunity"`` that share of those with the
        good outcome in each group (Hardt et al., 2016).
    rate : float
        Between 0 and 1.

    Returns
    -------
    dict of int to float

    Raises
    ------
    ValueError
        If `rate` is out of range, or the criterion is unknown.

    Examples
    --------
    >>> people = applicants(2000, np.random.default_rng(0))
    >>> cut = thresholds_for(people, "demographic parity", 0.5)
    >>> rates = group_rates(people.outcome, accept(people, cut), people.group)
    >>> [round(r.accepted, 2) for r in rates.values()]
    [0.5, 0.5]
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate is {rate}; a number between 0 and 1 wanted.")
    if criterion not in CRITERIA:
        raise ValueError(f"criterion is {criterion!r}; one of {', '.join(CRITERIA)} wanted.")
    groups = [int(g) for g in np.unique(people.group)]
    if criterion == "one threshold":
        return dict.fromkeys(groups, float(np.quantile(people.score, 1 - rate)))
    counted = people.outcome >= 0  # everyone
    if criterion == "equal opportunity":
        counted = people.outcome == 1
    scores = {g: people.score[counted & (people.group == g)] for g in groups}
    return {g: float(np.quantile(values, 1 - rate)) for g, values in scores.items()}


def accept(people: Applicants, thresholds: Mapping[int, float]) -> NDArray[np.int64]:
    """Return 1 for those whose score is above their group's threshold, shape (n,).

    Examples
    --------
    >>> people = Applicants(np.array([0.2, 0.6]), np.array([0, 1]), np.array([0, 1]))
    >>> accept(people, {0: 0.5, 1: 0.5})
    array([0, 1])
    """
    cut = np.array([thresholds[int(g)] for g in people.group])  # (n,)
    return (people.score > cut).astype(np.int64)


def profit(people: Applicants, accepted: ArrayLike, loss: float = 2.0) -> float:
    """Return what a lender earns per applicant: 1 for a good outcome, minus `loss` for a bad one.

    Examples
    --------
    >>> people = Applicants(np.array([0.2, 0.6]), np.array([0, 1]), np.array([0, 1]))
    >>> profit(people, [1, 1]), profit(people, [0, 1])
    (-0.5, 0.5)
    """
    taken = array(accepted, "accepted", shape=people.outcome.shape)
    return float((taken * np.where(people.outcome == 1, 1.0, -loss)).mean())
