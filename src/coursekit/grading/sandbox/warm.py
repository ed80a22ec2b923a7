"""Where sessions come from: a launcher that lives for one submission (cold) or for many (warm)."""

import os
import tempfile
from collections.abc import Callable
from types import TracebackType

from coursekit.grading.sandbox import bubblewrap, container, plain, users
from coursekit.grading.sandbox.limits import Limits
from coursekit.grading.sandbox.parent import Box, Parent
from coursekit.grading.sandbox.session import Session
from coursekit.grading.sandbox.users import Claim, is_root
from coursekit.grading.sandbox.watch import of_uid, wait_for_none

STARTS = {"bubblewrap": bubblewrap.start, "user": users.start, "unsafe": plain.start}


class Pool:
    """Warm sessions of one tier: Python is started and ``preload`` imported once for all of them.

    Each session is a fork with namespaces, folders, user and limits of its own (see
    :mod:`coursekit.grading.sandbox.launcher`); cold and warm sessions differ in nothing else. Use
    a pool in the process that made it.

    Parameters
    ----------
    tier
        One of ``TIERS``.
    preload
        Modules to import before the first submission, such as ``("numpy", "torch")``.

    Examples
    --------
    >>> from coursekit.grading import wire
    >>> with Pool("unsafe") as pool, pool.open(["def f(x): return 2 * x"]) as session:
    ...     session.call("f", wire.encode((21,)), "", seconds=5.0).value
    42
    """

    def __init__(self, tier: str, preload: tuple[str, ...] = ("numpy",)) -> None:
        self.tier, self.preload = tier, tuple(preload)
        self._parent: Parent | None = None

    def open(self, cells: list[str], limits: Limits | None = None, slot: int = 0) -> Session:
        """Start a submission and run its cells."""
        limits = limits or Limits()
        if self.tier == "container":  # each is started by the engine, so there is nothing to warm
            return Session(container.start(limits), cells, limits)
        if self._parent is not None and self._parent.owner != os.getpid():
            raise RuntimeError("this pool belongs to another process; make one in this process")
        if self._parent is not None and not self._parent.alive():
            self.close()
        if self._parent is None:
            self._parent = STARTS[self.tier](self.preload)
        return Session(OPENS[self.tier](self._parent, limits, slot), cells, limits)

    def close(self) -> None:
        """End the launcher. The next session starts another."""
        if self._parent is not None:
            self._parent.close()
        self._parent = None

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _isolated(parent: Parent, limits: Limits, slot: int) -> Box:
    """A worker in namespaces of its own and, where that is possible, as a user of its own."""
    if not is_root():
        return parent.open(limits, None, "/tmp")
    claim = Claim(slot)
    try:
        box = parent.open(limits, claim.uid, "/tmp")
    except BaseException:
        claim.release()
        raise
    return _and_then(box, lambda: _free(claim))


def _other_user(parent: Parent, limits: Limits, slot: int) -> Box:
    """A worker as a user of its own, in a folder of its own."""
    claim = Claim(slot)
    folder = tempfile.mkdtemp(prefix="submission-")
    os.chown(folder, claim.uid, claim.uid)
    try:
        box = parent.open(limits, claim.uid, folder)
    except BaseException:
        _free(claim)
        raise
    box.disk_use = lambda: users.disk_use(claim.uid)
    # First the files: once the id is free, another submission may have it.
    box = _and_then(box, lambda: users.remove_files(claim.uid))
    return _and_then(box, lambda: _free(claim))


def _ordinary(parent: Parent, limits: Limits, slot: int) -> Box:
    """A worker in a folder of its own, and otherwise free."""
    folder = tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True)
    try:
        box = parent.open(limits, None, folder.name)
    except BaseException:
        folder.cleanup()
        raise
    return _and_then(box, folder.cleanup)


OPENS = {"bubblewrap": _isolated, "user": _other_user, "unsafe": _ordinary}


def _and_then(box: Box, clean: Callable[[], None]) -> Box:
    """The box, with something more to do once it is closed."""
    close = box.close

    def close_all() -> None:
        try:
            close()
        finally:
            clean()

    box.close = close_all
    return box


def _free(claim: Claim) -> None:
    """Give the user id back, once no process has it."""
    if left := wait_for_none(lambda: of_uid(claim.uid)):
        raise RuntimeError(f"processes {left} of a submission cannot be ended")
    claim.release()
