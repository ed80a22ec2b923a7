"""Corpus BLEU against sacreBLEU on the same tokens, the paper's examples, and bad input."""

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from coursekit.seq2seq import corpus_bleu

words = st.sampled_from(["a", "b", "c", "d"])
sentences = st.lists(words, min_size=1, max_size=9)


@st.composite
def corpora(draw):
    m, r = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    references = [[draw(sentences) for _ in range(r)] for _ in range(m)]
    # half of the candidates near a reference, so that long runs are shared
    candidates = [
        draw(st.one_of(st.just(several[0]), st.just([*several[0], "a"]), sentences))
        for several in references
    ]
    return candidates, references


@pytest.mark.equation("eq-seq2seq-bleu")
@given(corpora(), st.integers(1, 4))
def test_it_is_sacrebleus(corpus, max_n):
    candidates, references = corpus
    oracle = sacrebleu.BLEU(
        tokenize="none", smooth_method="none", max_ngram_order=max_n, force=True
    ).corpus_score(
        [" ".join(c) for c in candidates],
        [[" ".join(r) for r in column] for column in zip(*references, strict=True)],
    )
    mine = corpus_bleu(candidates, references, max_n=max_n)
    assert mine.candidate_length == oracle.sys_len
    assert mine.reference_length == oracle.ref_len
    assert mine.precisions == pytest.approx(oracle.precisions, rel=1e-12)
    assert mine.brevity_penalty == pytest.approx(oracle.bp, rel=1e-12)
    assert mine.score == pytest.approx(oracle.score, rel=1e-12)


def test_the_papers_clipped_unigrams_and_bigrams():
    """Papineni et al. (2002), example 2: 2/7 and 0 where plain precision is 7/7."""
    candidate = ["the"] * 7
    references = [
        ["the", "cat", "is", "on", "the", "mat"],
        ["there", "is", "a", "cat", "on", "the", "mat"],
    ]
    assert corpus_bleu([candidate], [references], max_n=1).precisions[0] == pytest.approx(200 / 7)
    assert corpus_bleu([candidate], [references], max_n=2).precisions[1] == 0


def test_the_papers_first_example():
    """Papineni et al. (2002), example 1: 17 of 18 unigrams against 8 of 14; 10/17 against 1/13."""
    references = [
        "it is a guide to action that ensures that the military will forever heed party commands",
        "it is the guiding principle which guarantees the military forces always being under "
        "the command of the party",
        "it is the practical guide for the army always to heed the directions of the party",
    ]
    first = (
        "it is a guide to action which ensures that the military always obeys the commands of "
        "the party"
    )
    second = "it is to insure the troops forever hearing the activity guidebook that party direct"
    several = [r.split() for r in references]
    one = corpus_bleu([first.split()], [several], max_n=2).precisions
    two = corpus_bleu([second.split()], [several], max_n=2).precisions
    assert one == pytest.approx([100 * 17 / 18, 100 * 10 / 17])
    assert two == pytest.approx([100 * 8 / 14, 100 * 1 / 13])


def test_counts_are_added_before_they_are_divided():
    right, wrong = ["a", "b", "c", "d"], ["b", "a", "d", "c"]
    both = corpus_bleu([right, wrong], [[right], [right]])
    assert corpus_bleu([wrong], [[right]]).score == 0
    assert 0 < both.score < 100
    assert both.precisions == pytest.approx([100, 50, 50, 50])


def test_an_empty_translation_scores_zero():
    assert corpus_bleu([[]], [[["a"]]]).score == 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: corpus_bleu([], []), ValueError, "at least 1"),
        (lambda: corpus_bleu([["a"]], []), ValueError, "1 candidates and references for 0"),
        (lambda: corpus_bleu([["a"]], [[]]), ValueError, "candidate 0 has no reference"),
        (lambda: corpus_bleu(["a b"], [[["a"]]]), TypeError, "sentence 0 is a string"),
        (lambda: corpus_bleu([["a"]], [["a b"]]), TypeError, "sentence 0 is a string"),
        (lambda: corpus_bleu([["a"]], [[["a"]]], max_n=0), ValueError, "max_n is 0"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
