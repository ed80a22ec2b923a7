"""Translators that come with the course, trained on one split of the translation task."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from coursekit.data.checkpoints import CHECKPOINTS, load_checkpoint
from coursekit.seq2seq.bleu import corpus_bleu
from coursekit.seq2seq.search import Reads, greedy
from coursekit.seq2seq.task_words import translation_vocabularies
from coursekit.seq2seq.training import encode_pairs
from coursekit.seq2seq.translation import Pair
from coursekit.seq2seq.translator import Kind, Translator
from coursekit.seq2seq.vocabulary import Vocabulary

KINDS: dict[str, Kind | None] = {
    "fixed": None,
    "additive": "additive",
    "multiplicative": "multiplicative",
}


def load_translator(kind: str) -> tuple[Translator, Vocabulary, Vocabulary]:
    """Return a trained translator and its vocabularies.

    The split that it was trained on is
    ``translation_split(np.random.default_rng(settings["data_seed"]))``, where the settings are
    ``coursekit.data.checkpoints.CHECKPOINTS["seq2seq-translator-…"]["settings"]``.

    Parameters
    ----------
    kind : {"fixed", "additive", "multiplicative"}
        Without attention, or with which.

    Returns
    -------
    model : Translator
    english, french : Vocabulary

    Raises
    ------
    KeyError
        If there is no such translator.

    Examples
    --------
    >>> model, english, french = load_translator("multiplicative")
    >>> from coursekit.seq2seq import EOS, translate
    >>> import torch
    >>> source = torch.tensor([*english.encode("the black cat sleeps".split()), EOS])
    >>> " ".join(french.decode(translate(model, source)[0].ids))
    'le chat noir dort'
    """
    if kind not in KINDS:
        raise KeyError(f"no translator {kind!r}; there are {', '.join(KINDS)}.")
    name = f"seq2seq-translator-{kind}"
    weights, settings = load_checkpoint(name), CHECKPOINTS[name]["settings"]
    english, french = translation_vocabularies()
    model = Translator(len(english), len(french), settings["width"], settings["attention"])
    model.load_state_dict(weights)
    return model.eval(), english, french


def evaluate(
    model: Reads, pairs: Sequence[Pair], source: Vocabulary, target: Vocabulary
) -> dict[str, float]:
    """Translate sentences greedily and compare them with the right ones.

    Parameters
    ----------
    model : Reads
        Any translator that has ``encode`` and ``decode``.
    pairs : sequence of Pair
        What to translate.
    source, target : Vocabulary
        Of either language.

    Returns
    -------
    dict
        ``exact``, the share of sentences without a fault; ``bleu``, from 0 to 100; ``sentences``,
        how many there were.

    Raises
    ------
    ValueError
        If there are no pairs.

    Examples
    --------
    >>> from coursekit.seq2seq import sentences
    >>> pairs = sentences(4, np.random.default_rng(0))
    >>> english, french = translation_vocabularies()
    >>> evaluate(Translator(len(english), len(french), 8), pairs, english, french)["exact"]
    0.0
    """
    written = translations(model, pairs, source, target)
    right = [w == list(p.target) for w, p in zip(written, pairs, strict=True)]
    bleu = corpus_bleu(written, [[p.target] for p in pairs]).score
    return {"exact": float(np.mean(right)), "bleu": bleu, "sentences": len(pairs)}


def translations(
    model: Reads, pairs: Sequence[Pair], source: Vocabulary, target: Vocabulary
) -> list[list[str]]:
    """Translate sentences greedily.

    Parameters
    ----------
    model, pairs, source, target
        As for :func:`evaluate`.

    Returns
    -------
    list of list of str
        Tokens; cut ten beyond the longest right translation.

    Examples
    --------
    >>> from coursekit.seq2seq import sentences
    >>> pairs = sentences(2, np.random.default_rng(0))
    >>> english, french = translation_vocabularies()
    >>> len(translations(Translator(len(english), len(french), 8), pairs, english, french))
    2
    """
    longest = max((len(p.target) for p in pairs), default=0)
    ids = greedy(model, encode_pairs(pairs, source, target)[0], max_length=longest + 10)
    return [target.decode(row) for row in ids]


def by_length(
    model: Reads,
    pairs: Sequence[Pair],
    source: Vocabulary,
    target: Vocabulary,
    edges: Sequence[int] = (2, 5, 8, 11, 14, 17, 20, 23),
) -> list[dict[str, Any]]:
    """Evaluate sentences of like length together.

    Parameters
    ----------
    model, pairs, source, target
        As for :func:`evaluate`.
    edges : sequence of int
        Where a group of source lengths begins, and the one before ends; longer ones are left out.

    Returns
    -------
    list of dict
        As from :func:`evaluate`, with ``shortest`` and ``longest``, for each group that has
        sentences.

    Examples
    --------
    >>> from coursekit.seq2seq import sentences
    >>> pairs = sentences(20, np.random.default_rng(0), clauses=[1])
    >>> english, french = translation_vocabularies()
    >>> model = Translator(len(english), len(french), 8)
    >>> sum(g["sentences"] for g in by_length(model, pairs, english, french))
    20
    """
    groups = []
    for low, high in itertools.pairwise(edges):
        chosen = [p for p in pairs if low <= len(p.source) < high]
        if chosen:
            found = evaluate(model, chosen, source, target)
            groups.append({"shortest": low, "longest": high - 1, **found})
    return groups
