"""Continuous batching: a request enters as soon as another leaves, not with the next batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from coursekit._validate import count
from coursekit.pretraining.cache import KeyValueCache
from coursekit.pretraining.decoding import (
    Generation,
    Prompt,
    Token,
    Writing,
    choose,
    last_logits,
    run,
    start_writing,
)
from coursekit.pretraining.sampling import Sampling
from coursekit.transformer import GPT


@dataclass(frozen=True)
class Request:
    """What somebody wants continued.

    Parameters
    ----------
    prompt : sequence of int
        Tokens, at least one.
    max_new_tokens : int, default 64
        New tokens at most.
    sampling : Sampling, optional
        How tokens are drawn; greedy without.
    stop : tuple of int
        Tokens that end it.
    seed : int, default 0
        Of what draws.
    """

    prompt: Prompt
    max_new_tokens: int = 64
    sampling: Sampling | None = None
    stop: tuple[int, ...] = ()
    seed: int = 0


class Batcher:
    """Serves requests that come at any time, a step for all at once.

    The scheduling of Orca (Yu et al., 2022), at the size of a step: before each, waiting requests
    take the free rows, and their prompts run as one batch. Rows in use are always the first ones,
    so that a step touches no others. Each row has room for a whole context; servers hand out pages
    instead (Kwon et al., 2023), as :func:`coursekit.attention.attention_decode` can read them.

    Parameters
    ----------
    model : GPT
        What continues.
    slots : int
        Rows, so requests served at once at most.

    Attributes
    ----------
    steps : int
        Steps that gave every row in use a token.
    rows_computed : int
        Rows in those steps, prompts aside.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> config = TransformerConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2, max_len=16)
    >>> batcher = Batcher(GPT(config), slots=2)
    >>> number = batcher.add(Request([3, 1], max_new_tokens=2))
    >>> [(token.row, token.reason) for token in batcher.step()]
    [(0, None)]
    >>> batcher.add(Request([4], max_new_tokens=1))  # while the first is being written
    1
    >>> [(token.row, token.reason) for token in batcher.step()]
    [(1, 'length'), (0, 'length')]
    """

    def __init__(self, model: GPT, slots: int) -> None:
        self.model, self.slots = model, count(slots, "slots")
        self.cache = KeyValueCache.like(model, self.slots)
        self.waiting: deque[tuple[int, Writing]] = deque()
        self.active: list[tuple[int, Writing]] = []  # row b of the cache belongs to the b-th
        self.finished: dict[int, Generation] = {}
        self.steps = self.rows_computed = self._taken = 0

    def add(self, request: Request) -> int:
        """Queue a request, and return its number.

        Raises
        ------
        TypeError, ValueError
            If the prompt is empty or longer than the context, or an option is out of range.
        """
        self.waiting.append((self._taken, _writing(self.model, request)))
        self._taken += 1
        return self._taken - 1

    @property
    def busy(self) -> bool:
        """Whether anything is being written or waits."""
        return bool(self.waiting or self.active)

    def step(self) -> list[Token]:
        """Admit what fits, give each row in use a token, and return them, the new rows' first."""
        old = len(self.active)
        made = self._admit()
        if old:
            made += self._advance(range(old), [w.new[-1:] for _, w in self.active[:old]])
            self.steps, self.rows_computed = self.steps + 1, self.rows_computed + old
        self._leave()
        return made

    def _admit(self) -> list[Token]:
        """Run the prompts of waiting requests in the free rows."""
        old = len(self.active)
        while self.waiting and len(self.active) < self.slots:
            self.active.append(self.waiting.popleft())
        new = range(old, len(self.active))
        self.cache.lengths[old:] = 0
        return self._advance(new, [list(w.prompt) for _, w in self.active[old:]]) if new else []

    def _advance(self, rows: range, new: list[list[int]]) -> list[Token]:
        """Give each of these rows a token, after those that it has not run over yet."""
        logits = last_logits(self.model, new, self.cache.rows(rows.start, rows.stop))  # (R, V)
        served = self.active[rows.start : rows.stop]
        chosen = choose(logits, [w for _, w in served])
        pairs = zip(served, chosen, strict=True)
        return [Token(number, token, w.add(token, lp)) for (number, w), (token, lp) in pairs]

    def _leave(self) -> None:
        """Empty the rows that are done; the last row moves into the hole."""
        for row in reversed(range(len(self.active))):
            number, writing = self.active[row]
            if writing.reason is not None:
                self.finished[number] = writing.done()
                last = self.active.pop()
                if row < len(self.active):
                    self.active[row] = last
                    self.cache.move(len(self.active), row)


@dataclass(frozen=True)
class Served:
    """What became of a list of requests.

    Attributes
    ----------
    generations : list of Generation
        One for each.
    steps : int
        Runs of the model that gave rows one more token, prompts aside.
    rows_computed : int
        Rows in all those runs.
    rows_used : int
        Those of them whose token was wanted.
    """

    generations: list[Generation]
    steps: int
    rows_computed: int
    rows_used: int

    @property
    def utilisation(self) -> float:
        """Share of the rows computed that gave a token which was wanted."""
        return self.rows_used / self.rows_computed if self.rows_computed else 1.0


def serve(model: GPT, requests: Sequence[Request], *, slots: int) -> Served:
    """Serve requests with continuous batching, in the order given.

    Parameters
    ----------
    model : GPT
        What continues.
    requests : sequence of Request
        All wait from the start.
    slots : int
        Requests served at once.

    Returns
    -------
    Served
        With the continuations that each request alone would get.

    Raises
    ------
    TypeError, ValueError
        If a request is refused; then none is served.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> config = TransformerConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2, max_len=16)
    >>> requests = [Request([3], max_new_tokens=n) for n in (9, 3, 3, 3)]
    >>> model = GPT(config)
    >>> serve(model, requests, slots=2).steps, serve_static(model, requests, slots=2).steps
    (8, 10)
    """
    batcher = Batcher(model, slots)
    for request in requests:
        batcher.add(request)
    while batcher.busy:
        batcher.step()
    generations = [batcher.finished[i] for i in range(len(requests))]
    return Served(generations, batcher.steps, batcher.rows_computed, batcher.rows_computed)


def serve_static(model: GPT, requests: Sequence[Request], *, slots: int) -> Served:
    """Serve requests batch by batch, each as long as its longest: what continuous batching beats.

    Parameters
    ----------
    model, requests, slots
        As in :func:`serve`.

    Returns
    -------
    Served

    Raises
    ------
    TypeError, ValueError
        As :func:`serve`.

    Examples
    --------
    >>> from coursekit.transformer import TransformerConfig
    >>> config = TransformerConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2, max_len=16)
    >>> requests = [Request([3], max_new_tokens=n) for n in (9, 3)]
    >>> serve_static(GPT(config), requests, slots=2).utilisation  # 8 and 2 of 2 x 8
    0.625
    """
    writings = [_writing(model, request) for request in requests]
    steps = computed = used = 0
    for start in range(0, len(writings), count(slots, "slots")):
        batch = writings[start : start + slots]
        for _ in run(model, batch):
            pass
        runs = [len(w.new) - 1 for w in batch]  # the first token comes from the prompt's run
        steps, computed = steps + max(runs), computed + max(runs) * len(batch)
        used += sum(runs)
    return Served([w.done() for w in writings], steps, computed, used)


def _writing(model: GPT, request: Request) -> Writing:
    r = request
    [writing] = start_writing(
        *(model, [r.prompt]),
        max_new_tokens=r.max_new_tokens,
        sampling=r.sampling,
        stop=r.stop,
        seed=r.seed,
    )
    return writing
