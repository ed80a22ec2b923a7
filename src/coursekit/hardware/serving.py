"""Serving a model: tokens a second, seats, and the cost of a million tokens."""

from __future__ import annotations

from dataclasses import dataclass

from coursekit.hardware.accelerators import Accelerator
from coursekit.hardware.intensity import decoder, kv_cache_bytes
from coursekit.hardware.models import chips_to_hold, weight_bytes
from coursekit.hardware.roofline import seconds_at_least
from coursekit.transformer import TransformerConfig
from coursekit.transformer.count import parameters_by_part


@dataclass(frozen=True)
class Server:
    """Chips that hold one copy of a model together.

    Attributes
    ----------
    chip : Accelerator
        What it is made of.
    config : TransformerConfig
        The model's shape.
    n_chips : int
        Chips; work and memory are taken to be split evenly among them, and their links to be free.
    weight_bits, cache_bits : float
        Of a weight and of a number in the cache.
    share : float
        Of peak and bandwidth that the software reaches.

    Raises
    ------
    ValueError
        If a number is not positive or the share is above one.

    Examples
    --------
    >>> from coursekit.hardware import accelerator
    >>> from coursekit.transformer import LLAMA_3_8B
    >>> server = Server(accelerator("H100 SXM"), LLAMA_3_8B)
    >>> round(server.tokens_per_second(1, 1024)), round(server.tokens_per_second(64, 1024))
    (221, 9085)
    """

    chip: Accelerator
    config: TransformerConfig
    n_chips: int = 1
    weight_bits: float = 16
    cache_bits: float = 16
    share: float = 1.0

    def __post_init__(self) -> None:
        if not (self.n_chips >= 1 and self.weight_bits > 0 and self.cache_bits > 0):
            raise ValueError(
                f"n_chips is {self.n_chips}, weight_bits {self.weight_bits}, cache_bits "
                f"{self.cache_bits}; positive numbers wanted."
            )
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share}; more than 0 and at most 1 wanted.")

    @property
    def weights(self) -> float:
        """Bytes of the weights that a step reads: all but a table that is only looked up."""
        parts = parameters_by_part(self.config)
        read = sum(parts.values()) - (0 if self.config.tied else parts["embeddings"])
        return weight_bytes(read, self.weight_bits)

    @property
    def held(self) -> float:
        """Bytes of all weights."""
        return weight_bytes(sum(parameters_by_part(self.config).values()), self.weight_bits)

    def step_seconds(self, batch: int, tokens: int) -> float:
        r"""Return the time of one decode step: a new token for every sequence.

        Weights are read once for all, caches one by one.

        Parameters
        ----------
        batch, tokens : int
            Sequences, and tokens of each so far.
        """
        cache = kv_cache_bytes(self.config, tokens, batch, self.cache_bits / 8)
        operations = decoder(self.config, "decode", tokens, batch).operations
        together = self.share * self.n_chips
        return seconds_at_least(
            operations,
            self.weights + cache,
            self.chip.peak() * together,
            self.chip.bandwidth * together,
        )

    def tokens_per_second(self, batch: int, tokens: int) -> float:
        """Return the tokens of all sequences together that a second gives at most.

        Parameters
        ----------
        batch, tokens
            As in :meth:`step_seconds`.
        """
        return batch / self.step_seconds(batch, tokens)

    def seats(self, tokens: int, reserve: float = 0.1) -> int:
        """Return how many sequences of this length fit beside the weights.

        Parameters
        ----------
        tokens : int
            Of a sequence.
        reserve : float, default 0.1
            Share of the memory that is left for everything else.

        Raises
        ------
        ValueError
            If the weights alone do not fit; the message says how many chips would hold them.
        """
        memory = (1 - reserve) * self.n_chips * self.chip.memory
        held = self.held
        if held > memory:
            wanted = chips_to_hold(held, (1 - reserve) * self.chip.memory)
            raise ValueError(
                f"the weights take {held / 1e9:.0f} GB and {self.n_chips} x {self.chip.name} leave "
                f"{memory / 1e9:.0f}; take at least {wanted} chips, or fewer bits a weight."
            )
        return int((memory - held) // kv_cache_bytes(self.config, tokens, 1, self.cache_bits / 8))

    def cost_per_million(self, batch: int, tokens: int, price_per_hour: float) -> float:
        r"""Return what a million decoded tokens cost, in the currency of the price.

        Implements :eq:`eq-hardware-cost-per-token`.

        Parameters
        ----------
        batch, tokens
            As in :meth:`step_seconds`.
        price_per_hour : float
            Of one chip.

        Raises
        ------
        ValueError
            If the price is not positive.

        Examples
        --------
        >>> from coursekit.hardware import accelerator
        >>> from coursekit.transformer import LLAMA_3_8B
        >>> server = Server(accelerator("H100 SXM"), LLAMA_3_8B)
        >>> [round(server.cost_per_million(b, 1024, 2.0), 3) for b in (1, 64)]
        [2.511, 0.061]
        """
        if not price_per_hour > 0:
            raise ValueError(f"price_per_hour is {price_per_hour}; a positive number wanted.")
        per_second = self.n_chips * price_per_hour / 3600
        return 1e6 * per_second / self.tokens_per_second(batch, tokens)
