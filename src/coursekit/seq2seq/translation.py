"""English to French: sentences with their translation, their alignment and their pattern.

The task has what made translation hard for machines: words change places (*the black cat*, *le
chat noir*), several become one (*looks for*, *cherche*) or one several, forms depend on a word far
away (*the apples of the boy are green*), and numbers are counted otherwise. Every English sentence
has one right translation, so that exact matches can be counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from coursekit._validate import count, generator
from coursekit.seq2seq import grammar, lexicon
from coursekit.seq2seq.grammar import NounPhrase, Phrase, Word

T = TypeVar("T")

SUBJECTS = (
    "pronoun",
    "noun",
    "adjective noun",
    "noun adjective",
    "adjective noun adjective",
    "number noun",
    "owned noun",
    "owned noun adjective",
)
"""What a clause may begin with; adjectives are named in the French order."""

PREDICATES = (
    "verb",
    "not verb",
    "verb place",
    "verb pronoun",
    "not verb pronoun",
    "verb noun",
    "verb noun adjective",
    "verb adjective noun",
    "verb number noun",
    "verb owned noun",
    "not verb noun",
    "is adjective",
    "is not adjective",
)
"""How a clause may go on."""


class Pattern(NamedTuple):
    """The form of a clause."""

    subject: str
    predicate: str


def _is_held_out(subject: int, predicate: int) -> bool:
    return (subject + 3 * predicate) % len(SUBJECTS) == 5


PATTERNS = tuple(Pattern(s, p) for s in SUBJECTS for p in PREDICATES)
HELD_OUT = tuple(
    Pattern(s, p)
    for i, s in enumerate(SUBJECTS)
    for j, p in enumerate(PREDICATES)
    if _is_held_out(i, j)
)
"""One subject for each predicate: both are seen in training, never together."""
SEEN = tuple(p for p in PATTERNS if p not in HELD_OUT)
_KNOWN = frozenset(PATTERNS)


@dataclass(frozen=True)
class Pair:
    """A sentence and its translation.

    Attributes
    ----------
    source, target : tuple of str
        English and French tokens.
    links : tuple of (int, int)
        The gold alignment: source and target positions that translate each other.
    patterns : tuple of Pattern
        The form of each clause.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    links: tuple[tuple[int, int], ...]
    patterns: tuple[Pattern, ...]


class Split(NamedTuple):
    """Pairs to learn from, to choose with and to judge by; no sentence is in two parts."""

    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]
    held_out: list[Pair]
    """Every clause has a pattern that training never showed."""


def crossings(pair: Pair) -> int:
    """Count the pairs of links that cross: first in one language, second in the other.

    Parameters
    ----------
    pair : Pair
        A sentence and its translation.

    Returns
    -------
    int

    Examples
    --------
    >>> links = ((0, 0), (1, 2), (2, 1))
    >>> crossings(Pair(("the", "black", "cat"), ("le", "chat", "noir"), links, ()))
    1
    """
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0 for i, a in enumerate(pair.links) for b in pair.links[:i]
    )


def sentence(
    rng: np.random.Generator, *, clauses: int = 1, patterns: Sequence[Pattern] = PATTERNS
) -> Pair:
    """Draw a sentence of so many clauses, joined by conjunctions.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    clauses : int
        Number of clauses, 1 or more; one has 2 to 11 English words, 6 on average.
    patterns : sequence of Pattern
        The forms to choose from.

    Returns
    -------
    Pair

    Raises
    ------
    TypeError, ValueError
        If `rng` is no generator, `clauses` is below 1 or a pattern is unknown.

    Examples
    --------
    >>> pair = sentence(np.random.default_rng(4), patterns=[Pattern("noun adjective", "verb")])
    >>> " ".join(pair.source), " ".join(pair.target)
    ('this yellow king laughs', 'ce roi jaune rit')
    """
    if unknown := set(patterns) - _KNOWN:
        raise ValueError(f"{unknown.pop()} is no pattern; choose from translation.PATTERNS.")
    writer = _Writer(generator(rng))
    chosen = [writer.pick(patterns) for _ in range(count(clauses, "clauses"))]
    whole = Phrase()
    for i, pattern in enumerate(chosen):
        if i:
            whole += grammar.phrase(*writer.pick(tuple(lexicon.CONJUNCTIONS.items())))
        whole += writer.clause(Pattern(*pattern))
    fr = grammar.elide(whole.fr)
    source, target = (tuple(w.text for w in side) for side in (whole.en, fr))
    return Pair(source, target, _links(whole.en, fr), tuple(Pattern(*p) for p in chosen))


def sentences(
    m: int,
    rng: np.random.Generator,
    *,
    clauses: Sequence[int] = (1, 2, 3),
    patterns: Sequence[Pattern] = PATTERNS,
    without: Sequence[Pair] = (),
) -> list[Pair]:
    """Draw `m` different sentences, none of which is in `without`.

    Parameters
    ----------
    m : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.
    clauses : sequence of int
        Numbers of clauses, each equally likely.
    patterns : sequence of Pattern
        The forms to choose from.
    without : sequence of Pair
        Sentences not to draw.

    Returns
    -------
    list of Pair, length m

    Raises
    ------
    ValueError
        If new sentences cannot be found: too many were asked for of too few forms.

    Examples
    --------
    >>> len(sentences(10, np.random.default_rng(0)))
    10
    """
    seen = {pair.source for pair in without}
    drawn: list[Pair] = []
    for _ in range(20 * m + 100):
        if len(drawn) == m:
            return drawn
        pair = sentence(rng, clauses=int(rng.choice(clauses)), patterns=patterns)
        if pair.source not in seen:
            seen.add(pair.source)
            drawn.append(pair)
    raise ValueError(
        f"only {len(drawn)} new sentences were found and {m} wanted; ask for fewer, or allow more "
        "clauses or patterns."
    )


