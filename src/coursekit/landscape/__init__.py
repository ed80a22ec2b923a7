"""Chapter 11: where AI is now, and where it is going.

Pictures and words in one space, vision transformers and fusion; retrieval over this book and an
agent that uses tools; fairness, saliency, energy and a model card, measured.
"""

# ruff: noqa: E402 - where torch is absent, the reader gets a sentence before the imports fail
from coursekit import optional

optional.require("torch")

from coursekit.landscape.clip import (
    ImageWordModel,
    contrastive_loss,
    retrieve,
    train_clip,
    zero_shot,
)
from coursekit.landscape.fusion import QUESTIONS, Fusion, Pairs, blind, question_pairs, train_fusion
from coursekit.landscape.retrieval import (
    DenseIndex,
    Hit,
    HybridIndex,
    KeywordIndex,
    bm25_scores,
    mean_reciprocal_rank,
    rank_of,
    recall_at,
)
from coursekit.landscape.text import Section, book_sections, words_of
from coursekit.landscape.trained import book_index, load_vectors
from coursekit.landscape.vit import VisionTransformer, patches, vision_config
from coursekit.landscape.words import LANGUAGES, Spelling, ngrams

__all__ = [
    "LANGUAGES",
    "QUESTIONS",
    "DenseIndex",
    "Fusion",
    "Hit",
    "HybridIndex",
    "ImageWordModel",
    "KeywordIndex",
    "Pairs",
    "Section",
    "Spelling",
    "VisionTransformer",
    "blind",
    "bm25_scores",
    "book_index",
    "book_sections",
    "contrastive_loss",
    "load_vectors",
    "mean_reciprocal_rank",
    "ngrams",
    "patches",
    "question_pairs",
    "rank_of",
    "recall_at",
    "retrieve",
    "train_clip",
    "train_fusion",
    "vision_config",
    "words_of",
    "zero_shot",
]
