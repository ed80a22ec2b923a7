"""Positions against closed forms, complex multiplication and the papers' own numbers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.transformer import LearnedPositions, alibi_bias, alibi_slopes, rotary, sinusoidal
from tests.tolerances import assert_rounds_to

seeds = st.integers(0, 2**32 - 1)
SINGLE = 2 * float(np.finfo(np.float32).eps)  # two roundings of numbers up to 1


@pytest.mark.equation("eq-transformer-sinusoidal")
def test_sinusoidal_positions_are_the_papers_closed_form():
    n, d = 200, 12
    found = sinusoidal(n, d).double().numpy()
    for pos in range(n):
        for i in range(d // 2):
            angle = pos / 10_000 ** (2 * i / d)
            assert abs(found[pos, 2 * i] - math.sin(angle)) < SINGLE
            assert abs(found[pos, 2 * i + 1] - math.cos(angle)) < SINGLE


@pytest.mark.equation("eq-transformer-sinusoidal")
def test_far_positions_keep_single_precision():
    """In float32 the angle itself would be off by 1e6 * 6e-8 = 0.06."""
    found = sinusoidal(1_000_001, 2)[-1]
    assert abs(float(found[0]) - math.sin(1e6)) < SINGLE


@pytest.mark.equation("eq-transformer-shift")
@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 8))
@settings(max_examples=40)
def test_a_shift_is_one_rotation_whatever_the_position(pos, k, pairs):
    table = sinusoidal(601, 2 * pairs).double().numpy()
    for i in range(pairs):
        theta = 10_000 ** (-2 * i / (2 * pairs))
        turn = np.array(
            [
                [math.cos(k * theta), math.sin(k * theta)],
                [-math.sin(k * theta), math.cos(k * theta)],
            ]
        )
        here, there = (table[p, 2 * i : 2 * i + 2] for p in (pos, pos + k))
        assert np.abs(turn @ here - there).max() < 4 * SINGLE


@pytest.mark.equation("eq-transformer-rotary")
@pytest.mark.parametrize("interleaved", [False, True])
@given(st.integers(1, 6), st.integers(1, 5), st.sampled_from([10_000.0, 500_000.0]), seeds)
@settings(max_examples=30)
def test_rotary_is_multiplication_by_a_complex_number(interleaved, N, pairs, base, seed):
    rng = np.random.default_rng(seed)
    x, positions = rng.normal(size=(2, 3, N, 2 * pairs)), rng.integers(0, 5000, size=N)
    cut = (slice(0, None, 2), slice(1, None, 2)) if interleaved else (np.s_[:pairs], np.s_[pairs:])
    z = x[..., cut[0]] + 1j * x[..., cut[1]]
    theta = base ** (-2 * np.arange(pairs) / (2 * pairs))
    turned = z * np.exp(1j * positions[:, None] * theta)
    expected = np.empty_like(x)
    expected[..., cut[0]], expected[..., cut[1]] = turned.real, turned.imag
    found = rotary(torch.tensor(x), torch.tensor(positions), base=base, interleaved=interleaved)
    assert_rounds_to(found, expected, terms=1, condition=5000)  # of the angle


@pytest.mark.equation("eq-transformer-rotary")
@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 100_000), seeds)
@settings(max_examples=40)
def test_rotary_scores_depend_on_the_distance_only(i, j, shift, seed):
    q, k = torch.tensor(np.random.default_rng(seed).normal(size=(2, 1, 8)))

    def score(at_q, at_k):
        return rotary(q, torch.tensor([at_q])) @ rotary(k, torch.tensor([at_k])).T

    assert_rounds_to(score(i + shift, j + shift), score(i, j), terms=8, condition=102_000)


def test_rotary_keeps_lengths_and_leaves_position_zero():
    x = torch.tensor(np.random.default_rng(0).normal(size=(1, 5, 6)))
    assert_rounds_to(rotary(x).norm(dim=-1), x.norm(dim=-1), terms=8)
    assert torch.equal(rotary(x)[:, 0], x[:, 0])


@pytest.mark.equation("eq-transformer-alibi")
def test_alibi_slopes_are_the_papers():
    """Eight heads: 1/2, 1/4, … 1/256; sixteen: from 2^-0.5 by halves of the exponent."""
    assert alibi_slopes(8).tolist() == [2.0**-i for i in range(1, 9)]
    assert np.allclose(alibi_slopes(16), [2 ** (-i / 2) for i in range(1, 17)], rtol=1e-7)


@pytest.mark.equation("eq-transformer-alibi")
def test_alibi_slopes_of_twelve_heads_fill_up_from_sixteen():
    eight, sixteen = alibi_slopes(8).tolist(), alibi_slopes(16).tolist()
    assert alibi_slopes(12).tolist() == eight + sixteen[0:8:2]


@pytest.mark.equation("eq-transformer-alibi")
def test_alibi_subtracts_slope_times_distance():
    bias = alibi_bias(4, 2, 5)
    for h, i, j in np.ndindex(4, 2, 5):
        assert float(bias[h, i, j]) == -(4.0 ** -(h + 1)) * abs(i + 3 - j)


def test_learned_positions_start_where_asked_and_end_where_learned():
    table = LearnedPositions(5, 3)
    with torch.no_grad():
        table.weight.copy_(torch.arange(15.0).view(5, 3))
    assert torch.equal(table(2, start=3), table.weight[3:5])
    with pytest.raises(ValueError, match="has 6 tokens and the model knows 5"):
        table(6)


@pytest.mark.parametrize("call", [lambda: sinusoidal(3, 5), lambda: rotary(torch.zeros(3, 5))])
def test_an_odd_width_is_refused(call):
    with pytest.raises(ValueError, match="width is 5; an even one"):
        call()
