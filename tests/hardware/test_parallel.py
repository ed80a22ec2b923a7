"""Communication by formula against rings, schedules and routes that are carried out."""

from itertools import pairwise

import numpy as np
import pytest

from coursekit.hardware import parallel


@pytest.mark.equation("eq-hardware-all-reduce")
@pytest.mark.parametrize("p", [1, 2, 3, 8])
def test_a_ring_gives_everyone_the_sum_and_sends_what_the_formula_says(p):
    arrays = np.random.default_rng(p).normal(size=(p, 5 * p))
    summed, sent = parallel.ring_all_reduce(arrays)
    np.testing.assert_allclose(summed, np.tile(arrays.sum(0), (p, 1)), rtol=0, atol=1e-14 * p)
    assert sent == pytest.approx(parallel.all_reduce_bytes(5 * p, p))


def test_what_is_handed_in_stays_as_it_was():
    arrays = np.ones((2, 4))
    parallel.ring_all_reduce(arrays)
    assert (arrays == 1).all()


@pytest.mark.parametrize("chips", [1, 2, 4])
def test_a_layer_split_among_chips_is_one_sum_away_from_whole(chips):
    rng = np.random.default_rng(0)
    x, up, down = rng.normal(size=(5, 8)), rng.normal(size=(8, 16)), rng.normal(size=(16, 8))
    parts = parallel.split_feed_forward(x, up, down, chips)
    np.testing.assert_allclose(sum(parts), np.maximum(x @ up, 0) @ down, rtol=0, atol=1e-12)
    _, sent = parallel.ring_all_reduce([p.ravel() for p in parts])
    # one of the two sums of a layer; four in training
    assert parallel.tensor_parallel_bytes(5, 8, 1, chips, itemsize=1) == pytest.approx(2 * sent)
    assert parallel.tensor_parallel_bytes(
        5, 8, 3, chips, itemsize=1, training=True
    ) == pytest.approx(3 * 4 * sent)


@pytest.mark.equation("eq-hardware-pipeline-bubble")
@pytest.mark.parametrize(("stages", "microbatches"), [(1, 4), (4, 1), (3, 5), (8, 32)])
def test_the_bubble_is_what_the_schedule_leaves_empty(stages, microbatches):
    table = parallel.pipeline_schedule(stages, microbatches)
    assert (table == 0).mean() == pytest.approx(parallel.pipeline_bubble(stages, microbatches))
    for row in table:  # everyone works on everything, in order
        assert row[row > 0].tolist() == list(range(1, microbatches + 1))
    for earlier, later in pairwise(table):  # after the stage before
        for batch in range(1, microbatches + 1):
            assert np.argmax(later == batch) > np.argmax(earlier == batch)


@pytest.mark.equation("eq-hardware-expert")
def test_tokens_travel_to_their_experts_and_back():
    """Routes drawn evenly: count what leaves its chip."""
    chips, tokens, active, width, experts = 4, 2000, 2, 16, 8
    rng = np.random.default_rng(0)
    goes = np.array([rng.permutation(experts)[:active] for _ in range(tokens)])
    lies = goes % chips  # experts dealt out; the tokens of chip 0
    sent = 2 * (lies != 0).sum() * width
    wanted = parallel.expert_bytes(tokens, width, active, chips, itemsize=1)
    # a binomial share: five standard errors of 4000 draws with p = 3/4
    assert sent == pytest.approx(wanted, rel=5 * np.sqrt(0.25 / 0.75 / (tokens * active)))


def test_gradients_take_their_time_over_the_link():
    assert parallel.data_parallel_seconds(1e9, 4, 1e9, itemsize=4) == pytest.approx(6.0)
    assert parallel.data_parallel_seconds(1e9, 1, 1e9) == 0


def test_what_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="arrays of 5 numbers do not part into 2"):
        parallel.ring_all_reduce(np.ones((2, 5)))
    with pytest.raises(ValueError, match="3 chips do not divide the width 4"):
        parallel.split_feed_forward(np.eye(4), np.eye(4), np.eye(4), 3)
    with pytest.raises(ValueError, match="stages is 0"):
        parallel.pipeline_bubble(0, 1)
    with pytest.raises(ValueError, match="link is 0"):
        parallel.data_parallel_seconds(1e9, 2, 0)
