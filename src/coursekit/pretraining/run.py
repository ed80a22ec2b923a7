"""A whole training from one TOML file: what ``coursekit pretrain CONFIG`` does.

``coursekit pretrain --example quick`` prints a file to start from.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from coursekit.pretraining.config_files import (
    ConfigError,
    check_keys,
    example_text,
    made_of,
    read_toml,
)
from coursekit.pretraining.configs import gpt2_config, llama_config, quick_norms
from coursekit.pretraining.corpus import Document, book_corpus, python_docs, split_documents
from coursekit.pretraining.course_tokenizer import END_OF_TEXT, load_tokenizer
from coursekit.pretraining.decoding import generate
from coursekit.pretraining.distributed import join, leave
from coursekit.pretraining.metrics import Run
from coursekit.pretraining.packed import open_packed, write_packed
from coursekit.pretraining.sampler import BatchSampler
from coursekit.pretraining.sampling import Sampling
from coursekit.pretraining.settings import Settings
from coursekit.pretraining.tokenizer import Tokenizer
from coursekit.pretraining.trainer import Trainer
from coursekit.transformer import GPT, TransformerConfig

KINDS: dict[str, Callable[..., TransformerConfig]] = {"gpt2": gpt2_config, "llama": llama_config}
CORPORA: dict[str, Callable[[], list[Document]]] = {"book": book_corpus, "python": python_docs}


EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Data:
    """Where tokens come from.

    Parameters
    ----------
    batch_size : int
        Windows in a batch, of all processes together.
    context : int
        Tokens in a window.
    corpus : {"book", "python"}, optional
        Text that every reader has.
    files : list of str, optional
        Text files of your own, one document each.
    train, validation : str, optional
        Token files, made by :func:`~coursekit.pretraining.write_packed`.
    tokenizer : str, optional
        A tokenizer's folder; the course's by default.
    held_out : float
        Share of the text to validate on.
    seed : int
        Of the batches' order.

    Raises
    ------
    ConfigError
        Unless there is exactly one source.
    """

    batch_size: int
    context: int
    corpus: str | None = None
    files: Sequence[str] = ()
    train: str | None = None
    validation: str | None = None
    tokenizer: str | None = None
    held_out: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if sum(map(bool, (self.corpus, self.files, self.train))) != 1:
            raise ConfigError("[data] wants one of corpus, files and train, to say what to learn.")
        if self.corpus and self.corpus not in CORPORA:
            raise ConfigError(
                f"[data] corpus is {self.corpus!r}; one of {', '.join(map(repr, CORPORA))} wanted."
            )


@dataclass(frozen=True)
class Samples:
    """What the model is made to write now and then.

    Parameters
    ----------
    prompt : str
        What it goes on from.
    max_new_tokens : int
        Tokens that it adds.
    temperature, top_p : float
        As of :class:`~coursekit.pretraining.Sampling`.
    seed : int
        Of the draws.
    """

    prompt: str
    max_new_tokens: int = 64
    temperature: float = 0.8
    top_p: float = 0.95
    seed: int = 0


@dataclass(frozen=True)
class Plan:
    """A configuration file, read.

    Parameters
    ----------
    folder : pathlib.Path
        For everything that the training writes.
    model : dict
        ``kind`` and what :func:`~coursekit.pretraining.gpt2_config` or ``llama_config`` takes,
        without the vocabulary, and ``seed`` of the first weights.
    data : Data
        Where tokens come from.
    training : Settings
        How to train.
    sampling : Samples, optional
        What to write now and then.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``.
    """

    folder: Path
    model: dict[str, Any]
    data: Data
    training: Settings
    sampling: Samples | None = None
    device: str = "auto"


def read_plan(path: Path | str) -> Plan:
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
    """
    return read_toml(path, plan)


def example_config(name: str) -> str:
    """Return the text of a configuration that comes with the course.

    Parameters
    ----------
    name : {"quick", "book", "gpt2"}
        A minute on a laptop; the course's own model; GPUs.

    Raises
    ------
    ConfigError
        If there is none of this name.

    Examples
    --------
    >>> read_plan(EXAMPLES / "book.toml").training.steps
    3000
    >>> example_config("huge")
    Traceback (most recent call last):
    coursekit.pretraining.config_files.ConfigError: no example 'huge'; book, gpt2, quick wanted.
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
        As :func:`read_plan`.

    Examples
    --------
    >>> plan({"folder": "runs", "speed": 9})
    Traceback (most recent call last):
    coursekit.pretraining.config_files.ConfigError: speed is unknown at the top; folder, model, \
data, training, sampling, device wanted.
    """
    made = dict(found)
    check_keys(found, [f.name for f in fields(Plan)], "at the top")
    for name, kind in (("data", Data), ("training", Settings), ("sampling", Samples)):
        if isinstance(found.get(name), dict):
            made[name] = made_of(kind, found[name], name)
    made["model"] = _model_options(found.get("model", {}))
    if "folder" in made:
        made["folder"] = Path(made["folder"])
    return made_of(Plan, made)


