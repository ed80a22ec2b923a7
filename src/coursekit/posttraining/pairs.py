"""Pairs of a right and a wrong answer, and direct preference optimisation with the trainer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.posttraining.dpo import dpo_loss
from coursekit.posttraining.examples import Example, pad_examples
from coursekit.posttraining.masked import token_log_probs
from coursekit.posttraining.rollouts import Reward, prompt_ids, roll_out, verified
from coursekit.posttraining.sft import LONGEST, check_same_draws, check_share
from coursekit.posttraining.tasks import Problem
from coursekit.posttraining.templates import END
from coursekit.pretraining import Tokenizer
from coursekit.pretraining.batches import Loss, Measured
from coursekit.transformer import GPT


class Pair(NamedTuple):
    """A prompt with a preferred and another response, as tokens.

    Attributes
    ----------
    prompt, chosen, rejected : tuple of int
        The responses end with their end token where they ended.
    """

    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]


def draw_pairs(
    model: GPT,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    *,
    group: int = 4,
    reward: Reward = verified,
    max_new_tokens: int = 16,
    at_once: int = 64,
    seed: int = 0,
) -> list[Pair]:
    """Let a policy answer, and pair the answer of the highest reward with that of the lowest.

    A problem whose answers all earn the same gives no pair, unless they earn nothing: then the
    task's own answer is the preferred one.

    Parameters
    ----------
    model, tokenizer
        The policy that shall be improved, and its tokenizer.
    problems : sequence of Problem
        At most one pair each.
    group : int
        Answers to each problem.
    reward : callable
        ``reward(problem, text)`` gives a number, 0 for a wrong answer.
    max_new_tokens : int
        Longest answer.
    at_once : int
        Problems in a batch.
    seed : int
        Of the answers.

    Returns
    -------
    list of Pair

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> from coursekit.posttraining.templates import CHAT_TOKENS
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(259, 8, n_layers=1, n_heads=2))
    >>> tokenizer = train_bpe("to be", 259, CHAT_TOKENS)
    >>> problem = Problem("maker", "Whose chip?", "AMD", ("", "AMD"))
    >>> [pair] = draw_pairs(model, tokenizer, [problem])
    >>> tokenizer.decode(pair.chosen)  # a model that was never trained has no right answer
    'AMD<|end|>'
    """
    pairs, end = list[Pair](), tokenizer.token(END)
    for start in range(0, len(problems), count(at_once, "at_once")):
        some = problems[start : start + at_once]
        found = roll_out(
            *(model, tokenizer, some),
            group=group,
            reward=reward,
            max_new_tokens=max_new_tokens,
            seed=seed + start * group,
        )
        said = [tuple(ids[m].tolist()) for ids, m in zip(*found.batch, strict=True)]  # P G of them
        for i, problem in enumerate(some):
            answers, earned = said[i * group : (i + 1) * group], found.rewards[i]
            best, worst = int(earned.argmax()), int(earned.argmin())
            own = (*tokenizer.encode(problem.answer, specials=False), end)
            chosen = answers[best] if earned[best] > 0 else own
            if earned[best] > earned[worst] or not earned.any():
                prompt = tuple(prompt_ids(tokenizer, problem))
                pairs.append(Pair(prompt, chosen, answers[worst]))
    return pairs


class PairBatches:
    """Batches of pairs, with what the reference says of them; each epoch in a new order.

    Parameters
    ----------
    pairs : sequence of Pair
        All there are.
    reference : GPT
        What the policy is compared with; asked once for each pair.
    batch_size : int
        Pairs in a batch, on all processes together.
    seed : int
        Of the order.
    rank, world_size : int
        This process's number, and how many there are.

    Raises
    ------
    ValueError
        If there are fewer pairs than a batch has, or a token is not in the reference's vocabulary.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> reference = GPT(TransformerConfig(10, 8, n_layers=1, n_heads=2))
    >>> batches = PairBatches([Pair((1,), (2, 3), (4,))] * 4, reference, batch_size=2)
    >>> [x.shape for x in batches.next()]
    [torch.Size([2, 2, 3]), torch.Size([2, 2, 2]), torch.Size([2, 2])]
    """

    context = LONGEST

    def __init__(
        self,
        pairs: Sequence[Pair],
        reference: GPT,
        batch_size: int,
        *,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.batch_size, self.seed = count(batch_size, "batch_size"), seed
        self.rank, self.world_size, self.step = rank, world_size, 0
        check_share(self.batch_size, rank, world_size)
        if len(pairs) < batch_size:
            raise ValueError(
                f"there are {len(pairs)} pairs, and a batch has {batch_size}; draw more problems, "
                "or more answers to each: a problem whose answers are all right gives no pair."
            )
        rows = [Example(p.prompt, a) for p in pairs for a in (p.chosen, p.rejected)]
        batch = pad_examples(rows)
        check_vocabulary(reference, batch.ids)
        self.ids = batch.ids.view(len(pairs), 2, -1)  # (n, 2, N)
        self.mask = batch.targets.reshape(len(pairs), 2, -1)  # (n, 2, N - 1)
        self.reference = _said_of(reference, batch.ids, batch.targets).view(-1, 2)  # (n, 2)

    def next(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the next batch.

        Returns
        -------
        ids : Tensor of int64, shape (B, 2, N)
            The preferred and the other response, after the prompt.
        mask : Tensor of bool, shape (B, 2, N - 1)
            True where the next token is the response's.
        reference : Tensor, shape (B, 2)
            The reference's log-probabilities of the responses.
        """
        first = self.step * self.batch_size + self.rank
        mine = range(first, (self.step + 1) * self.batch_size, self.world_size)
        rows = [self._row(n) for n in mine]
        self.step += 1
        return self.ids[rows], self.mask[rows], self.reference[rows]

    def _row(self, n: int) -> int:
        epoch, place = divmod(n, len(self.ids))
        return int(np.random.default_rng([self.seed, epoch]).permutation(len(self.ids))[place])

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on from here."""
        return {"step": self.step, **self._settings()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another source was; a ValueError if it had other pairs."""
        check_same_draws(state, self._settings())
        self.step = int(state["step"])

    def _settings(self) -> dict[str, Any]:
        pairs = {"pairs": len(self.ids), "tokens": int(self.mask.sum())}
        return {"batch_size": self.batch_size, "seed": self.seed, **pairs}


