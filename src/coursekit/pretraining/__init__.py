"""Chapter 06: how a language model is made.

Text to tokens, tokens to batches, a model trained on them, and text out of it again; on the blocks
of :mod:`coursekit.transformer`.
"""

# ruff: noqa: E402 - where torch is absent, the reader gets a sentence before the imports fail
from coursekit import optional

optional.require("torch")

from coursekit.pretraining.batches import Batches, next_token_loss
from coursekit.pretraining.beams import beam
from coursekit.pretraining.bpe import count_words, train_bpe
from coursekit.pretraining.budget import (
    Memory,
    flops_per_token,
    measured_peak,
    mfu,
    training_flops,
    training_memory,
)
from coursekit.pretraining.cache import KeyValueCache, cache_bytes, cached_hidden
from coursekit.pretraining.configs import (
    expected_initial_loss,
    gpt2_config,
    llama_config,
    quick_norms,
)
from coursekit.pretraining.continuous import Batcher, Request, Served, serve, serve_static
from coursekit.pretraining.corpus import BOOK, Document, book_corpus, python_docs, split_documents
from coursekit.pretraining.course_tokenizer import (
    END_OF_TEXT,
    course_split,
    load_tokenizer,
    train_tokenizer,
)
from coursekit.pretraining.decoding import Generation, Token, generate, stream
from coursekit.pretraining.distributed import LostProcessError, World
from coursekit.pretraining.downloads import Source, cache_folder, download
from coursekit.pretraining.evaluate import (
    bits_per_byte,
    corpus_nats,
    mean_loss,
    perplexity,
    token_nats,
)
from coursekit.pretraining.filtering import exact_duplicates, jaccard, quality, shingles
from coursekit.pretraining.kneser_ney import KneserNey, estimated_discounts
from coursekit.pretraining.metrics import Run, read_metrics
from coursekit.pretraining.naive_bpe import count_pairs, merge_pair, train_naive_bpe
from coursekit.pretraining.optim import AdamW, clip_gradients, decay_groups
from coursekit.pretraining.packed import Header, open_packed, read_header, write_packed
from coursekit.pretraining.pattern import pre_tokenise
from coursekit.pretraining.public import PUBLIC, cut_documents, gpt2_tokenizer, public_documents
from coursekit.pretraining.run import ConfigError, Plan, plan, pretrain, read_plan
from coursekit.pretraining.sampler import BatchSampler
from coursekit.pretraining.sampling import (
    Sampling,
    apply_temperature,
    min_p,
    next_probabilities,
    repetition_penalty,
    top_k,
    top_p,
)
from coursekit.pretraining.scaling import ScalingLaw, fit_scaling
from coursekit.pretraining.schedule import cosine_with_warmup
from coursekit.pretraining.settings import Settings
from coursekit.pretraining.signatures import chance_to_meet, minhash, near_duplicates
from coursekit.pretraining.speculative import (
    Speculation,
    accept,
    accept_probability,
    acceptance,
    expected_tokens,
    residual,
    speculate,
)
from coursekit.pretraining.state import StateError, read_state, write_state
from coursekit.pretraining.text import stream_text
from coursekit.pretraining.tokenizer import Tokenizer
from coursekit.pretraining.trained import load_lm, load_runs
from coursekit.pretraining.trainer import Trainer, train

__all__ = [
    "BOOK",
    "END_OF_TEXT",
    "PUBLIC",
    "AdamW",
    "BatchSampler",
    "Batcher",
    "Batches",
    "ConfigError",
    "Document",
    "Generation",
    "Header",
    "KeyValueCache",
    "KneserNey",
    "LostProcessError",
    "Memory",
    "Plan",
    "Request",
    "Run",
    "Sampling",
    "ScalingLaw",
    "Served",
    "Settings",
    "Source",
    "Speculation",
    "StateError",
    "Token",
    "Tokenizer",
    "Trainer",
    "World",
    "accept",
    "accept_probability",
    "acceptance",
    "apply_temperature",
    "beam",
    "bits_per_byte",
    "book_corpus",
    "cache_bytes",
    "cache_folder",
    "cached_hidden",
    "chance_to_meet",
    "clip_gradients",
    "corpus_nats",
    "cosine_with_warmup",
    "count_pairs",
    "count_words",
    "course_split",
    "cut_documents",
    "decay_groups",
    "download",
    "estimated_discounts",
    "exact_duplicates",
    "expected_initial_loss",
    "expected_tokens",
    "fit_scaling",
    "flops_per_token",
    "generate",
    "gpt2_config",
    "gpt2_tokenizer",
    "jaccard",
    "llama_config",
    "load_lm",
    "load_runs",
    "load_tokenizer",
    "mean_loss",
    "measured_peak",
    "merge_pair",
    "mfu",
    "min_p",
    "minhash",
    "near_duplicates",
    "next_probabilities",
    "next_token_loss",
    "open_packed",
    "perplexity",
    "plan",
    "pre_tokenise",
    "pretrain",
    "public_documents",
    "python_docs",
    "quality",
    "quick_norms",
    "read_header",
    "read_metrics",
    "read_plan",
    "read_state",
    "repetition_penalty",
    "residual",
    "serve",
    "serve_static",
    "shingles",
    "speculate",
    "split_documents",
    "stream",
    "stream_text",
    "token_nats",
    "top_k",
    "top_p",
    "train",
    "train_bpe",
    "train_naive_bpe",
    "train_tokenizer",
    "training_flops",
    "training_memory",
    "write_packed",
    "write_state",
]