def _model_options(options: dict[str, Any]) -> dict[str, Any]:
    kind = options.get("kind", "llama")
    if kind not in KINDS:
        raise ConfigError(f"[model] kind is {kind!r}; one of {', '.join(map(repr, KINDS))} wanted.")
    known = [p for p in inspect.signature(KINDS[kind]).parameters if p != "vocab_size"]
    check_keys(options, ["kind", "seed", *known], "in [model]")
    made = {"kind": kind, "seed": 0, **options}
    try:
        _shape(made, vocab_size=2)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"[model]: {error}") from error
    return made


def _shape(options: dict[str, Any], vocab_size: int) -> TransformerConfig:
    """Return the model's shape for a vocabulary."""
    shape = {k: v for k, v in options.items() if k not in ("kind", "seed")}
    return KINDS[options["kind"]](vocab_size, **shape)


def pretrain(plan: Plan, tell: Callable[[Trainer], None] | None = None) -> Run:
    """Train as planned; under ``torchrun`` this process does its share.

    Parameters
    ----------
    plan : Plan
        Of :func:`read_plan`.
    tell : callable, optional
        Called with the trainer after every log.

    Returns
    -------
    Run

    Raises
    ------
    ConfigError, StateError, ValueError, OSError, FloatingPointError, LostProcessError
        As :class:`~coursekit.pretraining.Trainer` and what it is made of do.
    """
    world = join(plan.device)
    try:
        tokenizer = load_tokenizer(plan.data.tokenizer) if plan.data.tokenizer else load_tokenizer()
        learned, held_out = _tokens(plan, tokenizer, world.rank)
        options = {"max_len": plan.data.context, **plan.model}
        config = _shape(options, tokenizer.vocab_size)
        model = GPT(config, generator=torch.Generator().manual_seed(plan.model["seed"]))
        sampler = BatchSampler(
            *(learned, plan.data.batch_size, plan.data.context, plan.data.seed),
            rank=world.rank,
            world_size=world.size,
        )
        trainer = Trainer(
            *(quick_norms(model) if plan.training.quick else model, sampler, plan.training),
            validation=held_out,
            folder=plan.folder,
            sample=_writer(plan.sampling, tokenizer),
            world=world,
        )
        return trainer.run(tell)
    finally:
        leave()


def _tokens(plan: Plan, tokenizer: Tokenizer, rank: int) -> tuple[Any, Any]:
    """Return the tokens to learn from and to validate on, as memory maps."""
    data = plan.data
    if data.train:
        held_out = data.validation and open_packed(data.validation, tokenizer.vocab_size)
        return open_packed(data.train, tokenizer.vocab_size), held_out
    plan.folder.mkdir(parents=True, exist_ok=True)
    end = tokenizer.token(END_OF_TEXT)
    maps = []
    for name, documents in zip(("train", "validation"), _documents(data), strict=True):
        path = plan.folder / f"{name}.{rank}.bin"  # each process its own: they may share no disk
        ids = (tokenizer.encode(d.text, specials=False) for d in documents)
        write_packed(path, ([end, *d] for d in ids), tokenizer.vocab_size)
        maps.append(open_packed(path))
    return maps[0], maps[1]


def _documents(data: Data) -> tuple[list[Document], list[Document]]:
    if data.corpus:
        return split_documents(CORPORA[data.corpus](), data.held_out, 0)
    return split_documents([_document(name) for name in data.files], data.held_out, 0)


def _document(name: str) -> Document:
    try:
        return Document(name, Path(name).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{name} is not UTF-8: byte {error.start} is {error.object[error.start]:#x}. Convert "
            "it, or leave it out of files."
        ) from error


def _writer(samples: Samples | None, tokenizer: Tokenizer) -> Callable[[GPT], str] | None:
    """Return what writes a sample with the model as it is."""
    if samples is None:
        return None
    end = tokenizer.token(END_OF_TEXT)
    prompt = [end, *tokenizer.encode(samples.prompt, specials=False)]
    sampling = Sampling(temperature=samples.temperature, top_p=samples.top_p)

    def write(model: GPT) -> str:
        (found,) = generate(
            *(model, [prompt]),
            max_new_tokens=samples.max_new_tokens,
            sampling=sampling,
            stop=(end,),
            seed=samples.seed,
        )
        return samples.prompt + tokenizer.decode(found.ids)

    return write
