"""The assistants that come with the course."""

from __future__ import annotations

from typing import Any

from coursekit.data.checkpoints import CHECKPOINTS, load_checkpoint
from coursekit.posttraining.start import adapted_from, starting_model
from coursekit.pretraining import Tokenizer
from coursekit.transformer import GPT

ASSISTANTS = ("sft", "lora", "dpo", "grpo")


def load_assistant(name: str = "sft", *, merge: bool = True) -> tuple[GPT, Tokenizer]:
    """Return an assistant that was made of the course's language model, and its tokenizer.

    How good each is stands in ``coursekit.data.checkpoints.CHECKPOINTS["posttraining-sft"]`` and
    so on, under ``metrics``; what trained it, under ``settings``.

    Parameters
    ----------
    name : {"sft", "lora", "dpo", "grpo"}
        Fine-tuned whole; by low-rank adaptation; and from the first one on, by preferences and by
        rewards.
    merge : bool
        Whether low-rank corrections are added to the weights. Without, they stand beside them.

    Returns
    -------
    model : GPT
        On the CPU, in evaluation, without dropout.
    tokenizer : Tokenizer
        With the tokens of a conversation.

    Raises
    ------
    ValueError
        If there is none of this name.

    Examples
    --------
    >>> from coursekit.posttraining.measure import answers
    >>> from coursekit.posttraining.tasks import Problem
    >>> model, tokenizer = load_assistant("grpo")
    >>> answers(model, tokenizer, [Problem("sort", "Sort: 3 1 2", "1 2 3", ((3, 1, 2),))])
    ['1 2 3']
    """
    if name not in ASSISTANTS:
        raise ValueError(f"no assistant {name!r}; {', '.join(ASSISTANTS)} wanted.")
    full = f"posttraining-{name}"
    model, tokenizer, _ = starting_model(full)
    if not merge and "low_rank" in (told := CHECKPOINTS[full]["settings"]):
        model = adapted_from(told, load_checkpoint(full))
    return model, tokenizer


def load_curves() -> dict[str, list[dict[str, Any]]]:
    """Return what the trainings of the assistants showed, of each method and seed.

    Returns
    -------
    dict
        For each name of :func:`load_assistant` a list of runs, the kept one first. A run has
        ``seed``, ``cpu_seconds``, ``watched`` (a list of ``step``, ``exact``, ``reward``, ``kl``
        and ``kl_error`` on held-out problems, from step 0), ``steps`` and at each of them
        ``loss`` and what the method tells of its batches, as means since the one before.

    Examples
    --------
    >>> [(name, len(runs)) for name, runs in load_curves().items()]
    [('sft', 1), ('lora', 1), ('dpo', 3), ('grpo', 3)]
    """
    more = CHECKPOINTS["posttraining-runs"]["metrics"]
    return {
        name: [CHECKPOINTS[f"posttraining-{name}"]["metrics"]["run"], *more.get(name, [])]
        for name in ASSISTANTS
    }
