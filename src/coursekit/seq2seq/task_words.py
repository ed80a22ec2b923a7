"""All words that the translation task can use, so that numbers of words never change."""

from __future__ import annotations

from coursekit.seq2seq import lexicon
from coursekit.seq2seq.grammar import CONTRACTED, DETERMINERS, ELIDED
from coursekit.seq2seq.vocabulary import Vocabulary

NOUNS = lexicon.LIVING + lexicon.THINGS
ADJECTIVES = lexicon.BEFORE_NOUN + lexicon.AFTER_NOUN
VERBS = lexicon.TRANSITIVE + lexicon.INTRANSITIVE
TABLES = (lexicon.OBJECT_PRONOUNS, lexicon.PREPOSITIONS, lexicon.CONJUNCTIONS)


def english_words() -> set[str]:
    """Return the English words of the task.

    Returns
    -------
    set of str

    Examples
    --------
    >>> {"seventy", "looks", "an"} <= english_words()
    True
    """
    phrases = [
        *DETERMINERS,
        *("an", "these", "he", "she", "is", "are", "do", "does", "not", "'s", "'"),
        *(word for n in range(2, 100) for word in lexicon.english_number(n)),
        *(word for noun in NOUNS for word in (noun.en, noun.en_plural)),
        *(adjective.en for adjective in ADJECTIVES),
        *(word for verb in VERBS for word in (verb.en, verb.en_third)),
        *(word for table in TABLES for word in table),
    ]
    return {word for phrase in phrases for word in phrase.split()}


def french_words() -> set[str]:
    """Return the French words of the task.

    Returns
    -------
    set of str

    Examples
    --------
    >>> {"soixante", "l'", "du"} <= french_words()
    True
    """
    phrases = [
        *(form for forms in DETERMINERS.values() for form in forms),
        *(*ELIDED.values(), *CONTRACTED.values(), "de", "ne pas", "il", "elle", "est", "sont"),
        *(word for n in range(2, 100) for word in lexicon.french_number(n)),
        *(lexicon.french_number(21, feminine=True)),
        *(word for noun in NOUNS for word in (noun.fr, noun.fr_plural)),
        *(form for adjective in ADJECTIVES for form in adjective[1:]),
        *(word for verb in VERBS for word in (verb.fr, verb.fr_plural)),
        *(word for table in TABLES for word in table.values()),
    ]
    return {word for phrase in phrases for word in phrase.split()}


def translation_vocabularies() -> tuple[Vocabulary, Vocabulary]:
    """Return the vocabularies of the task, English and French, in the alphabet's order.

    They come from the lexicon and not from sentences drawn, so that a model's rows keep their
    meaning whatever it was trained on.

    Returns
    -------
    english, french : Vocabulary

    Examples
    --------
    >>> english, french = translation_vocabularies()
    >>> len(english), len(french)  # four of each are special
    (169, 217)
    """
    return Vocabulary(sorted(english_words())), Vocabulary(sorted(french_words()))
