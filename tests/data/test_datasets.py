"""The data sets are the published ones, their split is fixed, and errors say what to do."""

import hashlib

import numpy as np
import pytest
from sklearn import datasets

from coursekit.data import NAMES, load

SIZES = {  # examples, features, classes, as their publishers state them
    "digits": (1797, 64, 10),
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "breast-cancer": (569, 30, 2),
    "diabetes": (442, 10, 0),
}


def test_all_are_known():
    assert set(NAMES) == set(SIZES)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_types_and_names_fit_together(name):
    data = load(name)
    m, n, K = SIZES[name]
    assert data.X.shape == (m, n)
    assert data.y.shape == (m,)
    assert data.X.dtype == np.float64
    assert np.isfinite(data.X).all()
    assert len(data.feature_names) == n
    assert len(data.target_names) == K
    assert data.y.dtype == (np.int64 if K else np.float64)
    if K:
        assert sorted(set(data.y.tolist())) == list(range(K))


@pytest.mark.parametrize("name", NAMES)
def test_sources_and_terms_are_stated(name):
    data = load(name)
    assert data.name == name
    assert "https://doi.org/10." in data.source
    assert data.licence
    assert data.description


def test_digits_are_ink_shares_of_the_files_counts():
    X, y = datasets.load_digits(return_X_y=True)
    digits = load("digits")
    assert (digits.X * 16 == X).all()
    assert (digits.y == y).all()


def test_diabetes_comes_in_its_own_units_for_scaling_is_the_readers_step():
    X = load("diabetes").X
    assert X[:, 0].min() == 19  # the youngest patient, in years
    assert set(X[:, 1].tolist()) == {1.0, 2.0}


def test_arrays_cannot_be_changed_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        load("iris").X[0, 0] = 0.0


@pytest.mark.parametrize("order", ["interleaved", "blocks"])
@pytest.mark.parametrize("name", NAMES)
def test_split_is_a_stratified_partition(name, order):
    data = load(name)
    split = data.split(order)
    assert sorted(np.concatenate(split).tolist()) == list(range(len(data.y)))
    for k in range(len(data.target_names)):
        wanted = (data.y == k).sum() * np.array([0.6, 0.2, 0.2])
        assert (np.abs([(data.y[p] == k).sum() for p in split] - wanted) < 3).all()


def test_the_digits_split_is_dealt_out_in_fives_within_each_class():
    digits = load("digits")
    split = digits.split()
    for k in range(10):
        rows = np.flatnonzero(digits.y == k)
        assert set(rows[3::5]) == set(rows) & set(split.validation.tolist())
        assert set(rows[4::5]) == set(rows) & set(split.test.tolist())


def test_blocks_keep_the_files_order():
    digits = load("digits")
    split = digits.split("blocks")
    for k in range(10):
        train, validation, test = (p[digits.y[p] == k] for p in split)
        assert train.max() < validation.min()
        assert validation.max() < test.min()


def test_the_fixed_split_never_moves():
    """Published results stand on these rows: a change here changes the book."""
    rows = np.concatenate(load("digits").split()).astype("<i4").tobytes()
    assert hashlib.sha256(rows).hexdigest()[:16] == "d832fb406a995513"


def test_parts_are_the_rows_of_the_split():
    wine = load("wine")
    for part, rows in zip((wine.train, wine.validation, wine.test), wine.split(), strict=True):
        assert (part[0] == wine.X[rows]).all()
        assert (part[1] == wine.y[rows]).all()


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(KeyError, match="digits, iris, wine, breast-cancer, diabetes"):
        load("mnist")


def test_an_unknown_order_is_named():
    with pytest.raises(ValueError, match="'interleaved' or 'blocks'"):
        load("iris").split("random")


def test_a_missing_file_says_how_to_get_it_back(monkeypatch):
    def gone():
        raise FileNotFoundError("digits.csv.gz")

    monkeypatch.setattr(datasets, "load_digits", gone)
    with pytest.raises(FileNotFoundError, match=r"digits\.csv\.gz.*force-reinstall scikit-learn"):
        load("digits")
