"""Many short examples in one long row, none of which sees another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.posttraining.examples import Example, check_example
from coursekit.posttraining.masked import masked_mean
from coursekit.transformer import GPT


class Packed(NamedTuple):
    """Rows of examples, end to end.

    Attributes
    ----------
    ids : Tensor of int64, shape (B, N)
        Tokens.
    mask : Tensor of bool, shape (B, N)
        True at the tokens of responses.
    document : Tensor of int64, shape (B, N)
        Number of the example in its row; -1 at padding.
    places : Tensor of int64, shape (B, N)
        Place of each token in its own example, from 0.
    """

    ids: Tensor
    mask: Tensor
    document: Tensor
    places: Tensor

    @property
    def waste(self) -> float:
        """Share of places that hold padding."""
        return float((self.document < 0).double().mean())


def first_fit(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Put things into rows, the longest first, each into the first row that has room.

    First-fit decreasing: never more than 11/9 of the fewest rows possible, and one (Johnson, 1973).

    Parameters
    ----------
    lengths : sequence of int
        Of the things.
    room : int
        Of a row.

    Returns
    -------
    list of list of int
        Numbers of the things in each row.

    Raises
    ------
    ValueError
        If one is longer than a row.

    Examples
    --------
    >>> first_fit([3, 5, 2, 4], 7)
    [[1, 2], [3, 0]]
    """
    rows, left = list[list[int]](), list[int]()
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if lengths[i] > room:
            raise ValueError(
                f"example {i} has {lengths[i]} tokens and a row {room}; leave it out or make rows "
                "longer: cut off, its response would end in the middle."
            )
        row = next((r for r, free in enumerate(left) if free >= lengths[i]), len(rows))
        if row == len(rows):
            rows.append([])
            left.append(room)
        rows[row].append(i)
        left[row] -= lengths[i]
    return rows


def pack_examples(examples: Sequence[Example], length: int, *, pad: int = 0) -> Packed:
    """Lay examples end to end in rows of one length.

    Implements what :eq:`eq-posttraining-packing` needs.

    Parameters
    ----------
    examples : sequence of Example
        Of any lengths up to `length`.
    length : int
        Tokens of a row, N.
    pad : int
        Token that fills the ends of rows.

    Returns
    -------
    Packed

    Raises
    ------
    ValueError
        If an example is empty or longer than a row.

    Examples
    --------
    >>> packed = pack_examples([Example((1,), (2, 3)), Example((4,), (5,))], 6)
    >>> packed.ids.tolist(), packed.document.tolist()
    ([[1, 2, 3, 4, 5, 0]], [[0, 0, 0, 1, 1, -1]])
    """
    lengths = [len(x.prompt) + len(x.response) for x in map(check_example, examples)]
    rows = first_fit(lengths, count(length, "length"))
    shape = (len(rows), length)
    ids, places = torch.full(shape, pad), torch.zeros(shape, dtype=torch.int64)
    mask, document = torch.zeros(shape, dtype=torch.bool), torch.full(shape, -1)
    for r, row in enumerate(rows):
        start = 0
        for d, i in enumerate(row):
            prompt, response = examples[i]
            own = slice(start, start + lengths[i])
            ids[r, own] = torch.tensor([*prompt, *response])
            document[r, own], places[r, own] = d, torch.arange(lengths[i])
            mask[r, start + len(prompt) : own.stop] = True
            start = own.stop
    return Packed(ids, mask, document, places)


def document_mask(document: Tensor) -> Tensor:
    r"""Return which token may look at which: those of its own example, up to itself.

    Implements :eq:`eq-posttraining-packing`: :math:`M_{ij}=[d_i=d_j]\,[j\le i]`.

    Parameters
    ----------
    document : Tensor of int64, shape (B, N)
        As in :class:`Packed`.

    Returns
    -------
    Tensor of bool, shape (B, 1, N, N)

    Examples
    --------
    >>> document_mask(torch.tensor([[0, 0, 1]]))[0, 0].int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [0, 0, 1]], dtype=torch.int32)
    """
    same = document[:, :, None] == document[:, None, :]  # (B, N, N)
    return same.tril()[:, None]


def packed_log_probs(model: GPT, packed: Packed) -> Tensor:
    """Return the log-probability of every token but the first of a row, given its own example.

    The same numbers, up to rounding, as each example alone.

    Parameters
    ----------
    model : GPT
        With rotary, learned or sinusoidal positions.
    packed : Packed
        B rows of N tokens.

    Returns
    -------
    Tensor, shape (B, N - 1)
        Without meaning where an example begins and at padding; the mask marks neither.

    Raises
    ------
    ValueError
        If the model tells places by distance alone (ALiBi), which restarting does not reset.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(vocab_size=10, d_model=8, n_layers=1, n_heads=2))
    >>> packed = pack_examples([Example((1,), (2, 3)), Example((4,), (5,))], 6)
    >>> packed_log_probs(model, packed).shape
    torch.Size([1, 5])
    """
    if model.config.positions == "alibi":
        raise ValueError("positions is 'alibi'; packing wants rotary, learned or sinusoidal ones.")
    x = model.dropout(model.embeddings(packed.ids, places=packed.places))  # (B, N, d_model)
    mask = document_mask(packed.document)  # (B, 1, N, N)
    for block in model.blocks:
        x = block(x, mask=mask, places=packed.places)
    logits = model.read_out(model.norm(x))[:, :-1]  # (B, N - 1, V)
    chosen = logits.gather(-1, packed.ids[:, 1:, None]).squeeze(-1)
    return chosen - logits.logsumexp(-1)


def packed_sft_loss(model: GPT, packed: Packed) -> Tensor:
    """Return :func:`~coursekit.posttraining.sft_loss` of the examples in packed rows.

    Parameters
    ----------
    model : GPT
        What learns.
    packed : Packed
        B rows.

    Returns
    -------
    Tensor, one number, in nats a token

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(vocab_size=10, d_model=8, n_layers=1, n_heads=2))
    >>> bool(packed_sft_loss(model, pack_examples([Example((1,), (2, 3))], 4)) > 0)
    True
    """
    return -masked_mean(packed_log_probs(model, packed), packed.mask[:, 1:])
