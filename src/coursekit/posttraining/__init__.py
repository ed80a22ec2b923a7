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
from coursekit.posttraining.preferences import RewardModel, bradley_terry_loss, fit_bradley_terry
from coursekit.posttraining.rollouts import Rollouts, prompt_ids, roll_out, verified
from coursekit.posttraining.run import posttrain, prepared, read_posttraining
from coursekit.posttraining.scores import Rate, majority_vote, pass_at_k, win_rate
from coursekit.posttraining.sft import ProblemBatches, demonstration, supervised_loss
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

__all__ = [
    "ASSISTANT",
    "CHAT_TOKENS",
    "END",
    "TASKS",
    "USER",
    "AdaptiveKL",
    "Advantages",
    "Batch",
    "Estimates",
    "Example",
    "GroupBatches",
    "LoRALinear",
    "LowRank",
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
    "adapt",
    "add_lora",
    "answers",
    "best_baseline",
    "bradley_terry_loss",
    "calibration_error",
    "chat_ids",
    "clipped_objective",
    "demonstration",
    "document_mask",
    "dpo_loss",
    "draw_pairs",
    "draw_problems",
    "exact_match",
    "expected_reward_gradient",
    "finite",
    "first_fit",
    "fit_bradley_terry",
    "generalised_advantages",
    "group_advantages",
    "group_loss",
    "grpo_loss",
    "held_out_problems",
    "implicit_reward",
    "instruction_prompt",
    "is_right",
    "kl_divergence",
    "kl_estimate",
    "learn_last_rows",
    "lora_layers",
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
    "preference_loss",
    "prepared",
    "prompt_ids",
    "read_posttraining",
    "reliability",
    "response_log_probs",
    "response_mask",
    "roll_out",
    "sampled_gradients",
    "sampled_reward",
    "sft_loss",
    "starting_model",
    "supervised_loss",
    "token_log_probs",
    "trained_part",
    "value_loss",
    "verified",
    "whiten",
    "win_rate",
    "with_chat_tokens",
]
