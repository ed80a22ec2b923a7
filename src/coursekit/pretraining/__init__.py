"""Chapter 06: how a language model is made.

Text to tokens, tokens to batches, a model trained on them, and text out of it again; on the blocks
of :mod:`coursekit.transformer`.
"""

# ruff: noqa: E402 - where torch is absent, the reader gets a sentence before the imports fail
from coursekit import optional

optional.require("torch")

from coursekit.pretraining.beams import beam
from coursekit.pretraining.bpe import count_words, train_bpe
from coursekit.pretraining.cache import KeyValueCache, cache_bytes, cached_hidden
from coursekit.pretraining.continuous import Batcher, Request, Served, serve, serve_static
from coursekit.pretraining.corpus import BOOK, Document, book_corpus, python_docs, split_documents
from coursekit.pretraining.course_tokenizer import (
    END_OF_TEXT,
    course_split,
    load_tokenizer,
    train_tokenizer,
)
from coursekit.pretraining.decoding import Generation, Token, generate, stream
from coursekit.pretraining.kneser_ney import KneserNey, estimated_discounts
from coursekit.pretraining.naive_bpe import count_pairs, merge_pair, train_naive_bpe
from coursekit.pretraining.packed import Header, open_packed, read_header, write_packed
from coursekit.pretraining.pattern import pre_tokenise
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
from coursekit.pretraining.speculative import (
    Speculation,
    accept,
    accept_probability,
    acceptance,
    expected_tokens,
    residual,
    speculate,
)
from coursekit.pretraining.tokenizer import Tokenizer

__all__ = [
    "BOOK",
    "END_OF_TEXT",
    "BatchSampler",
    "Batcher",
    "Document",
    "Generation",
    "Header",
    "KeyValueCache",
    "KneserNey",
    "Request",
    "Sampling",
    "Served",
    "Speculation",
    "Token",
    "Tokenizer",
    "accept",
    "accept_probability",
    "acceptance",
    "apply_temperature",
    "beam",
    "book_corpus",
    "cache_bytes",
    "cached_hidden",
    "count_pairs",
    "count_words",
    "course_split",
    "estimated_discounts",
    "expected_tokens",
    "generate",
    "load_tokenizer",
    "merge_pair",
    "min_p",
    "next_probabilities",
    "open_packed",
    "pre_tokenise",
    "python_docs",
    "read_header",
    "repetition_penalty",
    "residual",
    "serve",
    "serve_static",
    "speculate",
    "split_documents",
    "stream",
    "top_k",
    "top_p",
    "train_bpe",
    "train_naive_bpe",
    "train_tokenizer",
    "write_packed",
]
