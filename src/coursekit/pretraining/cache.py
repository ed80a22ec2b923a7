"""The key-value cache: what a token once showed to later ones is computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.attention.counts import cache_bytes as bytes_of_keys_and_values
from coursekit.transformer import GPT, TransformerConfig, alibi_slopes


def cache_bytes(config: TransformerConfig, tokens: int, batch: int = 1, itemsize: int = 2) -> int:
    """Bytes of the keys and values that a model keeps.

    Implements :eq:`eq-pretraining-kv-cache`: two for each layer, head of keys, width and token.

    Parameters
    ----------
    config : TransformerConfig
        The model's shape.
    tokens : int
        Tokens of one sequence.
    batch : int, default 1
        Sequences.
    itemsize : int, default 2
        Bytes of a number.

    Examples
    --------
    >>> from coursekit.transformer import LLAMA_3_8B
    >>> cache_bytes(LLAMA_3_8B, tokens=8192) / 2**30
    1.0
    """
    layers, heads = config.n_layers, config.kv_heads
    return batch * bytes_of_keys_and_values(layers, heads, config.d_head, tokens, itemsize)


class KeyValueCache:
    """Keys and values of all layers, for rows that may be of different lengths.

    Row b holds the tokens 0 … lengths[b] - 1. Keys are kept as compared, so turned where positions
    are rotary.

    Parameters
    ----------
    config : TransformerConfig
        The model's shape.
    batch : int
        Rows, B.
    room : int, optional
        Tokens that a row can hold, M; the model's ``max_len`` by default, which is also the most.
    dtype : torch.dtype, default float32
        Of the model's keys.
    device : torch.device, optional
        Where the model lies.

    Attributes
    ----------
    keys, values : Tensor, shape (L, B, G, M, D)
        Zero where nothing is written.
    lengths : Tensor of int64, shape (B,)
        Tokens that each row holds, on the CPU.

    Raises
    ------
    ValueError
        If `room` is above the model's ``max_len``.

    Examples
    --------
    >>> config = TransformerConfig(vocab_size=9, d_model=8, n_layers=2, n_heads=2, max_len=16)
    >>> cache = KeyValueCache(config, batch=1)
    >>> cache.keys.shape, cache.nbytes == cache_bytes(config, 16, itemsize=4)
    (torch.Size([2, 1, 2, 16, 4]), True)
    """

    def __init__(
        self,
        config: TransformerConfig,
        batch: int,
        room: int | None = None,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> None:
        room = config.max_len if room is None else count(room, "room")
        if room > config.max_len:
            raise ValueError(
                f"room is {room} and the model's context {config.max_len} tokens; no row can be "
                "longer than that."
            )
        shape = (config.n_layers, batch, config.kv_heads, room, config.d_head)
        self.keys = torch.zeros(shape, dtype=dtype, device=device)
        self.values = torch.zeros_like(self.keys)
        self.lengths = torch.zeros(batch, dtype=torch.long)

    @classmethod
    def like(cls, model: GPT, batch: int, room: int | None = None) -> KeyValueCache:
        """Return an empty cache of a model's shape, dtype and device."""
        weight = model.embeddings.tokens.weight
        return cls(model.config, batch, room, dtype=weight.dtype, device=weight.device)

    @property
    def room(self) -> int:
        """Tokens that a row can hold, M."""
        return self.keys.shape[3]

    @property
    def nbytes(self) -> int:
        """Bytes that keys and values take, written or not."""
        return 2 * self.keys.nbytes

    def rows(self, start: int, stop: int) -> KeyValueCache:
        """Return rows start … stop - 1 as a cache that writes into this one."""
        view = object.__new__(KeyValueCache)
        view.keys, view.values = self.keys[:, start:stop], self.values[:, start:stop]
        view.lengths = self.lengths[start:stop]
        return view

    def select(self, rows: Tensor) -> None:
        """Let row b become what row ``rows[b]`` was: a beam's beginnings, sorted anew."""
        self.keys, self.values = self.keys[:, rows], self.values[:, rows]
        self.lengths = self.lengths[rows.cpu()]

    def move(self, source: int, target: int) -> None:
        """Copy one row over another."""
        n = int(self.lengths[source])
        for store in (self.keys, self.values):
            store[:, target, :, :n] = store[:, source, :, :n]
        self.lengths[target] = n

    def cut(self, lengths: Tensor | int) -> None:
        """Forget each row's tokens from place ``lengths`` on.

        Raises
        ------
        ValueError
            If a row is not that long.
        """
        lengths = torch.as_tensor(lengths).expand(len(self.lengths))
        if (lengths < 0).any() or (lengths > self.lengths).any():
            raise ValueError(
                f"the rows hold {self.lengths.tolist()} tokens and were to be cut to "
                f"{lengths.tolist()}; none can be cut to more than it has."
            )
        self.lengths.copy_(lengths)


