"""What a post-training starts from: a checkpoint of the course, or the state of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from coursekit.data.checkpoints import CHECKPOINTS, load_checkpoint
from coursekit.posttraining.lora import add_lora, learn_last_rows, merged
from coursekit.posttraining.templates import CHAT_TOKENS, END, with_chat_tokens
from coursekit.pretraining import Tokenizer, load_tokenizer, read_state
from coursekit.pretraining.run import ConfigError
from coursekit.transformer import GPT, TransformerConfig

EVERY_MAP = ("query", "key", "value", "out", "gate", "up", "down")


@dataclass(frozen=True)
class LowRank:
    """What low-rank adaptation trains.

    Parameters
    ----------
    rank, alpha : int, float
        As in :class:`~coursekit.posttraining.LoRALinear`.
    targets : sequence of str
        Names of the linear maps.
    seed : int
        Of the first weights.
    """

    rank: int
    alpha: float = 16.0
    targets: Sequence[str] = EVERY_MAP
    seed: int = 0


def adapt(model: GPT, low_rank: LowRank, new_tokens: int = 0) -> GPT:
    """Make a model ready for low-rank adaptation, in place.

    Parameters
    ----------
    model : GPT
        Changed.
    low_rank : LowRank
        What to train.
    new_tokens : int
        Rows at the end of the embedding that are trained as well.

    Returns
    -------
    GPT
        The same model.

    Examples
    --------
    >>> model = GPT(TransformerConfig(10, 8, n_layers=1, n_heads=2))
    >>> adapted = adapt(model, LowRank(rank=1, targets=["query"]))
    >>> [name for name, p in adapted.named_parameters() if p.requires_grad]
    ['blocks.0.attention.query.A', 'blocks.0.attention.query.B']
    """
    generator = torch.Generator().manual_seed(low_rank.seed)
    options = {"rank": low_rank.rank, "alpha": low_rank.alpha, "targets": low_rank.targets}
    add_lora(model, **options, generator=generator)  # type: ignore[arg-type]
    if new_tokens:
        learn_last_rows(model.embeddings.tokens, new_tokens)
    return model


def trained_part(model: GPT) -> dict[str, torch.Tensor]:
    """Return the parameters that are trained, by name: of an adapted model a small part.

    Examples
    --------
    >>> model = adapt(GPT(TransformerConfig(10, 8, 1, 2)), LowRank(1, targets=["query"]))
    >>> [tuple(w.shape) for w in trained_part(model).values()]
    [(1, 8), (8, 1)]
    """
    return {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}


def starting_model(start: str, tokenizer: str | None = None) -> tuple[GPT, Tokenizer, int]:
    """Return what a post-training starts from, in a conversation's tokens and without dropout.

    Parameters
    ----------
    start : str
        A checkpoint of the course, ``"pretraining-gpt"``, or a state file of a run.
    tokenizer : str, optional
        Folder of the tokenizer that a run's model was trained with; the course's by default.

    Returns
    -------
    GPT, Tokenizer, int
        The int says how many tokens are new to the model.

    Raises
    ------
    ConfigError
        If there is neither checkpoint nor file of this name, or model and tokenizer do not belong
        together.
    StateError
        If the file is damaged.

    Examples
    --------
    >>> model, tokenizer, new = starting_model("pretraining-gpt")
    >>> model.config.vocab_size == tokenizer.vocab_size, new
    (True, 3)
    """
    model = from_checkpoint(start) if start in CHECKPOINTS else _from_state(start)
    words = load_tokenizer(tokenizer) if tokenizer else load_tokenizer()
    V = model.config.vocab_size
    if words.vocab_size == V and END not in words.special_tokens:
        return *with_chat_tokens(model, words), len(CHAT_TOKENS)
    if words.vocab_size != V:
        words = with_conversation(words)
    if words.vocab_size != V:
        raise ConfigError(
            f"{start} has {V} tokens and the tokenizer {words.vocab_size}; give the folder of the "
            "one that it was trained with as tokenizer."
        )
    return model, words, 0


def with_conversation(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer that knows the tokens of a conversation.

    Examples
    --------
    >>> with_conversation(load_tokenizer()).vocab_size - load_tokenizer().vocab_size
    3
    """
    return Tokenizer(tokenizer.vocab, tokenizer.merges, (*tokenizer.special_tokens, *CHAT_TOKENS))


def from_checkpoint(name: str) -> GPT:
    """Return the model of a checkpoint of the course, adapted ones made plain.

    Parameters
    ----------
    name : str
        Such as ``"posttraining-sft"``.

    Returns
    -------
    GPT
        In evaluation, without dropout.

    Raises
    ------
    ConfigError
        If the checkpoint is no language model.

    Examples
    --------
    >>> from_checkpoint("pretraining-draft").config.d_model
    32
    """
    told, weights = CHECKPOINTS[name]["settings"], load_checkpoint(name)
    if "low_rank" in told:
        return merged(adapted_from(told, weights))
    if "config" not in told or "embeddings.tokens.weight" not in weights:
        raise ConfigError(f"{name} is no language model; {_models()} are.")
    return _made(told["config"], weights)


def adapted_from(told: dict[str, Any], weights: dict[str, torch.Tensor]) -> GPT:
    """Return a stored adaptation on what it adapts, not yet merged.

    Parameters
    ----------
    told : dict
        The checkpoint's settings.
    weights : dict
        The trained part.

    Returns
    -------
    GPT
    """
    model, _, new = starting_model(told["start"])
    model = adapt(model, LowRank(**told["low_rank"]), new)
    model.load_state_dict(weights, strict=False)
    return model.eval()


def _models() -> str:
    models = [n for n in CHECKPOINTS if n.startswith(("pretraining-", "posttraining-"))]
    return ", ".join(
        n for n in models if {"config", "low_rank"} & CHECKPOINTS[n]["settings"].keys()
    )


def _from_state(start: str) -> GPT:
    path = Path(start)
    if not path.is_file():
        raise ConfigError(f"start is {start!r}; a run's state file or one of {_models()} wanted.")
    state = read_state(path)
    weights: dict[str, torch.Tensor] = state["weights"]
    low_rank = state.get("run", {}).get("low_rank")
    if low_rank is None:
        return _made(state["model"], weights)
    plain = GPT(_shape(state["model"]))
    new = len(CHAT_TOKENS) if any("parametrizations" in name for name in weights) else 0
    model = adapt(plain, LowRank(**low_rank), new)
    model.load_state_dict(weights)
    return merged(model).eval()


def _made(config: dict[str, Any], weights: dict[str, torch.Tensor]) -> GPT:
    model = GPT(_shape(config))
    model.load_state_dict(weights)
    return model.eval()


def _shape(config: dict[str, Any]) -> TransformerConfig:
    return replace(TransformerConfig(**config), dropout=0.0)
