"""Live figure: byte-pair encoding of a text of one's own, merge by merge."""

import unicodedata
from collections import Counter
from itertools import pairwise

import traitlets
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from coursekit.viz import style
from coursekit.viz.live.base import LiveFigure, module_source

MOST_MERGES, LONGEST = 60, 300
CONTRACTIONS = ("'s", "'d", "'m", "'t", "'ll", "'ve", "'re")
Pieces = list[list[bytes]]
Pair = tuple[bytes, bytes]


def kind(letter: str) -> str:
    """Return ``"L"`` for a letter, ``"N"`` for a number, a space for space, else ``"P"``."""
    category = unicodedata.category(letter)[0]
    return " " if letter.isspace() else category if category in "LN" else "P"


def pieces(text: str) -> list[str]:
    """Split a text as GPT-2 does: words, numbers and signs, each with the space before it."""
    found, i = list[str](), 0
    while i < len(text):
        found.append(_piece(text, i))
        i += len(found[-1])
    return found


def _piece(text: str, i: int) -> str:
    for ending in CONTRACTIONS:
        if text.startswith(ending, i):
            return ending
    start = i + (text[i] == " " and i + 1 < len(text) and kind(text[i + 1]) != " ")
    end = start
    while end < len(text) and kind(text[end]) == kind(text[start]):
        end += 1
    spaces = kind(text[start]) == " "
    return text[i : end - (spaces and end < len(text) and end - i > 1)]


def train(text: str, most: int) -> tuple[Pieces, list[Pair]]:
    """Return a text after at most `most` merges, and the merges; a pair must occur twice."""
    parts = [[bytes([b]) for b in piece.encode()] for piece in pieces(text)]
    merges = list[Pair]()
    while len(merges) < most:
        counts = Counter(pair for tokens in parts for pair in pairwise(tokens))
        best = max(counts, key=lambda pair: (counts[pair], pair), default=None)
        if best is None or counts[best] < 2:
            break
        merges.append(best)
        parts = [merge(tokens, best) for tokens in parts]
    return parts, merges


def merge(tokens: list[bytes], pair: Pair) -> list[bytes]:
    """Return tokens with one pair written as one, from left to right."""
    out, i = list[bytes](), 0
    while i < len(tokens):
        here = tuple(tokens[i : i + 2]) == pair
        out.append(b"".join(pair) if here else tokens[i])
        i += 1 + here
    return out


def shown(token: bytes) -> str:
    """Return a token as a reader can see it."""
    try:
        return token.decode().replace(" ", "·").replace("\n", "\\n").replace("\t", "\\t")
    except UnicodeDecodeError:
        return token.hex(" ")


class BPEMerges(LiveFigure):
    """The figure that :func:`bpe_merges` makes; its traits follow the controls."""

    _esm = module_source("bpe_merges")
    name = "bpe_merges"
    title = "Byte-pair encoding, merge by merge"
    text = traitlets.Unicode().tag(sync=True)
    merges = traitlets.Int(0, min=0, max=MOST_MERGES).tag(sync=True)

    def description(self) -> str:
        """Say what the text is cut into, and which merges made it so."""
        parts, merges = train(self.text, self.merges)
        tokens = [token for part in parts for token in part]
        made = ", ".join(shown(left + right) for left, right in merges) or "none yet"
        return (
            f"The text “{self.text}”, {sum(map(len, tokens))} bytes, in {len(tokens)} tokens after "
            f"{len(merges)} merges. Tokens made: {made}. With every merge the pair of neighbours "
            "that occurs most often becomes one token; letters of a frequent word grow together "
            "first."
        )

    def still(self) -> Figure:
        """Draw the tokens as boxes, line by line."""
        parts, _ = train(self.text, self.merges)
        figure, ax = plt.subplots()
        x, y, long = 0.0, 0, 0
        for part in parts:
            for token in part:
                words = shown(token)
                width = 0.9 + len(words)
                if x + width > 84:
                    x, y = 0, y + 1
                merged = len(token) > 1
                colour = style.SERIES[long % 3] if merged else style.MUTED
                long += merged
                box = plt.Rectangle(
                    (x, -y), width - 0.3, 0.72, fill=False, ec=colour, lw=1 + merged
                )
                ax.add_patch(box)
                place = (x + width / 2 - 0.15, 0.34 - y)
                ax.text(*place, words, ha="center", va="center", fontsize=8.5)
                x += width
            x += 0.4
        ax.set(xlim=(-0.5, 85), ylim=(-max(y, 4) - 0.5, 1.2))
        ax.axis("off")
        return figure


def bpe_merges(text: str, *, merges: int = 0) -> BPEMerges:
    """Watch byte-pair encoding learn from a text that you may change.

    What a reader can learn: tokens (:eq:`eq-pretraining-bpe`) are pairs of tokens that were found
    together most often, so that frequent words become one token and rare ones stay in pieces;
    nothing is merged across the space between two words; a letter outside English begins as
    several bytes.

    Parameters
    ----------
    text
        What to learn from and to cut, at most 300 letters.
    merges
        Merges done at the start, 0 to 60.

    Raises
    ------
    ValueError
        If the text is too long or the number out of reach.
    """
    if len(text) > LONGEST or not 0 <= merges <= MOST_MERGES:
        raise ValueError(
            f"a text of {len(text)} letters and {merges} merges; at most {LONGEST} letters and "
            f"0 to {MOST_MERGES} merges wanted."
        )
    return BPEMerges(text=text, merges=merges)
