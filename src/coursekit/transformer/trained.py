"""Models that come with the course, trained on chapter 3's translation task and on repetition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coursekit.data.checkpoints import CHECKPOINTS, load_checkpoint
from coursekit.seq2seq.ngram import NGram
from coursekit.seq2seq.task_words import translation_vocabularies
from coursekit.seq2seq.training import next_token_loss
from coursekit.seq2seq.translation import Pair
from coursekit.seq2seq.vocabulary import BOS, EOS, PAD, Vocabulary, pad_batch
from coursekit.transformer.bert import MaskedLanguageModel
from coursekit.transformer.config import TransformerConfig
from coursekit.transformer.encoder_decoder import EncoderDecoder
from coursekit.transformer.gpt import GPT
from coursekit.transformer.induction import (
    induction_score,
    previous_token_score,
    repeated_sequences,
)
from coursekit.transformer.maps import attention_maps
from coursekit.transformer.masked_lm import IGNORE, mask_tokens, masked_lm_loss
from coursekit.transformer.training import induction_loss


def load_translator() -> tuple[EncoderDecoder, Vocabulary, Vocabulary]:
    """Return the small Transformer of 2017's kind that translates English to French.

    It was trained on ``translation_split(np.random.default_rng(0)).train`` of
    :mod:`coursekit.seq2seq`; how well it and the recurrent translators do stands in
    ``coursekit.data.checkpoints.CHECKPOINTS["transformer-translator"]["metrics"]``.

    Returns
    -------
    model : EncoderDecoder
    english, french : Vocabulary

    Examples
    --------
    >>> from coursekit.seq2seq import EOS, translate
    >>> model, english, french = load_translator()
    >>> source = torch.tensor([*english.encode("the black cat sleeps".split()), EOS])
    >>> " ".join(french.decode(translate(model, source)[0].ids))
    'le chat noir dort'
    """
    english, french = translation_vocabularies()
    model = EncoderDecoder(_config("translator"), source_vocab_size=len(english))
    return _filled(model, "translator"), english, french


def load_masked_lm() -> tuple[MaskedLanguageModel, Vocabulary, int]:
    """Return an encoder that fills gaps in French sentences, its words, and its mask token.

    Examples
    --------
    >>> model, french, mask_id = load_masked_lm()
    >>> mask_id == len(french) and model.bert.config.vocab_size == len(french) + 1
    True
    """
    _, french = translation_vocabularies()
    return _filled(MaskedLanguageModel(_config("masked-lm")), "masked-lm"), french, len(french)


def load_gpt() -> tuple[GPT, Vocabulary]:
    """Return a decoder that writes French sentences of the task, and its words.

    Examples
    --------
    >>> model, french = load_gpt()
    >>> model.config.vocab_size == len(french)
    True
    """
    _, french = translation_vocabularies()
    return _filled(GPT(_config("gpt")), "gpt"), french


def load_induction() -> GPT:
    """Return two layers of attention, without feed-forward parts, that continue repetitions.

    Examples
    --------
    >>> load_induction().config.feed_forward
    'none'
    """
    return _filled(GPT(_config("induction")), "induction")


def _config(name: str) -> TransformerConfig:
    return TransformerConfig(**CHECKPOINTS[f"transformer-{name}"]["settings"]["config"])


def _filled(model: Any, name: str) -> Any:
    model.load_state_dict(load_checkpoint(f"transformer-{name}"))
    return model.eval()


@torch.no_grad()
def evaluate_induction(
    model: GPT, *, period: int = 12, length: int = 32, batch_size: int = 64, seed: int = 1000
) -> dict[str, Any]:
    """Return how a decoder does on new sequences that repeat.

    Parameters
    ----------
    model : GPT
        Trained or not.
    period, length, batch_size : int
        Of the sequences.
    seed : int
        Of the sequences.

    Returns
    -------
    dict
        ``loss`` of the tokens that can be foretold, in nats, ``accuracy``, and for each layer a
        list with one number a head: ``induction`` and ``previous_token``.

    Examples
    --------
    >>> model = GPT(TransformerConfig(16, 8, n_layers=2, n_heads=2, feed_forward="none"))
    >>> len(evaluate_induction(model)["induction"])
    2
    """
    generator = torch.Generator().manual_seed(seed)
    ids = repeated_sequences(
        batch_size,
        period=period,
        length=length,
        vocab_size=model.config.vocab_size,
        generator=generator,
    )
    maps = attention_maps(model, ids)
    told = model(ids)[:, period:-1].argmax(-1)
    return {
        "loss": float(induction_loss(model, ids, period)),
        "accuracy": float((told == ids[:, period + 1 :]).double().mean()),
        "induction": [induction_score(w, period).mean(0).tolist() for w in maps.values()],
        "previous_token": [previous_token_score(w).mean(0).tolist() for w in maps.values()],
    }


@torch.no_grad()
def evaluate_masked_lm(
    model: MaskedLanguageModel,
    sentences: Sequence[Sequence[int]],
    *,
    mask_id: int,
    seed: int = 1000,
) -> dict[str, float]:
    """Return how an encoder does at the gaps of sentences.

    Parameters
    ----------
    model : MaskedLanguageModel
        Trained or not.
    sentences : sequence of sequences of int
        Token numbers.
    mask_id : int
        The token that hides.
    seed : int
        Of the gaps.

    Returns
    -------
    dict
        ``accuracy``, ``loss`` in nats, ``gaps``, and ``commonest``: the accuracy of naming the
        commonest token of these sentences always.

    Examples
    --------
    >>> model = MaskedLanguageModel(TransformerConfig(16, 8, n_layers=1, n_heads=2))
    >>> evaluate_masked_lm(model, [[4, 5, 6]] * 50, mask_id=15)["gaps"] > 0
    True
    """
    ids, lengths = pad_batch(sentences)
    hidden, targets = mask_tokens(
        ids,
        mask_id=mask_id,
        vocab_size=model.bert.config.vocab_size,
        generator=torch.Generator().manual_seed(seed),
        special=(PAD, BOS, EOS),
    )
    logits, asked = model(hidden, lengths=lengths), targets != IGNORE
    common = ids[ids != PAD].bincount().argmax()
    return {
        "accuracy": float((logits.argmax(-1) == targets)[asked].double().mean()),
        "loss": float(masked_lm_loss(logits, targets)),
        "gaps": int(asked.sum()),
        "commonest": float((targets[asked] == common).double().mean()),
    }


@torch.no_grad()
def evaluate_gpt(model: GPT, train: Sequence[Pair], test: Sequence[Pair]) -> dict[str, float]:
    """Return a decoder's perplexity on French sentences, and that of word counts.

    Parameters
    ----------
    model : GPT
        Whose words are those of the translation task.
    train, test : sequence of Pair
        What the counts are made from, and what is foretold.

    Returns
    -------
    dict
        Perplexities a token, the end included: ``perplexity`` and, of counts of two and three
        words with one hundredth added, ``bigram`` and ``trigram``.

    Examples
    --------
    >>> from coursekit.seq2seq import sentences
    >>> pairs = sentences(20, np.random.default_rng(0))
    >>> model = GPT(TransformerConfig(len(translation_vocabularies()[1]), 8, 1, 1))
    >>> found = evaluate_gpt(model, pairs, pairs)
    >>> found["trigram"] < found["bigram"] < found["perplexity"]
    True
    """
    ids = french_ids(test)
    found = {"perplexity": math.exp(float(next_token_loss(model(ids[:, :-1]), ids[:, 1:])))}
    for name, order in (("bigram", 2), ("trigram", 3)):
        counts = NGram([p.target for p in train], order, add=0.01)
        log_probs = counts.log_probs([p.target for p in test])
        found[name] = math.exp(-float(np.mean(log_probs)))
    return found


def french_ids(pairs: Sequence[Pair]) -> Tensor:
    """Return the French sides as numbers between `BOS` and `EOS`, padded, shape (B, N).

    Examples
    --------
    >>> french_ids([Pair(("the", "cat"), ("le", "chat"), (), ())]).shape
    torch.Size([1, 4])
    """
    _, french = translation_vocabularies()
    return pad_batch([[BOS, *french.encode(p.target), EOS] for p in pairs])[0]


def complete(
    model: GPT,
    ids: Sequence[int],
    *,
    generator: torch.Generator | None = None,
    max_length: int = 40,
) -> list[int]:
    """Continue a sentence, token after token, until its end.

    Parameters
    ----------
    model : GPT
        What continues.
    ids : sequence of int
        The beginning, first of all `BOS`.
    generator : torch.Generator, optional
        With it tokens are drawn as the model says; without, the likeliest is taken.
    max_length : int, default 40
        Tokens after which a sentence is cut.

    Returns
    -------
    list of int
        All tokens, those given first, without the end.

    Examples
    --------
    >>> model = GPT(TransformerConfig(16, 8, n_layers=1, n_heads=2))
    >>> complete(model, [1, 5], max_length=4)[:2]
    [1, 5]
    """
    out = list(ids)
    while len(out) < max_length:
        with torch.no_grad():
            logits = model(torch.tensor([out]))[0, -1]  # (V,)
        if generator is None:
            token = int(logits.argmax())
        else:
            token = int(torch.multinomial(logits.softmax(-1), 1, generator=generator))
        if token == EOS:
            break
        out.append(token)
    return out
