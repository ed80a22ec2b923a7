"""Generation against the model run anew for each token, and against its own distribution."""

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.pretraining import Sampling, Tokenizer, generate, next_probabilities, stream
from coursekit.pretraining.text import stream_text
from tests.pretraining.models import V, small_model, some_prompts
from tests.tolerances import assert_rounds_to

HOW = Sampling(temperature=1.5, top_k=8, top_p=0.95, repetition_penalty=1.2)


def log_probs_after(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids]))[0, -1].log_softmax(-1)


def greedily(model, prompt, n):
    ids = list(prompt)
    for _ in range(n):
        ids.append(int(log_probs_after(model, ids).argmax()))
    return tuple(ids[len(prompt) :])


@pytest.mark.parametrize("cache", [True, False])
def test_greedy_generation_takes_the_likeliest_token_each_time(cache):
    model, prompts = small_model(positions="rotary"), some_prompts(1, 5, 3)
    found = generate(model, prompts, max_new_tokens=8, cache=cache)
    assert [g.ids for g in found] == [greedily(model, p, 8) for p in prompts]


@pytest.mark.parametrize("positions", ["learned", "rotary", "alibi"])
@given(st.integers(0, 2**20))
@settings(max_examples=6, deadline=None)
def test_a_prompt_gets_the_same_with_and_without_cache_and_neighbours(positions, seed):
    model, prompts = small_model(positions=positions), some_prompts(4, 1, 6, seed=seed)
    options = {"max_new_tokens": 6, "sampling": HOW, "stop": [3]}
    together = generate(model, prompts, seed=seed, **options)
    assert [g.ids for g in generate(model, prompts, seed=seed, cache=False, **options)] == [
        g.ids for g in together
    ]
    for i, prompt in enumerate(prompts):
        [alone] = generate(model, [prompt], seed=seed + i, **options)
        assert (alone.ids, alone.reason) == (together[i].ids, together[i].reason)
        assert alone.log_prob == pytest.approx(together[i].log_prob, abs=1e-9)


def test_drawn_pairs_of_tokens_are_as_frequent_as_the_model_says():
    model, how, n = small_model(vocab_size=3, scale=0.3), Sampling(temperature=0.8), 3000
    expected = {}
    for pair in itertools.product(range(3), repeat=2):
        p = [
            next_probabilities(log_probs_after(model, [1, *pair[:i]]), how)[pair[i]]
            for i in range(2)
        ]
        expected[pair] = n * float(p[0] * p[1])
    found = generate(model, [[1]] * n, max_new_tokens=2, sampling=how, seed=0)
    counts = Counter(g.ids for g in found)
    chi2 = sum((counts[pair] - e) ** 2 / e for pair, e in expected.items())
    assert min(expected.values()) > 5  # below that the statistic is not chi-square
    assert chi2 < 26.1  # 8 degrees of freedom: exceeded once in 1000 seeds


def test_the_log_probability_is_the_models_whatever_was_drawn_with():
    model, [prompt] = small_model(), some_prompts(3)
    [got] = generate(model, [prompt], max_new_tokens=7, sampling=HOW, seed=4, stop=[2])
    made = [*got.ids, *([2] if got.reason == "stop" else [])]
    wanted = sum(
        float(log_probs_after(model, [*prompt, *made[:i]])[token]) for i, token in enumerate(made)
    )
    assert_rounds_to(got.log_prob, wanted, terms=1000)


def test_a_continuation_ends_at_a_stop_token_at_its_length_or_where_the_context_is_full():
    model, [prompt] = small_model(max_len=8), some_prompts(3)
    ids = greedily(model, prompt, 5)
    [stopped] = generate(model, [prompt], stop=[ids[2]], max_new_tokens=5)
    first = ids.index(ids[2])
    assert (stopped.ids, stopped.reason) == (ids[:first], "stop")
    [short] = generate(model, [prompt], max_new_tokens=2)
    assert (short.ids, short.reason) == (ids[:2], "length")
    for cache in (True, False):
        [full] = generate(model, [prompt], max_new_tokens=99, cache=cache)
        assert (full.ids[:5], len(full.ids), full.reason) == (ids, 6, "context")
    [last] = generate(model, some_prompts(8), max_new_tokens=99)
    assert (len(last.ids), last.reason) == (1, "context")  # a full context has a next token


