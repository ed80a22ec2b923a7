"""Group relative policy optimisation with the trainer: every batch is what the policy says now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.posttraining.grpo import grpo_loss
from coursekit.posttraining.masked import token_log_probs
from coursekit.posttraining.rollouts import Reward, roll_out, verified
from coursekit.posttraining.sft import (
    LONGEST,
    check_same_draws,
    check_share,
    problems_of_step,
)
from coursekit.posttraining.tasks import TASKS
from coursekit.pretraining import Sampling, Tokenizer
from coursekit.pretraining.batches import Loss, Measured
from coursekit.transformer import GPT


class GroupBatches:
    """Batches of G answers to each of P problems, drawn from the policy at every step.

    One update for each batch: the probability ratio is 1 when the gradient is taken, as in Shao et
    al. (2024). Problems and answers follow from seed, step and the policy's weights alone.

    Parameters
    ----------
    model, tokenizer
        The policy, which the trainer changes in place, and its tokenizer.
    reference : GPT
        What the policy should not stray from.
    prompts, group : int
        P problems a batch on all processes together, and G answers to each.
    tasks : sequence of str
        Names in `TASKS`; one that stands twice is drawn twice as often.
    reward : callable
        ``reward(problem, text)`` gives a number.
    scale : bool
        As in :func:`~coursekit.posttraining.group_advantages`.
    sampling : Sampling, optional
        How answers are drawn; by default from the policy's own distribution.
    max_new_tokens : int
        Longest answer.
    seed : int
        Decides problems and draws.
    rank, world_size : int
        This process's number, and how many there are.

    Raises
    ------
    ValueError
        If a group has fewer than two answers, the processes cannot share the problems, or the
        reference has another vocabulary.

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> from coursekit.posttraining.templates import CHAT_TOKENS
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(259, 8, n_layers=1, n_heads=2))
    >>> tokenizer = train_bpe("to be", 259, CHAT_TOKENS)
    >>> batches = GroupBatches(model, tokenizer, model, prompts=2, group=4)
    >>> ids, mask, old, reference, advantages, rewards = batches.next()
    >>> len(ids), mask.shape == old.shape == reference.shape, advantages.shape
    (8, True, torch.Size([8]))
    """

    context = LONGEST

    def __init__(
        self,
        model: GPT,
        tokenizer: Tokenizer,
        reference: GPT,
        *,
        prompts: int,
        group: int,
        tasks: Sequence[str] = tuple(TASKS),
        reward: Reward = verified,
        scale: bool = True,
        sampling: Sampling | None = None,
        max_new_tokens: int = 16,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.model, self.tokenizer, self.reference = model, tokenizer, reference
        self.prompts, self.group = count(prompts, "prompts"), count(group, "group", least=2)
        self.tasks, self.reward, self.scale = tuple(tasks), reward, scale
        self.sampling, self.max_new_tokens = sampling, max_new_tokens
        self.seed, self.rank, self.world_size, self.step = seed, rank, world_size, 0
        self.batch_size = self.prompts * self.group  # answers, on all processes together
        check_share(prompts, rank, world_size)
        if reference.config.vocab_size != model.config.vocab_size:
            raise ValueError(
                f"the policy has {model.config.vocab_size} tokens and the reference "
                f"{reference.config.vocab_size}: their probabilities cannot be compared. Take a "
                "reference with the policy's own tokenizer."
            )

    def next(self) -> tuple[Tensor, ...]:
        """Let the policy answer the next problems.

        Returns
        -------
        ids : Tensor of int64, shape (B, N)
            Prompts and answers; B is this process's share of `batch_size`.
        mask, old, reference : Tensor, shape (B, N - 1)
            Where the next token is the answer's, and the log-probabilities of all tokens under the
            policy and the reference.
        advantages, rewards : Tensor, shape (B,)
            Of the answers.
        """
        problems = problems_of_step(self.prompts, self.seed, self.step, self.tasks)
        share = self.prompts // self.world_size
        first = self.rank * share
        found = roll_out(
            *(self.model, self.tokenizer, problems[first : first + share]),
            group=self.group,
            reward=self.reward,
            reference=self.reference,
            sampling=self.sampling,
            max_new_tokens=self.max_new_tokens,
            seed=(self.seed * 1_000_003 + self.step) * self.batch_size + first * self.group,
        )
        self.step += 1
        assert found.reference is not None
        ids, targets = found.batch.ids, found.batch.targets
        advantages, rewards = found.advantages(scale=self.scale), found.rewards.flatten()
        return ids, targets, found.old, found.reference, advantages, rewards

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on from here, the policy's weights aside."""
        return {"step": self.step, **self._settings()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another source was; a ValueError if it drew otherwise."""
        check_same_draws(state, self._settings())
        self.step = int(state["step"])

    def _settings(self) -> dict[str, Any]:
        shape = {"prompts": self.prompts, "group": self.group}
        return {**shape, "seed": self.seed, "tasks": list(self.tasks)}


def group_loss(
    *, clip: float | tuple[float, float] = 0.2, beta: float = 0.04, over: str = "rows"
) -> Loss:
    """Return the loss of group relative policy optimisation, as the trainer wants it.

    Parameters
    ----------
    clip, beta, over
        As in :func:`~coursekit.posttraining.grpo_loss`. Where several parts or processes share a
        batch, ``over="tokens"`` is the mean of each part's tokens.

    Returns
    -------
    callable
        ``loss(model, ids, mask, old, reference, advantages, rewards)`` gives ``loss``, and of the
        answers the mean ``reward``, ``kl`` (an unbiased estimate of the divergence from the
        reference, in nats an answer) and ``length`` in tokens.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(10, 8, n_layers=1, n_heads=2))
    >>> ids, mask = torch.tensor([[1, 2, 3], [1, 4, 5]]), torch.tensor([[0, 1], [1, 1]])
    >>> old = token_log_probs(model, ids).detach()
    >>> seen = group_loss()(model, ids, mask, old, old, torch.tensor([1.0, -1.0]), torch.ones(2))
    >>> {name: round(value.item(), 3) for name, value in seen.items() if name != "loss"}
    {'reward': 1.0, 'kl': 0.0, 'length': 1.5}
    """

    def loss(
        model: nn.Module,
        ids: Tensor,
        mask: Tensor,
        old: Tensor,
        reference: Tensor,
        advantages: Tensor,
        rewards: Tensor,
    ) -> Measured:
        log_probs = token_log_probs(model, ids)  # (B, N - 1)
        value = grpo_loss(
            log_probs, old, reference, advantages, mask, clip=clip, beta=beta, over=over
        )
        strayed = torch.where(mask.bool(), old - reference, 0.0).sum(-1)  # (B,)
        return {
            "loss": value,
            "reward": rewards.mean(),
            "kl": strayed.mean(),
            "length": mask.sum(-1).to(value).mean(),
        }

    return loss
