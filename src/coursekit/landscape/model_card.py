"""A card for the course's own language model: every number on it is measured or on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from coursekit.data.checkpoints import CHECKPOINTS
from coursekit.landscape.energy import Range, grid_range, run_on_this_machine
from coursekit.pretraining import (
    BOOK,
    END_OF_TEXT,
    Document,
    bits_per_byte,
    corpus_nats,
    course_split,
    generate,
    load_lm,
    python_docs,
)

NAME = "pretraining-gpt"
KOREAN = (
    "언어 모델은 다음 낱말의 확률을 매긴다. 그 확률은 학습한 글에서 나온다. 배우지 않은 글자를 "
    "만나면 바이트 하나하나를 따로 읽어야 하고, 그래서 놀라움이 커진다."
)
"""Two sentences on language models, in a language of which the model saw a few words."""

PROMPT_TOKENS, RECALLED_TOKENS = 32, 16


@dataclass(frozen=True)
class ModelCard:
    """What Mitchell et al. (2019) ask a model to be published with.

    Attributes
    ----------
    name : str
        Of the checkpoint.
    parameters, vocabulary, context : int
        Its size.
    trained_on : str
        Corpus and command.
    bits_per_byte : dict of str to float
        Bits for a byte of text, by kind of text; those of training beside those held out.
    recited : dict of str to float
        Share of passages continued word for word, of training and held out.
    cpu_seconds : float
        Of training.
    energy_kwh, carbon_g : Range
        Of training on a reader's machine.
    use, limits : tuple of str
        What it is for, and what follows from the numbers.
    """

    name: str
    parameters: int
    vocabulary: int
    context: int
    trained_on: str
    bits_per_byte: dict[str, float]
    recited: dict[str, float]
    cpu_seconds: float
    energy_kwh: Range
    carbon_g: Range
    use: tuple[str, ...]
    limits: tuple[str, ...]

    def to_markdown(self) -> str:
        """Return the card as a page."""
        bits = [f"| {kind} | {value:.2f} |" for kind, value in self.bits_per_byte.items()]
        low, middle, high = self.energy_kwh
        recited = ", ".join(f"{kind} {share:.0%}" for kind, share in self.recited.items())
        return "\n".join(
            [
                f"# Model card: {self.name}",
                "",
                f"- **Model**: a Llama-style Transformer, {self.parameters:,} parameters, "
                f"{self.vocabulary:,} tokens, a context of {self.context}.",
                f"- **Training data**: {self.trained_on}.",
                f"- **Training**: {self.cpu_seconds:.0f} s of one processor core; "
                f"{low * 1000:.0f} to {high * 1000:.0f} Wh, {middle * 1000:.0f} Wh as a guess; "
                f"{self.carbon_g.low:.1f} to {self.carbon_g.high:.1f} g of CO2.",
                f"- **Passages recited word for word**: {recited}.",
                *(f"- **Use**: {line}" for line in self.use),
                *(f"- **Limits**: {line}" for line in self.limits),
                "",
                "| text | bits a byte |",
                "|---|---|",
                *bits,
                "",
            ]
        )


def model_card(documents: int = 6) -> ModelCard:
    """Measure the course's language model, and write its card.

    Parameters
    ----------
    documents : int
        How many of each kind of text to measure on, spread evenly.

    Returns
    -------
    ModelCard

    Examples
    --------
    >>> card = model_card(documents=1)
    >>> card.parameters
    1120640
    >>> card.bits_per_byte["Korean"] > card.bits_per_byte["this book, held out"]
    True
    """
    model, tokenizer = load_lm()
    entry, (train, held_out) = CHECKPOINTS[NAME], course_split()
    kinds = {
        "this book, trained on": spread(train, documents),
        "this book, held out": spread(held_out, documents),
        "Python's reference": shortened(spread(python_docs(), documents)),
        "Korean": [Document("Korean", KOREAN)],
    }
    bits = {kind: measured_bits(chosen) for kind, chosen in kinds.items()}
    recited = {
        "of training": recited_share(spread(train, 4 * documents)),
        "held out": recited_share(spread(held_out, 4 * documents)),
    }
    energy = run_on_this_machine(entry["cpu_seconds"])
    return ModelCard(
        NAME,
        sum(p.numel() for p in model.parameters()),
        tokenizer.vocab_size,
        entry["settings"]["context"],
        f"{BOOK}, {sum(len(d.text.encode()) for d in train):,} bytes of this book's own text",
        bits,
        recited,
        entry["cpu_seconds"],
        energy,
        energy.times(grid_range()),
        ("learning how language models are made, on a laptop; nothing else.",),
        limits_of(bits, recited),
    )


def limits_of(bits: dict[str, float], recited: dict[str, float]) -> tuple[str, ...]:
    """Say in sentences what follows from the numbers.

    Examples
    --------
    >>> bits = {"this book, trained on": 1.0, "this book, held out": 1.5, "Korean": 6.0}
    >>> for line in limits_of(bits, {"of training": 0.0}):
    ...     print(line)
    it knows one book: on Korean it spends 4.0 times the bits of the book's held-out pages.
    it has learnt its pages partly by heart: held-out pages cost 1.5 times those of training.
    nothing that it states can be relied on: it continues text, true or not.
    """
    own, held_out = bits["this book, trained on"], bits["this book, held out"]
    worst = max(bits, key=lambda kind: bits[kind])
    lines = [
        f"it knows one book: on {worst} it spends {bits[worst] / held_out:.1f} times the bits of "
        "the book's held-out pages.",
        f"it has learnt its pages partly by heart: held-out pages cost {held_out / own:.1f} times "
        "those of training.",
    ]
    if recited["of training"] > 0:
        lines.append(f"it recites {recited['of training']:.0%} of its training passages.")
    return (
        *lines,
        "nothing that it states can be relied on: it continues text, true or not.",
    )


def spread(documents: Sequence[Document], n: int) -> list[Document]:
    """Return `n` documents, evenly spread over all of them.

    Examples
    --------
    >>> [d.name for d in spread([Document(str(i), "") for i in range(10)], 2)]
    ['0', '5']
    """
    n = min(n, len(documents))
    return [documents[i * len(documents) // n] for i in range(n)]


def shortened(documents: Sequence[Document], most: int = 4000) -> list[Document]:
    """Return documents cut to a number of characters.

    Examples
    --------
    >>> shortened([Document("a", "long")], 2)
    [Document(name='a', text='lo')]
    """
    return [Document(d.name, d.text[:most]) for d in documents]


def measured_bits(documents: Sequence[Document]) -> float:
    """Return the bits that the model spends on a byte of some documents.

    Examples
    --------
    >>> bool(measured_bits([Document("easy", "the the the the")]) < 8)
    True
    """
    model, tokenizer = load_lm()
    ids = [[tokenizer.token(END_OF_TEXT), *tokenizer.encode(d.text)] for d in documents]
    nats = corpus_nats(model, ids, context=CHECKPOINTS[NAME]["settings"]["context"])
    return bits_per_byte(nats, sum(len(d.text.encode()) for d in documents))


@torch.no_grad()
def recited_share(documents: Sequence[Document]) -> float:
    """Return the share of documents that the model goes on with exactly as they do.

    From the middle of each, 32 tokens are given, and the most probable 16 that follow compared.

    Parameters
    ----------
    documents : sequence of Document
        Those of 48 tokens or more count.

    Raises
    ------
    ValueError
        If none is long enough.

    Examples
    --------
    >>> share = recited_share([Document("a", "word " * 100)])
    >>> 0 <= share <= 1
    True
    """
    model, tokenizer = load_lm()
    need = PROMPT_TOKENS + RECALLED_TOKENS
    rows = [tokenizer.encode(d.text) for d in documents]
    rows = [ids[(len(ids) - need) // 2 :][:need] for ids in rows if len(ids) >= need]
    if not rows:
        raise ValueError(f"no document has {need} tokens; longer ones wanted.")
    found = generate(model, [r[:PROMPT_TOKENS] for r in rows], max_new_tokens=RECALLED_TOKENS)
    same = [list(g.ids) == r[PROMPT_TOKENS:] for g, r in zip(found, rows, strict=True)]
    return sum(same) / len(same)