def translation_split(
    rng: np.random.Generator,
    *,
    train: int = 12_000,
    validation: int = 500,
    test: int = 500,
    held_out: int = 500,
    clauses: Sequence[int] = (1, 2, 3),
) -> Split:
    """Draw the data of the translation task.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    train, validation, test, held_out : int
        Sizes of the parts. The first three share their patterns, ``SEEN``; the clauses of
        the last all have patterns of ``HELD_OUT``.
    clauses : sequence of int
        Numbers of clauses, each equally likely.

    Returns
    -------
    Split

    Raises
    ------
    TypeError, ValueError
        If `rng` is no generator or a size is below 1.

    Examples
    --------
    >>> split = translation_split(np.random.default_rng(0), train=50, test=9)
    >>> [len(part) for part in split]
    [50, 500, 9, 500]
    """
    sizes = {"train": train, "validation": validation, "test": test, "held_out": held_out}
    parts: dict[str, list[Pair]] = {}
    for name, m in sizes.items():
        drawn = [pair for part in parts.values() for pair in part]
        parts[name] = sentences(
            count(m, name),
            rng,
            clauses=clauses,
            patterns=HELD_OUT if name == "held_out" else SEEN,
            without=drawn,
        )
    return Split(**parts)


def _links(en: Sequence[Word], fr: Sequence[Word]) -> tuple[tuple[int, int], ...]:
    places: dict[object, list[int]] = {}
    for j, word in enumerate(fr):
        for key in word.keys:
            places.setdefault(key, []).append(j)
    return tuple((i, j) for i, w in enumerate(en) for k in w.keys for j in places.get(k, ()))


class _Writer:
    """Chooses the words; the grammar does the rest."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, p: float = 0.5) -> bool:
        return bool(self.rng.random() < p)

    def clause(self, pattern: Pattern) -> Phrase:
        is_state = pattern.predicate.startswith("is")
        nouns = lexicon.LIVING + lexicon.THINGS if is_state else lexicon.LIVING
        subject = self.noun_phrase(pattern.subject, nouns)
        return Phrase(subject.en, subject.fr) + self.predicate(pattern.predicate, subject)

    def noun_phrase(
        self, form: str, nouns: tuple[lexicon.Noun, ...], *, negated: bool = False
    ) -> NounPhrase:
        if form == "pronoun":
            pair, feminine = self.pick(((("he", "il"), False), (("she", "elle"), True)))
            words = grammar.phrase(*pair)
            return NounPhrase(words.en, words.fr, feminine=feminine)
        counted = form.startswith("number")
        plural = counted or self.chance()
        core = grammar.described(
            self.pick(nouns),
            plural,
            self.pick(lexicon.BEFORE_NOUN) if form.startswith("adjective") else None,
            self.pick(lexicon.AFTER_NOUN) if form.endswith("adjective") else None,
        )
        if counted:
            return grammar.counted(int(self.rng.integers(2, 100)), core)
        if form.startswith("owned"):
            owner = grammar.described(self.pick(lexicon.LIVING), self.chance(0.3))
            return grammar.possessed(self.determined(owner), core)
        return self.determined(core, negated=negated)

    def determined(self, core: NounPhrase, *, negated: bool = False) -> NounPhrase:
        options = ("the", "my", "this") if core.plural else ("the", "a", "my", "this")
        return grammar.determined(self.pick(options), core, negated=negated)

    def predicate(self, form: str, subject: NounPhrase) -> Phrase:
        negated = "not" in form
        if form.startswith("is"):
            adjective = self.pick(lexicon.BEFORE_NOUN + lexicon.AFTER_NOUN)
            return grammar.being(adjective, subject, negated=negated)
        rest = form.removeprefix("not ").removeprefix("verb").strip()
        if rest in ("", "place"):
            verb = self.pick(lexicon.INTRANSITIVE)
            return grammar.verb_phrase(verb, subject, negated=negated) + self.place(rest)
        verb = self.pick(lexicon.TRANSITIVE)
        if rest == "pronoun":
            pronoun = self.pick(tuple(lexicon.OBJECT_PRONOUNS.items()))
            return grammar.verb_phrase(verb, subject, negated=negated, pronoun=pronoun)
        thing = self.noun_phrase(rest, lexicon.LIVING + lexicon.THINGS, negated=negated)
        done = grammar.verb_phrase(verb, subject, negated=negated)
        return done + Phrase(thing.en, thing.fr)

    def place(self, wanted: str) -> Phrase:
        if not wanted:
            return Phrase()
        where = grammar.phrase(*self.pick(tuple(lexicon.PREPOSITIONS.items())))
        thing = self.noun_phrase("noun", lexicon.THINGS)
        return where + Phrase(thing.en, thing.fr)
