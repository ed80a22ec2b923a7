"""Cosines, neighbours, analogies and the projection against torch and scikit-learn."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from coursekit.seq2seq import Vocabulary, analogy, cosine_similarity, nearest, project_2d
from tests.seq2seq.near import assert_same

seeds = st.integers(0, 2**31)
sizes = st.integers(1, 6)


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.equation("eq-seq2seq-cosine")
@given(sizes, sizes, sizes, seeds)
def test_the_cosine_is_torchs(m, n, d, seed):
    a, b = numbers(m, 1, d, seed=seed), numbers(n, d, seed=seed + 1)
    expected = torch.nn.functional.cosine_similarity(a, b.expand(m, n, d), dim=-1)
    assert_same(cosine_similarity(a, b), expected, terms=d)


def test_length_does_not_matter_and_zero_has_no_direction():
    a, b = numbers(4, 3), numbers(4, 3, seed=1)
    assert_same(cosine_similarity(1e-150 * a, 1e150 * b), cosine_similarity(a, b), terms=9)
    zero = cosine_similarity(torch.zeros(3), torch.ones(3))
    assert zero.item() == 0
    with pytest.raises(ValueError, match="widths"):
        cosine_similarity(torch.zeros(3), torch.ones(2))


@given(st.integers(3, 8), seeds)
def test_neighbours_are_the_sorted_cosines_of_all_other_words(n, seed):
    words = Vocabulary([f"w{i}" for i in range(n)])
    rows = numbers(n + 4, 3, seed=seed)
    found = nearest(rows, words, "w0", n)
    cosines = {f"w{i}": cosine_similarity(rows[4], rows[4 + i]).item() for i in range(1, n)}
    assert [w for w, _ in found] == sorted(cosines, key=cosines.__getitem__, reverse=True)


@pytest.mark.equation("eq-seq2seq-analogy")
@given(st.integers(4, 9), seeds)
def test_an_analogy_is_the_word_nearest_to_the_parallelograms_corner(n, seed):
    words = Vocabulary([f"w{i}" for i in range(n)])
    rows = numbers(n + 4, 4, seed=seed)
    unit = rows / rows.norm(dim=1, keepdim=True)
    corner = unit[5] - unit[4] + unit[6]
    scores = torch.nn.functional.cosine_similarity(unit[7:], corner[None], dim=1)
    assert analogy(rows, words, "w0", "w1", "w2")[0][0] == f"w{int(scores.argmax()) + 3}"


@given(st.integers(2, 9), st.integers(2, 5), seeds)
def test_the_projection_is_scikit_learns_up_to_the_axes_signs(m, d, seed):
    x = numbers(m, d, seed=seed)
    mine, theirs = project_2d(x), torch.tensor(PCA(2).fit_transform(x.numpy()))
    for k in range(2):
        gap = min((mine[:, k] - s * theirs[:, k]).abs().max() for s in (1, -1))
        assert gap < 1e-7  # an axis is as sharp as the gap between singular values


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda w: nearest(numbers(6, 3), w, "xyz"), KeyError, "'xyz' is not among"),
        (lambda w: nearest(numbers(5, 3), w, "a"), ValueError, "a row for each of 6"),
        (lambda w: nearest(numbers(6, 3), w, "a", 0), ValueError, "n is 0"),
        (lambda w: analogy(numbers(6, 3), w, "a", "b", "q"), KeyError, "'q' is not among"),
        (lambda w: project_2d(numbers(1, 3)), ValueError, "both at least 2"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call(Vocabulary(["a", "b"]))
