"""GPT-2's pattern on the standard library, against the packages that know Unicode's categories."""

import sys
import unicodedata

import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel

from coursekit.pretraining import pre_tokenise
from coursekit.pretraining.pattern import SPACE, pattern, settled

PUBLISHED = regex.compile(  # as OpenAI published it, in their encoder.py
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)
# Characters that this Python's Unicode knows: regex and tokenizers may be of a newer version.
known = st.characters(exclude_categories=["Cn", "Cs"])
nasty = st.sampled_from(" \n\t\r\x1c\x85\u00a0\u2009\u3000'sltrevmd²½Ⅷ一٣a1_.,é🙂")
texts = st.text(st.one_of(nasty, known), max_size=40)


@settings(max_examples=400, deadline=None)
@given(texts)
@example("we'll  don't 'twas I'M\n\n\n x")
@example("'l")
def test_it_cuts_where_the_published_pattern_cuts(text):
    assert pre_tokenise(text) == PUBLISHED.findall(text)


@settings(max_examples=200, deadline=None)
@given(texts)
def test_it_cuts_where_the_tokenizers_library_cuts(text):
    spans = ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str(text)
    assert pre_tokenise(text) == [text[a:b] for _, (a, b) in spans]


def test_every_known_character_is_in_the_class_of_its_category():
    letters, numbers = regex.compile(r"\p{L}"), regex.compile(r"\p{N}")
    one = pattern().fullmatch
    wrong = []
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if unicodedata.category(char) in ("Cn", "Cs"):
            continue
        # Beside a letter, a letter joins; beside a digit, a number does; a mark joins neither.
        joins = (bool(one("a" + char)), bool(one("1" + char)))
        if joins != (bool(letters.match(char)), bool(numbers.match(char))):
            wrong.append(hex(code))
    assert wrong == []


def test_white_space_is_unicodes_and_not_pythons():
    python = {c for c in map(chr, range(sys.maxunicode + 1)) if c.isspace()}
    ours = {c for c in python if regex.match(f"[{SPACE}]", c)}
    assert ours == {c for c in python if regex.match(r"\s", c)}
    assert python - ours == set("\x1c\x1d\x1e\x1f")


@settings(max_examples=300, deadline=None)
@given(texts, texts)
@example("'", "ll")
@example("a ", " b")
def test_nothing_that_follows_moves_what_is_settled(text, more):
    n = settled(text)
    assert n <= len(text)
    cuts, end = {0}, 0
    for word in pre_tokenise(text + more):
        end += len(word)
        cuts.add(end)
    assert n in cuts
    assert pre_tokenise(text[:n]) == pre_tokenise(text + more)[: len(pre_tokenise(text[:n]))]


def test_most_of_a_text_is_settled():
    text = "Nine words and their spaces are settled, the last"
    assert settled(text) == len(text) - len(" last")


@given(st.text(max_size=60))
def test_nothing_is_lost(text):
    assert "".join(pre_tokenise(text)) == text


def test_what_is_no_character_counts_as_a_mark():
    for char in map(chr, (0xD800, 0xDC80, 0xDFFF)):
        assert pre_tokenise(f"a{char}b") == ["a", char, "b"]
