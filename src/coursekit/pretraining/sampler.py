"""Batches from a long row of tokens, in an order that a seed decides and that can be resumed."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from coursekit._validate import count


class BatchSampler:
    """Draws windows of tokens; each epoch shows every window once, in a new order.

    An epoch cuts the tokens into windows of `context` tokens each, from a beginning that is drawn
    anew, and shuffles them. Which window comes when follows from seed and step alone: the state to
    be saved is one number.

    Parameters
    ----------
    tokens : array_like of int, shape (n,)
        Documents end to end, such as from :func:`~coursekit.pretraining.open_packed`.
    batch_size : int
        Windows in a batch, on all processes together.
    context : int
        Tokens in a window, T.
    seed : int
        Decides the order.
    rank, world_size : int
        This process's number, and how many there are. Each gets its share of the same batch.

    Raises
    ------
    ValueError
        If there are not tokens enough for one window, or the batch cannot be shared out.

    Examples
    --------
    >>> x, y = BatchSampler(range(1000), batch_size=2, context=8, seed=1).next()
    >>> x.shape, bool((y == x + 1).all())
    (torch.Size([2, 8]), True)
    """

    def __init__(
        self,
        tokens: ArrayLike,
        batch_size: int,
        context: int,
        seed: int = 0,
        *,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.tokens = tokens if isinstance(tokens, np.ndarray) else np.asarray(tokens)
        self.batch_size, self.context = count(batch_size, "batch_size"), count(context, "context")
        self.seed, self.rank, self.world_size = count(seed, "seed", least=0), rank, world_size
        self.step = 0
        self._epoch, self._starts = -1, np.empty(0, dtype=np.int64)
        if self.batch_size % world_size or not 0 <= rank < world_size:
            raise ValueError(
                f"process {rank} of {world_size} cannot have its share of {batch_size} windows; "
                "a batch size that the number of processes divides wanted."
            )
        if self.windows < 1:
            raise ValueError(
                f"there are {len(self.tokens)} tokens, and a window of {context} with its targets "
                f"needs {context + 1}; take a shorter context or more text."
            )

    @property
    def windows(self) -> int:
        """How many windows an epoch has; one is left out so that their beginning can vary."""
        fit = (len(self.tokens) - 1) // self.context
        return fit - 1 if fit > 1 else fit

    def next(self) -> tuple[Tensor, Tensor]:
        """Return the next batch, and be ready for the one after it.

        Returns
        -------
        (Tensor, Tensor), both of shape (B, T) and int64
            Tokens, and for each the token after it. B is this process's share of `batch_size`.
        """
        first = self.step * self.batch_size + self.rank
        mine = range(first, (self.step + 1) * self.batch_size, self.world_size)
        starts = np.array([self._start(n) for n in mine])
        self.step += 1
        rows = self.tokens[starts[:, None] + np.arange(self.context + 1)]  # (B, T + 1)
        rows = torch.from_numpy(rows.astype(np.int64))
        return rows[:, :-1], rows[:, 1:]

    def _start(self, n: int) -> int:
        """Where the n-th window of the whole training begins."""
        epoch, place = divmod(n, self.windows)
        if epoch != self._epoch:
            self._epoch, self._starts = epoch, self._shuffled(epoch)
        return int(self._starts[place])

    def _shuffled(self, epoch: int) -> NDArray[np.int64]:
        rng = np.random.default_rng([self.seed, epoch])
        room = len(self.tokens) - 1 - self.windows * self.context
        shift = rng.integers(min(room, self.context - 1) + 1)
        return shift + self.context * rng.permutation(self.windows)

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on from here: plain numbers."""
        return {"step": self.step, **self._settings()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another sampler was.

        Raises
        ------
        ValueError
            If it had other tokens, another batch size, context or seed: the order would differ.
        """
        for name, mine in self._settings().items():
            if state.get(name) != mine:
                raise ValueError(
                    f"the saved sampler has {name} {state.get(name)} and this one {mine}; resume "
                    "with the settings and the tokens that the training began with."
                )
        self.step = int(state["step"])

    def _settings(self) -> dict[str, int]:
        return {
            "n_tokens": len(self.tokens),
            "batch_size": self.batch_size,
            "context": self.context,
            "seed": self.seed,
        }
