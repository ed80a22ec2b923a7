"""The translation task: what is held out, what crosses, and that every sentence has one answer."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.seq2seq.grammar import VOWELS
from coursekit.seq2seq.translation import (
    HELD_OUT,
    PATTERNS,
    PREDICATES,
    SEEN,
    SUBJECTS,
    Pair,
    Pattern,
    crossings,
    sentence,
    sentences,
    translation_split,
)


@pytest.fixture(scope="module")
def split():
    sizes = {"train": 2000, "validation": 200, "test": 200, "held_out": 200}
    return translation_split(np.random.default_rng(3), **sizes)


def test_each_part_of_a_held_out_pattern_is_seen_but_never_together():
    assert {p.subject for p in SEEN} == {p.subject for p in HELD_OUT} == set(SUBJECTS)
    assert {p.predicate for p in SEEN} == {p.predicate for p in HELD_OUT} == set(PREDICATES)
    assert set(SEEN) | set(HELD_OUT) == set(PATTERNS)
    assert not set(SEEN) & set(HELD_OUT)
    assert len(HELD_OUT) == len(PREDICATES)


def test_the_split_keeps_its_promises(split):
    assert [len(part) for part in split] == [2000, 200, 200, 200]
    sources = [pair.source for part in split for pair in part]
    assert len(set(sources)) == len(sources)
    for part in split[:3]:
        assert {p for pair in part for p in pair.patterns} <= set(SEEN)
    assert {p for pair in split.held_out for p in pair.patterns} <= set(HELD_OUT)
    for part in split:
        assert {len(pair.patterns) for pair in part} == {1, 2, 3}


def test_training_shows_every_word_of_the_other_parts(split):
    for side in ("source", "target"):
        known = {w for pair in split.train for w in getattr(pair, side)}
        rest = {w for part in split[1:] for pair in part for w in getattr(pair, side)}
        assert rest <= known
        assert 100 <= len(known) <= 230


def test_every_sentence_has_one_translation():
    drawn = [sentence(rng) for rng in [np.random.default_rng(0)] for _ in range(6000)]
    answers = {}
    for pair in drawn:
        assert answers.setdefault(pair.source, pair.target) == pair.target


def test_lengths_run_from_three_words_to_more_than_twenty(split):
    lengths = {len(pair.source) for pair in split.train}
    assert set(range(3, 23)) <= lengths


@given(st.integers(0, 2**31), st.integers(1, 4))
def test_links_point_at_words_and_leave_hardly_any_alone(seed, clauses):
    pair = sentence(np.random.default_rng(seed), clauses=clauses)
    source, target = len(pair.source), len(pair.target)
    assert all(0 <= i < source and 0 <= j < target for i, j in pair.links)
    assert {i for i, _ in pair.links} == set(range(source))
    alone = set(range(target)) - {j for _, j in pair.links}
    assert {pair.target[j] for j in alone} <= {"le", "la", "l'", "les"}  # the owned noun's article


@given(st.integers(0, 2**31), st.integers(1, 4))
def test_elision_is_complete(seed, clauses):
    target = sentence(np.random.default_rng(seed), clauses=clauses).target
    for word, after in itertools.pairwise(target):
        vowel = (after[0] in VOWELS or after.startswith("homme")) and after != "onze"
        assert not (vowel and word in {"le", "la", "de", "ne", "me", "te", "que", "ce", "ma"})
        assert vowel or not word.endswith("'")
        assert (word, after) not in {("de", "le"), ("de", "les")}


def test_the_words_change_places_in_most_sentences(split):
    share = np.mean([crossings(pair) > 0 for pair in split.train])
    assert share > 0.5
    owned = sentence(np.random.default_rng(0), patterns=[Pattern("owned noun adjective", "verb")])
    assert crossings(owned) > 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), unique=True, max_size=8))
def test_crossings_are_counted_as_segments_that_meet(links):
    pair = Pair((), (), tuple(links), ())
    met = sum(
        (a < c and b > d) or (a > c and b < d)
        for (a, b), (c, d) in itertools.combinations(links, 2)
    )
    assert crossings(pair) == met


def test_the_same_generator_draws_the_same_sentences():
    a, b = (sentences(20, np.random.default_rng(5)) for _ in range(2))
    assert a == b


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sentence(0), TypeError, "default_rng"),
        (lambda: sentence(np.random.default_rng(0), clauses=0), ValueError, "clauses is 0"),
        (
            lambda: sentence(np.random.default_rng(0), patterns=[Pattern("noun", "haiku")]),
            ValueError,
            "no pattern",
        ),
        (
            lambda: sentences(
                100, np.random.default_rng(0), clauses=[1], patterns=[Pattern("pronoun", "verb")]
            ),
            ValueError,
            "only 14 new sentences were found and 100 wanted",
        ),
    ],
)
def test_what_cannot_be_drawn_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
