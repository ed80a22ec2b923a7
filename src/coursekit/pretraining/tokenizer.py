"""A byte-level tokenizer: from text or bytes to numbers and back, without loss."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from coursekit.pretraining import gpt2_files
from coursekit.pretraining.pattern import between_specials, pattern, settled, special_pattern

REMEMBERED = 1 << 16
"""Pre-tokens whose tokens are kept, so that a word that comes again costs a look-up."""


def as_bytes(text: str) -> bytes:
    r"""Return a text's bytes in UTF-8; what :func:`as_text` could not read comes back as it was.

    Raises
    ------
    ValueError
        If the text holds half of a surrogate pair, which has no bytes.

    Examples
    --------
    >>> as_bytes("é"), as_bytes(as_text(b"\xff"))
    (b'\xc3\xa9', b'\xff')
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the text holds {text[error.start]!r}, half of a surrogate pair, which is no "
            "character; read it again with the right encoding, or pass bytes."
        ) from error


def as_text(data: bytes) -> str:
    r"""Return bytes as text; those that are not UTF-8 become characters that stand for them.

    Examples
    --------
    >>> as_text(b"a\xff")
    'a\udcff'
    """
    return data.decode("utf-8", "surrogateescape")


class Tokenizer:
    """A vocabulary of byte strings with the merges that lead to them.

    Parameters
    ----------
    vocab : mapping of int to bytes
        What each token stands for; every single byte must be there.
    merges : sequence of (bytes, bytes)
        In the order in which they were learned; they are applied in that order.
    special_tokens : sequence of str
        Texts that are one token each: never split, never merged with others. Those that are not
        in `vocab` get the next numbers.

    Raises
    ------
    ValueError
        If `vocab` lacks a byte or the result of a merge, or holds one byte string twice.

    Examples
    --------
    >>> vocab = {i: bytes([i]) for i in range(256)} | {256: b"th", 257: b"the"}
    >>> tokenizer = Tokenizer(vocab, [(b"t", b"h"), (b"th", b"e")], ["<|endoftext|>"])
    >>> tokenizer.encode("the hat<|endoftext|>")
    [257, 32, 104, 97, 116, 258]
    >>> tokenizer.decode([257, 32, 104, 97, 116])
    'the hat'
    """

    def __init__(
        self,
        vocab: Mapping[int, bytes],
        merges: Iterable[tuple[bytes, bytes]],
        special_tokens: Sequence[str] = (),
    ) -> None:
        self.vocab, self.merges = dict(vocab), list(merges)
        self.special_tokens = tuple(special_tokens)
        self._ids = {token: i for i, token in self.vocab.items()}
        self._check()
        for token in map(as_bytes, self.special_tokens):
            if token not in self._ids:
                self._ids[token] = max(self.vocab) + 1
                self.vocab[self._ids[token]] = token
        self._ranks = {  # (left, right) -> (place in the order, token)
            (self._ids[a], self._ids[b]): (rank, self._ids[a + b])
            for rank, (a, b) in enumerate(self.merges)
        }
        self._byte_ids = [self._ids[bytes([b])] for b in range(256)]
        self._special = special_pattern(self.special_tokens)
        self._remembered: dict[str, list[int]] = {}

    def _check(self) -> None:
        if len(self._ids) < len(self.vocab):
            raise ValueError("the vocabulary holds one byte string under two numbers.")
        wanted = {bytes([b]) for b in range(256)}
        wanted.update(part for a, b in self.merges for part in (a, b, a + b))
        if missing := wanted - self._ids.keys():
            raise ValueError(
                f"the vocabulary lacks {min(missing)!r} (and {len(missing) - 1} more), a byte or "
                "what a merge needs: vocabulary and merges are not of one tokenizer."
            )
        if "" in self.special_tokens:
            raise ValueError("a special token is the empty text; it would be everywhere.")

    @property
    def vocab_size(self) -> int:
        """How many numbers an embedding needs: the greatest token and one more."""
        return max(self.vocab) + 1

    def token(self, text: str | bytes) -> int:
        """Return the number of the token that spells `text`.

        Raises
        ------
        KeyError
            If there is none.
        """
        try:
            return self._ids[as_bytes(text) if isinstance(text, str) else text]
        except KeyError:
            raise KeyError(f"no token spells {text!r}; encode it to get several.") from None

    def encode(self, text: str | bytes, *, specials: bool = True) -> list[int]:
        """Return the tokens of a text.

        Parameters
        ----------
        text : str or bytes
            Any text; any bytes, valid UTF-8 or not.
        specials : bool
            Whether a special token's text becomes that token. Say no for text from a stranger,
            who could end the document with it.

        Returns
        -------
        list of int

        Raises
        ------
        TypeError
            If `text` is neither.
        ValueError
            If a str holds half of a surrogate pair.
        """
        if not isinstance(text, str | bytes):
            raise TypeError(f"text or bytes wanted, and this is a {type(text).__name__}.")
        text = as_text(text) if isinstance(text, bytes) else text
        ids: list[int] = []
        for piece, is_special in between_specials(text, self._special if specials else None):
            if is_special:
                ids.append(self._ids[as_bytes(piece)])
            else:
                self._extend(ids, pattern().findall(piece))
        return ids

    def encode_iterable(self, chunks: Iterable[str]) -> Iterator[int]:
        """Yield the tokens of a text that comes in chunks, such as the lines of a large file.

        They are the tokens of the whole text, wherever the chunks divide it. What is held in
        memory is one chunk, one pre-token and one special token's length.

        Parameters
        ----------
        chunks : iterable of str

        Yields
        ------
        int
        """
        longest, rest = max(map(len, self.special_tokens), default=1), ""
        for chunk in chunks:
            rest += chunk
            done = self._settled(rest, longest)
            yield from self.encode(rest[:done])
            rest = rest[done:]
        yield from self.encode(rest)

    def _settled(self, text: str, longest: int) -> int:
        """Return how many characters of `text` are encoded the same way whatever comes after."""
        sure, start = len(text) - longest + 1, 0  # a special token may have begun after `sure`
        for match in self._special.finditer(text) if self._special else ():
            if match.start() >= sure:
                break
            start = match.end()
        return max(start, 0) + settled(text[start : max(sure, start)])

    def _extend(self, ids: list[int], words: Iterable[str]) -> None:
        remembered = self._remembered
        for word in words:
            tokens = remembered.get(word)
            if tokens is None:
                if len(remembered) >= REMEMBERED:
                    remembered.clear()
                tokens = remembered[word] = self._merge(as_bytes(word))
            ids += tokens

    def _merge(self, word: bytes) -> list[int]:
        """Apply the merges to one pre-token, the earliest learned first."""
        ids = [self._byte_ids[b] for b in word]
        after = list(range(1, len(ids) + 1))  # a linked list of the places still in use
        before = list(range(-1, len(ids) - 1))
        heap = [(*self._ranks[p], i, p) for i, p in enumerate(pairwise(ids)) if p in self._ranks]
        heapq.heapify(heap)
        while heap:
            _, token, i, pair = heapq.heappop(heap)
            j = after[i]
            if j >= len(ids) or (ids[i], ids[j]) != pair:  # one of the two was merged since
                continue
            ids[i], ids[j], after[i] = token, -1, after[j]
            if after[i] < len(ids):
                before[after[i]] = i
            for left in (before[i], i):
                self._consider(heap, ids, left, after)
        return [i for i in ids if i >= 0]

    def _consider(self, heap: list, ids: list[int], left: int, after: list[int]) -> None:
        if left >= 0 and after[left] < len(ids):
            pair = ids[left], ids[after[left]]
            if found := self._ranks.get(pair):
                heapq.heappush(heap, (*found, left, pair))

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the bytes that tokens stand for, exactly those that were encoded.

        Raises
        ------
        ValueError
            If a number is not in the vocabulary.
        """
        try:
            return b"".join([self.vocab[i] for i in map(int, ids)])
        except KeyError as error:
            raise ValueError(
                f"token {error} is not among the {len(self.vocab):,} of this vocabulary; the "
                "tokens come from another tokenizer, or the model's vocabulary is larger."
            ) from None

    def decode(self, ids: Iterable[int], errors: str = "replace") -> str:
        """Return the text that tokens stand for.

        Parameters
        ----------
        ids : iterable of int
        errors : {"replace", "strict", "ignore"}
            What to do with bytes that are not UTF-8: put a sign in their place, refuse, drop
            them. A model may break off in the middle of a character.

        Returns
        -------
        str

        Raises
        ------
        ValueError
            If a number is not in the vocabulary, or, with ``"strict"``, at bytes that are no text.
        """
        data = self.decode_bytes(ids)
        try:
            return data.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            raise ValueError(
                f"byte {error.start} of the text, 0x{data[error.start]:02x}, is not valid UTF-8; "
                "decode_bytes gives the bytes, and errors='replace' a text."
            ) from error

    def save(self, folder: Path | str) -> None:
        """Write ``vocab.json``, ``merges.txt`` and ``special_tokens.json`` into a folder.

        The first two have GPT-2's published format, which other libraries read.
        """
        gpt2_files.save(Path(folder), self.vocab, self.merges, self.special_tokens)

    @classmethod
    def load(cls, folder: Path | str) -> Tokenizer:
        """Read what :meth:`save` wrote.

        Raises
        ------
        FileNotFoundError
            If a file is missing.
        ValueError
            If a file is not of this format, or the two are not of one tokenizer.
        """
        folder = Path(folder)
        special = gpt2_files.read_special_tokens(folder / "special_tokens.json")
        return cls.from_files(folder / "vocab.json", folder / "merges.txt", special)

    @classmethod
    def from_files(
        cls, vocab: Path | str, merges: Path | str, special_tokens: Sequence[str] = ()
    ) -> Tokenizer:
        """Read a vocabulary and merges in GPT-2's published format.

        Parameters
        ----------
        vocab : path
            ``vocab.json``, or ``encoder.json`` as OpenAI called it.
        merges : path
            ``merges.txt``, or ``vocab.bpe``.
        special_tokens : sequence of str
            For GPT-2, ``["<|endoftext|>"]``.

        Raises
        ------
        FileNotFoundError, ValueError
            As :meth:`load` does.
        """
        read = gpt2_files.read_vocab(Path(vocab), special_tokens)
        return cls(read, gpt2_files.read_merges(Path(merges)), special_tokens)
