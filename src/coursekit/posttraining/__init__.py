"""Chapter 07: how a language model becomes an assistant.

Losses that learn from examples, comparisons and rewards, each held to a float64 reference, on the
models of :mod:`coursekit.pretraining`.
"""

# ruff: noqa: E402 - where torch is absent, the reader gets a sentence before the imports fail
from coursekit import optional

optional.require("torch")

from coursekit.posttraining.calibration import Reliability, calibration_error, reliability
from coursekit.posttraining.dpo import dpo_loss, implicit_reward
from coursekit.posttraining.examples import (
    Batch,
    Example,
    pad_examples,
    response_log_probs,
    sft_loss,
)
from coursekit.posttraining.groups import GroupBatches, group_loss
from coursekit.posttraining.grpo import group_advantages, grpo_loss
from coursekit.posttraining.kl import AdaptiveKL, kl_divergence, kl_estimate, penalised_rewards
from coursekit.posttraining.lora import LoRALinear, add_lora, learn_last_rows, lora_layers, merged
from coursekit.posttraining.masked import (
    finite,
    masked_mean,
    masked_sum,
    response_mask,
    token_log_probs,
)
from coursekit.posttraining.measure import (
    Sampled,
    Score,
    answers,
    exact_match,
    held_out_problems,
    sampled_reward,
)
from coursekit.posttraining.methods import (
    METHODS,
    MethodRow,
    MethodRun,
    MethodSettings,
    draw_sorting_pairs,
    run_method,
    table_of_methods,
)
from coursekit.posttraining.over_optimisation import (
    ClerkSettings,
    Climb,
    Judged,
    best_of_n_climb,
    climb,
    fit_gold_curve,
    gold_curve,
    gold_reward,
    human_answers,
    judge,
    questions,
    score,
    train_clerk,
    train_reward_model,
    turning_point,
)
from coursekit.posttraining.packing import (
    Packed,
    document_mask,
    first_fit,
    pack_examples,
    packed_log_probs,
    packed_sft_loss,
)
from coursekit.posttraining.pairs import Pair, PairBatches, draw_pairs, preference_loss
from coursekit.posttraining.policy_gradient import (
    Estimates,
    best_baseline,
    expected_reward_gradient,
    policy_gradient_loss,
    sampled_gradients,
)
from coursekit.posttraining.ppo import (
    Advantages,
    clipped_objective,
    generalised_advantages,
    ppo_loss,
    value_loss,
    whiten,
)
from coursekit.posttraining.ppo_loop import PPOSettings, PPOStep, ValueModel, ppo_update
from coursekit.posttraining.preferences import RewardModel, bradley_terry_loss, fit_bradley_terry
from coursekit.posttraining.rollouts import Rollouts, brief, prompt_ids, roll_out, verified
from coursekit.posttraining.run import posttrain, prepared, read_posttraining
from coursekit.posttraining.scores import Rate, majority_vote, pass_at_k, win_rate
from coursekit.posttraining.sft import ProblemBatches, demonstration, supervised_loss
from coursekit.posttraining.small_task import (
    SMALL,
    answer_batch,
    divergence_from,
    draw_rollouts,
    sorting_answers,
    sorting_prompts,
    sorting_reward,
    start_policy,
    train_sorter,
    write_answers,
)
from coursekit.posttraining.small_trained import load_climbs, load_methods
from coursekit.posttraining.start import LowRank, adapt, starting_model, trained_part
from coursekit.posttraining.tasks import TASKS, Problem, draw_problems, is_right, parse_answer
from coursekit.posttraining.templates import (
    ASSISTANT,
    CHAT_TOKENS,
    END,
    USER,
    Turn,
    chat_ids,
    instruction_prompt,
    with_chat_tokens,
)
from coursekit.posttraining.updates import grpo_update, reinforce_update
from coursekit.posttraining.voting import (
    best_of_n_kl,
    best_of_n_means,
    majority_probability,
    vote_rows,
    voting_curve,
)

__all__ = [
    "ASSISTANT",
    "CHAT_TOKENS",
    "END",
    "METHODS",
    "SMALL",
    "TASKS",
    "USER",
    "AdaptiveKL",
    "Advantages",
    "Batch",
    "ClerkSettings",
    "Climb",
    "Estimates",
    "Example",
    "GroupBatches",
    "Judged",
    "LoRALinear",
    "LowRank",
    "MethodRow",
    "MethodRun",
    "MethodSettings",
    "PPOSettings",
    "PPOStep",
    "Packed",
    "Pair",
    "PairBatches",
    "Problem",
    "ProblemBatches",
    "Rate",
    "Reliability",
    "RewardModel",
    "Rollouts",
    "Sampled",
    "Score",
    "Turn",
    "ValueModel",
    "adapt",
    "add_lora",
    "answer_batch",
    "answers",
    "best_baseline",
    "best_of_n_climb",
    "best_of_n_kl",
    "best_of_n_means",
    "bradley_terry_loss",
    "brief",
    "calibration_error",
    "chat_ids",
    "climb",
    "clipped_objective",
    "demonstration",
    "divergence_from",
    "document_mask",
    "dpo_loss",
    "draw_pairs",
    "draw_problems",
    "draw_rollouts",
    "draw_sorting_pairs",
    "exact_match",
    "expected_reward_gradient",
    "finite",
    "first_fit",
    "fit_bradley_terry",
    "fit_gold_curve",
    "generalised_advantages",
    "gold_curve",
    "gold_reward",
    "group_advantages",
    "group_loss",
    "grpo_loss",
    "grpo_update",
    "held_out_problems",
    "human_answers",
    "implicit_reward",
    "instruction_prompt",
    "is_right",
    "judge",
    "kl_divergence",
    "kl_estimate",
    "learn_last_rows",
    "load_climbs",
    "load_methods",
    "lora_layers",
    "majority_probability",
    "majority_vote",
    "masked_mean",
    "masked_sum",
    "merged",
    "pack_examples",
    "packed_log_probs",
    "packed_sft_loss",
    "pad_examples",
    "parse_answer",
    "pass_at_k",
    "penalised_rewards",
    "policy_gradient_loss",
    "posttrain",
    "ppo_loss",
    "ppo_update",
    "preference_loss",
    "prepared",
    "prompt_ids",
    "questions",
    "read_posttraining",
    "reinforce_update",
    "reliability",
    "response_log_probs",
    "response_mask",
    "roll_out",
    "run_method",
    "sampled_gradients",
    "sampled_reward",
    "score",
    "sft_loss",
    "sorting_answers",
    "sorting_prompts",
    "sorting_reward",
    "start_policy",
    "starting_model",
    "supervised_loss",
    "table_of_methods",
    "token_log_probs",
    "train_clerk",
    "train_reward_model",
    "train_sorter",
    "trained_part",
    "turning_point",
    "value_loss",
    "verified",
    "vote_rows",
    "voting_curve",
    "whiten",
    "win_rate",
    "with_chat_tokens",
    "write_answers",
]
