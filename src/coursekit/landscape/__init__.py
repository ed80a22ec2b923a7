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
from coursekit.landscape.energy import (
    DRAW,
    MACHINE,
    PUE,
    Range,
    carbon,
    carbon_range,
    energy_range,
    grid_range,
    run_on_this_machine,
    training_energy,
)
from coursekit.landscape.evaluation import (
    Question,
    Verdict,
    by_kind,
    evaluate_agent,
    load_questions,
)
from coursekit.landscape.fairness import (
    CRITERIA,
    Applicants,
    Rates,
    accept,
    applicants,
    calibration_by_group,
    calibration_gap,
    demographic_parity_gap,
    equalised_odds_gap,
    forced_false_positive_rate,
    group_rates,
    precision_gap,
    profit,
    thresholds_for,
)
from coursekit.landscape.fusion import QUESTIONS, Fusion, Pairs, blind, question_pairs, train_fusion
from coursekit.landscape.growth import (
    Exponential,
    Logistic,
    doubling_time,
    fit_exponential,
    fit_logistic,
    logistic,
)
from coursekit.landscape.injection import (
    ATTACKS,
    DEFENCES,
    TARGET,
    attack_table,
    attempt,
    gullible,
    poisoned,
)
from coursekit.landscape.model_card import ModelCard, model_card
from coursekit.landscape.planner import rule_planner
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
from coursekit.landscape.saliency import (
    completeness_gap,
    edges,
    gradient_saliency,
    integrated_gradients,
    randomised,
    rank_correlation,
)
from coursekit.landscape.text import Section, book_sections, words_of
from coursekit.landscape.toolbox import book_tools
from coursekit.landscape.trained import book_index, load_vectors
from coursekit.landscape.vit import VisionTransformer, patches, vision_config
from coursekit.landscape.words import LANGUAGES, Spelling, ngrams

__all__ = [
    "ATTACKS",
    "CRITERIA",
    "DEFENCES",
    "DRAW",
    "LANGUAGES",
    "MACHINE",
    "PUE",
    "QUESTIONS",
    "TARGET",
    "Action",
    "Applicants",
    "DenseIndex",
    "Exponential",
    "Fusion",
    "Hit",
    "HybridIndex",
    "ImageWordModel",
    "KeywordIndex",
    "Logistic",
    "ModelCard",
    "Observation",
    "Pairs",
    "Question",
    "Quote",
    "Quoter",
    "Range",
    "Rates",
    "Section",
    "Spelling",
    "Step",
    "Tool",
    "Trace",
    "Verdict",
    "VisionTransformer",
    "accept",
    "applicants",
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
    "calibration_by_group",
    "calibration_gap",
    "carbon",
    "carbon_range",
    "completeness_gap",
    "contrastive_loss",
    "demographic_parity_gap",
    "doubling_time",
    "edges",
    "energy_range",
    "equalised_odds_gap",
    "evaluate_agent",
    "fit_exponential",
    "fit_logistic",
    "forced_false_positive_rate",
    "gradient_saliency",
    "grid_range",
    "group_rates",
    "gullible",
    "integrated_gradients",
    "load_questions",
    "load_vectors",
    "logistic",
    "mean_reciprocal_rank",
    "model_card",
    "ngrams",
    "patches",
    "poisoned",
    "precision_gap",
    "profit",
    "question_pairs",
    "randomised",
    "rank_correlation",
    "rank_of",
    "recall_at",
    "retrieve",
    "rule_planner",
    "run_agent",
    "run_on_this_machine",
    "thresholds_for",
    "train_clip",
    "train_fusion",
    "training_energy",
    "vision_config",
    "words_of",
    "zero_shot",
]
