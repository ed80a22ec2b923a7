"""A small grammar that writes English and French side by side, and knows what belongs to what.

Each word carries keys: a French word translates the English words with which it shares one. Order,
agreement, elision and contraction are the grammar of the two languages; the sentences mean little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from coursekit.seq2seq.lexicon import (
    FRENCH_NUMBERS,
    Adjective,
    Noun,
    Verb,
    english_number,
    french_number,
)

VOWELS = frozenset("aàâeéèêëiîïoôœuùû")
MUTE_H = frozenset({"homme", "hommes"})
NO_ELISION = frozenset({"onze"})
ELIDED = {
    "le": "l'",
    "la": "l'",
    "de": "d'",
    "ne": "n'",
    "me": "m'",
    "te": "t'",
    "que": "qu'",
    "ce": "cet",
    "ma": "mon",
}
CONTRACTED = {"le": "du", "les": "des"}
NUMBER = "|".join(FRENCH_NUMBERS)
DETERMINERS = {
    "the": ("le", "la", "les"),
    "a": ("un", "une", ""),
    "my": ("mon", "ma", "mes"),
    "this": ("ce", "cette", "ces"),
}


class Word(NamedTuple):
    """A word, and the keys that it shares with its translation."""

    text: str
    keys: frozenset[object]


@dataclass(frozen=True)
class Phrase:
    """The same in both languages, each in its own order."""

    en: tuple[Word, ...] = ()
    fr: tuple[Word, ...] = ()

    def __add__(self, other: Phrase) -> Phrase:
        return Phrase(self.en + other.en, self.fr + other.fr)


@dataclass(frozen=True)
class NounPhrase(Phrase):
    """A phrase with the gender and number that others agree with."""

    feminine: bool = field(default=False, kw_only=True)
    plural: bool = field(default=False, kw_only=True)


def phrase(en: str | Iterable[str], fr: str | Iterable[str]) -> Phrase:
    """Pair words that translate each other as a whole.

    Examples
    --------
    >>> pair = phrase("look for", "cherche")
    >>> [w.text for w in pair.en], [w.text for w in pair.fr]
    (['look', 'for'], ['cherche'])
    """
    key = frozenset({object()})
    sides = (side.split() if isinstance(side, str) else side for side in (en, fr))
    left, right = (tuple(Word(text, key) for text in side) for side in sides)
    return Phrase(left, right)


def starts_with_vowel(word: str) -> bool:
    """Say whether a French word makes the one before it lose its vowel.

    Examples
    --------
    >>> starts_with_vowel("homme"), starts_with_vowel("onze"), starts_with_vowel("île")
    (True, False, True)
    """
    return word in MUTE_H or (word[0] in VOWELS and word not in NO_ELISION)


def elide(words: Iterable[Word]) -> tuple[Word, ...]:
    """Apply elision and contraction: *le arbre* becomes *l' arbre*, *de le chat* *du chat*.

    Works from the right, since what a word becomes depends on the word after it.

    Examples
    --------
    >>> [w.text for w in elide(phrase("", "près de le arbre de les rois").fr)]
    ['près', 'de', "l'", 'arbre', 'des', 'rois']
    """
    done: list[Word] = []  # from the right
    for word in reversed(tuple(words)):
        after = done[-1].text if done else "."
        if word.text == "de" and after in CONTRACTED:
            done[-1] = Word(CONTRACTED[after], word.keys | done[-1].keys)
        elif word.text in ELIDED and starts_with_vowel(after):
            done.append(Word(ELIDED[word.text], word.keys))
        else:
            done.append(word)
    return tuple(reversed(done))


def agree(adjective: Adjective, *, feminine: bool, plural: bool) -> str:
    """Return the French form that a gender and a number ask for.

    Examples
    --------
    >>> from coursekit.seq2seq.lexicon import AFTER_NOUN
    >>> agree(AFTER_NOUN[1], feminine=True, plural=False)
    'blanche'
    """
    if plural:
        return adjective.feminine_plural if feminine else adjective.masculine_plural
    return adjective.feminine if feminine else adjective.masculine


def described(
    noun: Noun,
    plural: bool = False,
    before: Adjective | None = None,
    after: Adjective | None = None,
) -> NounPhrase:
    """Write a noun with its adjectives, which English puts before it and French around it.

    Examples
    --------
    >>> from coursekit.seq2seq.lexicon import AFTER_NOUN, BEFORE_NOUN, LIVING
    >>> pair = described(LIVING[0], False, BEFORE_NOUN[0], AFTER_NOUN[0])
    >>> [w.text for w in pair.en], [w.text for w in pair.fr]
    (['big', 'black', 'cat'], ['grand', 'chat', 'noir'])
    """
    head = phrase(*((noun.en_plural, noun.fr_plural) if plural else (noun.en, noun.fr)))
    first = last = Phrase()
    if before is not None:
        form = agree(before, feminine=noun.feminine, plural=plural)
        if form == before.masculine and not plural and starts_with_vowel(noun.fr):
            form = before.before_vowel or form
        first = phrase(before.en, form)
    if after is not None:
        last = phrase(after.en, agree(after, feminine=noun.feminine, plural=plural))
    return NounPhrase(
        first.en + last.en + head.en,
        first.fr + head.fr + last.fr,
        feminine=noun.feminine,
        plural=plural,
    )


def determined(determiner: str, core: NounPhrase, *, negated: bool = False) -> NounPhrase:
    """Put a determiner before a noun; after a negation *a* is *de*.

    Examples
    --------
    >>> from coursekit.seq2seq.lexicon import LIVING
    >>> [w.text for w in determined("my", described(LIVING[0], True)).fr]
    ['mes', 'chats']
    """
    form = DETERMINERS[determiner][2 if core.plural else int(core.feminine)]
    pair = phrase(_english(determiner, core), "de" if determiner == "a" and negated else form)
    return replace(core, en=pair.en + core.en, fr=pair.fr + core.fr)


def _english(determiner: str, core: NounPhrase) -> str:
    if determiner == "this" and core.plural:
        return "these"
    return "an" if determiner == "a" and core.en[0].text[0] in "aeiou" else determiner


def counted(n: int, core: NounPhrase) -> NounPhrase:
    """Put a number from 2 to 99 before a plural.

    Examples
    --------
    >>> from coursekit.seq2seq.lexicon import LIVING
    >>> [w.text for w in counted(71, described(LIVING[7], True)).fr]
    ['soixante', 'et', 'onze', 'femmes']
    """
    pair = phrase(english_number(n), french_number(n, feminine=core.feminine))
    return replace(core, en=pair.en + core.en, fr=pair.fr + core.fr)


def possessed(owner: NounPhrase, core: NounPhrase) -> NounPhrase:
    """Say whose it is: the owner comes first in English and last in French.

    The French article of what is owned has no counterpart, and so no key.

    Examples
    --------
    >>> from coursekit.seq2seq.lexicon import LIVING
    >>> pair = possessed(determined("the", described(LIVING[4])), described(LIVING[0]))
    >>> [w.text for w in pair.en], [w.text for w in elide(pair.fr)]
    (['the', 'boy', "'s", 'cat'], ['le', 'chat', 'du', 'garçon'])
    """
    of = phrase("'" if owner.en[-1].text.endswith("s") else "'s", "de")
    article = DETERMINERS["the"][2 if core.plural else int(core.feminine)]
    free = (Word(article, frozenset()),)
    return replace(core, en=owner.en + of.en + core.en, fr=free + core.fr + of.fr + owner.fr)


def verb_phrase(
    verb: Verb, subject: NounPhrase, *, negated: bool = False, pronoun: tuple[str, str] = ("", "")
) -> Phrase:
    """Write a verb that agrees with its subject, negated or not, with a pronoun for an object.

    French puts the pronoun before the verb and the negation around both.

    Examples
    --------
    >>> from coursekit.seq2seq.lexicon import LIVING, TRANSITIVE
    >>> cats = described(LIVING[0], True)
    >>> pair = verb_phrase(TRANSITIVE[0], cats, negated=True, pronoun=("them", "les"))
    >>> [w.text for w in pair.en], [w.text for w in pair.fr]
    (['do', 'not', 'see', 'them'], ['ne', 'les', 'voient', 'pas'])
    """
    form = verb.en if subject.plural or negated else verb.en_third
    core = phrase(form, verb.fr_plural if subject.plural else verb.fr)
    clitic = phrase(*pronoun)
    if not negated:
        return Phrase(core.en + clitic.en, clitic.fr + core.fr)
    no = phrase("do not" if subject.plural else "does not", "ne pas")
    return Phrase(no.en + core.en + clitic.en, no.fr[:1] + clitic.fr + core.fr + no.fr[1:])


def being(adjective: Adjective, subject: NounPhrase, *, negated: bool = False) -> Phrase:
    """Say what the subject is or is not; the adjective agrees with it from afar.

    Examples
    --------
    >>> from coursekit.seq2seq.lexicon import AFTER_NOUN, THINGS
    >>> apples = described(THINGS[3], True)
    >>> [w.text for w in being(AFTER_NOUN[3], apples, negated=True).fr]
    ['ne', 'sont', 'pas', 'vertes']
    """
    form = agree(adjective, feminine=subject.feminine, plural=subject.plural)
    end = phrase(adjective.en, form)
    core = phrase(*(("are", "sont") if subject.plural else ("is", "est")))
    if not negated:
        return core + end
    no = phrase("not", "ne pas")
    return Phrase(core.en + no.en + end.en, no.fr[:1] + core.fr + no.fr[1:] + end.fr)


def write(words: Iterable[str]) -> str:
    """Write tokens as text: no space at an apostrophe, hyphens within French numbers.

    Parameters
    ----------
    words : iterable of str
        Tokens of either language.

    Returns
    -------
    str

    Examples
    --------
    >>> write(["l'", "arbre", "de", "vingt", "et", "un", "rois"]), write(["boy", "'s", "cat"])
    ("l'arbre de vingt-et-un rois", "boy's cat")
    """
    text = " ".join(words)
    text = re.sub(r"(?<=\w') (?=\w)|\s(?='(s\b|\s|$))", "", text)
    text = re.sub(rf"\b({NUMBER}) (?=(et )?({NUMBER})\b)", r"\1-", text)
    return re.sub(r"-et ", "-et-", text)
