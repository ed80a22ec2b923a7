"""The tokenizer: nothing lost, specials whole, streams as one text, the library's numbers."""

import json
import tracemalloc

import pytest
import tokenizers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coursekit.pretraining import END_OF_TEXT, Tokenizer, course_split, load_tokenizer, train_bpe
from coursekit.pretraining import tokenizer as module
from coursekit.pretraining.gpt2_files import byte_characters, written

TOKENIZER = load_tokenizer()
SPECIALS = ["<|end|>", "<|end|><|end|>", "<|"]
TRICKY = train_bpe("the end of the theme, then <| the rest " * 3 + "|> >", 280, SPECIALS)
pieces = st.sampled_from(
    [*SPECIALS, "the", " the", "\n", "  ", "'", "ll", "é", "🙂", "<", "|>", "x"]
)
mixed = st.lists(st.one_of(pieces, st.text(max_size=4)), max_size=12).map("".join)


def library(tokenizer, folder):
    """The same files in the `tokenizers` library."""
    tokenizer.save(folder)
    found = tokenizers.ByteLevelBPETokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), add_prefix_space=False
    )
    found.add_special_tokens(list(tokenizer.special_tokens))
    return found


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80))
@example(b"\xff\xfe\x00")
@example(b"\xed\xa0\x80")  # a surrogate, as no UTF-8 has it
@example("a é 🙂\r\n".encode()[:-5])
def test_any_bytes_come_back(data):
    assert TOKENIZER.decode_bytes(TOKENIZER.encode(data)) == data


@settings(max_examples=150, deadline=None)
@given(mixed)
def test_any_text_comes_back(text):
    for tokenizer in (TOKENIZER, TRICKY):
        for specials in (True, False):
            ids = tokenizer.encode(text, specials=specials)
            assert tokenizer.decode(ids, errors="strict") == text
    assert TOKENIZER.encode(text) == TOKENIZER.encode(text.encode())


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    return [library(t, tmp_path_factory.mktemp("files")) for t in (TOKENIZER, TRICKY)]


known = st.characters(exclude_categories=["Cn", "Cs"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(pieces, st.text(known, max_size=4)), max_size=12).map("".join))
def test_the_numbers_are_the_tokenizers_librarys(libraries, text):
    assert TOKENIZER.encode(text) == libraries[0].encode(text).ids


def test_a_whole_corpus_has_the_librarys_numbers(libraries):
    _, validation = course_split()
    for document in validation:
        assert TOKENIZER.encode(document.text) == libraries[0].encode(document.text).ids


def test_the_library_reads_our_special_tokens(libraries):
    text = "the end<|end|> of<|end|>"
    assert TRICKY.encode(text) == libraries[1].encode(text).ids


@settings(max_examples=150, deadline=None)
@given(mixed, st.lists(st.integers(0, 40), max_size=8))
@example("x\r\r00", [1, 2, 3, 4])
@example("the<|end|><|end|>", [8, 9, 12, 15])
def test_a_stream_is_encoded_like_the_whole_text(text, cuts):
    cuts = sorted({min(c, len(text)) for c in cuts})
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    for tokenizer in (TOKENIZER, TRICKY):
        assert list(tokenizer.encode_iterable(chunks)) == tokenizer.encode(text)


def test_a_stream_takes_the_memory_of_a_chunk():
    def peak(n_lines):
        lines = (
            f"line {i % 50} of a long file, with words that come again\n" for i in range(n_lines)
        )
        tracemalloc.start()
        n = sum(1 for _ in TOKENIZER.encode_iterable(lines))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert n > 8 * n_lines
        return most

    peak(100)  # fills the memory of words
    assert peak(4000) < peak(400) + 20_000


def test_words_are_not_remembered_without_end(monkeypatch):
    monkeypatch.setattr(module, "REMEMBERED", 10)
    tokenizer = load_tokenizer()
    text = " ".join(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(100))
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer._remembered) <= 10


def test_special_tokens_are_never_split_and_the_longest_is_taken():
    text = "then<|end|><|end|><|end|>"
    tail = [TRICKY.token("<|end|><|end|>"), TRICKY.token("<|end|>")]
    assert TRICKY.encode(text)[-2:] == tail
    assert not set(tail) & set(TRICKY.encode(text, specials=False))
    assert TRICKY.decode(tail) == "<|end|><|end|><|end|>"


def test_nothing_merges_across_a_special_token():
    tokenizer = train_bpe("abab abab", 270, ["|"])
    assert tokenizer.encode("ab|ab") == [*tokenizer.encode("ab"), *tokenizer.encode("|ab")]
    assert tokenizer.encode("a|b") == [97, tokenizer.token("|"), 98]


def test_merges_are_applied_in_the_order_learned_whatever_is_longer():
    vocab = {i: bytes([i]) for i in range(256)} | {256: b"bc", 257: b"ab", 258: b"abc", 259: b"aa"}
    merges = [(b"b", b"c"), (b"a", b"b"), (b"a", b"bc"), (b"a", b"a")]
    tokenizer = Tokenizer(vocab, merges)
    assert tokenizer.encode("abc") == [258]
    assert tokenizer.encode("aabc") == [97, 258]  # (a, bc) comes before (a, a)
    assert tokenizer.encode("aaaaa") == [259, 259, 97]
    assert tokenizer.encode("abab") == [257, 257]


