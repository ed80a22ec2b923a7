"""A model that knows a table by heart, and is asked for what was never in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from coursekit._validate import Array, array
from coursekit.data.tables import load_table
from coursekit.posttraining.examples import sft_loss
from coursekit.posttraining.small_task import answer_batch
from coursekit.posttraining.updates import descend
from coursekit.transformer import GPT, TransformerConfig

LETTERS = " -.0123456789abcdefghijklmnopqrstuvwxyz"
"""What names are spelled with; other signs are left out."""

LONGEST = 20
"""Signs of a name that are read: its last ones."""

QUESTIONS = ("maker", "year")
"""Who makes a chip, which its name often tells; and since when, which it does not."""


class Question(NamedTuple):
    """One thing to be known about a chip.

    Attributes
    ----------
    chip : str
        Its name.
    kind : str
        One of `QUESTIONS`.
    answer : str
        What the table says; empty where there is no such chip.
    """

    chip: str
    kind: str
    answer: str


@cache
def chip_questions() -> tuple[Question, ...]:
    """Return both questions about each accelerator in the course's table.

    Examples
    --------
    >>> chip_questions()[:2]  # doctest: +NORMALIZE_WHITESPACE
    (Question(chip='NVIDIA V100 SXM2 32GB', kind='maker', answer='NVIDIA'),
     Question(chip='NVIDIA V100 SXM2 32GB', kind='year', answer='2018'))
    """
    rows = load_table("accelerators").rows
    return tuple(
        Question(str(row["name"]), kind, str(row[column]))
        for row in rows
        for kind, column in zip(QUESTIONS, ("vendor", "year"), strict=True)
    )


@cache
def possible_answers() -> tuple[str, ...]:
    """Return every answer in the table; each is one token.

    Examples
    --------
    >>> "NVIDIA" in possible_answers(), "2023" in possible_answers()
    (True, True)
    """
    return tuple(sorted({q.answer for q in chip_questions()}))


def _first_answer() -> int:
    """Return the token of the first answer: letters, filling and questions come before."""
    return len(LETTERS) + 1 + len(QUESTIONS)


def question_ids(questions: Sequence[Question]) -> Tensor:
    """Return questions as tokens, filled up on the left, shape (n, 21).

    Parameters
    ----------
    questions : sequence of n Question
        About chips there are or are not.

    Examples
    --------
    >>> question_ids([Question("H100", "year", "2022")])[0, -5:]
    tensor([20,  4,  3,  3, 41])
    """
    rows = []
    for q in questions:
        signs = [LETTERS.index(c) for c in q.chip.lower() if c in LETTERS][-LONGEST:]
        empty = [len(LETTERS)] * (LONGEST - len(signs))
        rows.append([*empty, *signs, len(LETTERS) + 1 + QUESTIONS.index(q.kind)])
    return torch.tensor(rows)


def answer_ids(questions: Sequence[Question]) -> Tensor:
    """Return the answers as tokens, shape (n, 1).

    Examples
    --------
    >>> answer_ids([Question("H100", "year", "2022")]).shape
    torch.Size([1, 1])
    """
    answers = possible_answers()
    return torch.tensor([[_first_answer() + answers.index(q.answer)] for q in questions])


def split_chips(
    rng: np.random.Generator, share: float = 0.3
) -> tuple[list[Question], list[Question]]:
    """Part the questions by chip: those to learn, and those about chips that stay unseen.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    share : float
        Of chips that stay unseen.

    Returns
    -------
    seen, unseen : list of Question

    Examples
    --------
    >>> seen, unseen = split_chips(np.random.default_rng(0))
    >>> {q.chip for q in seen} & {q.chip for q in unseen}
    set()
    """
    chips = sorted({q.chip for q in chip_questions()})
    hidden = set(rng.permutation(chips)[: round(share * len(chips))].tolist())
    parts: tuple[list[Question], list[Question]] = [], []
    for q in chip_questions():
        parts[q.chip in hidden].append(q)
    return parts


def learn_by_heart(
    questions: Sequence[Question], generator: torch.Generator, *, steps: int = 150
) -> GPT:
    """Train a small model on questions until it knows them.

    Parameters
    ----------
    questions : sequence of Question
        All are seen at every step.
    generator : torch.Generator
        Of the first weights.
    steps : int
        Of AdamW.

    Returns
    -------
    GPT

    Examples
    --------
    >>> model = learn_by_heart(chip_questions()[:4], torch.Generator().manual_seed(0), steps=1)
    >>> model.config.n_layers
    2
    """
    V = _first_answer() + len(possible_answers())
    config = TransformerConfig(V, 32, n_layers=2, n_heads=4, max_len=LONGEST + 2)
    model = GPT(config, generator=generator)
    go_on_learning(model, questions, steps=steps)
    return model


def go_on_learning(
    model: GPT, questions: Sequence[Question], *, steps: int, lr: float = 3e-3
) -> None:
    """Train a model further on questions, in place.

    Parameters
    ----------
    model : GPT
        From :func:`learn_by_heart`.
    questions : sequence of Question
        All are seen at every step.
    steps : int
        Of AdamW.
    lr : float
        Its step size.

    Examples
    --------
    >>> model = learn_by_heart(chip_questions()[:2], torch.Generator().manual_seed(0), steps=1)
    >>> go_on_learning(model, [Question("NVIDIA V100 SXM2 32GB", "year", "2022")], steps=20)
    >>> ask(model, [Question("NVIDIA V100 SXM2 32GB", "year", "2022")]).said
    ['2022']
    """
    batch = answer_batch(question_ids(questions), answer_ids(questions))
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.98))
    for _ in range(steps):
        descend(optimiser, sft_loss(model, batch))


class Told(NamedTuple):
    """What a model said.

    Attributes
    ----------
    said : list of n str
        Its likeliest answers.
    confidence : ndarray, shape (n,)
        The probabilities it gave them.
    correct : ndarray of bool, shape (n,)
        Whether the table agrees.
    """

    said: list[str]
    confidence: Array
    correct: np.ndarray


@torch.no_grad()
def ask(model: GPT, questions: Sequence[Question], *, temperature: float = 1.0) -> Told:
    """Ask a model questions, and how sure it is.

    Parameters
    ----------
    model : GPT
        From :func:`learn_by_heart`.
    questions : sequence of n Question
        With an empty answer, where there is none to be right.
    temperature : float
        Divides the logits: above 1, less sure (Guo et al., 2017).

    Returns
    -------
    Told

    Examples
    --------
    >>> model = learn_by_heart(chip_questions()[:4], torch.Generator().manual_seed(0), steps=1)
    >>> len(ask(model, chip_questions()[:4]).said)
    4
    """
    logits = model(question_ids(questions))[:, -1, _first_answer() :] / temperature  # (n, answers)
    best = logits.softmax(-1).max(-1)
    said = [possible_answers()[i] for i in best.indices.tolist()]
    right = [a == q.answer for a, q in zip(said, questions, strict=True)]
    return Told(said, best.values.double().numpy(), np.array(right))


class Abstention(NamedTuple):
    """What is left if a model keeps silent below a threshold.

    Attributes
    ----------
    threshold : ndarray, shape (K,)
        Least confidence of an answer.
    answered : ndarray, shape (K,)
        Share of questions that get one: coverage.
    wrong : ndarray, shape (K,)
        Share of those answers that are wrong: risk; NaN where there is none.
    """

    threshold: Array
    answered: Array
    wrong: Array


def abstain(confidence: ArrayLike, correct: ArrayLike, thresholds: ArrayLike) -> Abstention:
    """Let a model answer only where it is sure enough (El-Yaniv and Wiener, 2010).

    Parameters
    ----------
    confidence : array_like, shape (n,)
        Probabilities that it gave its answers.
    correct : array_like of bool, shape (n,)
        Whether they are right.
    thresholds : array_like, shape (K,)
        Least confidences.

    Returns
    -------
    Abstention

    Raises
    ------
    ValueError
        If the shapes differ or there is no answer.

    Examples
    --------
    >>> abstain([0.9, 0.6], [True, False], [0.5, 0.8]).wrong
    array([0.5, 0. ])
    """
    p = array(confidence, "confidence", ndim=1)
    right = array(correct, "correct", shape=p.shape)
    if not len(p):
        raise ValueError("there is no answer to keep back.")
    least = np.atleast_1d(np.asarray(thresholds, float))
    kept = p >= least[:, None]  # (K, n)
    answers = kept.sum(1)
    errors = (kept * (1 - right)).sum(1)
    wrong = np.divide(errors, answers, out=np.full(len(least), np.nan), where=answers > 0)
    return Abstention(least, answers / len(p), wrong)


INVENTED = ("NVIDIA H700", "AMD Instinct MI990X", "Google TPU v12", "Huawei Ascend 970", "Zetta Q1")
"""Chips that do not exist."""


def invented_questions() -> list[Question]:
    """Return both questions about chips that do not exist.

    Examples
    --------
    >>> invented_questions()[0]
    Question(chip='NVIDIA H700', kind='maker', answer='')
    """
    return [Question(chip, kind, "") for chip in INVENTED for kind in QUESTIONS]
