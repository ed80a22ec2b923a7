"""The grammar against French as it is written: sentences checked by hand, and what always holds."""

import pytest

from coursekit.seq2seq import grammar, lexicon
from coursekit.seq2seq.grammar import Phrase, elide, write

NOUNS = {n.en: n for n in lexicon.LIVING + lexicon.THINGS}
ADJECTIVES = {a.en: a for a in lexicon.BEFORE_NOUN + lexicon.AFTER_NOUN}
VERBS = {v.en: v for v in lexicon.TRANSITIVE + lexicon.INTRANSITIVE}
ARRIVE, SEE, LISTEN = VERBS["arrive"], VERBS["see"], VERBS["listen to"]


def noun(determiner, *words, plural=False, negated=False):
    """A determined noun: ``noun("the", "old", "tree")``."""
    *adjectives, name = words
    before = [ADJECTIVES[a] for a in adjectives if ADJECTIVES[a] in lexicon.BEFORE_NOUN]
    after = [ADJECTIVES[a] for a in adjectives if ADJECTIVES[a] in lexicon.AFTER_NOUN]
    core = grammar.described(NOUNS[name], plural, *(before or [None]), *(after or [None]))
    return grammar.determined(determiner, core, negated=negated) if determiner else core


def text(pair):
    return write(w.text for w in pair.en), write(w.text for w in elide(pair.fr))


def clause(subject, rest):
    return Phrase(subject.en, subject.fr) + rest


def owned(owner, *words, plural=False):
    return grammar.possessed(owner, noun("", *words, plural=plural))


def says(subject, verb, **options):
    return clause(subject, grammar.verb_phrase(verb, subject, **options))


@pytest.mark.parametrize(
    ("pair", "english", "french"),
    [
        (noun("the", "black", "cat"), "the black cat", "le chat noir"),
        (noun("the", "white", "flower"), "the white flower", "la fleur blanche"),
        (noun("the", "tree"), "the tree", "l'arbre"),
        (noun("the", "man"), "the man", "l'homme"),
        (noun("the", "old", "tree"), "the old tree", "le vieil arbre"),
        (noun("the", "old", "tree", plural=True), "the old trees", "les vieux arbres"),
        (noun("a", "beautiful", "bird"), "a beautiful bird", "un bel oiseau"),
        (noun("a", "beautiful", "star"), "a beautiful star", "une belle étoile"),
        (noun("a", "new", "friend"), "a new friend", "un nouvel ami"),
        (noun("a", "old", "horse"), "an old horse", "un vieux cheval"),
        (noun("a", "egg"), "an egg", "un œuf"),
        (noun("this", "man"), "this man", "cet homme"),
        (noun("this", "old", "man"), "this old man", "ce vieil homme"),
        (noun("this", "apple"), "this apple", "cette pomme"),
        (noun("this", "horse", plural=True), "these horses", "ces chevaux"),
        (noun("my", "school"), "my school", "mon école"),
        (noun("my", "new", "school"), "my new school", "ma nouvelle école"),
        (noun("my", "child", plural=True), "my children", "mes enfants"),
        (
            noun("the", "big", "red", "house", plural=True),
            "the big red houses",
            "les grandes maisons rouges",
        ),
        (grammar.counted(81, noun("", "apple", plural=True)), "eighty one apples",
         "quatre-vingt-une pommes"),
        (grammar.counted(21, noun("", "cat", plural=True)), "twenty one cats",
         "vingt-et-un chats"),
        (owned(noun("the", "boy"), "cat"), "the boy's cat", "le chat du garçon"),
        (owned(noun("the", "boy", plural=True), "cat"), "the boys' cat", "le chat des garçons"),
        (owned(noun("the", "child", plural=True), "egg"), "the children's egg",
         "l'œuf des enfants"),
        (owned(noun("the", "queen"), "black", "cat"), "the queen's black cat",
         "le chat noir de la reine"),
        (owned(noun("a", "friend"), "house", plural=True), "a friend's houses",
         "les maisons d'un ami"),
        (owned(noun("the", "man"), "car"), "the man's car", "la voiture de l'homme"),
        (says(noun("the", "cat"), SEE, pronoun=("them", "les")), "the cat sees them",
         "le chat les voit"),
        (says(noun("the", "cat"), LISTEN, pronoun=("her", "la")), "the cat listens to her",
         "le chat l'écoute"),
        (says(noun("the", "cat", plural=True), LISTEN, negated=True, pronoun=("me", "me")),
         "the cats do not listen to me", "les chats ne m'écoutent pas"),
        (says(noun("the", "bird"), ARRIVE, negated=True), "the bird does not arrive",
         "l'oiseau n'arrive pas"),
        (clause(says(noun("the", "king"), SEE, negated=True), noun("a", "island", negated=True)),
         "the king does not see an island", "le roi ne voit pas d'île"),
        (clause(noun("the", "apple", plural=True),
                grammar.being(ADJECTIVES["green"], noun("", "apple", plural=True), negated=True)),
         "the apples are not green", "les pommes ne sont pas vertes"),
        (clause(grammar.phrase("near", "près de"), noun("the", "garden")), "near the garden",
         "près du jardin"),
        (clause(grammar.phrase("because", "parce que"), noun("a", "king")), "because a king",
         "parce qu'un roi"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_french_is_written_as_it_should_be(pair, english, french):
    assert text(pair) == (english, french)


@pytest.mark.parametrize(
    ("n", "english", "french"),
    [
        (2, "two", "deux"),
        (16, "sixteen", "seize"),
        (17, "seventeen", "dix-sept"),
        (20, "twenty", "vingt"),
        (21, "twenty one", "vingt-et-un"),
        (22, "twenty two", "vingt-deux"),
        (61, "sixty one", "soixante-et-un"),
        (69, "sixty nine", "soixante-neuf"),
        (70, "seventy", "soixante-dix"),
        (71, "seventy one", "soixante-et-onze"),
        (79, "seventy nine", "soixante-dix-neuf"),
        (80, "eighty", "quatre-vingts"),
        (81, "eighty one", "quatre-vingt-un"),
        (90, "ninety", "quatre-vingt-dix"),
        (91, "ninety one", "quatre-vingt-onze"),
        (99, "ninety nine", "quatre-vingt-dix-neuf"),
    ],
)
def test_numbers_are_counted_as_in_france(n, english, french):
    assert " ".join(lexicon.english_number(n)) == english
    assert write(lexicon.french_number(n)) == french


def test_all_numbers_differ_and_others_are_refused():
    for number in (lexicon.english_number, lexicon.french_number):
        assert len({tuple(number(n)) for n in range(100)}) == 100
        with pytest.raises(ValueError, match="0 to 99"):
            number(100)


def test_every_word_has_one_meaning():
    for words in (NOUNS.values(), lexicon.TRANSITIVE + lexicon.INTRANSITIVE, ADJECTIVES.values()):
        assert len({w.en for w in words}) == len(words)
        assert len({w[2 if hasattr(w, "fr") else 1] for w in words}) == len(words)


def test_alignment_of_the_black_cat_crosses():
    pair = noun("the", "black", "cat")
    the, black, cat = (w.keys for w in pair.en)
    assert [w.keys for w in pair.fr] == [the, cat, black]


def test_a_contraction_belongs_to_both_words():
    pair = owned(noun("the", "boy"), "cat")
    le, _, du, _ = elide(pair.fr)
    the, _, of, _ = pair.en
    assert du.keys == the.keys | of.keys
    assert not le.keys
