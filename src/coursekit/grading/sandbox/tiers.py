"""Which ways to isolate a submission there are, which are usable here, and which to use."""

import sys

from coursekit.grading.sandbox import bubblewrap
from coursekit.grading.sandbox.limits import Limits, NoSandboxError
from coursekit.grading.sandbox.session import Session
from coursekit.grading.sandbox.warm import Pool

TIERS = ("bubblewrap", "container", "user", "unsafe")


def available() -> dict[str, str]:
    """Name every tier, with an empty string where it is usable here and else the reason."""
    if sys.platform != "linux":
        return dict.fromkeys(TIERS, f"the grader runs on Linux, and this is {sys.platform}")
    return {
        "bubblewrap": bubblewrap.why_not(),
        "container": "not written yet",
        "user": "not written yet",
        "unsafe": "",
    }


def choose(requested: str | None = None, *, unsafe: bool = False) -> str:
    """Return the best usable tier, or the requested one if it is usable."""
    found = available()
    usable = [t for t in TIERS if not found[t] and (t != "unsafe" or unsafe)]
    if requested is not None:
        if requested in usable:
            return requested
        raise NoSandboxError(f"The sandbox {requested!r} is not usable here: {found[requested]}")
    if not usable:
        raise NoSandboxError("No sandbox is usable here.")
    return usable[0]


def open_session(
    cells: list[str],
    *,
    tier: str,
    limits: Limits | None = None,
    slot: int = 0,
    pool: Pool | None = None,
) -> Session:
    """Start a submission in a sandbox and run its cells.

    Parameters
    ----------
    cells
        Sources of the notebook's code cells, in order.
    tier
        One of ``TIERS``, from :func:`choose`.
    limits
        What the submission may use.
    slot
        A number that no other session of this process has at the same time.
    pool
        Take a warm session from here; else Python is started for this one submission.

    Raises
    ------
    SandboxDied
        The submission ended itself or reached a limit while its cells ran, or nothing started.
    """
    if pool is not None:
        return pool.open(cells, limits, slot)
    once = Pool(tier, preload=())
    try:
        session = once.open(cells, limits, slot)
    except BaseException:
        once.close()
        raise
    session.also_close(once.close)
    return session
