"""A whole post-training from one TOML file: what ``coursekit posttrain CONFIG`` does.

``coursekit posttrain --example sft`` prints a file to start from.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from coursekit.posttraining.groups import GroupBatches, group_loss
from coursekit.posttraining.measure import exact_match, held_out_problems
from coursekit.posttraining.pairs import PairBatches, draw_pairs, preference_loss
from coursekit.posttraining.rollouts import REWARDS
from coursekit.posttraining.sft import ProblemBatches, supervised_loss
from coursekit.posttraining.start import LowRank, adapt, starting_model
from coursekit.posttraining.tasks import TASKS, draw_problems
from coursekit.pretraining import Run, Settings, Tokenizer, Trainer, quick_norms
from coursekit.pretraining.batches import Batches, Loss
from coursekit.pretraining.config_files import (
    ConfigError,
    check_keys,
    example_text,
    made_of,
    read_toml,
)
from coursekit.pretraining.distributed import World, join, leave
from coursekit.transformer import GPT

EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Problems:
    """What is asked.

    Parameters
    ----------
    batch_size : int
        Problems a step (SFT), pairs (DPO) or prompts (GRPO), of all processes together.
    tasks : sequence of str
        Names in `TASKS`; one that stands twice is drawn twice as often.
    seed : int
        Of the problems, and of the answers drawn.
    marked : float
        Of SFT, the share of answers that stand after ``"Answer: "``.
    reward : {"verified", "brief"}
        Of DPO and GRPO: a right answer earns 1, and with ``"brief"`` half of it after that mark.
    held_out : int
        Problems of the examination that each validation holds, in phrasings kept for it.

    Raises
    ------
    ConfigError
        If there is no such task or reward.
    """

    batch_size: int
    tasks: Sequence[str] = tuple(TASKS)
    seed: int = 0
    marked: float = 0.0
    reward: str = "verified"
    held_out: int = 240

    def __post_init__(self) -> None:
        if not self.tasks or set(self.tasks) - set(TASKS):
            wanted = ", ".join(TASKS)
            raise ConfigError(f"[data] tasks is {list(self.tasks)}; some of {wanted} wanted.")
        if self.reward not in REWARDS:
            wanted = ", ".join(map(repr, REWARDS))
            raise ConfigError(f"[data] reward is {self.reward!r}; one of {wanted} wanted.")


@dataclass(frozen=True)
class Preferences:
    """Direct preference optimisation.

    Parameters
    ----------
    problems : int
        For how many the start is asked for answers, before the first step.
    group : int
        Answers to each.
    beta, label_smoothing, per_token, imitation
        As in :func:`~coursekit.posttraining.preference_loss`.
    """

    problems: int = 1024
    group: int = 4
    beta: float = 0.1
    label_smoothing: float = 0.0
    per_token: bool = False
    imitation: float = 0.0


@dataclass(frozen=True)
class Groups:
    """Group relative policy optimisation.

    Parameters
    ----------
    group : int
        Answers to each prompt.
    beta, clip
        As in :func:`~coursekit.posttraining.group_loss`.
    scale : bool
        As in :func:`~coursekit.posttraining.group_advantages`.
    max_new_tokens : int
        Longest answer.
    """

    group: int = 8
    beta: float = 0.04
    clip: float = 0.2
    scale: bool = True
    max_new_tokens: int = 16


@dataclass(frozen=True)
class Plan:
    """A configuration file, read.

    Parameters
    ----------
    folder : pathlib.Path
        For everything that the training writes.
    method : {"sft", "dpo", "grpo"}
        How to train.
    start : str
        A checkpoint of the course, or a run's state file. It is the reference too.
    data : Problems
        What is asked.
    training : Settings
        As for pre-training.
    dpo : Preferences
        Of ``method = "dpo"``.
    grpo : Groups
        Of ``method = "grpo"``.
    low_rank : LowRank, optional
        Train two thin matrices beside each map instead of all weights.
    tokenizer : str, optional
        A tokenizer's folder; the course's by default.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``.

    Raises
    ------
    ConfigError
        If the method is unknown, or does not go with how processes share.
    """

    folder: Path
    method: str
    start: str
    data: Problems
    training: Settings
    dpo: Preferences = Preferences()
    grpo: Groups = Groups()
    low_rank: LowRank | None = None
    tokenizer: str | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.method not in SOURCES:
            wanted = ", ".join(map(repr, SOURCES))
            raise ConfigError(f"method is {self.method!r}; one of {wanted} wanted.")
        if self.training.parallel != "ddp":
            raise ConfigError("parallel is 'fsdp'; posttrain asks whole models: 'ddp' wanted.")

    def about(self) -> dict[str, Any]:
        """Return what a state must have in common with the run that goes on from it."""
        low_rank = self.low_rank and asdict(self.low_rank)
        own = {"dpo": asdict(self.dpo), "grpo": asdict(self.grpo)}.get(self.method, {})
        drawn = {"marked": self.data.marked, "reward": self.data.reward}
        return {"method": self.method, "start": self.start, "low_rank": low_rank, **drawn, **own}


def read_posttraining(path: Path | str) -> Plan:
    """Return what a configuration file says.

    Parameters
    ----------
    path : path
        A TOML file; paths in it are taken from where the command runs.

    Returns
    -------
    Plan

    Raises
    ------
    FileNotFoundError
        If it is missing.
    ConfigError
        If it is no TOML, or a table or key is missing, unknown or of the wrong kind.

    Examples
    --------
    >>> read_posttraining(EXAMPLES / "grpo.toml").start
    'posttraining-sft'
    """
    return read_toml(path, plan)


def example_config(name: str) -> str:
    """Return the text of a configuration that comes with the course.

    Parameters
    ----------
    name : {"sft", "lora", "dpo", "grpo"}
        Which.

    Raises
    ------
    ConfigError
        If there is none of this name.

    Examples
    --------
    >>> "method" in example_config("sft")
    True
    """
    return example_text(EXAMPLES, name)


def plan(found: dict[str, Any]) -> Plan:
    """Return the plan of a configuration as nested dictionaries.

    Parameters
    ----------
    found : dict
        As TOML gives it.

    Raises
    ------
    ConfigError
        As :func:`read_posttraining`.

    Examples
    --------
    >>> plan({"folder": "runs", "method": "ppo"})
    Traceback (most recent call last):
    coursekit.pretraining.config_files.ConfigError: the file: missing 3 required positional \
