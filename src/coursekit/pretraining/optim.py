"""AdamW written out, which weights it shrinks, and the length of a gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm


class AdamW(torch.optim.Optimizer):
    r"""Step by the mean gradient over the root of the mean square, and shrink the weights.

    Implements :eq:`eq-pretraining-adamw`, Loshchilov and Hutter (2019), with the operations of
    ``torch.optim.AdamW`` in its order, so that both agree to the bit on the CPU.

    Parameters
    ----------
    params : iterable of Tensor or of dict
        What to train, or groups with settings of their own, as from :func:`decay_groups`.
    lr : float, default 1e-3
        Learning rate, :math:`\eta`.
    betas : pair of float, default (0.9, 0.95)
        How much of the two means stays at each step; 0.95 is usual for language models.
    eps : float, default 1e-8
        Added to the root.
    weight_decay : float, default 0.1
        :math:`\lambda`: each step first multiplies the weights by :math:`1 - \eta\lambda`.

    Raises
    ------
    ValueError
        If a setting is out of range.

    Examples
    --------
    >>> p = nn.Parameter(torch.tensor([1.0]))
    >>> optimiser = AdamW([p], lr=0.1, weight_decay=0.5)
    >>> p.grad = torch.tensor([1000.0])
    >>> optimiser.step()
    >>> p  # 5 % for the decay, and 0.1 for the step, however large the gradient
    Parameter containing:
    tensor([0.8500], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.1,
    ) -> None:
        if not all(0 <= b < 1 for b in betas):
            raise ValueError(f"betas is {betas}; two numbers from 0 to below 1 wanted.")
        for name, value in (("lr", lr), ("eps", eps), ("weight_decay", weight_decay)):
            if not value >= 0:
                raise ValueError(f"{name} is {value}; a number that is not negative wanted.")
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient.

        Parameters
        ----------
        closure
            Not used; torch's signature has it.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._move(p, p.grad, group)

    def _move(self, p: Tensor, g: Tensor, group: dict[str, Any]) -> None:
        state, lr, (b1, b2) = self.state[p], group["lr"], group["betas"]
        if not state:
            state.update(
                step=torch.tensor(0.0), exp_avg=torch.zeros_like(p), exp_avg_sq=torch.zeros_like(p)
            )
        state["step"] += 1
        k, m, s = state["step"].item(), state["exp_avg"], state["exp_avg_sq"]
        p.mul_(1 - lr * group["weight_decay"])
        m.lerp_(g, 1 - b1)  # m <- b1 m + (1 - b1) g
        s.mul_(b2).addcmul_(g, g, value=1 - b2)  # s <- b2 s + (1 - b2) g²
        root = (s.sqrt() / math.sqrt(1 - b2**k)).add_(group["eps"])
        p.addcdiv_(m, root, value=-lr / (1 - b1**k))


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return two groups for an optimiser: matrices, which shrink, and vectors, which do not.

    Biases and the gains of norms have one axis and stay out, as in GPT-3's training and since:
    shrinking them restrains nothing. Embedding tables are matrices and shrink.

    Parameters
    ----------
    model : nn.Module
        Whose parameters; a tied table is listed once.
    weight_decay : float
        Of the first group; the second has 0.

    Examples
    --------
    >>> [len(group["params"]) for group in decay_groups(nn.Linear(3, 2), 0.1)]
    [1, 1]
    """
    params = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in params if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in params if p.ndim < 2], "weight_decay": 0.0},
    ]


@torch.no_grad()
def clip_gradients(model: nn.Module, limit: float) -> Tensor:
    r"""Shorten all gradients together to the length `limit`, if they are longer.

    Implements :eq:`eq-pretraining-clip`, Pascanu et al. (2013). Equal to torch's
    ``clip_grad_norm_``, whose 1e-6 in the division is kept.

    Parameters
    ----------
    model : nn.Module
        Whose gradients are changed, in place.
    limit : float
        Largest norm of all entries as one vector.

    Returns
    -------
    Tensor, scalar
        The norm before.

    Raises
    ------
    ValueError
        If `limit` is not positive.

    Examples
    --------
    >>> layer = nn.Linear(2, 1, bias=False)
    >>> layer.weight.grad = torch.tensor([[3.0, 4.0]])
    >>> clip_gradients(layer, 1.0), layer.weight.grad
    (tensor(5.), tensor([[0.6000, 0.8000]]))
    """
    if not limit > 0:
        raise ValueError(f"limit is {limit}; a positive number wanted.")
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.stack([vector_norm(g) for g in gradients]).norm()
    scale = (limit / (norm + 1e-6)).clamp(max=1.0)
    for g in gradients:
        g.mul_(scale)
    return norm
