"""Operations and bytes of a model's parts, by formula: training, prefill, decode."""

from __future__ import annotations

from dataclasses import dataclass

from coursekit.transformer import TransformerConfig

PHASES = ("training", "prefill", "decode")


@dataclass(frozen=True)
class Work:
    """What a computation does and what it moves.

    Attributes
    ----------
    operations : float
        A multiplication with its addition counts as two.
    moved : float
        Bytes read from memory and written to it.

    Examples
    --------
    >>> (Work(10, 4) + Work(2, 2)).intensity, (3 * Work(10, 4)).operations
    (2.0, 30)
    """

    operations: float
    moved: float

    @property
    def intensity(self) -> float:
        """Operations a byte, :eq:`eq-hardware-intensity`."""
        return self.operations / self.moved

    def __add__(self, other: Work) -> Work:
        return Work(self.operations + other.operations, self.moved + other.moved)

    def __rmul__(self, times: float) -> Work:
        return Work(times * self.operations, times * self.moved)


def gemm(rows: int, inner: int, columns: int, itemsize: float = 2) -> Work:
    r"""Return the work of a matrix product, (rows, inner) times (inner, columns).

    Implements :eq:`eq-hardware-gemm`: every factor is read once, the result written once.

    Parameters
    ----------
    rows, inner, columns : int
        Sizes.
    itemsize : float, default 2
        Bytes of a number.

    Raises
    ------
    ValueError
        If a size or the bytes are not positive.

    Examples
    --------
    >>> round(gemm(1, 4096, 4096).intensity, 4), round(gemm(4096, 4096, 4096).intensity)
    (0.9995, 1365)
    """
    _positive(rows=rows, inner=inner, columns=columns, itemsize=itemsize)
    numbers = rows * inner + inner * columns + rows * columns
    return Work(2 * rows * inner * columns, itemsize * numbers)


def attention(
    config: TransformerConfig,
    queries: int,
    keys: int,
    batch: int = 1,
    *,
    itemsize: float = 2,
    fused: bool = True,
) -> Work:
    r"""Return the work of a layer's attention proper: scores and average, no projections.

    Implements :eq:`eq-hardware-attention`. Keys and values are read once for each of their own
    heads, however many heads of queries share them.

    Parameters
    ----------
    config : TransformerConfig
        Heads and their width.
    queries, keys : int
        Of one sequence: the same in prefill, 1 and all so far in decode.
    batch : int, default 1
        Sequences.
    itemsize : float, default 2
        Bytes of a number.
    fused : bool, default True
        Whether the table of scores stays on the chip; if not, the first product writes it and the
        second reads it.

    Examples
    --------
    >>> from coursekit.transformer import LLAMA_2_7B, LLAMA_3_8B
    >>> [round(attention(c, 1, 8192).intensity, 1) for c in (LLAMA_2_7B, LLAMA_3_8B)]
    [1.0, 4.0]
    """
    _positive(queries=queries, keys=keys, batch=batch, itemsize=itemsize)
    H, G, D = config.n_heads, config.kv_heads, config.d_head
    table = 0 if fused else 2 * H * queries * keys
    numbers = 2 * H * queries * D + 2 * G * keys * D + table  # q and output, k and v, scores
    return Work(4 * batch * H * queries * keys * D, itemsize * batch * numbers)


def projections(config: TransformerConfig, tokens: int, itemsize: float = 2) -> Work:
    """Return the work of a layer's four products around attention, for all tokens together.

    Parameters
    ----------
    config : TransformerConfig
        Widths.
    tokens : int
        Of all sequences.
    itemsize : float, default 2
        Bytes of a number.
    """
    d, kv = config.d_model, config.kv_heads * config.d_head
    return 2 * gemm(tokens, d, d, itemsize) + 2 * gemm(tokens, d, kv, itemsize)


