"""Rules of quality: each breaks at its own bound; what is the same is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.pretraining import exact_duplicates, jaccard, quality, shingles
from coursekit.pretraining.filtering import RULES

GOOD = "the cat and the dog that have slept ran to the end of a long street today " * 5
LINES = ["the dog and the cat with that bone ran"] * 10


BULLETED = ["- " + line for line in LINES]
TRAILING = [line + " …" for line in LINES]
JUST = [  # a rule, a text at its bound, and one beyond it
    ("length", "the of cats " * 17, "the of cats " * 16),  # 51 and 48 words
    ("length", "the of cats dogs " * 25_000, "the of cats dogs " * 25_000 + "x"),
    ("word-length", "the and cat " * 20, "the and of " * 20),  # 3 and 2.7 letters
    ("word-length", "the and " + "ten-letter " * 58, "the and " + "twelve-letter " * 58),
    ("symbols", GOOD + "# " * 5, GOOD + "# " * 12),  # of 85 and 92 words
    ("symbols", GOOD + "... more " * 4, GOOD + "... more " * 12),
    ("bullets", "\n".join(BULLETED[:9] + LINES[9:]), "\n".join(BULLETED)),
    ("cut-off", "\n".join(TRAILING[:3] + LINES[3:]), "\n".join(TRAILING[:4] + LINES[4:])),
    ("letters", "the and cats dogs 12.345 " * 12, "the and cats 1234 5678 " * 12),
    ("stop-words", "only of many words to have " * 12, "the quick brown foxes jumped " * 12),
]


@pytest.mark.parametrize(("rule", "kept", "dropped"), JUST)
def test_each_rule_breaks_just_beyond_its_bound(rule, kept, dropped):
    assert quality(kept) == []
    assert quality(dropped) == [rule]


def test_prose_is_kept_and_nothing_is_dropped_by_every_rule():
    assert quality(GOOD) == []
    assert quality("") == quality(" \n ") == list(RULES)


def test_duplicates_differ_in_white_space_and_case_alone():
    texts = ["A b\nc", "a  b c", "a b c d", "ab c", "A B C"]
    assert exact_duplicates(texts) == [1, 4]
    assert exact_duplicates([]) == []


def test_runs_of_words_are_counted_as_one_would():
    words = ["we", "sold", "one", "ring", "and", "then", "we", "sold", "one", "more"]
    assert shingles(" ".join(words), 3) == {" ".join(words[i : i + 3]) for i in range(8)}
    assert shingles("Two words!", 5) == {"two words"}
    assert shingles("...", 5) == set()
    with pytest.raises(ValueError, match="n is 0"):
        shingles("a b", 0)


sets = st.sets(st.integers(0, 9).map(str))


@given(sets, sets)
def test_similarity_is_symmetric_and_one_only_for_equals(a, b):
    if a | b:
        assert jaccard(a, b) == jaccard(b, a)
        assert (jaccard(a, b) == 1) == (a == b)
        assert (jaccard(a, b) == 0) == (not a & b)
        # one over the whole, counted item by item
        assert jaccard(a, b) * sum(1 for x in range(10) if str(x) in a or str(x) in b) == (
            pytest.approx(sum(1 for x in range(10) if str(x) in a and str(x) in b))
        )


def test_two_empty_sets_have_no_similarity():
    with pytest.raises(ValueError, match="both sets are empty"):
        jaccard(set(), set())