@torch.no_grad()
def cached_hidden(
    model: GPT, ids: Tensor, cache: KeyValueCache, *, counts: Tensor | None = None
) -> Tensor:
    """Run a model over new tokens only, and keep their keys and values.

    The same numbers, up to rounding, as ``model.hidden`` of all tokens gives at the new places.

    Parameters
    ----------
    model : GPT
        A decoder; in evaluation mode if it has dropout.
    ids : Tensor of int64, shape (B, N)
        New tokens of each row of the cache, padded on the right.
    cache : KeyValueCache
        What was before; the new tokens are added to it.
    counts : Tensor of int64, shape (B,), optional
        How many of the N are tokens and not padding, 0 … N; N by default.

    Returns
    -------
    Tensor, shape (B, N, d_model)
        After the last norm; without meaning at padding.

    Raises
    ------
    ValueError
        If the rows or counts do not fit, or the cache has no room.

    Examples
    --------
    >>> config = TransformerConfig(vocab_size=9, d_model=8, n_layers=2, n_heads=2, max_len=16)
    >>> model, cache = GPT(config), KeyValueCache(config, batch=1)
    >>> _ = cached_hidden(model, torch.tensor([[3, 1, 4]]), cache)
    >>> cached_hidden(model, torch.tensor([[1]]), cache).shape, cache.lengths
    (torch.Size([1, 1, 8]), tensor([4]))
    """
    counts = _checked(ids, cache, counts)
    new = _New.of(ids, cache, counts)
    x = model.dropout(model.embeddings(ids, places=new.places))  # (B, N, d_model)
    options = new.options(model.config)
    for layer, block in enumerate(model.blocks):
        x = block(x, places=new.places, cache=new.keeper(cache, layer), **options)
    cache.lengths += counts
    return model.norm(x)


@dataclass(frozen=True)
class _New:
    """Where one call's tokens go.

    Attributes
    ----------
    places : Tensor, shape (B, N)
        Place of each in its row, on the model's device.
    longest : int
        Tokens of the longest row, the new ones included.
    start : int, optional
        Where all rows stand, if at one place and without padding.
    rows, columns : Tensor, shape (P,)
        Which of the B x N are tokens.
    """

    places: Tensor
    longest: int
    start: int | None
    rows: Tensor
    columns: Tensor

    @classmethod
    def of(cls, ids: Tensor, cache: KeyValueCache, counts: Tensor) -> _New:
        N, device = ids.shape[1], ids.device
        places = cache.lengths[:, None] + torch.arange(N)  # (B, N)
        real = torch.arange(N) < counts[:, None]  # (B, N)
        rows, columns = real.nonzero(as_tuple=True)
        alike = bool(real.all() and (cache.lengths == cache.lengths[0]).all())
        return cls(
            places.clamp_max(cache.room - 1).to(device),  # padding may reach beyond the room
            int((cache.lengths + counts).max()),
            int(cache.lengths[0]) if alike else None,
            rows.to(device),
            columns.to(device),
        )

    def options(self, config: TransformerConfig) -> dict[str, Any]:
        """Who looks where: each token at its row's places up to its own."""
        keys = torch.arange(self.longest, device=self.places.device)  # (M,)
        out: dict[str, Any] = {"causal": True}
        if self.start is None:
            out = {"mask": (keys <= self.places[..., None])[:, None]}  # (B, 1, N, M)
        if config.positions == "alibi":
            distance = (self.places[:, None, :, None] - keys).abs()  # (B, 1, N, M)
            slopes = alibi_slopes(config.n_heads).to(keys.device)
            out["bias"] = -slopes[:, None, None] * distance  # (B, H, N, M)
        return out

    def keeper(self, cache: KeyValueCache, layer: int) -> Callable[..., tuple[Tensor, Tensor]]:
        """Return what one layer's attention hands its new keys and values to."""

        def keep(k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
            for store, new in ((cache.keys[layer], k), (cache.values[layer], v)):
                if self.start is not None:
                    store[:, :, self.start : self.longest] = new  # (B, G, N, D)
                else:
                    at = self.places[self.rows, self.columns]  # (P,)
                    store[self.rows, :, at] = new[self.rows, :, self.columns]  # (P, G, D)
            stores = cache.keys[layer], cache.values[layer]
            return stores[0][:, :, : self.longest], stores[1][:, :, : self.longest]

        return keep


def _checked(ids: Tensor, cache: KeyValueCache, counts: Tensor | None) -> Tensor:
    """Return how many tokens each row gets, or say what does not fit."""
    B = len(cache.lengths)
    if ids.ndim != 2 or len(ids) != B:
        raise ValueError(
            f"ids has shape {tuple(ids.shape)}; ({B}, new tokens) wanted, a row for each of the "
            "cache's."
        )
    N = ids.shape[1]
    counts = torch.full((B,), N) if counts is None else counts.cpu()
    if counts.shape != (B,) or (counts < 0).any() or (counts > N).any():
        raise ValueError(f"counts is {counts.tolist()}; {B} numbers from 0 to {N} wanted.")
    longest = int((cache.lengths + counts).max())
    if longest > cache.room:
        raise ValueError(
            f"a row would hold {longest} tokens and the cache has room for {cache.room}. Stop "
            "before, or make it with more room (the model's max_len at most)."
        )
    return counts