def test_each_prompt_can_have_a_length_of_its_own():
    model, prompts = small_model(), some_prompts(2, 2, 2)
    lengths = [len(g.ids) for g in generate(model, prompts, max_new_tokens=[1, 5, 3])]
    assert lengths == [1, 5, 3]


def test_a_stream_hands_out_the_tokens_in_the_order_of_the_steps():
    model, prompts = small_model(), some_prompts(2, 4)
    tokens = list(stream(model, prompts, max_new_tokens=[2, 3]))
    assert [t.row for t in tokens] == [0, 1, 0, 1, 1]
    assert [t.reason for t in tokens] == [None, None, "length", None, "length"]
    whole = generate(model, prompts, max_new_tokens=[2, 3])
    for row in (0, 1):
        assert tuple(t.id for t in tokens if t.row == row) == whole[row].ids


def test_a_stream_computes_no_further_than_it_is_read():
    model = small_model()
    calls = []
    model.norm.register_forward_hook(lambda *_: calls.append(1))
    tokens = stream(model, some_prompts(2), max_new_tokens=9)
    assert not calls
    next(tokens)
    assert len(calls) == 1


def test_generation_leaves_the_model_in_its_mode_and_makes_no_gradients():
    model = small_model(dropout=0.5).train()
    model.blocks[0].eval()  # somebody froze a part
    modes = [m.training for m in model.modules()]
    prompts = some_prompts(3, 2)
    seen = []
    model.norm.register_forward_hook(
        lambda *_: seen.append((model.training, torch.is_grad_enabled()))
    )
    first, second = (generate(model, prompts, max_new_tokens=3) for _ in range(2))
    assert first == second  # no dropout
    assert set(seen) == {(False, False)}
    assert [m.training for m in model.modules()] == modes
    assert torch.is_grad_enabled()


def test_no_prompts_give_no_continuations():
    assert generate(small_model(), []) == []


@pytest.mark.parametrize(
    ("prompts", "options", "error", "message"),
    [
        ([[1], []], {}, ValueError, "prompt 1 is empty"),
        ([[1] * 17], {}, ValueError, r"prompt 0 has 17 tokens .* context is 16"),
        (["To be"], {}, TypeError, "Encode text first"),
        ([1, 2], {}, TypeError, "pass a list of prompts even for one"),
        ([[V]], {}, ValueError, f"the token {V}"),
        ([[1]], {"max_new_tokens": 0}, ValueError, "max_new_tokens"),
        ([[1]], {"max_new_tokens": [1, 2]}, ValueError, "one each wanted"),
    ],
)
def test_what_cannot_be_continued_is_refused(prompts, options, error, message):
    with pytest.raises(error, match=message):
        generate(small_model(), prompts, **options)
    with pytest.raises(error, match=message):
        for _ in stream(small_model(), prompts, **options):
            pass


# --- text -----------------------------------------------------------------------------------------

BYTES = Tokenizer({i: bytes([i]) for i in range(256)}, [], ["<|endoftext|>"])
END = 256


def parrot(data):
    """A model that knows these bytes by heart, each from the one before, and then the end."""
    shape = {"vocab_size": 257, "d_model": 257, "n_layers": 1, "n_heads": 1, "max_len": 32}
    model = small_model(**shape, positions="none", feed_forward="none", tied=False, scale=0)
    with torch.no_grad():
        model.norm.weight.fill_(1.0)
        model.embeddings.tokens.weight.copy_(torch.eye(257))
        for now, following in itertools.pairwise([*data, END]):
            model.head.weight[following, now] = 1.0
    return model


def test_text_is_handed_out_as_soon_as_a_character_is_whole():
    data = "aé€𝄞!".encode()
    assert len(set(data)) == len(data)  # each byte tells the next
    pieces = list(stream_text(parrot(data), BYTES, "a", stop=[END]))
    assert pieces == ["é", "€", "𝄞", "!"]


def test_a_broken_character_at_the_end_is_shown_as_such():
    pieces = list(stream_text(parrot("aé".encode()), BYTES, "a", max_new_tokens=1))
    assert pieces == ["\ufffd"]


def test_a_tokenizer_of_another_model_is_refused():
    with pytest.raises(ValueError, match="257 tokens and the model 11"):
        stream_text(small_model(), BYTES, "a")
    with pytest.raises(ValueError, match="prompt 0 is empty"):
        stream_text(parrot(b"ab"), BYTES, "")
