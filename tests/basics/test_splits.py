"""Splits: a partition, in the shares asked for; and two ways to leak, measured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from coursekit.basics import (
    GaussianClassifier,
    group_split,
    near_duplicates,
    select_by_correlation,
    train_validation_test,
)


def rng(seed=0):
    return np.random.default_rng(seed)


@given(m=st.integers(10, 200), seed=st.integers(0, 2**32 - 1))
def test_every_row_lands_in_exactly_one_part(m, seed):
    split = train_validation_test(m, rng=rng(seed))
    assert sorted(np.concatenate(split).tolist()) == list(range(m))
    wanted = m * np.array([0.6, 0.2, 0.2])
    assert (np.abs([len(p) for p in split] - wanted) <= 1).all()


@given(st.lists(st.integers(0, 2), min_size=0, max_size=60), st.integers(0, 2**32 - 1))
def test_every_part_keeps_the_classes_shares(extra, seed):
    y = np.array([0, 1, 2] * 5 + extra)
    split = train_validation_test(y, rng=rng(seed))
    for k in range(3):
        wanted = (y == k).sum() * np.array([0.6, 0.2, 0.2])
        assert (np.abs([(y[p] == k).sum() for p in split] - wanted) <= 1).all()


def test_one_seed_is_one_split_and_another_is_another():
    a, b, c = (train_validation_test(50, rng=rng(s)).test.tolist() for s in (1, 1, 2))
    assert a == b
    assert a != c


def test_an_unstratified_split_ignores_the_labels():
    y = np.array([0] * 49 + [1])
    split = train_validation_test(y, rng=rng(), stratify=False)
    assert [len(p) for p in split] == [30, 10, 10]


@given(st.lists(st.integers(0, 9), min_size=0, max_size=80), st.integers(0, 2**32 - 1))
def test_no_group_is_torn_apart(extra, seed):
    groups = np.array(list(range(10)) + extra)
    split = group_split(groups, rng=rng(seed))
    members = [set(groups[p].tolist()) for p in split]
    assert [len(g) for g in members] == [6, 2, 2]
    assert len(set.union(*members)) == 10
    assert sorted(np.concatenate(split).tolist()) == list(range(len(groups)))


def test_near_duplicates_reward_memory_until_groups_are_kept_together():
    """Labels are coin flips: nothing can be learnt, yet a random split says otherwise."""
    g = rng(0)
    X, y = g.normal(size=(300, 5)), g.integers(0, 2, 300)
    X, y, groups = near_duplicates(X, y, copies=5, noise=0.01, rng=g)

    def score(split):
        nearest = KNeighborsClassifier(1).fit(X[split.train], y[split.train])
        return nearest.score(X[split.test], y[split.test])

    assert score(train_validation_test(y, rng=g)) > 0.95
    honest = score(group_split(groups, rng=g))
    assert abs(honest - 0.5) < 5 * np.sqrt(0.25 / 60)  # 60 independent test groups


def test_choosing_features_before_the_split_finds_signal_in_noise():
    g = rng(1)
    X, y = g.normal(size=(120, 5000)), np.repeat([0, 1], 60)
    split = train_validation_test(y, (0.5, 0.1, 0.4), rng=g)

    def score(columns):
        model = GaussianClassifier("diagonal").fit(X[np.ix_(split.train, columns)], y[split.train])
        return (model.predict(X[np.ix_(split.test, columns)]) == y[split.test]).mean()

    leaky = score(select_by_correlation(X, y, 20))
    honest = score(select_by_correlation(X[split.train], y[split.train], 20))
    assert leaky > 0.85
    assert abs(honest - 0.5) < 5 * np.sqrt(0.25 / len(split.test))


def test_selected_columns_are_numpys_most_correlated():
    g = rng(2)
    X, y = g.normal(size=(40, 8)) * np.arange(1, 9), g.normal(size=40)
    X[:, 3] = 1.0  # constant
    X[:, 5] = -y
    with np.errstate(invalid="ignore"):
        score = np.nan_to_num(np.abs([np.corrcoef(c, y)[0, 1] for c in X.T]))
    assert select_by_correlation(X, y, 7).tolist() == np.argsort(-score)[:7].tolist()
    assert select_by_correlation(X, y, 1).tolist() == [5]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: train_validation_test(9, (0.5, 0.2, 0.2), rng=rng()), ValueError, "sum to 0.9"),
        (lambda: train_validation_test(9, (0.5, 0.5), rng=rng()), ValueError, r"\(3,\) wanted"),
        (lambda: train_validation_test(2, rng=rng()), ValueError, "a part is empty"),
        (lambda: train_validation_test([0, 0, 1], rng=rng()), ValueError, "stratify=False"),
        (lambda: train_validation_test(9, rng=None), TypeError, "default_rng"),
        (lambda: group_split([0, 0], rng=rng()), ValueError, "a part is empty"),
        (lambda: near_duplicates([[1.0]], [1, 2], 2, 0.1, rng()), ValueError, "y has shape"),
        (lambda: near_duplicates([[1.0]], [1], 0, 0.1, rng()), ValueError, "copies is 0"),
        (lambda: select_by_correlation([[1.0]], [1.0], 2), ValueError, "1 columns"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
