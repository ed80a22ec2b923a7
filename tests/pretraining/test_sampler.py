"""Batches: targets one ahead, each window once an epoch, in an order that can be taken up."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.pretraining import BatchSampler, open_packed, write_packed


def batches(sampler, n):
    return [sampler.next() for _ in range(n)]


def same(a, b):
    return torch.equal(
        torch.stack([torch.stack(p) for p in a]), torch.stack([torch.stack(p) for p in b])
    )


def test_a_target_is_the_token_after_its_input():
    tokens = np.random.default_rng(0).integers(0, 50, 300).astype(np.uint16)
    text = " ".join(map(str, tokens))
    for x, y in batches(BatchSampler(tokens, 4, 7), 20):
        assert x.shape == y.shape == (4, 7)
        assert x.dtype == y.dtype == torch.int64
        for row, target in zip(x, y, strict=True):
            assert torch.equal(row[1:], target[:-1])
            assert " ".join(str(int(t)) for t in [*row, target[-1]]) in text


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 90), st.integers(1, 8), st.integers(0, 5))
def test_an_epoch_shows_every_window_once(n, context, seed):
    if n < context + 1:
        return
    sampler = BatchSampler(range(n), 1, context, seed)
    for _ in range(3):
        starts = sorted(int(sampler.next()[0][0, 0]) for _ in range(sampler.windows))
        assert all(b - a == context for a, b in pairwise(starts))
        assert starts[0] >= 0
        assert starts[-1] + context < n
        assert n - 1 - len(starts) * context < 2 * context  # no more is left out than must be


def test_epochs_differ_in_order_and_in_where_windows_begin():
    sampler = BatchSampler(range(1000), 1, 10)
    epochs = [[int(sampler.next()[0][0, 0]) for _ in range(sampler.windows)] for _ in range(8)]
    assert len({tuple(e) for e in epochs}) == 8
    assert len({min(e) for e in epochs}) > 3
    assert all(e != sorted(e) for e in epochs)


def test_the_seed_alone_decides_the_order():
    make = lambda seed: batches(BatchSampler(range(500), 4, 6, seed), 30)  # noqa: E731
    assert same(make(3), make(3))
    assert not same(make(3), make(4))


@pytest.mark.parametrize("steps", [0, 1, 13, 40])
def test_a_sampler_goes_on_where_another_stopped(steps):
    whole = BatchSampler(range(500), 4, 6, seed=5)
    batches(whole, steps)
    state = json.loads(json.dumps(whole.state_dict()))
    resumed = BatchSampler(range(500), 4, 6, seed=5)
    resumed.load_state_dict(state)
    assert same(batches(resumed, 40), batches(whole, 40))  # beyond the end of an epoch


@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_processes_share_the_batch_of_one(world_size):
    together = BatchSampler(range(500), 4, 6, seed=2)
    apart = [
        BatchSampler(range(500), 4, 6, 2, rank=r, world_size=world_size) for r in range(world_size)
    ]
    for _ in range(30):
        x, y = together.next()
        parts = [s.next() for s in apart]
        assert {tuple(r.tolist()) for r in x} == {tuple(r.tolist()) for p, _ in parts for r in p}
        assert sum(len(p) for p, _ in parts) == len(x)
        assert y.sum() == sum(t.sum() for _, t in parts)


def test_it_reads_a_token_file(tmp_path):
    write_packed(tmp_path / "x.bin", [range(100)], 100)
    from_file = batches(BatchSampler(open_packed(tmp_path / "x.bin"), 3, 5), 10)
    assert same(from_file, batches(BatchSampler(range(100), 3, 5), 10))


@pytest.mark.parametrize(
    ("change", "name"),
    [({"seed": 1}, "seed"), ({"batch_size": 2}, "batch_size"), ({"context": 5}, "context")],
)
def test_another_order_is_not_resumed(change, name):
    settings = {"batch_size": 4, "context": 6, "seed": 0}
    state = BatchSampler(range(500), **settings).state_dict()
    with pytest.raises(ValueError, match=f"the saved sampler has {name} "):
        BatchSampler(range(500), **{**settings, **change}).load_state_dict(state)
    with pytest.raises(ValueError, match="n_tokens 500 and this one 501"):
        BatchSampler(range(501), **settings).load_state_dict(state)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match=r"there are 6 tokens, and a window of 6 .* needs 7"):
        BatchSampler(range(6), 1, 6)
    with pytest.raises(ValueError, match="process 0 of 2 cannot have its share of 3"):
        BatchSampler(range(60), 3, 6, world_size=2)
    with pytest.raises(ValueError, match="process 2 of 2"):
        BatchSampler(range(60), 4, 6, rank=2, world_size=2)
    assert BatchSampler(range(7), 1, 6).next()[1].tolist() == [[1, 2, 3, 4, 5, 6]]
