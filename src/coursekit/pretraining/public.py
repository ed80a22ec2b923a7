"""Public texts that language models are usually tried on, and GPT-2's own vocabulary."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from coursekit.pretraining.corpus import Document
from coursekit.pretraining.downloads import Source, download
from coursekit.pretraining.tokenizer import Tokenizer

_CHAR_RNN = "https://raw.githubusercontent.com/karpathy/char-rnn"
_GPT2 = "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main"
_WIKIPEDIA = "CC BY-SA, the authors of Wikipedia"
_STORIES = "https://huggingface.co/datasets/roneneldan/TinyStories/resolve/main"
_TITLE = r" = [^=].* = $"

PUBLIC: dict[str, Source] = {
    "tiny-shakespeare": Source(
        f"{_CHAR_RNN}/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        "1.1 MB",
        "public domain; put together by A. Karpathy",
    ),
    "enwik8": Source(
        "https://mattmahoney.net/dc/enwik8.zip",
        "547994d9980ebed1288380d652999f38a14fe291a6247c157c3d33d4932534bc",
        "36 MB, 100 MB of text",
        _WIKIPEDIA,
        member="enwik8",
        begins=r"  <page>$",
    ),
    "wikitext-2": Source(
        "https://wikitext.smerity.com/wikitext-2-raw-v1.zip",
        "ef7edb566e3e2b2d31b29c1fdb0c89a4cc683597484c3dc2517919c615435a11",
        "4.7 MB, 13 MB of text",
        _WIKIPEDIA,
        member="wikitext-2-raw/wiki.train.raw",
        begins=_TITLE,
    ),
    "wikitext-103": Source(
        "https://wikitext.smerity.com/wikitext-103-raw-v1.zip",
        "91c00ae287f0d699e18605c84afc9e45c192bc6b7797ff8837e5474655a33794",
        "192 MB, 540 MB of text",
        _WIKIPEDIA,
        member="wikitext-103-raw/wiki.train.raw",
        begins=_TITLE,
    ),
    "tiny-stories": Source(
        f"{_STORIES}/TinyStoriesV2-GPT4-train.txt",
        None,
        "2.2 GB",
        "CDLA-Sharing-1.0, R. Eldan and Y. Li",
        begins=r"<\|endoftext\|>$",
    ),
}
"""The texts by name."""

GPT2_FILES = {
    "vocab": Source(
        f"{_GPT2}/encoder.json",
        "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
        "1 MB",
        "MIT, OpenAI",
    ),
    "merges": Source(
        f"{_GPT2}/vocab.bpe",
        "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
        "0.5 MB",
        "MIT, OpenAI",
    ),
}


def public_documents(name: str, folder: Path | None = None) -> Iterator[Document]:
    """Yield the documents of a public text, downloaded at the first time.

    Parameters
    ----------
    name : {"tiny-shakespeare", "enwik8", "wikitext-2", "wikitext-103", "tiny-stories"}
        Which; :data:`PUBLIC` has sizes and licences.
    folder : path, optional
        Where to keep it; the user's cache by default.

    Yields
    ------
    Document
        One at a time, so that the text need not fit into memory. Line ends are those of the file.

    Raises
    ------
    KeyError
        If there is no such text.
    ConnectionError, ValueError
        As :func:`~coursekit.pretraining.download` does.

    Examples
    --------
    >>> next(public_documents("the-internet"))
    Traceback (most recent call last):
    KeyError: "no public text 'the-internet'; there are tiny-shakespeare, enwik8, wikitext-2, \
wikitext-103, tiny-stories."
    """
    if name not in PUBLIC:
        raise KeyError(f"no public text {name!r}; there are {', '.join(PUBLIC)}.")
    source = PUBLIC[name]
    with _opened(download(source, folder), source.member) as file:
        for i, text in enumerate(cut_documents(file, source.begins)):
            yield Document(f"{name}#{i}", text)


@contextmanager
def _opened(path: Path, member: str) -> Iterator[TextIO]:
    if not member:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(member) as data:
        yield io.TextIOWrapper(data, "utf-8", errors="surrogateescape", newline="")


def cut_documents(lines: Iterator[str] | TextIO, begins: str) -> Iterator[str]:
    r"""Yield the documents of a text, each beginning at a line that matches.

    Parameters
    ----------
    lines : iterator of str
        The text, line by line.
    begins : str
        A regular expression; empty for one document. Lines that are an end-of-text mark alone
        divide documents and belong to none.

    Yields
    ------
    str

    Examples
    --------
    >>> list(cut_documents(iter(["= A =\n", "x\n", "= B =\n"]), "= . =$"))
    ['= A =\nx\n', '= B =\n']
    """
    start, gathered = re.compile(begins) if begins else None, list[str]()
    for line in lines:
        if start and start.match(line):
            if gathered:
                yield "".join(gathered)
            gathered = []
            if line.startswith("<|endoftext|>"):
                continue
        gathered.append(line)
    if gathered:
        yield "".join(gathered)


def gpt2_tokenizer(folder: Path | None = None) -> Tokenizer:
    """Return GPT-2's tokenizer, with its 50,257 tokens, from the files that OpenAI published.

    Parameters
    ----------
    folder : path, optional
        Where to keep them; the user's cache by default.

    Returns
    -------
    Tokenizer

    Raises
    ------
    ConnectionError, ValueError
        As :func:`~coursekit.pretraining.download` does.

    Examples
    --------
    >>> gpt2_tokenizer().encode("Hello world")  # doctest: +SKIP
    [15496, 995]
    """
    files = {kind: download(source, folder) for kind, source in GPT2_FILES.items()}
    return Tokenizer.from_files(files["vocab"], files["merges"], ["<|endoftext|>"])