arguments: 'start', 'data', and 'training'
    """
    made = dict(found)
    check_keys(found, [f.name for f in fields(Plan)], "at the top")
    kinds = {"data": Problems, "training": Settings, "low_rank": LowRank}
    for name, kind in (kinds | {"dpo": Preferences, "grpo": Groups}).items():
        if isinstance(found.get(name), dict):
            made[name] = made_of(kind, found[name], name)
    if "folder" in made:
        made["folder"] = Path(made["folder"])
    return made_of(Plan, made)


Source = Callable[[Plan, GPT, GPT, Tokenizer, World], tuple[Batches, Loss]]


def _supervised(
    plan: Plan, model: GPT, reference: GPT, tokenizer: Tokenizer, world: World
) -> tuple[Batches, Loss]:
    data = plan.data
    share = {"rank": world.rank, "world_size": world.size}
    options = {"tasks": data.tasks, "marked": data.marked, "seed": data.seed}
    return ProblemBatches(tokenizer, data.batch_size, **options, **share), supervised_loss  # type: ignore[arg-type]


def _preferred(
    plan: Plan, model: GPT, reference: GPT, tokenizer: Tokenizer, world: World
) -> tuple[Batches, Loss]:
    """Ask the start for answers once; every process asks the same."""
    data, dpo = plan.data, plan.dpo
    problems = draw_problems(dpo.problems, np.random.default_rng(data.seed), tasks=data.tasks)
    pairs = draw_pairs(
        *(reference, tokenizer, problems),
        group=dpo.group,
        reward=REWARDS[data.reward],
        seed=data.seed,
    )
    batches = PairBatches(
        *(pairs, reference, data.batch_size),
        seed=data.seed,
        rank=world.rank,
        world_size=world.size,
    )
    loss = preference_loss(
        beta=dpo.beta,
        label_smoothing=dpo.label_smoothing,
        per_token=dpo.per_token,
        imitation=dpo.imitation,
    )
    return batches, loss


def _grouped(
    plan: Plan, model: GPT, reference: GPT, tokenizer: Tokenizer, world: World
) -> tuple[Batches, Loss]:
    data, grpo = plan.data, plan.grpo
    batches = GroupBatches(
        *(model, tokenizer, reference),
        prompts=data.batch_size,
        group=grpo.group,
        tasks=data.tasks,
        reward=REWARDS[data.reward],
        scale=grpo.scale,
        max_new_tokens=grpo.max_new_tokens,
        seed=data.seed,
        rank=world.rank,
        world_size=world.size,
    )
    return batches, group_loss(clip=grpo.clip, beta=grpo.beta)


SOURCES: dict[str, Source] = {"sft": _supervised, "dpo": _preferred, "grpo": _grouped}
"""What each method learns from."""


def posttrain(plan: Plan, tell: Callable[[Trainer], None] | None = None) -> Run:
    """Train as planned; under ``torchrun`` this process does its share.

    Parameters
    ----------
    plan : Plan
        Of :func:`read_posttraining`.
    tell : callable, optional
        Called with the trainer after every log.

    Returns
    -------
    Run
        ``validation`` holds the exact match on held-out problems; ``measured`` what the method
        tells of its batches.

    Raises
    ------
    ConfigError, StateError, ValueError, OSError, FloatingPointError, LostProcessError
        As :class:`~coursekit.pretraining.Trainer` and what it is made of do.
    """
    try:
        return prepared(plan, join(plan.device)).run(tell)
    finally:
        leave()


def prepared(plan: Plan, world: World | None = None) -> Trainer:
    """Return the trainer of a plan, at the first step or where its folder's state is.

    Parameters
    ----------
    plan : Plan
        Of :func:`read_posttraining`.
    world : World, optional
        The processes; one by default.

    Returns
    -------
    Trainer
    """
    world = world or World()
    model, tokenizer, new_tokens = starting_model(plan.start, plan.tokenizer)
    model = quick_norms(model) if plan.training.quick else model
    reference = copy.deepcopy(model).requires_grad_(False).eval().to(world.device)
    if plan.low_rank:
        adapt(model, plan.low_rank, new_tokens)  # drawn on the CPU: the same weights everywhere
    model = model.to(world.device)
    batches, loss = SOURCES[plan.method](plan, model, reference, tokenizer, world)
    exam = held_out_problems(plan.data.held_out, tasks=tuple(dict.fromkeys(plan.data.tasks)))
    return Trainer(
        *(model, batches, plan.training),
        loss=loss,
        validation=lambda now: exact_match(now, tokenizer, exam).exact,
        folder=plan.folder,
        world=world,
        about=plan.about(),
    )
