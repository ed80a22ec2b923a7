"""One submission's time in the sandbox: sessions one after another, one budget of time for all."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from coursekit.grading.run import Outcome
from coursekit.grading.sandbox import SandboxDied

OUTPUT_KEPT = 4000


class Session(Protocol):
    """What the grader uses of a sandbox session."""

    cell_errors: list[tuple[int, str]]
    output: str
    peak_mb: float

    def defined(self, names: list[str]) -> dict[str, str]:
        """What each name is, as the submission claims."""

    def text(self, name: str) -> str | None:
        """A string that the submission defines."""

    def call(self, asks: str, inputs: Any, driver: str, seconds: float) -> Any:
        """What one call came to, as the submission claims."""


Opener = Callable[[list[str], float], AbstractContextManager[Session]]


class Desk:
    """Opens a session when one is needed, and a new one after a session has died.

    Only time inside the sandbox counts against ``seconds``: what the grader's own references take
    is not the student's.
    """

    def __init__(self, cells: list[str], open_session: Opener, seconds: float) -> None:
        self.cells, self.open_session, self.left = cells, open_session, seconds
        self.events: list[str] = []
        self.cell_errors: list[tuple[int, str]] = []
        self.output, self.peak_mb, self.sessions = "", 0.0, 0
        self.closed = ""  # why no session can be had any more
        self._stack = ExitStack()
        self._session: Session | None = None

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def call(self, asks: str, inputs: Any, driver: str, seconds: float) -> Outcome:
        """One call; ``SandboxDied`` where it ended the session."""
        return self._timed(lambda s: _outcome(s.call(asks, inputs, driver, seconds)))

    def defined(self, names: list[str]) -> dict[str, str]:
        """What each name is, as the submission claims."""
        return self._timed(lambda s: dict(s.defined(names)))

    def text(self, name: str) -> str | None:
        """A string that the submission defines, or None."""
        return self._timed(lambda s: s.text(name))

    def _timed(self, use: Callable[[Session], Any]) -> Any:
        start = time.monotonic()
        try:
            return use(self._open())
        except SandboxDied as death:
            self._leave()
            self._note(death)
            raise
        finally:
            self.left -= time.monotonic() - start

    def _open(self) -> Session:
        if self.closed:
            raise SandboxDied(self.closed, "no further session")
        if self._session is None:
            if self.left <= 0:
                self.closed = "total time limit"
                raise SandboxDied(self.closed, "the submission has used up its time")
            self._session = self._start()
        return self._session

    def _start(self) -> Session:
        try:
            session = self._stack.enter_context(self.open_session(self.cells, self.left))
        except SandboxDied as death:
            self.closed = death.reason  # the cells would end the next session too
            raise
        self.sessions += 1
        if self.sessions == 1:
            self.cell_errors = [(int(n), str(text)) for n, text in session.cell_errors]
        return session

    def _note(self, death: SandboxDied) -> None:
        text = f"stopped: {death.reason}" + (f" ({death.detail})" if death.detail else "")
        if text not in self.events:
            self.events.append(text[:300])

    def _leave(self) -> None:
        if self._session is not None:
            self.output = (self.output + str(self._session.output))[-OUTPUT_KEPT:]
            self.peak_mb = max(self.peak_mb, float(self._session.peak_mb))
        self._session = None
        self._stack.close()


def _outcome(reply: Any) -> Outcome:
    return Outcome(
        reply.value, str(reply.error), str(reply.message), str(reply.line), reply.changed
    )