def feed_forward(config: TransformerConfig, tokens: int, itemsize: float = 2) -> Work:
    """Return the work of a layer's feed-forward part, for all tokens together.

    Parameters
    ----------
    config, tokens, itemsize
        As in :func:`projections`.

    Examples
    --------
    >>> from coursekit.transformer import LLAMA_3_8B
    >>> feed_forward(LLAMA_3_8B, 1).operations == 2 * 3 * 4096 * 14_336
    True
    """
    up = {"none": 0, "swiglu": 2}.get(config.feed_forward, 1)
    into = gemm(tokens, config.d_model, config.ff_width, itemsize)
    back = gemm(tokens, config.ff_width, config.d_model, itemsize)
    return up * into + min(up, 1) * back


def decoder_layer(
    config: TransformerConfig,
    phase: str,
    tokens: int,
    batch: int = 1,
    *,
    itemsize: float = 2,
    fused: bool = True,
) -> Work:
    r"""Return the work of one layer.

    Implements :eq:`eq-hardware-prefill` and :eq:`eq-hardware-decode`. In training each product is
    done three times over (forward, and for the gradients of its two factors), with the same three
    matrices in three roles, so that operations and bytes are three times those of prefill.

    Parameters
    ----------
    config : TransformerConfig
        The model's shape.
    phase : {"training", "prefill", "decode"}
        All tokens at once, forwards and backwards; all at once, forwards; or one new token a
        sequence after `tokens` - 1 others that are in the cache.
    tokens : int
        Of a sequence, the new ones included.
    batch : int, default 1
        Sequences.
    itemsize, fused
        As in :func:`attention`.

    Raises
    ------
    ValueError
        If the phase is unknown or a number not positive.

    Examples
    --------
    >>> from coursekit.transformer import LLAMA_3_8B
    >>> [round(decoder_layer(LLAMA_3_8B, p, 4096).intensity) for p in ("prefill", "decode")]
    [1731, 1]
    """
    if phase not in PHASES:
        raise ValueError(f"phase is {phase!r}; one of {', '.join(map(repr, PHASES))} wanted.")
    new = 1 if phase == "decode" else tokens
    forward = (
        projections(config, batch * new, itemsize)
        + attention(config, new, tokens, batch, itemsize=itemsize, fused=fused)
        + feed_forward(config, batch * new, itemsize)
    )
    return 3 * forward if phase == "training" else forward


def decoder(
    config: TransformerConfig,
    phase: str,
    tokens: int,
    batch: int = 1,
    *,
    itemsize: float = 2,
    fused: bool = True,
) -> Work:
    """Return the work of all layers and of the output layer.

    In prefill the output layer is needed for the last token alone, in training for every token.

    Parameters
    ----------
    config, phase, tokens, batch, itemsize, fused
        As in :func:`decoder_layer`.

    Examples
    --------
    >>> from coursekit.transformer import LLAMA_3_8B
    >>> step = decoder(LLAMA_3_8B, "decode", 1)
    >>> round(step.moved / 1e9, 1)  # nearly all weights, two bytes each
    15.0
    """
    layer = decoder_layer(config, phase, tokens, batch, itemsize=itemsize, fused=fused)
    outputs = batch * (tokens if phase == "training" else 1)
    head = gemm(outputs, config.d_model, config.vocab_size, itemsize)
    return config.n_layers * layer + (3 if phase == "training" else 1) * head


def kv_cache_bytes(
    config: TransformerConfig, tokens: int, batch: int = 1, itemsize: float = 2
) -> float:
    r"""Return the bytes of the keys and values that decoding reads.

    Implements :eq:`eq-hardware-kv-cache`.

    Parameters
    ----------
    config : TransformerConfig
        Layers, heads of keys, their width.
    tokens, batch : int
        Of a sequence; sequences.
    itemsize : float, default 2
        Bytes of a number.

    Examples
    --------
    >>> from coursekit.transformer import LLAMA_3_8B
    >>> kv_cache_bytes(LLAMA_3_8B, 8192) / 2**30
    1.0
    """
    _positive(tokens=tokens, batch=batch, itemsize=itemsize)
    return 2 * config.n_layers * config.kv_heads * config.d_head * tokens * batch * itemsize


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}; a positive number wanted.")
