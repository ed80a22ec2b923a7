"""Means over the tokens that count: those of responses, not of prompts and padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def token_log_probs(model: nn.Module, ids: Tensor) -> Tensor:
    r"""Return the logarithm of the probability of every token but the first, given those before.

    Parameters
    ----------
    model : nn.Module
        Any model that maps ids (B, N) to logits (B, N, V).
    ids : Tensor of int64, shape (B, N)
        Prompts and responses, padded at the end.

    Returns
    -------
    Tensor, shape (B, N - 1)
        Place t holds :math:`\log\pi(x_{t+1}\mid x_{\le t})` in nats.

    Examples
    --------
    >>> from coursekit.transformer import GPT, TransformerConfig
    >>> model = GPT(TransformerConfig(vocab_size=5, d_model=8, n_layers=1, n_heads=2))
    >>> token_log_probs(model, torch.tensor([[0, 1, 2]])).shape
    torch.Size([1, 2])
    """
    logits = model(ids)[:, :-1]  # (B, N - 1, V)
    chosen = logits.gather(-1, ids[:, 1:, None]).squeeze(-1)  # (B, N - 1)
    return chosen - logits.logsumexp(-1)


def response_mask(mask: Tensor) -> Tensor:
    """Return a mask as booleans, refusing one that marks no token in some row.

    Parameters
    ----------
    mask : Tensor, shape (B, T)
        1 at the tokens of the response, 0 at those of the prompt and at padding.

    Returns
    -------
    Tensor of bool, shape (B, T)

    Raises
    ------
    ValueError
        If a row has no response, or all of it is padding.

    Examples
    --------
    >>> response_mask(torch.tensor([[0, 1], [0, 0]]))
    Traceback (most recent call last):
    ValueError: row 1 of the mask marks no token: its response is empty or all padding. Leave such \
a row out, or end every response with an end-of-text token, which counts.
    """
    marked = mask.bool()
    if marked.ndim != 2:
        raise ValueError(f"the mask has shape {tuple(mask.shape)}; (B, T) wanted.")
    empty = (~marked.any(-1)).nonzero()
    if len(empty):
        raise ValueError(
            f"row {int(empty[0])} of the mask marks no token: its response is empty or all "
            "padding. Leave such a row out, or end every response with an end-of-text token, "
            "which counts."
        )
    return marked


def masked_sum(x: Tensor, mask: Tensor) -> Tensor:
    """Return each row's sum over marked places, whatever stands elsewhere (NaN as well).

    Parameters
    ----------
    x : Tensor, shape (B, T)
        Numbers.
    mask : Tensor, shape (B, T)
        Where they count.

    Returns
    -------
    Tensor, shape (B,)

    Raises
    ------
    ValueError
        If the shapes differ or a row counts nothing.

    Examples
    --------
    >>> masked_sum(torch.tensor([[1.0, 2.0, float("nan")]]), torch.tensor([[1, 1, 0]]))
    tensor([3.])
    """
    marked = response_mask(mask)
    if x.shape != mask.shape:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and mask {tuple(mask.shape)}; equal wanted."
        )
    return torch.where(marked, x, 0.0).sum(-1)


def masked_mean(x: Tensor, mask: Tensor, over: str = "tokens") -> Tensor:
    """Return the mean over marked places.

    Parameters
    ----------
    x, mask : Tensor, shape (B, T)
        As in :func:`masked_sum`.
    over : {"tokens", "rows"}
        All tokens alike, or first the mean of each row and then that of the rows, in which a
        short response's token weighs more.

    Returns
    -------
    Tensor, one number

    Raises
    ------
    ValueError
        As :func:`masked_sum`, or if `over` is something else.

    Examples
    --------
    >>> x, mask = torch.tensor([[4.0, 0.0], [1.0, 1.0]]), torch.tensor([[1, 0], [1, 1]])
    >>> masked_mean(x, mask), masked_mean(x, mask, over="rows")
    (tensor(2.), tensor(2.5000))
    """
    sums, counts = masked_sum(x, mask), mask.bool().sum(-1)  # (B,) each
    if over == "tokens":
        return sums.sum() / counts.sum()
    if over == "rows":
        return (sums / counts).mean()
    raise ValueError(f"over is {over!r}; 'tokens' or 'rows' wanted.")


def finite(x: Tensor, name: str) -> Tensor:
    """Return `x`, refusing NaN and infinity.

    Parameters
    ----------
    x : Tensor
        Rewards, advantages.
    name : str
        For the message.

    Returns
    -------
    Tensor

    Raises
    ------
    ValueError
        If a number is not finite; says where the first one is.

    Examples
    --------
    >>> finite(torch.tensor([1.0, float("nan")]), "rewards")
    Traceback (most recent call last):
    ValueError: rewards has nan at place (1,); finite numbers wanted. Look at what the reward \
function was given there: it must answer with a number for every response.
    """
    bad = (~torch.isfinite(x)).nonzero()
    if len(bad):
        place = tuple(int(i) for i in bad[0])
        raise ValueError(
            f"{name} has {float(x[place]):g} at place {place}; finite numbers wanted. Look at what "
            "the reward function was given there: it must answer with a number for every response."
        )
    return x
