"""Everything that tells one Transformer from another, in one glance; and the published ones."""

from __future__ import annotations

from dataclasses import dataclass

from coursekit.transformer.feedforward import ACTIVATIONS
from coursekit.transformer.multihead import check_heads
from coursekit.transformer.positions import BASE

CHOICES = {
    "positions": ("learned", "sinusoidal", "rotary", "alibi", "none"),
    "norm": ("pre", "post"),
    "norm_kind": ("layer", "rms"),
    "feed_forward": (*ACTIVATIONS, "none"),
}


@dataclass(frozen=True)
class TransformerConfig:
    """The shape of a model.

    Parameters
    ----------
    vocab_size : int
        Tokens it knows, V.
    d_model : int
        Width of a token.
    n_layers : int
        Blocks (in an encoder-decoder, of each half).
    n_heads : int
        Heads, H.
    n_kv_heads : int, optional
        Heads of keys and values; H by default.
    d_ff : int, optional
        Width inside the feed-forward part; 4 d_model by default.
    max_len : int, default 1024
        Positions, for learned ones.
    positions : {"learned", "sinusoidal", "rotary", "alibi", "none"}
        How order enters.
    norm : {"pre", "post"}
        Before each part, or after it as in 2017.
    norm_kind : {"layer", "rms"}
        LayerNorm or RMSNorm.
    feed_forward : {"gelu-tanh", "gelu", "relu", "swiglu", "none"}
        Its kind; ``"none"`` leaves attention alone.
    bias : bool, default True
        Whether linear maps have biases.
    tied : bool, default True
        Whether the output layer is the embedding table.
    segments : int, default 0
        Kinds of segment with a learned vector each (BERT has 2).
    dropout : float, default 0
        Share of each part's output dropped in training, with torch's own random numbers.
    eps : float, default 1e-5
        Of the norms.
    rotary_base : float, default 10 000
        Of rotary positions.

    Raises
    ------
    ValueError
        If a choice is unknown, or the numbers of heads do not divide.

    Examples
    --------
    >>> config = TransformerConfig(vocab_size=100, d_model=32, n_layers=2, n_heads=4)
    >>> config.d_head, config.kv_heads, config.ff_width
    (8, 4, 128)
    """

    vocab_size: int
    d_model: int
    n_layers: int
    n_heads: int
    n_kv_heads: int | None = None
    d_ff: int | None = None
    max_len: int = 1024
    positions: str = "learned"
    norm: str = "pre"
    norm_kind: str = "layer"
    feed_forward: str = "gelu-tanh"
    bias: bool = True
    tied: bool = True
    segments: int = 0
    dropout: float = 0.0
    eps: float = 1e-5
    rotary_base: float = BASE

    def __post_init__(self) -> None:
        check_heads(self.d_model, self.n_heads, self.kv_heads)
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; one of "
                    f"{', '.join(map(repr, choices))} wanted."
                )

    @property
    def d_head(self) -> int:
        """Width of a head, D."""
        return self.d_model // self.n_heads

    @property
    def kv_heads(self) -> int:
        """Heads of keys and values, G."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def ff_width(self) -> int:
        """Width inside the feed-forward part."""
        return 4 * self.d_model if self.d_ff is None else self.d_ff


GPT2 = TransformerConfig(vocab_size=50_257, d_model=768, n_layers=12, n_heads=12)
"""124,439,808 parameters (Radford et al., 2019)."""

GPT2_MEDIUM = TransformerConfig(vocab_size=50_257, d_model=1024, n_layers=24, n_heads=16)
"""354,823,168 parameters."""

GPT2_LARGE = TransformerConfig(vocab_size=50_257, d_model=1280, n_layers=36, n_heads=20)
"""774,030,080 parameters."""

GPT2_XL = TransformerConfig(vocab_size=50_257, d_model=1600, n_layers=48, n_heads=25)
"""1,557,611,200 parameters."""

BERT_BASE = TransformerConfig(
    vocab_size=30_522,
    d_model=768,
    n_layers=12,
    n_heads=12,
    max_len=512,
    segments=2,
    norm="post",
    feed_forward="gelu",
    eps=1e-12,
)
"""109,482,240 parameters with the pooler (Devlin et al., 2019, uncased)."""

TRANSFORMER_BASE = TransformerConfig(
    vocab_size=37_000,
    d_model=512,
    n_layers=6,
    n_heads=8,
    d_ff=2048,
    positions="sinusoidal",
    norm="post",
    feed_forward="relu",
    dropout=0.1,
)
"""About 65 million parameters, by the paper's table 3 (Vaswani et al., 2017); an EncoderDecoder."""

LLAMA_2_7B = TransformerConfig(
    vocab_size=32_000,
    d_model=4096,
    n_layers=32,
    n_heads=32,
    d_ff=11_008,
    max_len=4096,
    positions="rotary",
    norm_kind="rms",
    feed_forward="swiglu",
    bias=False,
    tied=False,
)
"""6,738,415,616 parameters (Touvron et al., 2023)."""

LLAMA_3_8B = TransformerConfig(
    vocab_size=128_256,
    d_model=4096,
    n_layers=32,
    n_heads=32,
    n_kv_heads=8,
    d_ff=14_336,
    max_len=8192,
    positions="rotary",
    rotary_base=500_000.0,
    norm_kind="rms",
    feed_forward="swiglu",
    bias=False,
    tied=False,
)
"""8,030,261,248 parameters (Grattafiori et al., 2024)."""
