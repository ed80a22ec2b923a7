"""The key-value cache gives the numbers of the model without it, however tokens come in."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.pretraining import KeyValueCache, cache_bytes, cached_hidden
from coursekit.transformer import LLAMA_3_8B, TransformerConfig
from tests.pretraining.models import V, small_model

TOLERANCE = 1e-12  # float64; two orders of summing a few dozen products of order one
LLAMA = {
    "positions": "rotary",
    "norm_kind": "rms",
    "feed_forward": "swiglu",
    "bias": False,
    "tied": False,
    "n_kv_heads": 2,
}
KINDS = {
    **{p: {"positions": p} for p in ("learned", "sinusoidal", "rotary", "alibi", "none")},
    "post-norm": {"norm": "post"},
    "grouped": {"n_kv_heads": 1, "positions": "rotary"},
    "llama": LLAMA,
}


def tokens(*shape, seed=0):
    return torch.randint(0, V, shape, generator=torch.Generator().manual_seed(seed))


def far(a, b):
    return (a - b).abs().max().item()


@pytest.mark.parametrize("kind", KINDS)
def test_one_token_at_a_time_is_the_same_as_all_at_once(kind):
    model, ids = small_model(**KINDS[kind]), tokens(2, 9)
    cache = KeyValueCache.like(model, 2)
    steps = [cached_hidden(model, ids[:, i : i + 1], cache) for i in range(9)]
    with torch.no_grad():
        assert far(torch.cat(steps, dim=1), model.hidden(ids)) < TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_rows_of_different_lengths_in_any_pieces_are_the_same_as_each_alone(kind, data):
    model, ids = small_model(**KINDS[kind]), tokens(3, 12, seed=1)
    cache, held = KeyValueCache.like(model, 3, room=12), [0, 0, 0]
    got = [[], [], []]
    for _ in range(data.draw(st.integers(1, 4))):
        counts = [data.draw(st.integers(0, min(4, 12 - n))) for n in held]
        width = max(max(counts), 1)
        new = torch.full((3, width), V - 1)  # padding is a token like any other; nobody may see it
        for b, n in enumerate(counts):
            new[b, :n] = ids[b, held[b] : held[b] + n]
        out = cached_hidden(model, new, cache, counts=torch.tensor(counts))
        for b, n in enumerate(counts):
            got[b].append(out[b, :n])
            held[b] += n
        assert cache.lengths.tolist() == held
    for b, n in enumerate(held):
        if n:
            with torch.no_grad():
                assert far(torch.cat(got[b]), model.hidden(ids[b : b + 1, :n])[0]) < TOLERANCE


@pytest.mark.parametrize("kind", ["learned", "llama", "alibi"])
def test_what_was_cut_leaves_no_trace(kind):
    model, ids = small_model(**KINDS[kind]), tokens(2, 8)
    cache = KeyValueCache.like(model, 2)
    cached_hidden(model, torch.cat([ids[:, :3], tokens(2, 5, seed=9)], dim=1), cache)
    cache.cut(3)
    with torch.no_grad():
        assert far(cached_hidden(model, ids[:, 3:], cache), model.hidden(ids)[:, 3:]) < TOLERANCE


def test_rows_can_be_selected_moved_and_used_apart():
    model, ids = small_model(positions="rotary"), tokens(3, 6)
    with torch.no_grad():
        wanted = model.hidden(ids)[:, 5:]
    cache = KeyValueCache.like(model, 3)
    cached_hidden(model, ids[:, :5], cache)
    cache.select(torch.tensor([2, 0, 0, 1]))
    new = ids[[2, 0, 0, 1], 5:]
    assert far(cached_hidden(model, new, cache), wanted[[2, 0, 0, 1]]) < TOLERANCE
    cache.cut(5)
    cache.move(0, 3)  # row 3 is now ids[2]
    assert far(cached_hidden(model, new[:1], cache.rows(3, 4)), wanted[2:]) < TOLERANCE
    assert cache.lengths.tolist() == [5, 5, 5, 6]  # the part writes into the whole


def test_the_cache_takes_the_bytes_that_the_formula_says():
    model = small_model(n_kv_heads=2).float()
    cache = KeyValueCache.like(model, 3, room=10)
    assert cache.nbytes == cache_bytes(model.config, tokens=10, batch=3, itemsize=4)
    assert cache_bytes(LLAMA_3_8B, 1) == 2 * 32 * 8 * 128 * 2  # by hand: 128 KiB a token


def test_dropout_in_a_model_in_evaluation_mode_changes_nothing():
    model, ids = small_model(dropout=0.5).eval(), tokens(1, 4)
    with torch.no_grad():
        assert far(cached_hidden(model, ids, KeyValueCache.like(model, 1)), model.hidden(ids)) == 0


def test_what_does_not_fit_is_refused_and_leaves_the_cache_as_it_was():
    model = small_model()
    cache = KeyValueCache.like(model, 2, room=4)
    cached_hidden(model, tokens(2, 3), cache)
    with pytest.raises(ValueError, match="would hold 5 tokens and the cache has room for 4"):
        cached_hidden(model, tokens(2, 2), cache)
    with pytest.raises(ValueError, match="a row for each"):
        cached_hidden(model, tokens(3, 1), cache)
    with pytest.raises(ValueError, match="2 numbers from 0 to 1"):
        cached_hidden(model, tokens(2, 1), cache, counts=torch.tensor([2, 0]))
    with pytest.raises(ValueError, match="tokens run from 0"):
        cached_hidden(model, torch.tensor([[V], [0]]), cache)
    with pytest.raises(ValueError, match="cut to more"):
        cache.cut(4)
    assert cache.lengths.tolist() == [3, 3]
    with pytest.raises(ValueError, match="no row can be longer"):
        KeyValueCache(TransformerConfig(9, 8, 1, 2, max_len=16), 1, room=17)
