"""Talk to a submission that runs in a sandbox, and never wait longer than was allowed."""

import json
import os
import secrets
import select
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn

from coursekit.grading import wire
from coursekit.grading.sandbox.limits import Limits, Reply, SandboxDied
from coursekit.grading.sandbox.parent import Box
from coursekit.grading.sandbox.watch import Watch

# The worker stops an endless call itself; only one that resists is ended from outside.
GRACE_S = 1.0
# JSON grows when it is read: "{}," is three bytes and then a hundred.
MAX_BRACKETS, MAX_COMMAS = 400_000, 3_000_000
KINDS = {"error": 100, "message": 400, "line": 400, "warning": 400}


class Session:
    """One submission, running.

    Parameters
    ----------
    box
        The started worker.
    cells
        Sources of the notebook's code cells; they run at once. Whatever they do, the constructor
        returns or raises :class:`SandboxDied`.
    limits
        What the submission may use.

    Attributes
    ----------
    cell_errors : list of (int, str)
        Code cells that stopped, counted from 1, and why.
    """

    def __init__(self, box: Box, cells: list[str], limits: Limits) -> None:
        self._box, self._limits, self._spent, self._buffer = box, limits, 0.0, b""
        self._closed = False
        self._also: list[Callable[[], None]] = []
        for fd in (box.requests, box.replies):
            os.set_blocking(fd, False)
        self._watch = Watch(box, limits)
        self.cell_errors: list[tuple[int, str]] = []
        try:
            self._start(cells)
        except BaseException:
            self.close()
            raise

    def _start(self, cells: list[str]) -> None:
        try:
            self._ask({"do": "defined", "names": []}, self._limits.start_s)
        except SandboxDied as died:
            if died.reason in ("ended", "time limit"):
                raise SandboxDied("start failed", died.detail, died.output) from died
            raise
        seconds = self._limits.start_s
        told = self._ask({"do": "cells", "cells": cells, "seconds": seconds}, seconds + GRACE_S)
        self.cell_errors = [(n, text) for n, text in self._checked(told, "errors", _errors)]

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, asks: str, inputs: Any, driver: str, seconds: float) -> Reply:
        """Call what the submission names ``asks``, through ``driver``, for at most ``seconds``.

        Parameters
        ----------
        asks
            Name of a function, class or value in the submission.
        inputs
            The inputs as a tuple, in wire form.
        driver
            Source of a function ``driver(answer, *inputs)``; empty to call the answer itself.
        seconds
            Wall-clock seconds. A call that takes longer and can be interrupted comes back with
            ``error="TimeLimit"``; one that cannot ends the session.

        Returns
        -------
        Reply
            What the submission claims. A name that does not exist is a ``NameError``, a value of a
            type that cannot travel a ``WireError``.

        Raises
        ------
        SandboxDied
            The session is over; open another for what is left to ask.
        """
        request = {"asks": asks, "inputs": inputs, "driver": driver, "seconds": seconds}
        return self._checked(self._ask({"do": "call", **request}, seconds + GRACE_S), "", _reply)

    def defined(self, names: list[str]) -> dict[str, str]:
        """Ask what the submission has under each name: "function", "class", "missing", a type."""
        told = self._ask({"do": "defined", "names": names}, self._limits.start_s)
        return self._checked(told, "defined", lambda found: _kinds(found, names))

    def text(self, name: str) -> str | None:
        """A string of the submission (an answer to be read by a person), or None."""
        told = self._ask({"do": "text", "name": name}, self._limits.start_s)
        return self._checked(told, "text", _text)

    @property
    def output(self) -> str:
        """What the submission printed, as far as it was kept."""
        return bytes(self._watch.printed).decode("utf-8", "replace")

    @property
    def output_bytes(self) -> int:
        """Number of bytes that the submission printed."""
        return self._watch.printed_bytes

    @property
    def peak_mb(self) -> float:
        """Largest resident memory that was seen, of all processes together, in MiB."""
        return self._watch.peak / (1 << 20)

    def also_close(self, close: Callable[[], None]) -> None:
        """Call ``close`` after the submission has been ended."""
        self._also.append(close)

    def close(self) -> None:
        """End every process of the submission. Called twice, it does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._box.close()
        finally:
            self._watch.stop()
            for fd in (self._box.requests, self._box.replies, self._box.output):
                os.close(fd)
            for close in self._also:
                close()

    def _ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        if self._closed:
            raise SandboxDied("ended", "the session is closed")
        nonce = secrets.token_hex(16)
        raw = json.dumps({**request, "nonce": nonce}, allow_nan=False).encode()
        began = time.monotonic()
        left = self._limits.total_s - self._spent
        self._end, self._why = began + min(seconds, left), _limit_hit(seconds, left)
        try:
            if self._buffer or self._poll():
                self._die("reply before it was asked for", "the worker wrote without a request")
            self._write(len(raw).to_bytes(4, "big") + raw)
            return self._parse(self._read(self._length()), nonce)
        finally:
            self._spent += time.monotonic() - began

    def _die(self, reason: str, detail: str) -> NoReturn:
        self._watch.trip(reason, detail)
        self.close()
        raise SandboxDied(self._watch.reason, self._watch.detail, self.output)

    def _poll(self) -> bool:
        return bool(select.select([self._box.replies], [], [], 0)[0])

    def _wait(self, read: list[int], write: list[int]) -> None:
        if self._watch.reason:
            self._die(self._watch.reason, self._watch.detail)
        left = self._end - time.monotonic()
        if left <= 0:
            self._die(*self._why)
        select.select(read, write, [], min(left, 0.05))

    def _write(self, raw: bytes) -> None:
        view = memoryview(raw)
        while view:
            self._wait([], [self._box.requests])
            try:
                view = view[os.write(self._box.requests, view) :]
            except BlockingIOError:
                continue
            except OSError:
                self._ended()

    def _length(self) -> int:
        length = int.from_bytes(self._read(4), "big")
        if length > self._limits.reply_bytes:
            allowed = f"{self._limits.reply_bytes} are allowed"
            self._die("reply limit", f"a reply of {length} bytes came, {allowed}")
        return length

    def _read(self, n: int) -> bytes:
        parts = bytearray(self._buffer)
        while len(parts) < n:
            self._wait([self._box.replies], [])
            try:
                part = os.read(self._box.replies, 1 << 20)
            except BlockingIOError:
                continue
            if not part:
                self._ended()
            parts += part
        self._buffer = bytes(parts[n:])
        return bytes(parts[:n])

    def _ended(self) -> NoReturn:
        self._watch_settles()
        self._die("ended", "the process that runs the submission ended")

    def _watch_settles(self) -> None:
        """The watch may just be ending the process; let it say why."""
        end = time.monotonic() + 0.1
        while not self._watch.reason and time.monotonic() < end:
            time.sleep(0.005)

    def _parse(self, raw: bytes, nonce: str) -> dict[str, Any]:
        if raw.count(b"[") + raw.count(b"{") > MAX_BRACKETS or raw.count(b",") > MAX_COMMAS:
            self._die("malformed reply", "it has more parts than any answer needs")
        try:
            told = json.loads(raw)
        except (ValueError, RecursionError) as error:
            self._die("malformed reply", f"not JSON: {type(error).__name__}")
        if type(told) is not dict or told.pop("nonce", None) != nonce:
            self._die("malformed reply", "it does not belong to the request")
        return told

    def _checked(self, told: dict[str, Any], key: str, check: Any) -> Any:
        try:
            return check(told.get(key) if key else told)
        except (ValueError, TypeError) as error:
            self._die("malformed reply", str(error)[:200])


def _limit_hit(seconds: float, left: float) -> tuple[str, str]:
    if left < seconds:
        return "total time limit", "the submission used up the time that it has for everything"
    return "time limit", f"no answer within {max(seconds - GRACE_S, 0.0):g} seconds"


def _string(value: Any, most: int) -> str:
    if type(value) is not str or len(value) > most:
        raise ValueError("a short text was wanted")
    return value


def _errors(found: Any) -> list[tuple[int, str]]:
    if type(found) is not list or len(found) > 100:
        raise ValueError("a list of cell errors was wanted")
    for pair in found:
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not int:
            raise ValueError("a cell's number and its error were wanted")
    return [(number, _string(text, 600)) for number, text in found]


def _kinds(found: Any, names: list[str]) -> dict[str, str]:
    if type(found) is not dict or set(found) != set(names):
        raise ValueError("one kind for each name was wanted")
    return {name: _string(found[name], 100) for name in names}


def _text(found: Any) -> str | None:
    return None if found is None else _string(found, 100_000)


def _reply(told: dict[str, Any]) -> Reply:
    changed = told.get("changed", False)
    if type(changed) is not bool:
        raise ValueError("changed must be true or false")
    texts = {key: _string(told.get(key, ""), most) for key, most in KINDS.items()}
    value = wire.decode(told["value"]) if "value" in told and not texts["error"] else None
    return Reply(value=value, changed=changed, **texts)
