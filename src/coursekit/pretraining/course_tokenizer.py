"""The tokenizer and the split of the book's text that the course's language model is made with."""

from __future__ import annotations

from pathlib import Path

from coursekit import data
from coursekit.pretraining.bpe import train_bpe
from coursekit.pretraining.corpus import Document, book_corpus, split_documents
from coursekit.pretraining.tokenizer import Tokenizer

END_OF_TEXT = "<|endoftext|>"
"""The special token that ends a document."""

VOCAB_SIZE = 1024
FOLDER = Path(data.__file__).parent / "tokenizers" / f"book-{VOCAB_SIZE}"


def course_split() -> tuple[list[Document], list[Document]]:
    """Return the documents that the course's model learns from, and those that it is judged on.

    Returns
    -------
    (list of Document, list of Document)
        Nine tenths and one tenth of :func:`~coursekit.pretraining.book_corpus`.

    Examples
    --------
    >>> train, validation = course_split()
    >>> len(train), len(validation)
    (236, 30)
    """
    return split_documents(book_corpus(), share=0.1, seed=0)


def load_tokenizer(folder: Path | str = FOLDER) -> Tokenizer:
    """Return the tokenizer of the course's language model: 1,024 tokens, one ends a document.

    It was trained on the first part of :func:`course_split` alone; ``python -m
    coursekit.pretraining.course_tokenizer`` makes its files again, byte for byte.

    Parameters
    ----------
    folder : path
        Another tokenizer's, as :meth:`Tokenizer.save` writes it.

    Returns
    -------
    Tokenizer

    Raises
    ------
    FileNotFoundError, ValueError
        As :meth:`Tokenizer.load` does.

    Examples
    --------
    >>> tokenizer = load_tokenizer()
    >>> tokenizer.vocab_size, tokenizer.token(END_OF_TEXT)
    (1024, 1023)
    >>> [tokenizer.decode([i]) for i in tokenizer.encode("The gradient of the loss")]
    ['The', ' gradient', ' of', ' the', ' loss']
    """
    return Tokenizer.load(folder)


def train_tokenizer() -> Tokenizer:
    """Train the course's tokenizer again.

    Returns
    -------
    Tokenizer

    Examples
    --------
    >>> train_tokenizer().merges == load_tokenizer().merges
    True
    """
    train, _ = course_split()
    return train_bpe((d.text for d in train), VOCAB_SIZE, [END_OF_TEXT])


if __name__ == "__main__":
    train_tokenizer().save(FOLDER)
