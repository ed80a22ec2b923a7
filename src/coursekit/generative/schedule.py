r"""Noise schedules: how much of the image is left at each step.

Step 0 is the image, step T is noise: every array over steps has T + 1 entries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from coursekit._validate import count

MOST_SIGNAL = 0.05
r"""Largest :math:`\sqrt{\bar\alpha_T}` with which sampling may begin from pure noise."""


@dataclass(frozen=True)
class Schedule:
    r"""What the forward process does at its T steps.

    Parameters
    ----------
    betas : Tensor, shape (T,)
        Variance added at each step, above 0 and at most 1.
    allow_signal : bool
        Whether the last step may keep so much signal that pure noise is the wrong place to begin
        sampling; for showing what goes wrong then.

    Attributes
    ----------
    alpha_bar : Tensor of float64, shape (T + 1,)
        :math:`\bar\alpha_t`, the signal's share of the variance after t steps; 1 at t = 0.

    Raises
    ------
    ValueError
        If a beta is not above 0 and at most 1, or signal is left at the end.

    Examples
    --------
    >>> schedule = Schedule.cosine(100)
    >>> schedule.steps, float(schedule.alpha_bar[0]), bool(schedule.alpha_bar[-1] < 1e-6)
    (100, 1.0, True)
    """

    betas: Tensor
    allow_signal: bool = False
    alpha_bar: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        betas = torch.as_tensor(self.betas, dtype=torch.float64)
        if betas.ndim != 1 or not len(betas) or not bool(((betas > 0) & (betas <= 1)).all()):
            raise ValueError("betas must be a row of variances, each above 0 and at most 1.")
        object.__setattr__(self, "betas", betas)
        kept = torch.cat([torch.ones(1, dtype=torch.float64), 1 - betas]).cumprod(0)
        object.__setattr__(self, "alpha_bar", kept)
        signal = math.sqrt(float(kept[-1]))
        if signal > MOST_SIGNAL and not self.allow_signal:
            raise ValueError(
                f"the schedule ends with {signal:.3g} of the signal; at most {MOST_SIGNAL} wanted, "
                "since sampling begins from pure noise. Take more steps or larger betas, or pass "
                "allow_signal=True to see what happens."
            )

    @classmethod
    def linear(
        cls,
        steps: int,
        first: float | None = None,
        last: float | None = None,
        *,
        allow_signal: bool = False,
    ) -> Schedule:
        """Return betas that rise along a line (Ho, Jain and Abbeel 2020).

        At 1,000 steps from 0.0001 to 0.02, as in the paper. At another number of steps both are
        scaled so that as much noise is added in all, unless they are given.
        """
        ratio = 1000 / count(steps, "steps")
        first = 1e-4 * ratio if first is None else first
        last = 0.02 * ratio if last is None else last
        betas = torch.linspace(first, last, steps, dtype=torch.float64).clamp(max=0.999)
        return cls(betas, allow_signal)

    @classmethod
    def cosine(cls, steps: int, offset: float = 0.008) -> Schedule:
        r"""Return the betas whose signal falls along a squared cosine (Nichol and Dhariwal 2021).

        The last betas are cut at 0.999, as in the paper.
        """
        t = torch.arange(count(steps, "steps") + 1, dtype=torch.float64) / steps
        kept = torch.cos((t + offset) / (1 + offset) * math.pi / 2).square()
        return cls((1 - kept[1:] / kept[:-1]).clamp(max=0.999))

    @property
    def steps(self) -> int:
        """T."""
        return len(self.betas)

    def signal(self, t: Tensor) -> Tensor:
        r"""Return :math:`\sqrt{\bar\alpha_t}`, float32, shape (B, 1), of steps t (B,)."""
        return self.alpha_bar[self._checked(t)].sqrt().float()[:, None]

    def noise(self, t: Tensor) -> Tensor:
        r"""Return :math:`\sqrt{1-\bar\alpha_t}`, float32, shape (B, 1), of steps t (B,)."""
        return (1 - self.alpha_bar[self._checked(t)]).sqrt().float()[:, None]

    def signal_to_noise(self) -> Tensor:
        r"""Return :math:`\bar\alpha_t/(1-\bar\alpha_t)` at steps 1 … T, shape (T,)."""
        return self.alpha_bar[1:] / (1 - self.alpha_bar[1:])

    def _checked(self, t: Tensor) -> Tensor:
        if len(t) and not (int(t.min()) >= 0 and int(t.max()) <= self.steps):
            raise ValueError(
                f"t runs from {int(t.min())} to {int(t.max())}; 0 to {self.steps} wanted."
            )
        return t
