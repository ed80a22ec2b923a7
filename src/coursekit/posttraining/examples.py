"""Prompts and responses as tokens, with a mask that says which of them are learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from coursekit.posttraining.masked import masked_mean, token_log_probs
from coursekit.transformer import GPT


class Example(NamedTuple):
    """A prompt and its response.

    Attributes
    ----------
    prompt, response : tuple of int
        Tokens; the response ends with its end token.
    """

    prompt: tuple[int, ...]
    response: tuple[int, ...]


class Batch(NamedTuple):
    """Examples side by side, padded on the right.

    Attributes
    ----------
    ids : Tensor of int64, shape (B, N)
        Prompt, response, padding.
    mask : Tensor of bool, shape (B, N)
        True at the tokens of the responses.
    """

    ids: Tensor
    mask: Tensor

    @property
    def targets(self) -> Tensor:
        """The mask of what is foretold, shape (B, N - 1): place t is token t + 1."""
        return self.mask[:, 1:]


def check_example(example: Example) -> Example:
    """Return an example, refusing an empty prompt or response.

    Raises
    ------
    ValueError
        Says which is empty.

    Examples
    --------
    >>> check_example(Example((1,), ()))
    Traceback (most recent call last):
    ValueError: the response is empty: there is nothing to learn. End every response with an end \
token; then even an empty answer has one token.
    """
    if not example.prompt:
        raise ValueError("the prompt is empty: the first token of the response has nothing before.")
    if not example.response:
        raise ValueError(
            "the response is empty: there is nothing to learn. End every response with an end "
            "token; then even an empty answer has one token."
        )
    return example


def pad_examples(examples: Sequence[Example], *, pad: int = 0) -> Batch:
    """Put examples side by side.

    Parameters
    ----------
    examples : sequence of Example
        B of them.
    pad : int
        Token that fills the rows up; it is never learned, and stands after all that is.

    Returns
    -------
    Batch

    Raises
    ------
    ValueError
        If there is none, or one is empty.

    Examples
    --------
    >>> batch = pad_examples([Example((5, 6), (7,)), Example((5,), (8, 9, 2))])
    >>> batch.ids
    tensor([[5, 6, 7, 0],
            [5, 8, 9, 2]])
    >>> batch.mask.int()
    tensor([[0, 0, 1, 0],
            [0, 1, 1, 1]], dtype=torch.int32)
    """
    if not examples:
        raise ValueError("there is no example.")
    N = max(len(x.prompt) + len(x.response) for x in map(check_example, examples))
    ids = torch.full((len(examples), N), pad)
    mask = torch.zeros(len(examples), N, dtype=torch.bool)
    for row, (prompt, response) in enumerate(examples):
        end = len(prompt) + len(response)
        ids[row, :end] = torch.tensor([*prompt, *response])
        mask[row, len(prompt) : end] = True
    return Batch(ids, mask)


def response_log_probs(model: GPT, batch: Batch) -> Tensor:
    """Return the log-probability of each response, given its prompt.

    Parameters
    ----------
    model : GPT
        What says so.
    batch : Batch
        B examples.

    Returns
    -------
    Tensor, shape (B,), in nats

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(vocab_size=10, d_model=8, n_layers=1, n_heads=2))
    >>> response_log_probs(model, pad_examples([Example((5,), (7, 2))])).shape
    torch.Size([1])
    """
    return torch.where(batch.targets, token_log_probs(model, batch.ids), 0.0).sum(-1)


def sft_loss(model: GPT, batch: Batch) -> Tensor:
    """Return the mean cross-entropy of the responses' tokens; prompts cost nothing.

    Implements :eq:`eq-posttraining-sft`, as in Ouyang et al. (2022).

    Parameters
    ----------
    model : GPT
        What learns.
    batch : Batch
        B examples.

    Returns
    -------
    Tensor, one number, in nats a token

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(vocab_size=10, d_model=8, n_layers=1, n_heads=2))
    >>> bool(sft_loss(model, pad_examples([Example((5,), (7, 2))])) > 0)
    True
    """
    return -masked_mean(token_log_probs(model, batch.ids), batch.targets)
