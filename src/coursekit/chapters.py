"""The course's chapters: one stem names a topic in every room of the repository."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable


@dataclass(frozen=True)
class Chapter:
    """One chapter: ``stem`` is its name in every folder, ``package`` the code behind it."""

    stem: str
    title: str
    question: str

    @property
    def package(self) -> str:
        """Name of the sub-package, as in ``coursekit.basics``."""
        return self.stem.split("-", 1)[1]


CHAPTERS = (
    Chapter("01-basics", "Machine-learning basics", "What does a machine minimise when it learns?"),
    Chapter(
        "02-backprop",
        "SGD and backpropagation",
        "How does one number's error reach a million weights?",
    ),
    Chapter("03-seq2seq", "Sequences", "How do networks read and write sequences?"),
    Chapter("04-transformer", "The Transformer", "Why did attention replace recurrence?"),
    Chapter("05-attention", "A GPU attention kernel", "How does attention run on a GPU?"),
    Chapter("06-pretraining", "LLM pre-training", "How is a language model made?"),
    Chapter(
        "07-posttraining", "LLM post-training", "How does a language model become an assistant?"
    ),
    Chapter(
        "08-generative",
        "The mathematics of generative AI",
        "What is a generative model, mathematically?",
    ),
    Chapter("09-hardware", "AI hardware", "What limits a model on a chip?"),
    Chapter("10-semiconductors", "The semiconductor industry", "Why is a chip a matter of state?"),
    Chapter("11-landscape", "Where AI stands", "Where is AI now, and where is it going?"),
)


def shelf() -> Traversable:
    """Folder of the notebooks that travel inside the installed package."""
    return files("coursekit") / "_book"


def available() -> list[str]:
    """Stems of the notebooks that this installation carries.

    >>> all("ipynb" not in stem for stem in available())
    True
    """
    folder = shelf() / "notebooks"
    if not folder.is_dir():
        return []
    return sorted(
        f.name.removesuffix(".ipynb") for f in folder.iterdir() if f.name[-6:] == ".ipynb"
    )


def resolve(name: str) -> str:
    """Stem of the available notebook that ``name`` means: a stem, a number or a topic.

    Raises
    ------
    LookupError
        If no notebook has this name; the message lists those that exist, or says that the chapter
        is planned and not yet published.
    """
    have, wanted = available(), name.strip().lower()
    for stem in have:
        number, _, topic = stem.partition("-")
        if wanted in {stem, topic or stem, number, number.lstrip("0")}:
            return stem
    planned = next((c for c in CHAPTERS if wanted in {c.stem, c.package, c.stem[:2]}), None)
    if planned:
        reason = f"chapter {planned.stem} is planned and not in this version"
    else:
        near = difflib.get_close_matches(wanted, have, n=1)
        reason = f"unknown chapter {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    raise LookupError(f"{reason}. Available: {', '.join(have) or 'none'}.")
