"""The real data sets of the course, with their sources and one fixed split each.

They are read from the files that scikit-learn ships, so that every reader has the same bytes
and nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coursekit._validate import Array

Indices = NDArray[np.int64]
Order = Literal["interleaved", "blocks"]


class Split(NamedTuple):
    """Row indices of three disjoint parts, each in rising order."""

    train: Indices
    validation: Indices
    test: Indices


@dataclass(frozen=True)
class Dataset:
    """A data set and where it comes from; the arrays are read-only.

    Attributes
    ----------
    name : str
        The name to :func:`load` it by.
    X : ndarray, shape (m, n)
        Features, float64, one example per row.
    y : ndarray, shape (m,)
        Class labels 0 … K - 1 (int64), or the target to regress (float64).
    feature_names : tuple of str, length n
        What the columns are.
    target_names : tuple of str, length K
        What the classes are; empty for regression.
    source, licence, description : str
        Who collected the data, under which terms, and what they are.
    """

    name: str
    X: Array = field(repr=False)
    y: Array = field(repr=False)
    feature_names: tuple[str, ...] = field(repr=False)
    target_names: tuple[str, ...] = field(repr=False)
    source: str
    licence: str
    description: str

    def __post_init__(self) -> None:
        self.X.setflags(write=False)
        self.y.setflags(write=False)

    def split(self, order: Order = "interleaved") -> Split:
        """Return the fixed split that the whole course uses: 60 % train, 20 %, 20 %.

        No random numbers take part, so that the rows are the same on every machine and with
        every version of NumPy. Classes are dealt with one by one, in the file's order, so that
        each part holds the same share of every class.

        Parameters
        ----------
        order : {"interleaved", "blocks"}
            ``"interleaved"`` deals each class out in fives: three to train, one to validation,
            one to test. ``"blocks"`` cuts each class into its first 60 %, next 20 % and last
            20 %. The digits come from thirteen writers whom the file does not name; if rows
            that follow each other tend to come from one hand, blocks test on hands that were
            never seen. Every classifier does markedly worse on them: compare both.

        Raises
        ------
        ValueError
            If `order` is neither.

        Examples
        --------
        >>> [len(part) for part in load("digits").split()]
        [1085, 357, 355]
        """
        if order not in ("interleaved", "blocks"):
            raise ValueError(f"order is {order!r}; 'interleaved' or 'blocks' wanted.")
        fold = np.empty(len(self.y), dtype=np.int64)  # (m,), fifths 0 … 4
        for rows in self._classes():
            place = np.arange(len(rows))
            fold[rows] = place % 5 if order == "interleaved" else 5 * place // len(rows)
        return Split(*(np.flatnonzero(np.isin(fold, f)) for f in ((0, 1, 2), (3,), (4,))))

    @property
    def train(self) -> tuple[Array, Array]:
        """The training rows of the fixed split, as (X, y)."""
        return self._part(self.split().train)

    @property
    def validation(self) -> tuple[Array, Array]:
        """The validation rows of the fixed split, as (X, y)."""
        return self._part(self.split().validation)

    @property
    def test(self) -> tuple[Array, Array]:
        """The test rows of the fixed split, as (X, y)."""
        return self._part(self.split().test)

    def _part(self, rows: Indices) -> tuple[Array, Array]:
        return self.X[rows], self.y[rows]

    def _classes(self) -> list[Indices]:
        if not self.target_names:
            return [np.arange(len(self.y))]
        return [np.flatnonzero(self.y == k) for k in range(len(self.target_names))]


class _Entry(NamedTuple):
    loader: str
    source: str
    licence: str
    description: str


_UCI = "CC BY 4.0 (UCI Machine Learning Repository)"

_ENTRIES = {
    "digits": _Entry(
        "load_digits",
        "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (1998), UCI Machine "
        "Learning Repository, https://doi.org/10.24432/C50P49; the repository's test part",
        _UCI,
        "1,797 handwritten digits of 8 by 8 pixels; a pixel is the share of ink in its 4 by 4 "
        "block, from 0 to 1 (the file's counts, 0 to 16, divided by 16)",
    ),
    "iris": _Entry(
        "load_iris",
        "R. A. Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics "
        "7 (1936) 179-188; UCI Machine Learning Repository, https://doi.org/10.24432/C56C76",
        _UCI,
        "150 flowers of three species: lengths and widths of sepals and petals in centimetres",
    ),
    "wine": _Entry(
        "load_wine",
        "S. Aeberhard and M. Forina, Wine (1992), UCI Machine Learning Repository, "
        "https://doi.org/10.24432/C5PC7J",
        _UCI,
        "178 wines of three growers in one region of Italy: thirteen chemical measurements",
    ),
    "breast-cancer": _Entry(
        "load_breast_cancer",
        "W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin "
        "(Diagnostic) (1993), UCI Machine Learning Repository, https://doi.org/10.24432/C5DW2B",
        _UCI,
        "569 tumours, malignant (0) or benign (1): thirty measurements of the cells' nuclei",
    ),
    "diabetes": _Entry(
        "load_diabetes",
        "B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least Angle Regression, Annals of "
        "Statistics 32 (2004) 407-499, https://doi.org/10.1214/009053604000000067",
        "none stated by the authors; redistributed with scikit-learn",
        "442 patients: age, sex, body mass index, blood pressure and six serum measurements, in "
        "their own units; the target is a measure of the disease's progress one year later",
    ),
}

NAMES = tuple(_ENTRIES)
"""The names that :func:`load` knows."""


def load(name: str) -> Dataset:
    """Return a data set by name.

    Parameters
    ----------
    name : {"digits", "iris", "wine", "breast-cancer", "diabetes"}
        Which one.

    Returns
    -------
    Dataset
        Features unscaled (but for the digits' pixels, from 0 to 1), with names, source, licence
        and the course's fixed split.

    Raises
    ------
    KeyError
        If there is no data set of this name; the message lists those there are.
    FileNotFoundError
        If scikit-learn's installation lacks the file.

    Examples
    --------
    >>> digits = load("digits")
    >>> digits.X.shape, digits.y.shape
    ((1797, 64), (1797,))
    >>> load("mnist")
    Traceback (most recent call last):
    KeyError: "no data set 'mnist'; there are digits, iris, wine, breast-cancer, diabetes."
    """
    if name not in _ENTRIES:
        raise KeyError(f"no data set {name!r}; there are {', '.join(NAMES)}.")
    entry = _ENTRIES[name]
    bunch = _read(name, entry.loader)
    targets = tuple(str(t) for t in bunch.get("target_names", ()))
    return Dataset(
        name=name,
        X=np.asarray(bunch.data, dtype=np.float64) / (16.0 if name == "digits" else 1.0),
        y=np.asarray(bunch.target, dtype=np.int64 if targets else np.float64),
        feature_names=tuple(str(f) for f in bunch.feature_names),
        target_names=targets,
        source=entry.source,
        licence=entry.licence,
        description=entry.description,
    )


def _read(name: str, loader: str) -> Any:
    from sklearn import datasets

    # scikit-learn scales the diabetes columns with all rows, test rows included: leakage.
    options = {"scaled": False} if name == "diabetes" else {}
    try:
        return getattr(datasets, loader)(**options)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"the file of the data set {name!r} is missing from the installed scikit-learn "
            f"({error}). Install it again: pip install --force-reinstall scikit-learn"
        ) from error
