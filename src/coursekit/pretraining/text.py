"""Text in, text out: decoding with a tokenizer around it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence

from coursekit.pretraining.decoding import stream
from coursekit.pretraining.sampling import Sampling
from coursekit.pretraining.tokenizer import Tokenizer
from coursekit.transformer import GPT


def stream_text(
    model: GPT,
    tokenizer: Tokenizer,
    prompt: str,
    *,
    max_new_tokens: int = 64,
    sampling: Sampling | None = None,
    stop: Sequence[int] = (),
    seed: int = 0,
) -> Iterator[str]:
    r"""Continue a text, and hand out each piece as soon as it is text.

    A token may be part of a character: its bytes wait for the rest. Bytes that are no UTF-8
    become U+FFFD, the replacement character.

    Parameters
    ----------
    model : GPT
        What continues.
    tokenizer : Tokenizer
        The one that the model was trained with.
    prompt : str
        The beginning, at least a character.
    max_new_tokens, sampling, stop, seed
        As in :func:`~coursekit.pretraining.generate`.

    Yields
    ------
    str
        Pieces of the continuation, without the prompt and the stop token.

    Raises
    ------
    ValueError
        If the tokenizer has tokens that the model does not know, the prompt is empty or longer
        than the context, or an option is out of range.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> tokenizer = Tokenizer({i: bytes([i]) for i in range(256)}, [])
    >>> model = GPT(TransformerConfig(vocab_size=256, d_model=8, n_layers=1, n_heads=2))
    >>> pieces = list(stream_text(model, tokenizer, "To be", max_new_tokens=3))
    >>> 1 <= len("".join(pieces)) <= 3
    True
    """
    if tokenizer.vocab_size > model.config.vocab_size:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocab_size} tokens and the model "
            f"{model.config.vocab_size}; use the tokenizer that the model was trained with."
        )
    tokens = stream(
        *(model, [tokenizer.encode(prompt)]),
        max_new_tokens=max_new_tokens,
        sampling=sampling,
        stop=stop,
        seed=seed,
    )
    words = (t.id for t in tokens if t.reason != "stop")
    return _pieces(tokenizer.vocab.get(i, b"") for i in words)


def _pieces(tokens: Iterator[bytes]) -> Iterator[str]:
    """Join bytes to text, holding back what is not yet a whole character."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for token in tokens:
        if piece := decoder.decode(token):
            yield piece
    if rest := decoder.decode(b"", final=True):
        yield rest
