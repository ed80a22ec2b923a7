"""Beam search with the cache, against the search of chapter 3 without one."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.pretraining import beam, generate
from coursekit.seq2seq import beam_search
from tests.pretraining.models import V, small_model, some_prompts

STOP = 0


def scores(model, prompt):
    """What the model says of beginnings, run anew over everything."""

    def next_log_probs(beginnings):
        ids = torch.tensor([[*prompt, *row[1:]] for row in beginnings.tolist()])
        with torch.no_grad():
            return model(ids)[:, -1].log_softmax(-1)

    return next_log_probs


@pytest.mark.parametrize("positions", ["learned", "rotary"])
@given(st.integers(0, 2**20), st.integers(1, 5), st.sampled_from([0.0, 0.7]), st.integers(1, 4))
@settings(max_examples=8, deadline=None)
def test_the_cache_changes_nothing(positions, seed, width, alpha, length):
    model, [prompt] = small_model(seed % 5, positions=positions), some_prompts(length, seed=seed)
    found = beam(model, prompt, width=width, max_new_tokens=6, stop=STOP, alpha=alpha)
    options = {"start": prompt[-1], "end": STOP, "banned": ()}
    plain = beam_search(scores(model, prompt), width=width, max_length=6, alpha=alpha, **options)
    assert [h.ids for h in found] == [h.ids for h in plain]
    assert [h.log_prob for h in found] == pytest.approx([h.log_prob for h in plain], abs=1e-5)


def test_a_beam_as_wide_as_everything_finds_the_most_probable_text():
    model, prompt = small_model(2, vocab_size=4), [1, 2]
    score = scores(model, prompt)
    texts = [(*t, STOP) for n in range(3) for t in itertools.product([1, 2, 3], repeat=n)]
    totals = {
        text: sum(float(score(torch.tensor([[0, *text[:i]]]))[0, w]) for i, w in enumerate(text))
        for text in texts
    }
    best = beam(model, prompt, width=100, max_new_tokens=3, stop=STOP)[0]
    assert (*best.ids, STOP) == max(totals, key=totals.__getitem__)


def test_a_beam_of_one_is_greedy():
    model, [prompt] = small_model(), some_prompts(3)
    best = beam(model, prompt, width=1, max_new_tokens=8, stop=STOP)[0]
    [greedy] = generate(model, [prompt], max_new_tokens=8, stop=[STOP])
    assert best.ids == greedy.ids


def test_a_beam_ends_where_the_context_does():
    best = beam(small_model(max_len=5), some_prompts(4)[0], stop=V - 1, max_new_tokens=50)[0]
    assert len(best.ids) <= 2


def test_an_empty_prompt_is_refused():
    with pytest.raises(ValueError, match="prompt is empty"):
        beam(small_model(), [], stop=STOP)
