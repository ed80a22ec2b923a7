"""How well a model foretells a text: perplexity, and bits per byte, which compares all models."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from coursekit._validate import count


def perplexity(nats: float, n_tokens: int) -> float:
    r"""Return the number of equally likely tokens that would be as hard to guess.

    Implements :eq:`eq-pretraining-perplexity`. It depends on the tokenizer: longer tokens are
    harder to guess and there are fewer of them.

    Parameters
    ----------
    nats : float
        Sum of -log p over all tokens.
    n_tokens : int
        How many.

    Examples
    --------
    >>> round(perplexity(3 * math.log(50), 3))
    50
    """
    return math.exp(nats / count(n_tokens, "n_tokens"))


def bits_per_byte(nats: float, n_bytes: int) -> float:
    r"""Return the bits that a model spends on each byte of a text.

    Implements :eq:`eq-pretraining-bits-per-byte`. Bytes are the same for every tokenizer, so that
    models with different tokens can be compared; it is also what an arithmetic coder that asks the
    model would need.

    Parameters
    ----------
    nats : float
        Sum of -log p over all tokens of the text.
    n_bytes : int
        Length of the text in UTF-8.

    Examples
    --------
    >>> bits_per_byte(8 * math.log(2), 4)
    2.0
    """
    return nats / math.log(2) / count(n_bytes, "n_bytes")


@torch.no_grad()
def token_nats(
    model: nn.Module, ids: Sequence[int], *, context: int, stride: int | None = None
) -> Tensor:
    """Return -log p of every token of a document but its first.

    A document longer than the context is read through windows that overlap by `context` -
    `stride` tokens, and each token is counted once, in the first window that reaches it: with as
    many tokens before it as the model may see, or at least half as many.

    Parameters
    ----------
    model : nn.Module
        Gives logits, shape (B, N, V).
    ids : sequence of int
        The document, N tokens; the first is given (an end-of-text, as a rule).
    context : int
        Longest window.
    stride : int, optional
        By how much the window moves on; half the context by default.

    Returns
    -------
    Tensor, float32, shape (N - 1,)

    Raises
    ------
    ValueError
        If the stride is not from 1 to `context`.

    Examples
    --------
    >>> from coursekit.pretraining.configs import gpt2_config
    >>> from coursekit.transformer import GPT
    >>> model = GPT(gpt2_config(50, d_model=8, n_layers=1, n_heads=1, max_len=8))
    >>> token_nats(model, range(20), context=8).shape
    torch.Size([19])
    """
    stride = max(1, context // 2) if stride is None else stride
    if not 1 <= stride <= count(context, "context"):
        raise ValueError(f"stride is {stride}; from 1 to the context of {context} wanted.")
    device = next(model.parameters()).device
    tokens = torch.as_tensor(list(ids), dtype=torch.int64, device=device)  # (N,)
    found, done, start = [], 1, 0  # tokens before `done` are counted
    while done < len(tokens):
        window = tokens[start : start + context + 1]  # (up to context + 1,)
        logits = model(window[None, :-1])[0]  # (n, V)
        nats = cross_entropy(logits.float(), window[1:], reduction="none")  # (n,)
        found.append(nats[done - start - 1 :])
        done = start + len(window)
        start += stride
    return torch.cat(found).cpu() if found else torch.zeros(0)


def corpus_nats(model: nn.Module, documents: Iterable[Sequence[int]], *, context: int) -> float:
    """Return the sum of -log p over all tokens of all documents but the first of each.

    Parameters
    ----------
    model : nn.Module
        Set to evaluation meanwhile, so that no dropout is at work.
    documents : iterable of sequences of int
        Token numbers, each with the token that is given first.
    context : int
        As in :func:`token_nats`.
    """
    training = model.training
    model.eval()
    total = sum(float(token_nats(model, d, context=context).double().sum()) for d in documents)
    model.train(training)
    return total


@torch.no_grad()
def mean_loss(
    model: nn.Module, tokens: Sequence[int], *, context: int, batch_size: int = 32, most: int = 128
) -> float:
    """Return the loss a token, in nats, over windows side by side: quick, to watch a training.

    Parameters
    ----------
    model : nn.Module
        Gives logits, shape (B, N, V); set to evaluation meanwhile.
    tokens : sequence of int
        An array, or a memory map.
    context : int
        Length of a window.
    batch_size : int
        Windows at once.
    most : int
        Windows at most, evenly spread.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are too few tokens for one window.
    """
    n = (len(tokens) - 1) // context
    if n < 1:
        raise ValueError(
            f"there are {len(tokens)} tokens to validate on; at least context + 1 = "
            f"{context + 1} wanted."
        )
    device, training = next(model.parameters()).device, model.training
    model.eval()
    chosen = [i * n // min(n, most) * context for i in range(min(n, most))]
    total = 0.0
    for rows in (chosen[i : i + batch_size] for i in range(0, len(chosen), batch_size)):
        windows = torch.stack(
            [torch.as_tensor([int(t) for t in tokens[s : s + context + 1]]) for s in rows]
        ).to(device)  # (B, context + 1)
        logits = model(windows[:, :-1])  # (B, context, V)
        total += len(rows) * cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten()).item()
    model.train(training)
    return total / len(chosen)
