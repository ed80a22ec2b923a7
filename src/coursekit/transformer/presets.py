"""The shapes of published models: each a line of its paper's table."""

from coursekit.transformer.config import TransformerConfig

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
