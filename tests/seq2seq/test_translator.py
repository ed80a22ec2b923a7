"""The translator: causal, blind to padding, equal to torch's layers, and what attention adds."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.seq2seq import BOS, EOS, Decoder, Encoder, Translator, pad_batch
from tests.seq2seq.near import assert_same

KINDS = [None, "additive", "multiplicative"]
kinds = st.sampled_from(KINDS)
seeds = st.integers(0, 2**31)
S, V, D = 11, 13, 8


def model_of(kind, seed=0):
    g = torch.Generator().manual_seed(seed)
    return Translator(S, V, D, attention=kind, generator=g).double()


def ids(shape, size, seed=0):
    return torch.randint(4, size, shape, generator=torch.Generator().manual_seed(seed))


@given(kinds, st.integers(1, 4), st.integers(1, 5), st.integers(2, 6), seeds)
@settings(max_examples=25)
def test_no_word_depends_on_the_words_after_it(kind, B, N, M, seed):
    model, source, target = model_of(kind, seed), ids((B, N), S, seed), ids((B, M), V, seed)
    target[:, 0] = BOS
    logits = model(source, target)
    assert logits.shape == (B, M, V)
    for m in range(1, M):
        assert_same(model(source, target[:, :m]), logits[:, :m], terms=3 * D)
    if M > 2:  # and the words before do count
        changed = target.clone()
        changed[:, 1] = (changed[:, 1] - 4 + 1) % (V - 4) + 4
        assert not torch.equal(model(source, changed)[:, 1:], logits[:, 1:])


@given(kinds, st.lists(st.integers(1, 6), min_size=2, max_size=4), seeds)
@settings(max_examples=25)
def test_a_sentence_is_translated_alike_alone_and_in_a_padded_batch(kind, lengths, seed):
    model = model_of(kind, seed)
    rows = [ids((n,), S, seed + i).tolist() for i, n in enumerate(lengths)]
    source, _ = pad_batch(rows)
    target = ids((len(rows), 4), V, seed)
    together = model(source, target)
    for i, row in enumerate(rows):
        alone = model(torch.tensor([row]), target[i : i + 1])[0]
        assert_same(together[i], alone, terms=4 * D)


@pytest.mark.equation("eq-seq2seq-encoder-decoder")
def test_without_attention_it_is_torchs_two_networks_joined_by_one_vector():
    model, source, target = model_of(None), ids((3, 5), S), ids((3, 4), V)
    read = torch.nn.GRU(D, D // 2, bidirectional=True, batch_first=True).double()
    write = torch.nn.GRU(2 * D, D, batch_first=True).double()
    read.load_state_dict(model.encoder.rnn.state_dict())
    write.load_state_dict(model.decoder.rnn.state_dict())
    _, h = read(model.encoder.embedding(source))  # (2, B, d/2)
    fixed = torch.tanh(model.encoder.bridge(h.transpose(0, 1).flatten(1)))  # (B, d)
    every = fixed[:, None].expand(3, 4, D)
    states, _ = write(torch.cat([model.decoder.embedding(target), every], -1), fixed[None])
    hidden = torch.tanh(model.decoder.mix(torch.cat([states, every], -1)))
    assert_same(model(source, target), model.decoder.out(hidden), terms=4 * D)


def test_without_attention_only_the_fixed_vector_counts():
    for kind in KINDS:
        model, source, target = model_of(kind), ids((2, 5), S), ids((2, 3), V)
        memory = model.encode(source)
        other = memory._replace(states=torch.zeros_like(memory.states))
        same = torch.equal(model.decode(memory, target), model.decode(other, target))
        assert same == (kind is None)


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_an_alignment_has_a_row_of_weights_for_each_word(kind):
    model, source = model_of(kind), torch.tensor([[4, 5, 6, EOS], [7, EOS, 0, 0]])
    weights = model.alignment(source, ids((2, 3), V))
    assert weights.shape == (2, 3, 4)
    assert_same(weights.sum(-1), torch.ones(2, 3).double(), terms=4)
    assert not weights[1, :, 2:].any()
    with pytest.raises(ValueError, match="no attention"):
        model_of(None).alignment(source, ids((2, 3), V))


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_gets_a_gradient(kind):
    model = model_of(kind)
    model(ids((4, 6), S), ids((4, 5), V)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_steps_learn_a_small_batch_by_heart(kind):
    g = torch.Generator().manual_seed(1)
    model = Translator(S, V, 32, attention=kind, generator=g)
    source, target = ids((4, 5), S), torch.cat([torch.full((4, 1), BOS), ids((4, 5), V)], 1)
    adam = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(80):
        logits = model(source, target[:, :-1])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert torch.equal(model(source, target[:, :-1]).argmax(-1), target[:, 1:])


def test_weights_travel_by_state_dict():
    a, b = model_of("additive", 1), model_of("additive", 2)
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    source, target = ids((2, 3), S), ids((2, 3), V)
    assert torch.equal(a(source, target), b(source, target))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Encoder(9, 7), "width is 7; an even one"),
        (lambda: Decoder(9, 8, "cosine"), "'additive', 'multiplicative' or None"),
        (lambda: model_of(None)(torch.zeros(0, 3).long(), ids((0, 3), V)), "at least 1, wanted"),
        (lambda: model_of(None)(torch.zeros(2, 0).long(), ids((2, 3), V)), "at least 1, wanted"),
        (lambda: model_of(None)(ids((3,), S), ids((3, 2), V)), r"\(B, N\)"),
        (
            lambda: model_of(None)(torch.tensor([[4], [0]]), ids((2, 2), V)),
            "row 1 of source",
        ),
        (lambda: model_of(None)(torch.tensor([[4, 0, 5]]), ids((1, 2), V)), "inside a row"),
        (lambda: model_of(None)(torch.tensor([[S]]), ids((1, 2), V)), "ids 11 to 11; 0 to 10"),
        (lambda: model_of(None)(torch.tensor([[-1]]), ids((1, 2), V)), "0 to 10 wanted"),
        (lambda: model_of("additive")(ids((2, 3), S), ids((3, 2), V)), "3 rows and the memory 2"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