def test_a_long_run_takes_no_more_than_sorting_it_would():
    """Letters without end are one pre-token; a quadratic merge would take minutes."""
    tokenizer = train_bpe("a" * 64, 260)
    ids = tokenizer.encode("a" * 50_000)
    assert tokenizer.decode_bytes(ids) == b"a" * 50_000
    assert len(ids) == 50_000 // 16


def test_what_is_saved_is_loaded(tmp_path):
    TRICKY.save(tmp_path / "new" / "folder")
    loaded = Tokenizer.load(tmp_path / "new" / "folder")
    assert (loaded.vocab, loaded.merges) == (TRICKY.vocab, TRICKY.merges)
    assert loaded.special_tokens == TRICKY.special_tokens


def test_files_of_the_published_format_are_read(tmp_path):
    """Written by hand as GPT-2's are: Ġ for a space, a line for the version, the special last."""
    table = byte_characters()
    ids = {c: i for i, c in enumerate(sorted(table))}
    ids |= {"Ġt": 256, "he": 257, "Ġthe": 258, "<|endoftext|>": 259}
    (tmp_path / "encoder.json").write_text(json.dumps(ids))  # with \u escapes, as published
    (tmp_path / "vocab.bpe").write_text("#version: 0.2\nĠ t\nh e\nĠt he\n", encoding="utf-8")
    files = tmp_path / "encoder.json", tmp_path / "vocab.bpe"
    tokenizer = Tokenizer.from_files(*files, ["<|endoftext|>"])
    assert tokenizer.encode(" the<|endoftext|>") == [258, 259]
    assert tokenizer.encode("he") == [257]
    unnamed = Tokenizer.from_files(*files)  # then it is a text like others
    assert unnamed.encode("<|endoftext|>") == [ids[c] for c in "<|endoftext|>"]


def test_the_table_of_bytes_is_the_librarys():
    as_written = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for char in map(chr, [*range(0xD800), *range(0xE000, 0x110000, 1001)]):
        assert written(char.encode()) == as_written.pre_tokenize_str(char)[0][0]
    assert set(byte_characters()) == set(tokenizers.pre_tokenizers.ByteLevel.alphabet())


def damage(folder, name, old, new):
    path = folder / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("vocab.json", ",", "", "vocab.json is damaged"),
        ("vocab.json", '"A":65,', "", r"lacks b'A'"),
        ("vocab.json", '"A":65', '"A":66', "one number to two tokens"),
        ("vocab.json", '"A":65', '"A\u4e00":65', "stands for no byte"),
        ("merges.txt", "t h", "t h e", r"merges.txt, line \d+: two tokens"),
        ("merges.txt", "t h\n", "q q\n", "not of one tokenizer"),
        ("special_tokens.json", "[", "", "special_tokens.json is damaged"),
        ("special_tokens.json", '["<|endoftext|>"]', "{}", "holds a dict; a list wanted"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, name, old, new, message):
    train_bpe("the then them at to" * 3, 262, [END_OF_TEXT]).save(tmp_path)
    damage(tmp_path, name, old, new)
    with pytest.raises(ValueError, match=message):
        Tokenizer.load(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    TRICKY.save(tmp_path)
    (tmp_path / "merges.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"merges\.txt"):
        Tokenizer.load(tmp_path)


def test_bytes_that_are_no_text_are_replaced_refused_or_dropped():
    ids = TOKENIZER.encode("é".encode()[:1])
    assert TOKENIZER.decode(ids) == "\ufffd"
    assert TOKENIZER.decode(ids, errors="ignore") == ""
    with pytest.raises(ValueError, match="byte 0 of the text, 0xc3, is not valid UTF-8"):
        TOKENIZER.decode(ids, errors="strict")


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError, match=r"'\\ud800', half of a surrogate pair"):
        TOKENIZER.encode("a\ud800")


def test_what_is_not_text_is_refused():
    with pytest.raises(TypeError, match="text or bytes wanted, and this is a int"):
        TOKENIZER.encode(7)


def test_a_number_of_another_vocabulary_is_refused():
    with pytest.raises(ValueError, match="token 1024 is not among the 1,024"):
        TOKENIZER.decode([1, 1024])


def test_specials_get_the_next_numbers_and_must_not_be_empty():
    more = Tokenizer(TOKENIZER.vocab, TOKENIZER.merges, [END_OF_TEXT, "<|user|>"])
    assert (more.token(END_OF_TEXT), more.token("<|user|>"), more.vocab_size) == (1023, 1024, 1025)
    with pytest.raises(ValueError, match="empty text"):
        Tokenizer(TOKENIZER.vocab, TOKENIZER.merges, [""])
    with pytest.raises(ValueError, match="one byte string under two numbers"):
        Tokenizer({**TOKENIZER.vocab, 2000: b"a"}, [])
    with pytest.raises(KeyError, match="no token spells 'qqqq'"):
        TOKENIZER.token("qqqq")


def test_the_courses_tokenizer_is_what_its_command_makes(tmp_path):
    from coursekit.pretraining.course_tokenizer import FOLDER, train_tokenizer

    train_tokenizer().save(tmp_path)
    for path in FOLDER.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name
