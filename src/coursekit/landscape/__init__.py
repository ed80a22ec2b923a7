"""Chapter 11: where AI is now, and where it is going.

Pictures and words in one space, vision transformers and fusion; retrieval over this book and an
agent that uses tools; fairness, saliency, energy and a model card, measured.
"""

# ruff: noqa: E402 - where torch is absent, the reader gets a sentence before the imports fail
from coursekit import optional

optional.require("torch")

from coursekit.landscape.agent import Action, Observation, Step, Tool, Trace, run_agent
from coursekit.landscape.ask import ask, book_agent
from coursekit.landscape.calculate import calculate
from coursekit.landscape.clip import (
    ImageWordModel,
    contrastive_loss,
    retrieve,
    train_clip,
    zero_shot,
)
from coursekit.landscape.fusion import QUESTIONS, Fusion, Pairs, blind, question_pairs, train_fusion
from coursekit.landscape.injection import (
    ATTACKS,
    DEFENCES,
    TARGET,
    attack_table,
    attempt,
    gullible,
    poisoned,
)
from coursekit.landscape.planner import rule_planner
from coursekit.landscape.questions import (
    Question,
    Verdict,
    by_kind,
    evaluate_agent,
    load_questions,
)
from coursekit.landscape.quote import Quote, Quoter
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
from coursekit.landscape.toolbox import book_tools
from coursekit.landscape.trained import book_index, load_vectors
from coursekit.landscape.vit import VisionTransformer, patches, vision_config
from coursekit.landscape.words import LANGUAGES, Spelling, ngrams

__all__ = [
    "ATTACKS",
    "DEFENCES",
    "LANGUAGES",
    "QUESTIONS",
    "TARGET",
    "Action",
    "DenseIndex",
    "Fusion",
    "Hit",
    "HybridIndex",
    "ImageWordModel",
    "KeywordIndex",
    "Observation",
    "Pairs",
    "Question",
    "Quote",
    "Quoter",
    "Section",
    "Spelling",
    "Step",
    "Tool",
    "Trace",
    "Verdict",
    "VisionTransformer",
    "ask",
    "attack_table",
    "attempt",
    "blind",
    "bm25_scores",
    "book_agent",
    "book_index",
    "book_sections",
    "book_tools",
    "by_kind",
    "calculate",
    "contrastive_loss",
    "evaluate_agent",
    "gullible",
    "load_questions",
    "load_vectors",
    "mean_reciprocal_rank",
    "ngrams",
    "patches",
    "poisoned",
    "question_pairs",
    "rank_of",
    "recall_at",
    "retrieve",
    "rule_planner",
    "run_agent",
    "train_clip",
    "train_fusion",
    "vision_config",
    "words_of",
    "zero_shot",
]
