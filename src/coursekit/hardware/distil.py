"""Distillation: a small network learns from a larger one's probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from coursekit.data.datasets import load
from coursekit.transformer.count import num_parameters

LABELLED, WIDTH_TEACHER, WIDTH_STUDENT = 60, 256, 32


def distillation_loss(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor | None = None,
    *,
    temperature: float = 4.0,
    weight: float = 1.0,
) -> Tensor:
    r"""Return how far a student is from its teacher, softened by a temperature.

    Implements :eq:`eq-hardware-distillation` (Hinton, Vinyals and Dean, 2015). The factor
    :math:`T^2` keeps the gradient's size when the temperature changes.

    Parameters
    ----------
    student, teacher : Tensor, shape (B, K)
        Logits; no gradient goes to the teacher.
    labels : Tensor of int, shape (B,), optional
        Right classes; without them the teacher alone counts.
    temperature : float, default 4
        By which logits are divided, T.
    weight : float, default 1
        Of the teacher's part, between 0 and 1; the rest is the labels'.

    Returns
    -------
    Tensor
        A number: the mean over the batch.

    Raises
    ------
    ValueError
        If the shapes differ, the temperature is not positive, or labels are wanted and missing.

    Examples
    --------
    >>> z = torch.tensor([[2.0, 0.0]])
    >>> distillation_loss(z, z).item()
    0.0
    """
    if student.shape != teacher.shape:
        raise ValueError(
            f"student has shape {tuple(student.shape)} and teacher {tuple(teacher.shape)}; the "
            "same is wanted."
        )
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}; a positive number wanted.")
    soft = functional.log_softmax(student / temperature, dim=1)
    aim = functional.log_softmax(teacher.detach() / temperature, dim=1)
    loss = temperature**2 * functional.kl_div(soft, aim, log_target=True, reduction="batchmean")
    if weight == 1.0:
        return loss
    if labels is None:
        raise ValueError(f"weight is {weight}, so that labels count too, and there are none.")
    return weight * loss + (1 - weight) * functional.cross_entropy(student, labels)


@dataclass(frozen=True)
class Distilled:
    """How a student did with and without a teacher.

    Attributes
    ----------
    teacher, student : int
        Numbers that each learns.
    accuracy : dict
        On test digits: of the teacher, and of students taught by 60 labels, by what the teacher
        says to the same 60 pictures, and by what it says to all of them (its choices alone, or
        its probabilities).
    """

    teacher: int
    student: int
    accuracy: dict[str, float]


def distil_digits(seed: int, *, temperature: float = 2.0, steps: int = 200) -> Distilled:
    """Teach a small network handwritten digits, with few labels or by a larger network.

    The teacher sees all labels of the training digits. The students have the same first weights
    and differ in what they are taught.

    Parameters
    ----------
    seed : int
        Of all weights and of which digits are labelled.
    temperature : float, default 2
        Of the distillation.
    steps : int, default 200
        Full-batch steps of Adam.

    Examples
    --------
    >>> found = distil_digits(0, steps=5)
    >>> found.teacher, found.student
    (19210, 2410)
    """
    digits = load("digits")
    (X, y), (X_test, y_test) = (
        (torch.tensor(x / 16, dtype=torch.float32), torch.tensor(t))
        for x, t in (digits.train, digits.test)
    )
    some = torch.tensor(np.random.default_rng(seed).permutation(len(X))[:LABELLED].copy())
    teacher = _network(WIDTH_TEACHER, seed)
    _fit(teacher, X, lambda out: functional.cross_entropy(out, y), steps)
    with torch.no_grad():
        said = teacher(X)

    def taught(pictures: Tensor, loss: Callable[[Tensor], Tensor]) -> float:
        student = _network(WIDTH_STUDENT, seed + 1)
        _fit(student, pictures, loss, steps)
        return _accuracy(student, X_test, y_test)

    def soft(aim: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda out: distillation_loss(out, aim, temperature=temperature)

    accuracy = {
        "teacher": _accuracy(teacher, X_test, y_test),
        "60 labels": taught(X[some], lambda out: functional.cross_entropy(out, y[some])),
        "60 answers": taught(X[some], soft(said[some])),
        "all choices": taught(X, lambda out: functional.cross_entropy(out, said.argmax(1))),
        "all answers": taught(X, soft(said)),
    }
    sizes = [num_parameters(_network(w, 0)) for w in (WIDTH_TEACHER, WIDTH_STUDENT)]
    return Distilled(sizes[0], sizes[1], accuracy)


def _network(width: int, seed: int) -> nn.Sequential:
    """64 pixels, one hidden layer, 10 classes; weights drawn from the seed."""
    net = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            scale = p.shape[-1] ** -0.5 if p.ndim > 1 else 0.0  # biases start at zero
            p.copy_(scale * torch.randn(p.shape, generator=generator))
    return net


def _fit(net: nn.Module, X: Tensor, loss: Callable[[Tensor], Tensor], steps: int) -> None:
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(net(X)).backward()
        optimiser.step()


@torch.no_grad()
def _accuracy(net: nn.Module, X: Tensor, y: Tensor) -> float:
    return float((net(X).argmax(1) == y).float().mean())
