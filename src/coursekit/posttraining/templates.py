"""What a model is shown: an instruction in a frame, or the turns of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from coursekit.pretraining import Tokenizer
from coursekit.transformer import GPT
from coursekit.transformer.config import TransformerConfig

USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "<|end|>"
CHAT_TOKENS = (USER, ASSISTANT, END)
"""Each is one token, which no text of a user's can spell."""

WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further "
    "context. Write a response that appropriately completes the request."
)
WITHOUT_INPUT = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request."
)


class Turn(NamedTuple):
    """One message.

    Attributes
    ----------
    role : str
        ``"user"`` or ``"assistant"``.
    text : str
        What was said.
    """

    role: str
    text: str


def instruction_prompt(instruction: str, input_text: str = "") -> str:
    r"""Return an instruction in the template of Alpaca (Taori et al., 2023), as on the slide.

    Parameters
    ----------
    instruction : str
        What to do.
    input_text : str
        What to do it with.

    Returns
    -------
    str
        It ends where the response begins.

    Raises
    ------
    ValueError
        If there is no instruction.

    Examples
    --------
    >>> print(instruction_prompt("Reverse the word.", "cat"))  # doctest: +ELLIPSIS
    Below is an instruction that describes a task, paired with an input ...
    <BLANKLINE>
    ### Instruction:
    Reverse the word.
    <BLANKLINE>
    ### Input:
    cat
    <BLANKLINE>
    ### Response:
    <BLANKLINE>
    """
    if not instruction.strip():
        raise ValueError("the instruction is empty; say what to do.")
    parts = [WITH_INPUT if input_text else WITHOUT_INPUT, f"### Instruction:\n{instruction}"]
    parts += [f"### Input:\n{input_text}"] * bool(input_text)
    return "\n\n".join([*parts, "### Response:\n"])


def chat_ids(tokenizer: Tokenizer, turns: Sequence[Turn]) -> list[int]:
    """Return a conversation as tokens, up to where the assistant speaks next.

    What people wrote is encoded without special tokens: who types ``<|assistant|>`` gets those
    letters, not the assistant's voice.

    Parameters
    ----------
    tokenizer : Tokenizer
        One that holds `CHAT_TOKENS`, see :func:`with_chat_tokens`.
    turns : sequence of Turn
        The last one is the user's.

    Returns
    -------
    list of int

    Raises
    ------
    ValueError
        If there is no turn, a role is unknown, or the last turn is not the user's.
    KeyError
        If the tokenizer has no such tokens.

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> tokenizer = train_bpe("to be or not to be", 262, CHAT_TOKENS)
    >>> tokenizer.decode(chat_ids(tokenizer, [Turn("user", "be?")]))
    '<|user|>be?<|end|><|assistant|>'
    """
    if not turns or turns[-1].role != "user":
        raise ValueError("the conversation must end with a turn of the user's, to be answered.")
    marks = {"user": tokenizer.token(USER), "assistant": tokenizer.token(ASSISTANT)}
    end, ids = tokenizer.token(END), list[int]()
    for turn in turns:
        if turn.role not in marks:
            raise ValueError(f"role is {turn.role!r}; 'user' or 'assistant' wanted.")
        ids += [marks[turn.role], *tokenizer.encode(turn.text, specials=False), end]
    return [*ids, marks["assistant"]]


def with_chat_tokens(model: GPT, tokenizer: Tokenizer) -> tuple[GPT, Tokenizer]:
    """Return a copy of a model and its tokenizer that know the tokens of a conversation.

    The new rows of the embedding are the mean of the old ones (Hewitt, 2021): a model then gives
    the new tokens the probability of an average one, and all else stays as it was.

    Parameters
    ----------
    model : GPT
        Trained without them.
    tokenizer : Tokenizer
        The model's.

    Returns
    -------
    GPT, Tokenizer

    Raises
    ------
    ValueError
        If the tokenizer has them already, or is not the model's.

    Examples
    --------
    >>> from coursekit.pretraining import train_bpe
    >>> small = GPT(TransformerConfig(vocab_size=256, d_model=8, n_layers=1, n_heads=2))
    >>> model, tokenizer = with_chat_tokens(small, train_bpe("a", 256))
    >>> model.config.vocab_size, tokenizer.token("<|end|>")
    (259, 258)
    """
    V = model.config.vocab_size
    if tokenizer.vocab_size != V:
        raise ValueError(
            f"the model has {V} tokens and the tokenizer {tokenizer.vocab_size}; they do not "
            "belong together."
        )
    if set(CHAT_TOKENS) & set(tokenizer.special_tokens):
        raise ValueError("the tokenizer knows a conversation's tokens already.")
    specials = (*tokenizer.special_tokens, *CHAT_TOKENS)
    wider = Tokenizer(tokenizer.vocab, tokenizer.merges, specials)
    shape = {**vars(model.config), "vocab_size": wider.vocab_size}
    grown = GPT(TransformerConfig(**shape)).to(model.embeddings.tokens.weight)
    weights = {k: _grown(w, V, wider.vocab_size) for k, w in model.state_dict().items()}
    grown.load_state_dict(weights)
    return grown.train(model.training), wider


def _grown(weight: torch.Tensor, old: int, new: int) -> torch.Tensor:
    """Give a table of tokens its new rows; leave every other weight."""
    if weight.ndim != 2 or len(weight) != old:
        return weight
    return torch.cat([weight, weight.mean(0, keepdim=True).expand(new - old, -1)])
