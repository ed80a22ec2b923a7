"""The digits' names in several languages, and words as the pieces of letters they are made of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LANGUAGES: dict[str, tuple[str, ...]] = {
    "English": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "German": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    "Dutch": ("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"),
    "Swedish": ("noll", "ett", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio"),
    "Danish": ("nul", "en", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni"),
    "French": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    "Italian": ("zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"),
    "Spanish": (
        *("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    ),
    "Portuguese": (
        *("zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"),
    ),
    "Korean": ("영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"),
}
"""The names of 0 … 9, in each language."""


def ngrams(word: str, sizes: Sequence[int] = (1, 2, 3)) -> list[str]:
    """Cut a word into all runs of letters of the given lengths, its ends marked.

    Parameters
    ----------
    word : str
        Any word.
    sizes : sequence of int
        Lengths of the runs.

    Returns
    -------
    list of str

    Examples
    --------
    >>> ngrams("oito", sizes=[3])
    ['<oi', 'oit', 'ito', 'to>']
    """
    marked = f"<{word}>"
    return [marked[i : i + n] for n in sizes for i in range(len(marked) - n + 1)]


class Spelling:
    """A word as counts of the pieces that the words of training had.

    Words that share pieces share coordinates, as fastText's do (Bojanowski et al., 2017): that is
    all a model can know of a word it never saw.

    Parameters
    ----------
    words : sequence of str
        Whose pieces are known.
    sizes : sequence of int
        Lengths of the pieces.

    Raises
    ------
    ValueError
        If there is no word.

    Examples
    --------
    >>> spelling = Spelling(["otto", "ocho"], sizes=[1])
    >>> spelling.pieces
    ('<', '>', 'c', 'h', 'o', 't')
    >>> spelling(["oito"])  # the i is not known
    tensor([[1., 1., 0., 0., 2., 1.]])
    """

    def __init__(self, words: Sequence[str], sizes: Sequence[int] = (1, 2, 3)) -> None:
        self.sizes = tuple(sizes)
        self.pieces = tuple(sorted({p for word in words for p in ngrams(word, self.sizes)}))
        if not self.pieces:
            raise ValueError("there is no word to take pieces from.")
        self._places = {piece: i for i, piece in enumerate(self.pieces)}

    def __len__(self) -> int:
        return len(self.pieces)

    def __call__(self, words: Sequence[str]) -> Tensor:
        """Return the counts of known pieces, float32, shape (B, P)."""
        out = torch.zeros(len(words), len(self))
        for row, word in zip(out, words, strict=True):
            for piece in ngrams(word, self.sizes):
                if (i := self._places.get(piece)) is not None:
                    row[i] += 1
        return out  # (B, P)
