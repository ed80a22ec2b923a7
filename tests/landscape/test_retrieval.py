"""The sections of the book, and finding them: BM25 and rank fusion by hand, the library equal."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.landscape import (
    DenseIndex,
    HybridIndex,
    KeywordIndex,
    Section,
    bm25_scores,
    book_index,
    book_sections,
    load_questions,
    load_vectors,
    mean_reciprocal_rank,
    rank_of,
    recall_at,
    words_of,
)
from coursekit.landscape.retrieval import section_words
from coursekit.pretraining import book_corpus
from coursekit.seq2seq import Vocabulary

WORDS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8)


def pages(*texts):
    return [Section(f"p{i}", f"sec-{i}", "", text) for i, text in enumerate(texts)]


@pytest.mark.equation("eq-landscape-bm25")
@given(WORDS, st.lists(WORDS, min_size=1, max_size=6), st.floats(0, 3), st.floats(0, 1))
def test_bm25_is_the_sum_over_words_of_rarity_times_saturated_count(query, documents, k1, b):
    n, mean = len(documents), sum(map(len, documents)) / len(documents)
    for document, found in zip(documents, bm25_scores(query, documents, k1, b), strict=True):
        wanted = 0.0
        for word in query:
            f, df = document.count(word), sum(word in d for d in documents)
            room = k1 * (1 - b + b * len(document) / mean)
            if f:
                wanted += math.log(1 + (n - df + 0.5) / (df + 0.5)) * f / (f + room)
        assert found == pytest.approx(wanted, abs=1e-12)


def test_a_repeated_word_counts_less_each_time_and_a_long_document_less():
    once, twice, thrice, long = bm25_scores(
        ["a"], [["a", "b", "b"], ["a", "a", "b"], ["a", "a", "a"], ["a", *"b" * 8]]
    )
    assert 0 < thrice - twice < twice - once
    assert long < once


def test_the_library_gives_the_scores_of_the_formula():
    sections = book_sections()[:60]
    texts = [section_words(s) for s in sections]
    index = KeywordIndex(sections)
    for query in ("causal mask of attention", "wafer yield", "gradient of the softmax loss"):
        wanted = bm25_scores(words_of(query), texts)
        # the library sums in float32
        np.testing.assert_allclose(index.scores(query), wanted, rtol=1e-5, atol=1e-5)


def test_a_query_without_known_words_finds_nothing():
    index = KeywordIndex(pages("a mask hides", "a loss falls"))
    assert index.search("zebra") == []
    assert index.search("") == []
    with pytest.raises(ValueError, match="n is 0"):
        index.search("mask", 0)
    with pytest.raises(ValueError, match="hold no word"):
        bm25_scores(["a"], [[], []])
    with pytest.raises(ValueError, match=r"b is 2; k1 of 0 or more"):
        bm25_scores(["a"], [["a"]], b=2)


@pytest.mark.equation("eq-landscape-dense")
def test_a_text_is_the_weighted_mean_of_its_words_vectors():
    words = Vocabulary(["cat", "dog", "tax"])
    rows = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    sections = pages("cat dog dog", "tax", "dog tax")
    index = DenseIndex(sections, words, rows)
    weight = {"cat": math.log(4 / 1.5), "dog": math.log(4 / 2.5), "tax": math.log(4 / 2.5)}
    vector = {w: rows[words.ids[w]].double() for w in weight}

    def mean(text):
        total = sum(weight[w] for w in text.split())
        return sum(weight[w] * vector[w] for w in text.split()) / total

    query = mean("cat tax")
    for section, found in zip(sections, index.scores("cat tax"), strict=True):
        d = mean(section.text)
        wanted = float(query @ d / query.norm() / d.norm())
        assert found == pytest.approx(wanted, abs=1e-5)


def test_an_unknown_text_has_no_direction_and_vectors_must_fit_the_words():
    words = Vocabulary(["cat"])
    index = DenseIndex(pages("cat"), words, torch.ones(5, 2))
    assert index.scores("zebra").tolist() == [0.0]
    with pytest.raises(ValueError, match=r"vectors has shape \(4, 2\); a row for each of 5"):
        DenseIndex(pages("cat"), words, torch.ones(4, 2))


def test_the_hybrid_adds_reciprocal_ranks():
    sections = pages("mask mask", "mask loss loss", "loss")
    first, second = KeywordIndex(sections), KeywordIndex(sections)
    index = HybridIndex(first, second, k=10)
    wanted = {hit.section: 2 / (10 + i) for i, hit in enumerate(first.search("mask loss"), 1)}
    assert {hit.section: hit.score for hit in index.search("mask loss")} == pytest.approx(wanted)
    with pytest.raises(ValueError, match="one index or more, all over the same sections"):
        HybridIndex(first, KeywordIndex(pages("other")))


@given(st.lists(st.none() | st.integers(1, 9), min_size=1, max_size=9))
def test_measures_of_ranks(ranks):
    found = [r for r in ranks if r is not None]
    assert recall_at(ranks, 9) == len(found) / len(ranks)
    assert recall_at(ranks, 1) == found.count(1) / len(ranks)
    assert recall_at(ranks, 1) <= mean_reciprocal_rank(ranks) <= recall_at(ranks, 9)


def test_measures_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no question"):
        recall_at([], 1)
    with pytest.raises(ValueError, match="no question"):
        mean_reciprocal_rank([])


def test_sections_are_the_books_and_no_exercise_is_among_them():
    sections = book_sections()
    assert {f"{i:02}" for i in range(1, 11)} <= {s.page[:2] for s in sections}
    assert not any(s.title == "Exercises" or "solutions" in s.page for s in sections)
    assert not any("sec-landscape" in s.label for s in sections)  # where the questions stand
    assert all(s.label and s.text for s in sections)
    places = [s.place for s in sections]
    assert len(places) == len(set(places))


def test_a_section_has_the_label_that_stands_above_its_heading():
    text = "\n".join(d.text for d in book_corpus("book-2"))
    labelled = [s for s in book_sections() if s.label.startswith("sec-")]
    assert len(labelled) > 100
    for s in labelled:
        assert f"({s.label})=\n" in text
    where = {s.label: s.title for s in labelled}
    assert "mask" in where["sec-transformer-masks"].lower()


def test_the_right_page_is_found_for_most_questions_about_the_book():
    """Nine in ten among five sections, when measured; words and vectors together."""
    asked = [q for q in load_questions() if q.kind in ("definition", "explanation")]
    ranks = [
        rank_of(book_index(), q.asks, lambda s, q=q: any(s.place.startswith(p) for p in q.places))
        for q in asked
    ]
    assert recall_at(ranks, 5) >= 0.8


def test_the_stored_vectors_are_those_of_the_books_words():
    words, vectors = load_vectors()
    assert vectors.shape[0] == len(words)
    assert torch.isfinite(vectors).all()
    near = torch.cosine_similarity(vectors, vectors[words.ids["wafer"]][None], dim=1)
    best = [words.tokens[i] for i in near.topk(12).indices.tolist()]
    assert "die" in best
