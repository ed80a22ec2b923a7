"""Supervised fine-tuning with the trainer: batches of problems with their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from coursekit._validate import count
from coursekit.posttraining.examples import Example, pad_examples
from coursekit.posttraining.masked import token_log_probs
from coursekit.posttraining.rollouts import MARK, prompt_ids
from coursekit.posttraining.tasks import TASKS, Problem, draw_problems
from coursekit.posttraining.templates import END
from coursekit.pretraining import Tokenizer
from coursekit.pretraining.batches import Measured

LONGEST = 64
"""Tokens of the longest prompt with its answer, for the count of operations."""


def demonstration(tokenizer: Tokenizer, problem: Problem, *, marked: bool = False) -> Example:
    """Return a problem and its right answer as what an assistant shall learn to say.

    Parameters
    ----------
    tokenizer : Tokenizer
        With the tokens of a conversation.
    problem : Problem
        What is asked, and a right answer.
    marked : bool
        Whether the answer stands after ``"Answer: "``.

    Returns
    -------
    Example
        The answer ends with the end token: to stop is learned too.

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> from coursekit.posttraining.templates import CHAT_TOKENS
    >>> tokenizer = train_bpe("to be", 259, CHAT_TOKENS)
    >>> example = demonstration(tokenizer, Problem("add", "1 + 1?", "2", (1, 1)))
    >>> tokenizer.decode(example.response)
    '2<|end|>'
    """
    answer = tokenizer.encode(MARK * marked + problem.answer, specials=False)
    return Example(tuple(prompt_ids(tokenizer, problem)), (*answer, tokenizer.token(END)))


class ProblemBatches:
    """Batches of problems with their answers, drawn anew at every step.

    Which problems a step has follows from seed and step alone, so the state is one number.

    Parameters
    ----------
    tokenizer : Tokenizer
        With the tokens of a conversation.
    batch_size : int
        Problems in a batch, on all processes together.
    tasks : sequence of str
        Names in `TASKS`; one that stands twice is drawn twice as often.
    marked : float
        Share of the answers that stand after ``"Answer: "``: people who write demonstrations have
        different habits, and a model learns them all.
    seed : int
        Decides the problems.
    rank, world_size : int
        This process's number, and how many there are.

    Raises
    ------
    ValueError
        If the processes cannot share a batch equally.

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> from coursekit.posttraining.templates import CHAT_TOKENS
    >>> batches = ProblemBatches(train_bpe("to be", 259, CHAT_TOKENS), batch_size=4)
    >>> ids, weights = batches.next()
    >>> len(ids), weights.sum(-1).mean().item()  # the rows' mean is a mean over tokens
    (4, 1.0)
    """

    context = LONGEST

    def __init__(
        self,
        tokenizer: Tokenizer,
        batch_size: int,
        *,
        tasks: Sequence[str] = tuple(TASKS),
        marked: float = 0.0,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.tokenizer, self.tasks, self.marked = tokenizer, tuple(tasks), marked
        self.batch_size, self.seed = count(batch_size, "batch_size"), seed
        self.rank, self.world_size, self.step = rank, world_size, 0
        check_share(self.batch_size, rank, world_size)

    def next(self) -> tuple[Tensor, Tensor]:
        """Return the next batch.

        Returns
        -------
        ids : Tensor of int64, shape (B, N)
            Prompts and answers; B is this process's share of `batch_size`.
        weights : Tensor, shape (B, N - 1)
            0 where the next token is the prompt's or padding; equal at all others, so that the
            mean of the rows' weighted sums is the mean over the whole batch's tokens.
        """
        problems = problems_of_step(self.batch_size, self.seed, self.step, self.tasks)
        marks = np.random.default_rng([self.seed, self.step, 1]).random(len(problems)) < self.marked
        pairs = zip(problems, marks, strict=True)
        batch = pad_examples([demonstration(self.tokenizer, p, marked=bool(m)) for p, m in pairs])
        weights = batch.targets * (self.batch_size / batch.targets.sum())  # (batch_size, N - 1)
        self.step += 1
        return batch.ids[self.rank :: self.world_size], weights[self.rank :: self.world_size]

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on from here."""
        return {"step": self.step, **self._settings()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another source was; a ValueError if it drew other problems."""
        check_same_draws(state, self._settings())
        self.step = int(state["step"])

    def _settings(self) -> dict[str, Any]:
        drawn = {"tasks": list(self.tasks), "marked": self.marked}
        return {"batch_size": self.batch_size, "seed": self.seed, **drawn}


def problems_of_step(n: int, seed: int, step: int, tasks: Sequence[str]) -> list[Problem]:
    """Return the problems of a step: the same for every process, and after every restart.

    Examples
    --------
    >>> problems_of_step(2, 0, 7, ["add"]) == problems_of_step(2, 0, 7, ["add"])
    True
    """
    return draw_problems(n, np.random.default_rng([seed, step]), tasks=tasks)


def check_share(rows: int, rank: int, world_size: int) -> None:
    """Refuse a batch that the processes cannot share equally.

    Raises
    ------
    ValueError
        Says who and how many.
    """
    if rows % world_size or not 0 <= rank < world_size:
        raise ValueError(
            f"process {rank} of {world_size} cannot have its share of {rows} rows; a batch size "
            "that the number of processes divides wanted."
        )


def check_same_draws(state: dict[str, Any], settings: dict[str, Any]) -> None:
    """Refuse to go on from the state of a source that drew something else.

    Raises
    ------
    ValueError
        Names the first difference.
    """
    for name, mine in settings.items():
        if state.get(name) != mine:
            raise ValueError(
                f"the saved batches have {name} {state.get(name)} and these {mine}; resume with "
                "the settings that the training began with."
            )


def supervised_loss(model: nn.Module, ids: Tensor, weights: Tensor) -> Measured:
    """Return the mean cross-entropy of the answers' tokens, as the trainer wants it.

    The same number as :func:`~coursekit.posttraining.sft_loss` of the whole batch, however many
    parts or processes share it.

    Parameters
    ----------
    model : nn.Module
        What learns.
    ids, weights : Tensor, shape (B, N) and (B, N - 1)
        As :meth:`ProblemBatches.next` gives them.

    Returns
    -------
    dict
        ``loss``, in nats a token.

    Examples
    --------
    >>> import torch
    >>> flat = nn.Embedding.from_pretrained(torch.zeros(2, 4))
    >>> supervised_loss(flat, torch.tensor([[0, 1]]), torch.ones(1, 1))  # ln 4
    {'loss': tensor(1.3863)}
    """
    log_probs = token_log_probs(model, ids)  # (B, N - 1)
    return {"loss": -(log_probs * weights).sum(-1).mean()}
