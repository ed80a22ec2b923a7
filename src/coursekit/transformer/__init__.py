"""Chapter 04: why attention replaced recurrence.

One set of blocks, and from it the 2017 encoder-decoder, BERT, GPT-2 and Llama; every model calls
:func:`coursekit.attention.attention`. torch throughout, batch first.
"""

from coursekit import optional

optional.require("torch")

from coursekit.transformer.bert import Bert, MaskedLanguageModel  # noqa: E402
from coursekit.transformer.blocks import Block, make_norm  # noqa: E402
from coursekit.transformer.columns import column_attention, column_multi_head  # noqa: E402
from coursekit.transformer.config import (  # noqa: E402
    BERT_BASE,
    GPT2,
    GPT2_LARGE,
    GPT2_MEDIUM,
    GPT2_XL,
    LLAMA_2_7B,
    LLAMA_3_8B,
    TRANSFORMER_BASE,
    TransformerConfig,
)
from coursekit.transformer.count import (  # noqa: E402
    flops,
    measured_flops,
    num_parameters,
    parameters_by_part,
    recurrent_flops,
    skeleton,
)
from coursekit.transformer.embeddings import Embeddings  # noqa: E402
from coursekit.transformer.encoder_decoder import EncoderDecoder, Memory  # noqa: E402
from coursekit.transformer.experts import MixtureOfExperts, balance_loss  # noqa: E402
from coursekit.transformer.feedforward import FeedForward  # noqa: E402
from coursekit.transformer.gpt import GPT  # noqa: E402
from coursekit.transformer.induction import (  # noqa: E402
    induction_score,
    previous_token_score,
    repeated_sequences,
)
from coursekit.transformer.initialise import normal_weights, xavier_weights  # noqa: E402
from coursekit.transformer.layouts import (  # noqa: E402
    Slot,
    bert_layout,
    from_published,
    gpt2_layout,
    llama_layout,
    to_published,
)
from coursekit.transformer.linear import (  # noqa: E402
    feature_map,
    linear_attention,
    linear_attention_recurrent,
)
from coursekit.transformer.maps import attention_maps  # noqa: E402
from coursekit.transformer.masked_lm import mask_tokens, masked_lm_loss  # noqa: E402
from coursekit.transformer.masks import padding_mask, prefix_mask  # noqa: E402
from coursekit.transformer.multihead import MultiHeadAttention  # noqa: E402
from coursekit.transformer.norms import LayerNorm, RMSNorm  # noqa: E402
from coursekit.transformer.positions import (  # noqa: E402
    LearnedPositions,
    alibi_bias,
    alibi_slopes,
    rotary,
    sinusoidal,
)
from coursekit.transformer.ssm import DiagonalSSM  # noqa: E402
from coursekit.transformer.trained import (  # noqa: E402
    complete,
    evaluate_gpt,
    evaluate_induction,
    evaluate_masked_lm,
    french_ids,
    load_gpt,
    load_induction,
    load_masked_lm,
    load_translator,
)
from coursekit.transformer.training import (  # noqa: E402
    induction_loss,
    random_batches,
    train_induction,
    train_language_model,
    train_masked_lm,
)

__all__ = [
    "BERT_BASE",
    "GPT",
    "GPT2",
    "GPT2_LARGE",
    "GPT2_MEDIUM",
    "GPT2_XL",
    "LLAMA_2_7B",
    "LLAMA_3_8B",
    "TRANSFORMER_BASE",
    "Bert",
    "Block",
    "DiagonalSSM",
    "Embeddings",
    "EncoderDecoder",
    "FeedForward",
    "LayerNorm",
    "LearnedPositions",
    "MaskedLanguageModel",
    "Memory",
    "MixtureOfExperts",
    "MultiHeadAttention",
    "RMSNorm",
    "Slot",
    "TransformerConfig",
    "alibi_bias",
    "alibi_slopes",
    "attention_maps",
    "balance_loss",
    "bert_layout",
    "column_attention",
    "column_multi_head",
    "complete",
    "evaluate_gpt",
    "evaluate_induction",
    "evaluate_masked_lm",
    "feature_map",
    "flops",
    "french_ids",
    "from_published",
    "gpt2_layout",
    "induction_loss",
    "induction_score",
    "linear_attention",
    "linear_attention_recurrent",
    "llama_layout",
    "load_gpt",
    "load_induction",
    "load_masked_lm",
    "load_translator",
    "make_norm",
    "mask_tokens",
    "masked_lm_loss",
    "measured_flops",
    "normal_weights",
    "num_parameters",
    "padding_mask",
    "parameters_by_part",
    "prefix_mask",
    "previous_token_score",
    "random_batches",
    "recurrent_flops",
    "repeated_sequences",
    "rotary",
    "sinusoidal",
    "skeleton",
    "to_published",
    "train_induction",
    "train_language_model",
    "train_masked_lm",
    "xavier_weights",
]
