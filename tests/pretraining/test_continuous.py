"""Continuous batching gives every request what it alone would get, in fewer steps."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.pretraining import Batcher, Request, Sampling, generate, serve, serve_static
from tests.pretraining.models import small_model, some_prompts

requests_drawn = st.lists(
    st.builds(
        lambda n, new, drawn, seed: Request(
            some_prompts(n, seed=seed)[0],
            max_new_tokens=new,
            sampling=Sampling(temperature=1.2, top_p=0.9) if drawn else None,
            stop=(3,),
            seed=seed,
        ),
        st.integers(1, 7),
        st.integers(1, 9),
        st.booleans(),
        st.integers(0, 1000),
    ),
    min_size=1,
    max_size=8,
)


def alone(model, r):
    options = {"sampling": r.sampling, "stop": r.stop, "seed": r.seed}
    [generation] = generate(model, [r.prompt], max_new_tokens=r.max_new_tokens, **options)
    return generation


@pytest.mark.parametrize("positions", ["learned", "rotary", "alibi"])
@pytest.mark.parametrize("server", [serve, serve_static])
@given(requests_drawn, st.integers(1, 4))
@settings(max_examples=8, deadline=None)
def test_every_request_gets_what_it_alone_would_get(server, positions, requests, slots):
    model = small_model(positions=positions)
    served = server(model, requests, slots=slots)
    for got, request in zip(served.generations, requests, strict=True):
        wanted = alone(model, request)
        assert (got.ids, got.reason) == (wanted.ids, wanted.reason)
        assert got.log_prob == pytest.approx(wanted.log_prob, abs=1e-9)


@given(requests_drawn, st.integers(1, 4))
@settings(max_examples=10, deadline=None)
def test_continuous_batching_never_computes_a_row_for_nothing(requests, slots):
    model = small_model()
    continuous = serve(model, requests, slots=slots)
    static = serve_static(model, requests, slots=slots)
    assert continuous.utilisation == 1
    assert continuous.rows_used == static.rows_used  # the same tokens
    assert continuous.steps <= static.steps
    assert continuous.steps >= math.ceil(continuous.rows_used / slots)


def test_the_steps_of_both_are_those_counted_by_hand():
    # After the token of the prompt's run 8, 2, 2 and 2 are left. Static: 8, then 2. Continuous:
    # the three short ones in turn beside the long one.
    requests = [Request([3], max_new_tokens=n) for n in (9, 3, 3, 3)]
    static = serve_static(small_model(), requests, slots=2)
    continuous = serve(small_model(), requests, slots=2)
    assert (static.steps, static.rows_computed, static.rows_used) == (10, 20, 14)
    assert (continuous.steps, continuous.rows_computed, continuous.rows_used) == (8, 14, 14)


def test_a_request_can_come_while_others_are_written():
    model = small_model()
    first, second = (Request(p, max_new_tokens=6) for p in some_prompts(3, 2))
    batcher = Batcher(model, slots=2)
    assert batcher.add(first) == 0
    seen = [*batcher.step(), *batcher.step()]
    assert batcher.add(second) == 1
    while batcher.busy:
        seen += batcher.step()
    for number, request in enumerate((first, second)):
        assert tuple(t.id for t in seen if t.row == number) == alone(model, request).ids
        assert batcher.finished[number].ids == alone(model, request).ids
    assert [t.row for t in seen[:4]] == [0, 0, 1, 0]  # it got its first token in the next step


def test_who_came_first_is_served_first():
    batcher = Batcher(small_model(), slots=1)
    for n in (2, 1, 3):
        batcher.add(Request([1], max_new_tokens=n))
    order = []
    while batcher.busy:
        order += [t.row for t in batcher.step()]
    assert order == [0, 0, 1, 2, 2, 2]


def test_a_request_that_cannot_be_served_is_refused_before_any_is():
    batcher = Batcher(small_model(), slots=1)
    with pytest.raises(ValueError, match="is empty"):
        batcher.add(Request([]))
    with pytest.raises(ValueError, match="context is 16"):
        serve(small_model(), [Request([1]), Request([1] * 17)], slots=2)
    with pytest.raises(ValueError, match="slots"):
        Batcher(small_model(), slots=0)
    assert not batcher.busy