@torch.no_grad()
def _said_of(reference: GPT, ids: Tensor, mask: Tensor, at_once: int = 128) -> Tensor:
    """Return the reference's log-probability of each response, shape (B,)."""
    reference.eval()
    device = reference.embeddings.tokens.weight.device
    parts = zip(ids.to(device).split(at_once), mask.to(device).split(at_once), strict=True)
    return torch.cat([_summed(token_log_probs(reference, i), m) for i, m in parts]).cpu()


def _summed(log_probs: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask, log_probs, 0.0).sum(-1)


def check_vocabulary(reference: GPT, ids: Tensor) -> None:
    """Refuse a reference that does not know all tokens of the responses.

    Raises
    ------
    ValueError
        If a token is beyond its vocabulary.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> reference = GPT(TransformerConfig(10, 8, n_layers=1, n_heads=2))
    >>> check_vocabulary(reference, torch.tensor([[3, 12]]))
    Traceback (most recent call last):
    ValueError: the responses have the token 12 and the reference knows 10: another vocabulary. \
Take a reference with the policy's own tokenizer.
    """
    known, largest = reference.config.vocab_size, int(ids.max())
    if largest >= known:
        raise ValueError(
            f"the responses have the token {largest} and the reference knows {known}: another "
            "vocabulary. Take a reference with the policy's own tokenizer."
        )


def preference_loss(
    *,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
    per_token: bool = False,
    imitation: float = 0.0,
) -> Loss:
    """Return the loss of direct preference optimisation, as the trainer wants it.

    Parameters
    ----------
    beta, label_smoothing : float
        As in :func:`~coursekit.posttraining.dpo_loss`.
    per_token : bool
        Whether log-probabilities a token are compared, its length-normalised variant.
    imitation : float
        Weight of the preferred responses' cross-entropy a token, which keeps their probability
        from falling together with the other's (Pang et al., 2024, equation 1).

    Returns
    -------
    callable
        ``loss(model, ids, mask, reference)`` gives ``loss``, the implicit rewards' ``margin``,
        ``accuracy`` (how often the preferred response has the larger one), and how far the
        policy's log-probability has moved from the reference's for the ``chosen`` and for the
        ``rejected`` responses, in nats.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> model = GPT(TransformerConfig(10, 8, n_layers=1, n_heads=2))
    >>> batch = PairBatches([Pair((1,), (2, 3), (4,))], model, batch_size=1).next()
    >>> round(preference_loss()(model, *batch)["loss"].item(), 4)  # at the reference: log 2
    0.6931
    """

    def loss(model: nn.Module, ids: Tensor, mask: Tensor, reference: Tensor) -> Measured:
        log_probs = token_log_probs(model, ids.flatten(0, 1))  # (2 B, N - 1)
        chosen, rejected = _summed(log_probs, mask.flatten(0, 1)).view(-1, 2).unbind(1)  # (B,)
        old = reference.unbind(1)
        n = mask.sum(-1)  # (B, 2)
        lengths = (n[:, 0], n[:, 1]) if per_token else None
        imitated = -(chosen / n[:, 0]).mean()
        value = dpo_loss(
            *(chosen, rejected, *old),
            beta=beta,
            label_smoothing=label_smoothing,
            lengths=lengths,
        )
        moved = chosen.detach() - old[0], rejected.detach() - old[1]
        wins = (moved[0] > moved[1]).to(value)
        return {
            "loss": value + imitation * imitated,
            "margin": beta * (moved[0] - moved[1]).mean(),
            "accuracy": wins.mean(),
            "chosen": moved[0].mean(),
            "rejected": moved[1].mean(),
        }

    return loss
