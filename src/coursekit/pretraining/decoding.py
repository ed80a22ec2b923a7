"""From a prompt to its continuation: greedy or drawn, many prompts at once, token after token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.pretraining.cache import KeyValueCache, cached_hidden
from coursekit.pretraining.sampling import Sampling, draw, next_probabilities, seeded
from coursekit.transformer import GPT

Prompt = Sequence[int]


class Generation(NamedTuple):
    """A continuation.

    Attributes
    ----------
    ids : tuple of int
        The new tokens, without the stop token.
    log_prob : float
        Logarithm of their probability, that of the stop token included, as the model itself says,
        whatever they were drawn with.
    reason : str
        Why it ended: ``"stop"`` at a stop token, ``"length"`` after all tokens asked for,
        ``"context"`` where the model's context is full.
    """

    ids: tuple[int, ...]
    log_prob: float
    reason: str


class Token(NamedTuple):
    """A new token of one row, as it is made.

    Attributes
    ----------
    row : int
        Number of its prompt.
    id : int
        The token.
    reason : str or None
        On the row's last token why the row ends, see :class:`Generation`; else None.
    """

    row: int
    id: int
    reason: str | None


@dataclass
class Writing:
    """A continuation in the making.

    Parameters
    ----------
    prompt : sequence of int
        What is continued.
    limit : int
        New tokens at most.
    context : int
        Tokens that the model can look at.
    stop : frozenset of int
        Tokens that end it.
    sampling : Sampling, optional
        How tokens are drawn; greedy without.
    generator : torch.Generator
        What draws.
    """

    prompt: Prompt
    limit: int
    context: int
    stop: frozenset[int]
    sampling: Sampling | None
    generator: torch.Generator
    new: list[int] = field(default_factory=list)
    log_prob: float = 0.0
    reason: str | None = None

    @property
    def ids(self) -> list[int]:
        """All tokens: those given, and the new ones."""
        return [*self.prompt, *self.new]

    def add(self, token: int, log_prob: float) -> str | None:
        """Take one more token, and say why this was the last, or None."""
        self.new.append(token)
        self.log_prob += log_prob
        if token in self.stop:
            self.reason = "stop"
        elif len(self.new) >= self.limit:
            self.reason = "length"
        elif len(self.prompt) + len(self.new) > self.context:
            self.reason = "context"
        return self.reason

    def done(self) -> Generation:
        """Return what was written."""
        new = self.new[:-1] if self.reason == "stop" else self.new
        return Generation(tuple(new), self.log_prob, str(self.reason))


def generate(
    model: GPT,
    prompts: Sequence[Prompt],
    *,
    max_new_tokens: int | Sequence[int] = 64,
    sampling: Sampling | None = None,
    stop: Sequence[int] = (),
    seed: int = 0,
    cache: bool = True,
) -> list[Generation]:
    """Continue several prompts, which may be of different lengths, in one batch.

    Parameters
    ----------
    model : GPT
        What continues.
    prompts : sequence of sequences of int
        Tokens, at least one each.
    max_new_tokens : int or sequence of int, default 64
        New tokens at most, for all or for each prompt.
    sampling : Sampling, optional
        How tokens are drawn; without it the likeliest is taken each time.
    stop : sequence of int
        Tokens that end a continuation.
    seed : int, default 0
        Prompt i draws from a generator at seed + i.
    cache : bool, default True
        Whether keys and values are kept. Without, every step runs over all tokens again.

    Returns
    -------
    list of Generation
        One for each prompt. What a prompt gets does not depend on its neighbours.

    Raises
    ------
    TypeError
        If a prompt is text or no sequence.
    ValueError
        If a prompt is empty or longer than the context, or an option is out of range.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> config = TransformerConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2, max_len=6)
    >>> model = GPT(config, generator=torch.Generator().manual_seed(0))
    >>> [len(g.ids) for g in generate(model, [[3], [1, 4, 1]], max_new_tokens=5)]
    [5, 4]
    >>> [g.reason for g in generate(model, [[3], [1, 4, 1]], max_new_tokens=5)]
    ['length', 'context']
    """
    writings = start_writing(
        *(model, prompts), max_new_tokens=max_new_tokens, sampling=sampling, stop=stop, seed=seed
    )
    for _ in run(model, writings, cache=cache):
        pass
    return [w.done() for w in writings]


def stream(
    model: GPT,
    prompts: Sequence[Prompt],
    *,
    max_new_tokens: int | Sequence[int] = 64,
    sampling: Sampling | None = None,
    stop: Sequence[int] = (),
    seed: int = 0,
    cache: bool = True,
) -> Iterator[Token]:
    """Continue prompts as :func:`generate` does, and hand out each token when it is made.

    Parameters
    ----------
    model, prompts, max_new_tokens, sampling, stop, seed, cache
        As in :func:`generate`.

    Yields
    ------
    Token
        In the order of the steps, in a step in that of the prompts.

    Raises
    ------
    TypeError, ValueError
        As :func:`generate`, at the call and not at the first token.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> config = TransformerConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2, max_len=6)
    >>> model = GPT(config, generator=torch.Generator().manual_seed(0))
    >>> [token.row for token in stream(model, [[3], [1, 4]], max_new_tokens=2)]
    [0, 1, 0, 1]
    """
    writings = start_writing(
        *(model, prompts), max_new_tokens=max_new_tokens, sampling=sampling, stop=stop, seed=seed
    )
    return run(model, writings, cache=cache)


def run(model: GPT, writings: Sequence[Writing], *, cache: bool = True) -> Iterator[Token]:
    """Take steps until all rows are done. Rows that are done wait: the batch keeps its shape."""
    longest = max((len(w.prompt) + w.limit for w in writings), default=0)
    room = max(1, min(longest, model.config.max_len))
    kept = KeyValueCache.like(model, len(writings), room) if cache else None
    new = [list(w.prompt) for w in writings]
    while any(w.reason is None for w in writings):
        live = [row for row, w in enumerate(writings) if w.reason is None]
        logits = last_logits(model, new, kept)[live]  # (live rows, V)
        chosen = choose(logits, [writings[row] for row in live])
        for row, (token, log_prob) in zip(live, chosen, strict=True):
            yield Token(row, token, writings[row].add(token, log_prob))
        new = [[] if w.reason else w.new[-1:] if cache else w.ids for w in writings]


def start_writing(
    model: GPT,
    prompts: Sequence[Prompt],
    *,
    max_new_tokens: int | Sequence[int],
    sampling: Sampling | None = None,
    stop: Sequence[int] = (),
    seed: int = 0,
) -> list[Writing]:
    """Check what came and return a beginning for each prompt; see :func:`stream`."""
    context = model.config.max_len
    for i, prompt in enumerate(prompts):
        check_prompt(prompt, model, f"prompt {i}")
    one = isinstance(max_new_tokens, int)
    limits = [max_new_tokens] * len(prompts) if one else list(cast(Sequence[int], max_new_tokens))
    if len(limits) != len(prompts):
        raise ValueError(
            f"max_new_tokens has {len(limits)} numbers and there are {len(prompts)} prompts; one "
            "each wanted, or one number for all."
        )
    device = model.embeddings.tokens.weight.device
    return [
        Writing(
            [int(t) for t in prompt],
            count(limit, "max_new_tokens"),
            context,
            frozenset(stop),
            sampling,
            seeded(seed + i, device),
        )
        for i, (prompt, limit) in enumerate(zip(prompts, limits, strict=True))
    ]


def check_prompt(prompt: Any, model: GPT, name: str = "prompt") -> None:
    """Refuse a prompt that the model cannot continue.

    Raises
    ------
    TypeError
        If it is text, or no sequence.
    ValueError
        If it is empty or longer than the context.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2, max_len=6))
    >>> check_prompt([1] * 7, model)
    Traceback (most recent call last):
    ValueError: prompt has 7 tokens and the model's context is 6. Drop the oldest: prompt[-6:] \
keeps the end, which the next token depends on most.
    """
    if isinstance(prompt, str | bytes) or not hasattr(prompt, "__len__"):
        raise TypeError(
            f"{name} is of type {type(prompt).__name__}; a list of token numbers wanted. Encode "
            "text first, and pass a list of prompts even for one: [tokenizer.encode(text)]."
        )
    if len(prompt) == 0:
        raise ValueError(
            f"{name} is empty; at least one token is wanted, since the model predicts from what is "
            "there. To start from nothing, pass the end-of-text token alone."
        )
    context = model.config.max_len
    if len(prompt) > context:
        raise ValueError(
            f"{name} has {len(prompt)} tokens and the model's context is {context}. Drop the "
            f"oldest: prompt[-{context}:] keeps the end, which the next token depends on most."
        )


@torch.no_grad()
def last_logits(
    model: GPT, new: Sequence[Sequence[int]], cache: KeyValueCache | None = None
) -> Tensor:
    """Return the logits of each row's next token, shape (B, V).

    Parameters
    ----------
    model : GPT
        Run in evaluation mode, whatever mode it is in.
    new : sequence of B sequences of int
        Tokens of each row, with a cache those that it does not hold yet. The logits of a row
        without any mean nothing.
    cache : KeyValueCache, optional
        Extended by the new tokens.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2))
    >>> last_logits(model, [[1, 2], [3]]).shape
    torch.Size([2, 9])
    """
    device = model.embeddings.tokens.weight.device
    counts = torch.tensor([len(ids) for ids in new])  # (B,)
    n = int(counts.max())
    padded = torch.tensor([[*ids, *[0] * (n - len(ids))] for ids in new], device=device)  # (B, n)
    with evaluating(model):
        if cache is None:
            x = model.hidden(padded)  # (B, n, d_model)
        else:
            x = cached_hidden(model, padded, cache, counts=counts)  # (B, n, d_model)
    at = (counts - 1).clamp_min(0).to(device)
    return model.read_out(x[torch.arange(len(new), device=device), at])  # (B, V)


def choose(logits: Tensor, writings: Sequence[Writing]) -> list[tuple[int, float]]:
    """Return each row's next token and its log-probability under the model.

    Parameters
    ----------
    logits : Tensor, shape (B, V)
        Of each row's next token.
    writings : sequence of B Writing
        How each row draws, and what it holds.
    """
    tokens = logits.argmax(-1)  # (B,)
    for sampling in {w.sampling for w in writings if w.sampling}:
        rows = [i for i, w in enumerate(writings) if w.sampling == sampling]
        drawing = [writings[i] for i in rows]
        held = None
        if sampling.repetition_penalty != 1:
            held = _padded([w.ids for w in drawing], logits.device)
        probs = next_probabilities(logits[rows], sampling, held)  # (rows, V)
        tokens[rows] = draw(probs, [w.generator for w in drawing])
    log_probs = logits.log_softmax(-1).gather(-1, tokens[:, None])[:, 0]  # (B,)
    return list(zip(tokens.tolist(), log_probs.tolist(), strict=True))


@contextmanager
def evaluating(model: GPT) -> Iterator[None]:
    """Switch dropout off, and afterwards back to what it was."""
    training = [m for m in model.modules() if m.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _padded(rows: Sequence[Sequence[int]], device: torch.device) -> Tensor:
    """Return the rows as a table, shape (B, longest), with -1 behind their ends."""
    n = max(map(len, rows))
    return torch.tensor([[*ids, *[-1] * (n - len(ids))] for ids in rows], device=device)
