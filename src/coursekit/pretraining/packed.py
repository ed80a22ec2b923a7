"""Token files: documents end to end in one file, read through a memory map."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coursekit._validate import count

MAGIC = b"cktokens"
HEADER = struct.Struct("<8sIIQ")  # magic, bytes a token, vocabulary, tokens
BUFFER = 1 << 20
"""Tokens written at a time."""


class Header(NamedTuple):
    """What a token file says of itself.

    Attributes
    ----------
    itemsize : int
        Bytes a token takes: 2 up to a vocabulary of 65,536, else 4.
    vocab_size : int
        Size of the vocabulary that the tokens are from.
    n_tokens : int
        How many there are.
    """

    itemsize: int
    vocab_size: int
    n_tokens: int


def write_packed(
    path: Path | str,
    documents: Iterable[Iterable[int]],
    vocab_size: int,
    end_of_text: int | None = None,
) -> Header:
    """Write documents, one after the other, into a token file.

    The file appears under its name once it is whole: it is written beside it, flushed to the disk
    and then renamed. An interruption or a full disk leaves the old file, or none.

    Parameters
    ----------
    path : path
        Where to.
    documents : iterable of iterables of int
        The tokens of each; never all in memory.
    vocab_size : int
        All tokens are below it.
    end_of_text : int, optional
        A token to write after each document.

    Returns
    -------
    Header

    Raises
    ------
    ValueError
        If a token is not in the vocabulary.
    OSError
        If the disk is full or the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> write_packed(folder.name + "/train.bin", [[1, 2, 3], [4]], vocab_size=10, end_of_text=9)
    Header(itemsize=2, vocab_size=10, n_tokens=6)
    >>> open_packed(folder.name + "/train.bin").tolist()
    [1, 2, 3, 9, 4, 9]
    """
    path, itemsize = Path(path), 2 if count(vocab_size, "vocab_size") <= 1 << 16 else 4
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(bytes(HEADER.size))
            n_tokens = _write_tokens(file, _joined(documents, end_of_text), vocab_size, itemsize)
            file.seek(0)
            file.write(HEADER.pack(MAGIC, itemsize, vocab_size, n_tokens))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror} while writing tokens; nothing under this name was changed. Make "
            "room or choose another folder",
            str(path),
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return Header(itemsize, vocab_size, n_tokens)


def _joined(documents: Iterable[Iterable[int]], end_of_text: int | None) -> Iterator[int]:
    for document in documents:
        yield from document
        if end_of_text is not None:
            yield end_of_text


def _write_tokens(file: BinaryIO, ids: Iterator[int], vocab_size: int, itemsize: int) -> int:
    n_tokens = 0
    while batch := list(islice(ids, BUFFER)):
        array = np.array(batch, dtype=np.int64)
        if array.min() < 0 or array.max() >= vocab_size:
            wrong = array[(array < 0) | (array >= vocab_size)][0]
            raise ValueError(
                f"token {wrong} is not in a vocabulary of {vocab_size}; give the size of the "
                "tokenizer that made it."
            )
        file.write(array.astype(f"<u{itemsize}").tobytes())
        n_tokens += len(batch)
    return n_tokens


def read_header(path: Path | str) -> Header:
    """Return what a token file says of itself, once its length has been compared with that.

    Parameters
    ----------
    path : path
        A file that :func:`write_packed` wrote.

    Returns
    -------
    Header

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no token file, or shorter or longer than it says.

    Examples
    --------
    >>> import tempfile
    >>> file = tempfile.NamedTemporaryFile()
    >>> read_header(file.name)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: ... is no token file; write_packed writes them.
    """
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(HEADER.size)
    if len(start) < HEADER.size or not start.startswith(MAGIC):
        raise ValueError(f"{path} is no token file; write_packed writes them.")
    header = Header(*HEADER.unpack(start)[1:])
    wanted, found = HEADER.size + header.itemsize * header.n_tokens, path.stat().st_size
    if found != wanted or header.itemsize not in (2, 4):
        raise ValueError(
            f"{path} has {found:,} bytes and its {header.n_tokens:,} tokens need {wanted:,}: it "
            "was cut off or changed. Write it again."
        )
    return header


def open_packed(path: Path | str, vocab_size: int | None = None) -> NDArray[np.unsignedinteger]:
    """Return the tokens of a file as an array that is read from the disk where it is touched.

    Parameters
    ----------
    path : path
        A file that :func:`write_packed` wrote.
    vocab_size : int, optional
        The model's vocabulary, to be compared with the file's.

    Returns
    -------
    numpy.memmap, shape (n_tokens,), uint16 or uint32
        Read-only.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_header`; also if the vocabularies differ, or there is no token.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> _ = write_packed(folder.name + "/train.bin", [[1, 2, 3]], vocab_size=10)
    >>> open_packed(folder.name + "/train.bin", vocab_size=12)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: ... was made with a vocabulary of 10 and 12 is wanted; encode the text again \
with the model's tokenizer.
    """
    header = read_header(path)
    if vocab_size not in (None, header.vocab_size):
        raise ValueError(
            f"{path} was made with a vocabulary of {header.vocab_size} and {vocab_size} is "
            "wanted; encode the text again with the model's tokenizer."
        )
    if not header.n_tokens:
        raise ValueError(f"{path} holds no token; there was no text to encode.")
    return np.memmap(path, dtype=f"<u{header.itemsize}", mode="r", offset=HEADER.size)
