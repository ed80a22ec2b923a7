"""The words of the translation task, English beside French, and the numbers up to 99."""

from __future__ import annotations

from typing import NamedTuple


class Noun(NamedTuple):
    """A noun in both languages; `feminine` is the French gender."""

    en: str
    en_plural: str
    fr: str
    fr_plural: str
    feminine: bool


class Adjective(NamedTuple):
    """An adjective: its English form, and the four French ones that gender and number ask for."""

    en: str
    masculine: str
    feminine: str
    masculine_plural: str
    feminine_plural: str
    before_vowel: str = ""
    """The masculine singular before a vowel, where it differs: un bel arbre."""


class Verb(NamedTuple):
    """A verb: English base and third person, French third person singular and plural."""

    en: str
    en_third: str
    fr: str
    fr_plural: str


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _adjectives(rows: str) -> tuple[Adjective, ...]:
    return tuple(Adjective(*row.split()) for row in rows.strip().splitlines())


def _nouns(rows: str) -> tuple[Noun, ...]:
    split = (row.split() for row in rows.strip().splitlines())
    return tuple(Noun(a, b, c, d, gender == "f") for a, b, c, d, gender in split)


def _verbs(rows: str) -> tuple[Verb, ...]:
    split = ([part.strip() for part in row.split(",")] for row in rows.strip().splitlines())
    return tuple(Verb(*row) for row in split)


LIVING = _nouns("""
cat cats chat chats m
dog dogs chien chiens m
bird birds oiseau oiseaux m
horse horses cheval chevaux m
boy boys garçon garçons m
girl girls fille filles f
man men homme hommes m
woman women femme femmes f
child children enfant enfants m
friend friends ami amis m
king kings roi rois m
queen queens reine reines f
""")

THINGS = _nouns("""
house houses maison maisons f
tree trees arbre arbres m
flower flowers fleur fleurs f
apple apples pomme pommes f
book books livre livres m
table tables table tables f
car cars voiture voitures f
school schools école écoles f
island islands île îles f
star stars étoile étoiles f
garden gardens jardin jardins m
egg eggs œuf œufs m
""")

BEFORE_NOUN = _adjectives("""
big grand grande grands grandes
small petit petite petits petites
old vieux vieille vieux vieilles vieil
beautiful beau belle beaux belles bel
new nouveau nouvelle nouveaux nouvelles nouvel
young jeune jeune jeunes jeunes
good bon bonne bons bonnes
""")

AFTER_NOUN = _adjectives("""
black noir noire noirs noires
white blanc blanche blancs blanches
red rouge rouge rouges rouges
green vert verte verts vertes
blue bleu bleue bleus bleues
yellow jaune jaune jaunes jaunes
heavy lourd lourde lourds lourdes
cold froid froide froids froides
warm chaud chaude chauds chaudes
round rond ronde ronds rondes
""")

TRANSITIVE = _verbs("""
see, sees, voit, voient
like, likes, aime, aiment
hear, hears, entend, entendent
find, finds, trouve, trouvent
draw, draws, dessine, dessinent
buy, buys, achète, achètent
sell, sells, vend, vendent
follow, follows, suit, suivent
watch, watches, regarde, regardent
hide, hides, cache, cachent
look for, looks for, cherche, cherchent
listen to, listens to, écoute, écoutent
""")

INTRANSITIVE = _verbs("""
sleep, sleeps, dort, dorment
sing, sings, chante, chantent
work, works, travaille, travaillent
arrive, arrives, arrive, arrivent
fall, falls, tombe, tombent
walk, walks, marche, marchent
laugh, laughs, rit, rient
""")

OBJECT_PRONOUNS = {
    "me": "me",
    "you": "te",
    "him": "le",
    "her": "la",
    "us": "nous",
    "them": "les",
}

PREPOSITIONS = {
    "in": "dans",
    "under": "sous",
    "behind": "derrière",
    "with": "avec",
    "near": "près de",
    "in front of": "devant",
}

CONJUNCTIONS = {
    "and": "et",
    "but": "mais",
    "because": "parce que",
    "when": "quand",
    "while": "pendant que",
}

_EN_UNITS = _words("""
zero one two three four five six seven eight nine ten
eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
""")
_EN_TENS = _words(". . twenty thirty forty fifty sixty seventy eighty ninety")
_FR_UNITS = _words("""
zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize
""")
_FR_TENS = _words(". dix vingt trente quarante cinquante soixante soixante")
FRENCH_NUMBERS = tuple(sorted({*_FR_UNITS, *_FR_TENS, "une", "vingts"} - {"."}))
"""All words that a French number is made of, but for *et*."""


def english_number(n: int) -> list[str]:
    """Return the words of a number from 0 to 99.

    Raises
    ------
    ValueError
        If `n` is outside.

    Examples
    --------
    >>> english_number(72)
    ['seventy', 'two']
    """
    _in_range(n)
    if n < 20:
        return [_EN_UNITS[n]]
    return [_EN_TENS[n // 10], *([_EN_UNITS[n % 10]] if n % 10 else [])]


def french_number(n: int, *, feminine: bool = False) -> list[str]:
    """Return the words of a number from 0 to 99, as they are counted in France.

    Seventy is sixty-ten, eighty is four twenties, and *un* has a feminine.

    Raises
    ------
    ValueError
        If `n` is outside.

    Examples
    --------
    >>> french_number(72), french_number(80), french_number(97)
    (['soixante', 'douze'], ['quatre', 'vingts'], ['quatre', 'vingt', 'dix', 'sept'])
    >>> french_number(21, feminine=True)
    ['vingt', 'et', 'une']
    """
    _in_range(n)
    words = _french_masculine(n)
    if feminine and words[-1] == "un":
        words[-1] = "une"
    return words


def _french_masculine(n: int) -> list[str]:
    if n < 17:
        return [_FR_UNITS[n]]
    if n < 20:
        return ["dix", _FR_UNITS[n - 10]]
    if n == 80:
        return ["quatre", "vingts"]
    if n > 80:
        return ["quatre", "vingt", *_french_masculine(n - 80)]
    rest = n - 60 if n >= 60 else n % 10
    joint = ["et"] if n % 10 == 1 else []
    return [_FR_TENS[n // 10], *joint, *(_french_masculine(rest) if rest else [])]


def _in_range(n: int) -> None:
    if not 0 <= n <= 99:
        raise ValueError(f"n is {n}; a number from 0 to 99 wanted.")
