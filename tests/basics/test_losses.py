"""Losses, against torch in float64, scipy.special and finite differences."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special

from coursekit.basics import (
    log_softmax,
    negative_log_likelihood,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
    squared_error,
    zero_one_error,
)
from tests.tolerances import DIFFERENCE, assert_rounds_to, central_difference

M, K = 5, 4
logits_strategy = arrays(float, (M, K), elements=st.floats(-50, 50))
labels_strategy = arrays(np.int64, M, elements=st.integers(0, K - 1))


def torch_cross_entropy(logits, y, reduction="mean"):
    t = torch.tensor(logits, dtype=torch.float64)
    return torch.nn.functional.cross_entropy(t, torch.tensor(y), reduction=reduction).numpy()


@pytest.mark.equation("eq-basics-softmax")
@given(logits_strategy)
def test_softmax_is_scipys(z):
    assert_rounds_to(softmax(z), special.softmax(z, axis=-1), terms=100)
    assert_rounds_to(log_softmax(z), special.log_softmax(z, axis=-1), terms=K)


@pytest.mark.equation("eq-basics-softmax")
@given(logits_strategy, st.floats(-1e3, 1e3))
def test_adding_a_constant_to_all_logits_changes_nothing(z, shift):
    assert_rounds_to(softmax(z + shift), softmax(z), terms=1050)  # z + shift rounds at |1050|


@given(logits_strategy)
def test_probabilities_sum_to_one_and_the_largest_logit_wins(z):
    p = softmax(z)
    assert_rounds_to(p.sum(axis=-1), np.ones(M), terms=100)
    assert (p >= 0).all()
    assert (p[np.arange(M), z.argmax(axis=-1)] == p.max(axis=-1)).all()


def test_huge_logits_do_not_overflow():
    assert softmax([1e4, 0.0]).tolist() == [1.0, 0.0]
    assert log_softmax([1e4, 0.0]).tolist() == [0.0, -1e4]


@pytest.mark.equation("eq-basics-cross-entropy")
@given(logits_strategy, labels_strategy)
def test_cross_entropy_is_torchs(z, y):
    assert_rounds_to(softmax_cross_entropy(z, y), torch_cross_entropy(z, y), terms=M * K)
    each = torch_cross_entropy(z, y, "none")
    assert_rounds_to(negative_log_likelihood(z, y), each, terms=K)


@pytest.mark.equation("eq-basics-cross-entropy")
def test_an_ignorant_model_pays_log_k():
    assert_rounds_to(softmax_cross_entropy(np.zeros((7, 10)), np.arange(7)), math.log(10), terms=10)


@given(logits_strategy, labels_strategy)
def test_gradient_is_torchs(z, y):
    t = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.cross_entropy(t, torch.tensor(y)).backward()
    assert_rounds_to(softmax_cross_entropy_gradient(z, y), t.grad.numpy(), terms=100)


def test_gradient_is_the_slope_of_the_loss():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(M, K)), rng.integers(0, K, M)
    slope = central_difference(lambda a: softmax_cross_entropy(a, y), z)
    assert np.abs(softmax_cross_entropy_gradient(z, y) - slope).max() < DIFFERENCE


@given(arrays(float, (M, 3), elements=st.floats(-1e3, 1e3)))
def test_squared_error_is_the_squared_norm(Y):
    expected = np.linalg.norm(Y - 1.0, axis=1) ** 2
    assert_rounds_to(squared_error(np.ones((M, 3)), Y), expected, terms=3)


def test_squared_error_of_vectors_is_elementwise():
    assert squared_error([1.0, 5.0], [4.0, 5.0]).tolist() == [9.0, 0.0]


def test_zero_one_error_counts_the_wrong_rows():
    z = np.eye(3)
    assert zero_one_error(z, [0, 1, 2]).tolist() == [0, 0, 0]
    assert zero_one_error(z, [0, 2, 1]).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: squared_error([1.0, 2.0], [[1.0], [2.0]]), r"\(2,\); \(2, 1\) wanted"),
        (lambda: softmax([np.nan, 1.0]), "NaN or infinite"),
        (lambda: softmax(1.0), "classes wanted"),
        (lambda: softmax_cross_entropy([[0.0, 0.0]], [2]), "from 0 to 1"),
        (lambda: softmax_cross_entropy([[0.0, 0.0]], [-1]), "label -1"),
        (lambda: softmax_cross_entropy([[0.0, 0.0]], [0.5]), "whole numbers"),
        (lambda: softmax_cross_entropy([[0.0, 0.0]], [[0, 1]]), r"\(1,\) wanted"),
        (lambda: softmax_cross_entropy(np.zeros((0, 2)), []), "no rows"),
        (lambda: softmax_cross_entropy([0.0, 0.0], [0]), "1 axes; 2 wanted"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
