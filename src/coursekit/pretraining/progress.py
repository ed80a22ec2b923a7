"""How a training shows itself in a terminal: a bar with loss, speed and utilisation."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from coursekit.pretraining.allocator import keep_freed_memory
from coursekit.pretraining.metrics import Run
from coursekit.pretraining.run import Plan, pretrain
from coursekit.pretraining.trainer import Trainer


def summary(run: Run) -> str:
    """Return the state of a training in a line.

    Parameters
    ----------
    run : Run
        With a loss at least.

    Examples
    --------
    >>> summary(Run([5.5, 5.25], [1.0, 1.0], [(2, 5.5)], 12_345.6, 0.31))
    'loss 5.250, validation 5.500, 12,346 tokens/s, MFU 31 %'
    >>> summary(Run([0.5], [1.0], measured={"kl": [0.25]}))
    'loss 0.500, kl 0.250, nan tokens/s, MFU nan %'
    """
    checked = "".join(f"{name} {seen[-1]:.3f}, " for name, seen in run.measured.items())
    checked += f"validation {run.validation[-1][1]:.3f}, " if run.validation else ""
    speed = f"{run.tokens_per_second:,.0f} tokens/s, MFU {run.mfu:.0%}".replace("%", " %")
    return f"loss {run.losses[-1]:.3f}, {checked}{speed}"


def pretrain_with_bar(plan: Plan, console: Console) -> Run:
    """Train as planned and show a bar.

    Parameters
    ----------
    plan : Plan
        Of :func:`~coursekit.pretraining.read_plan`.
    console : rich.console.Console
        Where to.

    Returns
    -------
    Run
    """

    def train(tell: Callable[[Trainer], None]) -> Run:
        return pretrain(plan, tell)

    return with_bar(train, plan.training.steps, plan.folder, console)


def with_bar(
    train: Callable[[Callable[[Trainer], None]], Run], steps: int, folder: Path, console: Console
) -> Run:
    """Show a bar while something trains; of several processes, the first shows it.

    Where the output is no terminal, each log is a line.

    Parameters
    ----------
    train : callable
        ``train(tell)`` trains, and calls ``tell(trainer)`` after every log.
    steps : int
        Of the whole training.
    folder : pathlib.Path
        What it writes into.
    console : rich.console.Console
        Where to.

    Returns
    -------
    Run
    """
    keep_freed_memory()
    leads = os.environ.get("RANK", "0") == "0"
    columns = (
        *(BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")),
        *(TimeElapsedColumn(), TimeRemainingColumn()),
    )
    shows = leads and console.is_terminal
    with Progress(*columns, console=console, disable=not shows) as bar:
        task = bar.add_task("", total=steps)

        def tell(trainer: Trainer) -> None:
            said = summary(trainer.result)
            bar.update(task, completed=trainer.steps_done, description=said)
            if not shows:
                line = f"step {trainer.steps_done} of {steps}: {said}"
                console.print(line, highlight=False, soft_wrap=True)

        run = train(tell)
    if leads:
        console.print(f"written: {folder}", highlight=False, soft_wrap=True)
    return run
