"""The fast trainer: the slow one's merges, whatever the text, the chunks and the processes."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coursekit.pretraining import bpe, count_words, pre_tokenise, train_bpe, train_naive_bpe
from coursekit.pretraining.bpe import replace

texts = st.lists(st.text("ab c\n-", max_size=60), max_size=4)


@pytest.mark.equation("eq-pretraining-bpe")
@settings(max_examples=150, deadline=None)
@given(texts, st.integers(0, 30))
@example(["aaaaa aaaa aaa aaaaaaa", "aaaaaaaaa"], 30)
@example(["abcabd abcabd"], 30)
def test_it_learns_what_counting_anew_learns(texts, merges):
    fast, slow = train_bpe(texts, 256 + merges), train_naive_bpe(texts, 256 + merges)
    assert fast.merges == slow.merges
    assert fast.vocab == slow.vocab


def test_each_merge_is_the_most_frequent_pair_of_its_time_and_the_greatest_of_equals():
    """From the definition: the text is segmented anew for each merge, by the merges before it."""
    text = "she sells sea shells; the shells she sells are sea shells, I am sure" * 2
    tokenizer = train_bpe(text, 256 + 25)
    words = [[bytes([b]) for b in w.encode()] for w in pre_tokenise(text)]
    for left, right in tokenizer.merges:
        counts = Counter(pair for word in words for pair in pairwise(word))
        best = max(counts[p] for p in counts)
        assert counts[left, right] == best
        assert (left, right) == max(p for p in counts if counts[p] == best)
        words = [_merge(word, left, right) for word in words]


def _merge(word, left, right):
    out = []
    for token in word:  # a pair closes when its right half arrives, if the left is still whole
        if out and out[-1] == left and token == right:
            out[-1] = left + right
        else:
            out.append(token)
    return out


def test_of_equal_pairs_the_greater_in_byte_order_is_merged():
    assert train_bpe(["az", "by", "ba", "é"], 257).merges == [(b"\xc3", b"\xa9")]
    assert train_bpe(["az", "by", "ba"], 257).merges == [(b"b", b"y")]
    tied = train_bpe(["bac", "ba", "bab"], 258)  # first ba; then (ba, c) and (ba, b) are equal
    assert tied.merges == [(b"b", b"a"), (b"ba", b"c")]
    longer = train_bpe(
        ["ba", "ba", "bx", "bax"], 259
    )  # (ba, x) after ba; a token is less than one that it begins
    assert longer.merges == [(b"b", b"a"), (b"ba", b"x"), (b"b", b"x")]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text("aab", max_size=12), max_size=8))
@example(["aaaaa", "xaaa", "aaa", "aaaaaaa", "yaa"])
def test_no_two_tokens_are_the_same_bytes(texts):
    vocab = train_bpe(texts, 300).vocab
    assert len(set(vocab.values())) == len(vocab)


def test_merges_stop_when_there_are_no_pairs_left():
    tokenizer = train_bpe("abab", 1000, ["<|end|>"])
    assert tokenizer.merges == [(b"a", b"b"), (b"ab", b"ab")]
    assert tokenizer.vocab_size == 256 + 2 + 1
    assert train_bpe("", 300).merges == []


def test_no_merge_crosses_a_special_token_a_text_or_a_word():
    whole = train_bpe(["ab<|x|>ab", "ba"], 300, ["<|x|>"])
    assert whole.merges == [(b"a", b"b"), (b"b", b"a")]
    assert train_bpe(["xy xy"], 300).merges == [(b"x", b"y"), (b" ", b"xy")]


@pytest.mark.parametrize("chunk", [3, 7, 50])
def test_long_texts_are_cut_without_moving_a_word(monkeypatch, chunk):
    text = "one two  three\n\n four,five   \t six's 7" * 5 + "eight" * 40 + "   "
    whole = Counter(word.encode() for word in pre_tokenise(text))
    monkeypatch.setattr(bpe, "CHUNK", chunk)
    assert len(list(bpe._pieces([text], ()))) > 1
    assert count_words([text]) == whole


@settings(max_examples=200, deadline=None)
@given(st.text("a 's\n\t\x1c.", max_size=80), st.integers(2, 20))
def test_a_cut_is_never_inside_a_word(text, chunk):
    before, bpe.CHUNK = bpe.CHUNK, chunk
    try:
        assert count_words(text) == Counter(w.encode() for w in pre_tokenise(text))
    finally:
        bpe.CHUNK = before


def test_processes_change_nothing(monkeypatch):
    texts = [f"text {i} of many, with words {i % 7} that come again<|e|>" for i in range(40)]
    alone = train_bpe(texts, 320, ["<|e|>"])
    monkeypatch.setattr(bpe, "CHUNK", 100)
    together = train_bpe(iter(texts), 320, ["<|e|>"], workers=2)
    assert together.merges == alone.merges


def test_texts_are_read_as_they_come():
    """A generator of endless text is read in parts, and not gathered first."""
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield "word " * 1000

    pieces = bpe._pieces(endless(), ())
    next(pieces)
    assert len(taken) * 5000 <= bpe.CHUNK + 5000


@given(st.lists(st.integers(0, 2), max_size=12))
def test_replacing_goes_from_the_left(word):
    text = "".join(map(str, word))
    assert "".join(map(str, replace(word, (1, 1), 9))) == text.replace("11", "9")


@pytest.mark.parametrize("train", [train_bpe, train_naive_bpe])
def test_a_vocabulary_too_small_for_bytes_and_specials_is_refused(train):
    with pytest.raises(ValueError, match=r"vocab_size is 256; the 256 bytes and 1 special .* 257"):
        train("text", 256, ["<|end|>"])
    with pytest.raises(TypeError, match=r"vocab_size is 300\.5"):
        train("text", 300.5)


def test_no_processes_are_refused():
    with pytest.raises(ValueError, match="workers is 0"):
        train_bpe("text", 300, workers=0)
