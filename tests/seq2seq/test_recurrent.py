"""Recurrent steps and layers against torch.nn: outputs, states, gradients, padding."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from coursekit.seq2seq import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from tests.seq2seq.near import assert_same

LAYERS = {RNN: torch.nn.RNN, LSTM: torch.nn.LSTM, GRU: torch.nn.GRU}
CELLS = {RNNCell: torch.nn.RNNCell, LSTMCell: torch.nn.LSTMCell, GRUCell: torch.nn.GRUCell}
sizes = st.integers(1, 6)
seeds = st.integers(0, 2**31)
dtypes = st.sampled_from([torch.float32, torch.float64])


def as_tuple(state):
    return state if isinstance(state, tuple) else (state,)


def weighted_sum(outputs, weights):
    return sum((o * w).sum() for o, w in zip(outputs, weights, strict=True))


def assert_equal_with_gradients(mine, theirs, run_mine, run_theirs, x, seed, terms):
    """Assert that outputs, and gradients of a random weighting of them, agree."""
    x_mine, x_theirs = (x.clone().requires_grad_() for _ in range(2))
    a, b = run_mine(x_mine), run_theirs(x_theirs)
    g = torch.Generator().manual_seed(seed)
    weights = [torch.randn(o.shape, generator=g, dtype=x.dtype) for o in b]
    for left, right in zip(a, b, strict=True):
        assert_same(left, right, terms=terms)
    weighted_sum(a, weights).backward()
    weighted_sum(b, weights).backward()
    assert_same(x_mine.grad, x_theirs.grad, terms=terms)
    theirs_by_name = dict(theirs.named_parameters())
    for name, parameter in mine.named_parameters():
        assert_same(parameter.grad, theirs_by_name[name].grad, terms=terms)


def check_cell(cell, n, h, batch, dtype, seed):
    g = torch.Generator().manual_seed(seed)
    mine = cell(n, h, generator=g).to(dtype)
    theirs = CELLS[cell](n, h).to(dtype)
    theirs.load_state_dict(mine.state_dict())
    x = torch.randn(batch, n, generator=g, dtype=dtype)
    parts = 2 if cell is LSTMCell else 1
    state = tuple(torch.randn(batch, h, generator=g, dtype=dtype) for _ in range(parts))
    given_state = state if cell is LSTMCell else state[0]
    for s in (None, given_state):
        mine.zero_grad()
        theirs.zero_grad()
        run_mine = lambda z, s=s: as_tuple(mine(z, s))  # noqa: E731
        run_theirs = lambda z, s=s: as_tuple(theirs(z, s))  # noqa: E731
        terms = n + h + batch
        assert_equal_with_gradients(mine, theirs, run_mine, run_theirs, x, seed, terms)


@pytest.mark.equation("eq-seq2seq-rnn")
@given(sizes, sizes, sizes, dtypes, seeds)
@settings(max_examples=20)
def test_the_plain_cell_is_torchs(n, h, batch, dtype, seed):
    check_cell(RNNCell, n, h, batch, dtype, seed)


@pytest.mark.equation("eq-seq2seq-lstm")
@given(sizes, sizes, sizes, dtypes, seeds)
@settings(max_examples=20)
def test_the_lstm_cell_is_torchs(n, h, batch, dtype, seed):
    check_cell(LSTMCell, n, h, batch, dtype, seed)


@pytest.mark.equation("eq-seq2seq-gru")
@given(sizes, sizes, sizes, dtypes, seeds)
@settings(max_examples=20)
def test_the_gru_cell_is_torchs(n, h, batch, dtype, seed):
    check_cell(GRUCell, n, h, batch, dtype, seed)


@pytest.mark.parametrize("layer", LAYERS)
@given(
    st.tuples(sizes, sizes, st.integers(1, 3), st.booleans()),
    st.tuples(st.integers(1, 4), st.integers(1, 7)),
    dtypes,
    seeds,
)
@settings(max_examples=25)
def test_layers_are_torchs_stacked_and_in_both_directions(layer, made, shape, dtype, seed):
    n, h, depth, both = made
    g = torch.Generator().manual_seed(seed)
    mine = layer(n, h, depth, bidirectional=both, generator=g).to(dtype)
    theirs = LAYERS[layer](n, h, depth, bidirectional=both, batch_first=True).to(dtype)
    theirs.load_state_dict(mine.state_dict())
    x = torch.randn(*shape, n, generator=g, dtype=dtype)

    def run(model):
        def forward(z):
            outputs, state = model(z)
            return (outputs, *as_tuple(state))

        return forward

    terms = (n + 2 * h) * depth + shape[0] * shape[1]
    assert_equal_with_gradients(mine, theirs, run(mine), run(theirs), x, seed, terms)


@pytest.mark.parametrize("layer", LAYERS)
def test_float32_agrees_with_torch_to_a_millionth(layer):
    g = torch.Generator().manual_seed(5)
    mine = layer(32, 64, 2, bidirectional=True, generator=g)
    theirs = LAYERS[layer](32, 64, 2, bidirectional=True, batch_first=True)
    theirs.load_state_dict(mine.state_dict())
    x = torch.randn(8, 20, 32, generator=g)
    a, b = mine(x)[0], theirs(x)[0]
    assert (a - b).abs().max() < 1e-6
    a.square().mean().backward()
    b.square().mean().backward()
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert (p.grad - q.grad).abs().max() < 1e-6


@pytest.mark.parametrize("layer", LAYERS)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.booleans(), seeds)
@settings(max_examples=25)
def test_padding_with_lengths_equals_packed_sequences(layer, lengths, both, seed):
    g = torch.Generator().manual_seed(seed)
    mine = layer(3, 4, 2, bidirectional=both, generator=g).double()
    theirs = LAYERS[layer](3, 4, 2, bidirectional=both, batch_first=True).double()
    theirs.load_state_dict(mine.state_dict())
    x = torch.randn(len(lengths), max(lengths), 3, generator=g, dtype=torch.float64)

    def packed(z):
        packs = pack_padded_sequence(z, torch.tensor(lengths), True, enforce_sorted=False)
        outputs, state = theirs(packs)
        return (pad_packed_sequence(outputs, batch_first=True)[0], *as_tuple(state))

    def padded(z):
        outputs, state = mine(z, None, torch.tensor(lengths))
        return (outputs, *as_tuple(state))

    assert_equal_with_gradients(mine, theirs, padded, packed, x, seed, 60)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_sequence_may_be_read_in_two_parts(layer):
    g = torch.Generator().manual_seed(1)
    model = layer(3, 4, 2, generator=g).double()
    x = torch.randn(2, 7, 3, generator=g, dtype=torch.float64)
    whole, end = model(x)
    first, state = model(x[:, :4])
    second, last = model(x[:, 4:], state)
    assert_same(torch.cat([first, second], 1), whole, terms=20)
    for a, b in zip(as_tuple(last), as_tuple(end), strict=True):
        assert_same(a, b, terms=20)


def test_what_stands_in_the_padding_does_not_matter():
    g = torch.Generator().manual_seed(2)
    model = GRU(3, 4, bidirectional=True, generator=g)
    x, lengths = torch.randn(2, 5, 3, generator=g), torch.tensor([5, 2])
    other = x.clone()
    other[1, 2:] = 1e6
    for a, b in zip(model(x, None, lengths), model(other, None, lengths), strict=True):
        assert torch.equal(a, b)


def test_the_same_generator_gives_the_same_weights_and_leaves_torchs_alone():
    before = torch.get_rng_state()
    a, b = (LSTM(3, 4, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    assert torch.equal(before, torch.get_rng_state())
    bound = 1 / 4**0.5
    assert all(p.abs().max() <= bound for p in a.parameters())


def test_a_layer_can_be_copied_and_moved_to_another_type():
    model = copy.deepcopy(GRU(3, 4)).to(torch.float64)
    assert model(torch.zeros(1, 2, 3, dtype=torch.float64))[0].dtype == torch.float64


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RNN(3, 4)(torch.zeros(2, 3)), r"\(B, T, 3\) wanted"),
        (lambda: RNN(3, 4)(torch.zeros(2, 5, 4)), r"\(B, T, 3\) wanted"),
        (lambda: RNN(3, 4)(torch.zeros(0, 5, 3)), "nothing to read"),
        (lambda: RNN(3, 4)(torch.zeros(2, 0, 3)), "nothing to read"),
        (lambda: RNN(3, 4)(torch.zeros(2, 5, 3), torch.zeros(2, 4)), r"\(1, 2, 4\) wanted"),
        (
            lambda: GRU(3, 4)(torch.zeros(2, 5, 3), None, torch.tensor([6, 1])),
            "1 to 5 wanted",
        ),
        (
            lambda: GRU(3, 4)(torch.zeros(2, 5, 3), None, torch.tensor([0, 1])),
            "1 to 5 wanted",
        ),
        (lambda: GRU(3, 4)(torch.zeros(2, 5, 3), None, torch.tensor([1])), r"\(2,\) wanted"),
        (lambda: GRUCell(3, 4)(torch.zeros(2, 5)), r"\(B, 3\) wanted"),
        (lambda: GRUCell(3, 4)(torch.zeros(2, 3), torch.zeros(1, 4)), r"\(2, 4\) wanted"),
        (lambda: LSTM(3, 0), "hidden_size is 0"),
    ],
)
def test_wrong_shapes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
