"""Speculative decoding: a small model guesses ahead, the large one checks all guesses at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.pretraining.cache import KeyValueCache, cached_hidden
from coursekit.pretraining.decoding import (
    Generation,
    Prompt,
    Writing,
    check_prompt,
    evaluating,
    start_writing,
)
from coursekit.pretraining.sampling import Sampling, draw, next_probabilities
from coursekit.transformer import GPT


def accept_probability(p: Tensor, q: Tensor) -> Tensor:
    r"""Return with what probability a guess is accepted, :math:`\min(1,p/q)`.

    Implements the first part of :eq:`eq-pretraining-speculative`, Leviathan, Kalman and Matias
    (2023).

    Parameters
    ----------
    p : Tensor, shape (..., V)
        The large model's probabilities.
    q : Tensor, shape (..., V)
        Those that the guess was drawn with.

    Returns
    -------
    Tensor, shape (..., V)
        For each token, had it been guessed; 1 where q is 0, which is never guessed.

    Examples
    --------
    >>> accept_probability(torch.tensor([0.5, 0.5]), torch.tensor([0.8, 0.2]))
    tensor([0.6250, 1.0000])
    """
    return torch.where(q > p, p / q, 1.0)


def residual(p: Tensor, q: Tensor) -> Tensor:
    r"""Return what is drawn from where a guess was refused: :math:`\max(0,p-q)`, made to sum to 1.

    Implements the second part of :eq:`eq-pretraining-speculative`. These are the tokens that `q`
    guesses too rarely.

    Parameters
    ----------
    p, q : Tensor, shape (..., V)
        As in :func:`accept_probability`.

    Returns
    -------
    Tensor, shape (..., V)
        `p` itself where the two are equal; then nothing is refused.

    Examples
    --------
    >>> residual(torch.tensor([0.5, 0.5]), torch.tensor([0.8, 0.2]))
    tensor([0., 1.])
    """
    more = (p - q).clamp_min(0)  # (..., V)
    total = more.sum(-1, keepdim=True)
    return torch.where(total > 0, more / total, p)


def acceptance(p: Tensor, q: Tensor) -> Tensor:
    r"""Return the probability that a guess is accepted, :math:`\sum_x\min(p(x),q(x))`.

    One minus the total variation distance of the two (Leviathan et al., 2023, theorem 3.5).

    Parameters
    ----------
    p, q : Tensor, shape (..., V)
        As in :func:`accept_probability`.

    Returns
    -------
    Tensor, shape (...)

    Examples
    --------
    >>> acceptance(torch.tensor([0.5, 0.5]), torch.tensor([0.8, 0.2]))
    tensor(0.7000)
    """
    return torch.minimum(p, q).sum(-1)


def expected_tokens(alpha: float, ahead: int) -> float:
    r"""Return how many tokens a round gives on average, :math:`(1-\alpha^{n+1})/(1-\alpha)`.

    The guesses accepted before the first refusal, and the one token that the large model adds
    (Leviathan et al., 2023, equation 1). It takes the guesses to be accepted independently of
    each other, each with the probability `alpha`.

    Parameters
    ----------
    alpha : float
        Probability that a guess is accepted, 0 … 1.
    ahead : int
        Guesses of a round, n.

    Raises
    ------
    ValueError
        If `alpha` is no probability or `ahead` below 1.

    Examples
    --------
    >>> expected_tokens(0.5, ahead=2), expected_tokens(1.0, ahead=4)
    (1.75, 5.0)
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; 0 to 1 wanted, a probability.")
    return float(sum(alpha**i for i in range(count(ahead, "ahead") + 1)))


def accept(p: Tensor, q: Tensor, guesses: Sequence[int], generator: torch.Generator) -> list[int]:
    r"""Return the guesses up to the first that is refused, and one token more.

    Implements :eq:`eq-pretraining-speculative`. If the guesses were drawn with `q`, what comes back
    is distributed as if it had been drawn with `p`.

    Parameters
    ----------
    p : Tensor, shape (n + 1, V)
        The large model's probabilities at each guess's place, and after the last.
    q : Tensor, shape (n, V)
        Those that the guesses were drawn with.
    guesses : sequence of n int
        Tokens.
    generator : torch.Generator
        What draws.

    Returns
    -------
    list of int
        At least 1 token, at most n + 1.

    Examples
    --------
    >>> p, q = torch.eye(3)[[0, 2, 1]], torch.eye(3)[[0, 1]]  # sure of 0, 2, 1; and of 0, 1
    >>> accept(p, q, [0, 1], torch.Generator())
    [0, 2]
    """
    out: list[int] = []
    for i, guess in enumerate(guesses):
        u = torch.rand((), generator=generator, dtype=torch.float64, device=p.device)
        if u >= accept_probability(p[i], q[i])[guess]:
            return [*out, int(draw(residual(p[i], q[i])[None], [generator]))]
        out.append(guess)
    return [*out, int(draw(p[-1:], [generator]))]


