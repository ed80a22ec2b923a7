"""The files in which GPT-2's vocabulary was published: bytes as printable characters."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


@functools.cache
def byte_characters() -> tuple[str, ...]:
    """Return a printable character for each of the 256 bytes.

    A byte that is a visible character of Latin-1 stands for itself; the other 68 get the characters
    from U+0100 on, in order. The space is ``Ġ`` and the line feed ``Ċ``.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> table = byte_characters()
    >>> table[ord("A")], table[ord(" ")], len(set(table))
    ('A', 'Ġ', 256)
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return tuple(chr(b if b in visible else next(others)) for b in range(256))


def written(token: bytes) -> str:
    """Return how a token is written in the files."""
    return "".join([byte_characters()[b] for b in token])


def read_token(text: str, path: Path) -> bytes:
    """Return the bytes of a token as written; ValueError where a character stands for none."""
    table = {c: b for b, c in enumerate(byte_characters())}
    try:
        return bytes([table[c] for c in text])
    except KeyError as error:
        raise ValueError(
            f"{path.name} holds {text!r}, and {error} stands for no byte there; is it a special "
            "token? Name it in special_tokens."
        ) from None


def save(
    folder: Path,
    vocab: Mapping[int, bytes],
    merges: Sequence[tuple[bytes, bytes]],
    special_tokens: Sequence[str],
) -> None:
    """Write the two files, and one with the special tokens, which GPT-2 kept in its program."""
    special = {token.encode(): token for token in special_tokens}
    ids = {special.get(token) or written(token): i for i, token in vocab.items()}
    lines = ["#version: 0.2", *(f"{written(a)} {written(b)}" for a, b in merges)]
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("vocab.json", json.dumps(ids, ensure_ascii=False, separators=(",", ":"))),
        ("merges.txt", "\n".join(lines) + "\n"),
        ("special_tokens.json", json.dumps(list(special_tokens), ensure_ascii=False)),
    ):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def read_vocab(path: Path, special_tokens: Sequence[str]) -> dict[int, bytes]:
    """Read ``vocab.json``: token as written, to number."""
    ids = _json(path, dict)
    special = set(special_tokens)
    vocab = {i: t.encode() if t in special else read_token(t, path) for t, i in ids.items()}
    if len(vocab) < len(ids):
        raise ValueError(f"{path.name} gives one number to two tokens.")
    return vocab


def read_merges(path: Path) -> list[tuple[bytes, bytes]]:
    """Read ``merges.txt``: two tokens a line, after a line with the version."""
    lines = path.read_text(encoding="utf-8").split("\n")
    first = 1 if lines[0].startswith("#version") else 0
    merges = []
    for number, line in enumerate(lines[first:], first + 1):
        parts = line.rstrip("\r").split(" ")
        if len(parts) == 2:
            merges.append((read_token(parts[0], path), read_token(parts[1], path)))
        elif line.strip():
            raise ValueError(f"{path.name}, line {number}: two tokens wanted, and this is {line!r}")
    return merges


def read_special_tokens(path: Path) -> list[str]:
    """Read the list of special tokens."""
    return _json(path, list)


def _json(path: Path, kind: type) -> Any:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path.name} is damaged: {error}.") from error
    if not isinstance(found, kind):
        raise ValueError(f"{path.name} holds a {type(found).__name__}; a {kind.__name__} wanted.")
    return found
