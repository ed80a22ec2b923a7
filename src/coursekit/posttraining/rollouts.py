"""Let a policy answer, and keep what learning from its answers needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from coursekit._validate import count
from coursekit.posttraining.examples import Batch, Example, pad_examples
from coursekit.posttraining.grpo import group_advantages
from coursekit.posttraining.masked import finite, token_log_probs
from coursekit.posttraining.tasks import Problem, is_right
from coursekit.posttraining.templates import END, Turn, chat_ids
from coursekit.pretraining import Sampling, Tokenizer, generate
from coursekit.transformer import GPT

Reward = Callable[[Problem, str], float]


class Rollouts(NamedTuple):
    """G answers to each of P problems, in the problems' order.

    Attributes
    ----------
    batch : Batch
        Prompts and answers, B = P G rows.
    texts : list of str
        The answers.
    rewards : Tensor, shape (P, G)
        What each one earned.
    old : Tensor, shape (B, N - 1)
        Log-probabilities of the tokens under the policy that drew them.
    reference : Tensor, shape (B, N - 1), or None
        Those under the reference.
    """

    batch: Batch
    texts: list[str]
    rewards: Tensor
    old: Tensor
    reference: Tensor | None

    def advantages(self, *, scale: bool = True) -> Tensor:
        """Return each answer's advantage within its group, shape (B,)."""
        return group_advantages(self.rewards, scale=scale).flatten()

    def divergence(self) -> float:
        """Return the mean KL divergence from the reference, in nats an answer.

        Raises
        ------
        ValueError
            If there is no reference.
        """
        if self.reference is None:
            raise ValueError("these answers were drawn without a reference to compare with.")
        log_ratio = torch.where(self.batch.targets, self.old - self.reference, 0.0)
        return float(log_ratio.sum(-1).mean())


def prompt_ids(tokenizer: Tokenizer, problem: Problem) -> list[int]:
    """Return a problem as the opening of a conversation.

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> from coursekit.posttraining.templates import CHAT_TOKENS
    >>> tokenizer = train_bpe("to be", 259, CHAT_TOKENS)
    >>> tokenizer.decode(prompt_ids(tokenizer, Problem("add", "1 + 1?", "2", (1, 1))))
    '<|user|>1 + 1?<|end|><|assistant|>'
    """
    return chat_ids(tokenizer, [Turn("user", problem.instruction)])


def verified(problem: Problem, text: str) -> float:
    """Return 1 for a right answer and 0 for any other: a reward that cannot be talked round.

    Examples
    --------
    >>> verified(Problem("add", "1 + 1?", "2", (1, 1)), "2")
    1.0
    """
    return float(is_right(problem, text))


MARK = "Answer: "
"""What some write before an answer; :func:`~coursekit.posttraining.parse_answer` reads past it."""


def brief(problem: Problem, text: str) -> float:
    """Return 1 for a right answer, half of it for one that stands after a mark, and else 0.

    Examples
    --------
    >>> problem = Problem("add", "1 + 1?", "2", (1, 1))
    >>> brief(problem, "2"), brief(problem, "Answer: 2"), brief(problem, "3")
    (1.0, 0.5, 0.0)
    """
    return verified(problem, text) * (0.5 if text.startswith(MARK) else 1.0)


REWARDS: dict[str, Reward] = {"verified": verified, "brief": brief}


@torch.no_grad()
def roll_out(
    model: GPT,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    *,
    group: int = 1,
    reward: Reward = verified,
    reference: GPT | None = None,
    sampling: Sampling | None = None,
    max_new_tokens: int = 16,
    seed: int = 0,
) -> Rollouts:
    """Draw answers, and ask for the reward of each.

    Parameters
    ----------
    model : GPT
        The policy; put into evaluation mode and back.
    tokenizer : Tokenizer
        The policy's, with the tokens of a conversation.
    problems : sequence of Problem
        P of them.
    group : int
        Answers to each, G.
    reward : callable
        ``reward(problem, text)`` gives a number.
    reference : GPT, optional
        What the policy should not stray from.
    sampling : Sampling, optional
        How answers are drawn; by default from the model's own distribution, of which the losses
        speak.
    max_new_tokens : int
        Longest answer.
    seed : int
        Answer i draws from a generator at seed + i.

    Returns
    -------
    Rollouts

    Raises
    ------
    ValueError
        If there is no problem, or a reward is not finite; says which answer earned it.

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> from coursekit.posttraining.templates import CHAT_TOKENS
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(259, 8, n_layers=1, n_heads=2))
    >>> tokenizer = train_bpe("to be", 259, CHAT_TOKENS)
    >>> problem = Problem("add", "1 + 1?", "2", (1, 1))
    >>> roll_out(model, tokenizer, [problem], group=4).rewards.shape
    torch.Size([1, 4])
    """
    if not problems:
        raise ValueError("there is no problem to answer.")
    repeated = [p for p in problems for _ in range(count(group, "group"))]  # B = P G
    prompts, end = [prompt_ids(tokenizer, p) for p in repeated], tokenizer.token(END)
    training = model.training
    model.eval()
    written = generate(
        model,
        prompts,
        max_new_tokens=max_new_tokens,
        sampling=Sampling() if sampling is None else sampling,
        stop=(end,),
        seed=seed,
    )
    answers = [(*w.ids, end) if w.reason == "stop" else w.ids for w in written]
    rows = pad_examples([Example(tuple(p), a) for p, a in zip(prompts, answers, strict=True)])
    device = model.embeddings.tokens.weight.device
    batch = Batch(*(x.to(device) for x in rows))
    texts = [tokenizer.decode(w.ids) for w in written]
    rewards = torch.tensor([reward(p, t) for p, t in zip(repeated, texts, strict=True)])
    old = token_log_probs(model, batch.ids)
    kept = None if reference is None else token_log_probs(reference.eval(), batch.ids)
    model.train(training)
    shaped = finite(rewards.float().view(len(problems), group), "rewards")  # (P, G)
    return Rollouts(batch, texts, shaped, old, kept)
