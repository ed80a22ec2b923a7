"""How to train: every choice with its usual value."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from coursekit._validate import count
from coursekit.pretraining.schedule import cosine_with_warmup

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Settings:
    """How to train.

    Parameters
    ----------
    steps : int
        Updates of the weights.
    lr : float
        Highest learning rate.
    lr_min : float
        Last learning rate.
    warmup : int
        Steps until the highest.
    betas : pair of float
        Of AdamW's two means.
    weight_decay : float
        Of matrices.
    clip : float
        Largest norm of the gradient.
    accumulation : int
        Parts that each batch is computed in, one after the other, to need less memory.
    precision : {"float32", "bfloat16"}
        bfloat16 by autocast: matrix products in 16 bits, weights and sums in 32.
    quick : bool
        Whether the weights are updated by torch's AdamW in one kernel, equal to rounding, instead
        of the one written out.
    compile : bool
        Whether `torch.compile` makes kernels for the model first, which takes about a minute.
    parallel : {"ddp", "fsdp"}
        How several processes share, see ``spread`` in ``coursekit/pretraining/distributed.py``.
    seed : int
        Of dropout.
    log_every, validate_every, save_every, sample_every : int
        Steps between two of each; 0 for never.
    peak : float, optional
        Operations a second of the machine, for the utilisation; measured where it is not given.

    Raises
    ------
    ValueError
        If the precision is unknown or the numbers of steps do not fit.

    Examples
    --------
    >>> Settings(steps=100, precision="int4")
    Traceback (most recent call last):
    ValueError: precision is 'int4'; one of 'float32', 'bfloat16' wanted.
    """

    steps: int
    lr: float = 3e-3
    lr_min: float = 3e-4
    warmup: int = 0
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.1
    clip: float = 1.0
    accumulation: int = 1
    precision: str = "float32"
    quick: bool = True
    compile: bool = False
    parallel: str = "ddp"
    seed: int = 0
    log_every: int = 10
    validate_every: int = 0
    save_every: int = 0
    sample_every: int = 0
    peak: float | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            wanted = ", ".join(map(repr, PRECISIONS))
            raise ValueError(f"precision is {self.precision!r}; one of {wanted} wanted.")
        count(self.accumulation, "accumulation")
        count(self.log_every, "log_every")
        self.rate(0)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        return cosine_with_warmup(
            step, steps=self.steps, lr=self.lr, warmup=self.warmup, lr_min=self.lr_min
        )