@dataclass(frozen=True)
class Speculation:
    """A continuation, and how well the guessing went.

    Attributes
    ----------
    generation : Generation
        What was written.
    rounds : int
        Runs of the large model.
    guessed, accepted : int
        Guesses, and those that the large model let stand.
    """

    generation: Generation
    rounds: int
    guessed: int
    accepted: int


@torch.no_grad()
def speculate(
    model: GPT,
    draft: GPT,
    prompt: Prompt,
    *,
    ahead: int = 4,
    max_new_tokens: int = 64,
    sampling: Sampling | None = None,
    stop: Sequence[int] = (),
    seed: int = 0,
) -> Speculation:
    """Continue a prompt with a small model's guesses, distributed as the large one alone would.

    Parameters
    ----------
    model : GPT
        The large model, which decides.
    draft : GPT
        The small one, which guesses; of the same vocabulary.
    prompt : sequence of int
        Tokens, at least one.
    ahead : int, default 4
        Guesses of a round.
    max_new_tokens, sampling, stop, seed
        As in :func:`~coursekit.pretraining.generate`. Greedily the tokens are those of
        the large model alone; with `sampling` their distribution is, not the draw itself.

    Returns
    -------
    Speculation

    Raises
    ------
    TypeError, ValueError
        If the vocabularies differ, an option is out of range, or the prompt is empty or longer
        than a context.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> config = TransformerConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2, max_len=16)
    >>> model = GPT(config, generator=torch.Generator().manual_seed(0))
    >>> result = speculate(model, model, [3, 1], ahead=4, max_new_tokens=10)
    >>> result.rounds, result.guessed, result.accepted  # its own guesses are all right
    (2, 8, 8)
    """
    _check_pair(model, draft, prompt)
    [writing] = start_writing(
        *(model, [prompt]), max_new_tokens=max_new_tokens, sampling=sampling, stop=stop, seed=seed
    )
    context = min(model.config.max_len, draft.config.max_len)
    writing.context = context
    large, small = KeyValueCache.like(model, 1, context), KeyValueCache.like(draft, 1, context)
    rounds = guessed = accepted = 0
    with evaluating(model), evaluating(draft):
        while writing.reason is None:
            held = len(writing.ids)
            n = min(count(ahead, "ahead"), context - held, writing.limit - len(writing.new) - 1)
            guesses, q = _guess(draft, writing, small, n)  # (n, V)
            logits = _unseen_logits(model, [*writing.ids, *guesses], large)[-n - 1 :]  # (n + 1, V)
            p = _probabilities(logits, writing, guesses)
            tokens = accept(p, q, guesses, writing.generator)
            rounds, guessed, accepted = rounds + 1, guessed + n, accepted + len(tokens) - 1
            _take(writing, tokens, logits)
            for cache in (large, small):
                cache.cut(min(int(cache.lengths[0]), held + len(tokens) - 1))
    return Speculation(writing.done(), rounds, guessed, accepted)


def _guess(draft: GPT, writing: Writing, cache: KeyValueCache, n: int) -> tuple[list[int], Tensor]:
    """Draw n tokens from the small model; return them and what they were drawn with, (n, V)."""
    guesses: list[int] = []
    rows = []
    for _ in range(n):
        logits = _unseen_logits(draft, [*writing.ids, *guesses], cache)[-1:]  # (1, V)
        rows.append(_probabilities(logits, writing, guesses)[-1:])
        guesses.append(int(draw(rows[-1], [writing.generator])))
    weight = draft.embeddings.tokens.weight
    return guesses, torch.cat(rows) if rows else weight.new_zeros(0, draft.config.vocab_size)


def _unseen_logits(model: GPT, ids: list[int], cache: KeyValueCache) -> Tensor:
    """Run over the tokens that the cache does not hold, and return the logits after each."""
    unseen = torch.tensor([ids[int(cache.lengths[0]) :]], device=cache.keys.device)  # (1, N)
    return model.read_out(cached_hidden(model, unseen, cache))[0]  # (N, V)


def _probabilities(logits: Tensor, writing: Writing, guesses: list[int]) -> Tensor:
    """Return each row's probabilities; the last row is after all guesses."""
    n, device = len(logits), logits.device
    ids = [*writing.ids, *guesses]
    rows = [
        next_probabilities(
            logits[i], writing.sampling, torch.tensor(ids[: len(ids) - n + 1 + i], device=device)
        )
        for i in range(n)
    ]
    return torch.stack(rows)  # (n, V)


def _take(writing: Writing, tokens: Sequence[int], logits: Tensor) -> None:
    """Add the tokens until one ends the text."""
    log_probs = logits.log_softmax(-1)  # (n + 1, V)
    for i, token in enumerate(tokens):
        if writing.add(token, float(log_probs[i, token])):
            return


def _check_pair(model: GPT, draft: GPT, prompt: Prompt) -> None:
    if model.config.vocab_size != draft.config.vocab_size:
        raise ValueError(
            f"the model has {model.config.vocab_size} tokens and the draft "
            f"{draft.config.vocab_size}; both must be trained with the same tokenizer."
        )
    check_prompt(prompt, draft)
