"""Words, numbers and padded batches: round trips, the one-hot identity, bad input."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.seq2seq import BOS, EOS, PAD, UNK, Vocabulary, one_hot, pad_batch

words = st.lists(st.text("abcdefgh", min_size=1, max_size=4), unique=True, min_size=1, max_size=9)


@given(words, st.data())
def test_decoding_undoes_encoding(tokens, data):
    vocabulary = Vocabulary(tokens)
    sentence = data.draw(st.lists(st.sampled_from(tokens)))
    assert vocabulary.decode(vocabulary.encode(sentence)) == sentence


def test_special_tokens_come_first_and_vanish_in_text():
    vocabulary = Vocabulary(["a"])
    assert (
        [vocabulary.ids[t] for t in vocabulary.tokens[:4]] == [PAD, BOS, EOS, UNK] == [0, 1, 2, 3]
    )
    assert vocabulary.decode([BOS, 4, UNK, PAD, 4, EOS, 4]) == ["a", "<unk>", "a"]


def test_rare_words_become_unknown():
    vocabulary = Vocabulary.from_sentences([["a", "b", "a"], ["b", "c"]], min_count=2)
    assert vocabulary.tokens[4:] == ("a", "b")
    assert vocabulary.encode(["c", "a"]) == [UNK, 4]
    with pytest.raises(KeyError, match="'c' is not among the 6 tokens"):
        vocabulary.encode(["c"], strict=True)


@given(st.lists(st.lists(st.integers(4, 99), min_size=1, max_size=6), min_size=1, max_size=5))
def test_padding_keeps_every_sequence(sequences):
    ids, lengths = pad_batch(sequences)
    assert ids.shape == (len(sequences), max(map(len, sequences)))
    for row, n, sequence in zip(ids.tolist(), lengths.tolist(), sequences, strict=True):
        assert row[:n] == sequence
        assert set(row[n:]) <= {PAD}


@pytest.mark.equation("eq-seq2seq-one-hot")
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(0, 2**31))
def test_a_one_hot_vector_times_a_matrix_looks_up_a_row(ids, seed):
    rows = torch.randn(7, 3, generator=torch.Generator().manual_seed(seed))
    ids = torch.tensor(ids)
    vectors = one_hot(ids, 7)
    assert torch.equal(vectors @ rows, rows[ids])
    assert torch.equal(vectors, torch.nn.functional.one_hot(ids, 7).float())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Vocabulary(["a", "a"]), ValueError, "'a' occurs twice"),
        (lambda: Vocabulary(["<pad>"]), ValueError, "'<pad>' occurs twice"),
        (lambda: Vocabulary(["a"]).encode("a b"), TypeError, "split it"),
        (lambda: Vocabulary(["a"]).decode([5]), IndexError, "5 stands for no token"),
        (lambda: pad_batch([]), ValueError, "batch is empty"),
        (lambda: pad_batch([[4], []]), ValueError, "sequence 1 of the batch is empty"),
        (lambda: one_hot(torch.tensor([3]), 3), ValueError, "0 to 2 wanted"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
