"""Which ways to isolate a submission there are, which are usable here, and which to use."""

import sys

from coursekit.grading.sandbox import bubblewrap, container, users
from coursekit.grading.sandbox.limits import Limits, NoSandboxError
from coursekit.grading.sandbox.session import Session
from coursekit.grading.sandbox.warm import Pool

TIERS = ("bubblewrap", "container", "user", "unsafe")
UNSAFE = (
    "With --unsafe a submission runs as an ordinary process with your rights: it can read, change "
    "and delete your files, among them the gradebook and other submissions, and use the network. "
    "Only its answers are still judged outside of it. Use it for code that you wrote yourself."
)


def available() -> dict[str, str]:
    """Name every tier, with an empty string where it is usable here and else the reason.

    >>> list(available())
    ['bubblewrap', 'container', 'user', 'unsafe']
    """
    if sys.platform != "linux":
        return dict.fromkeys(TIERS, f"the grader runs on Linux, and this is {sys.platform}")
    return {
        "bubblewrap": bubblewrap.why_not(),
        "container": container.why_not(),
        "user": users.why_not(),
        "unsafe": "",
    }


def choose(requested: str | None = None, *, unsafe: bool = False) -> str:
    """Return the tier to use: the requested one, else the best that is usable here.

    Parameters
    ----------
    requested
        One of ``TIERS``, or None for the best. "unsafe" needs ``unsafe`` as well.
    unsafe
        Whether to run submissions without isolation where nothing else is usable.

    Raises
    ------
    NoSandboxError
        The message says what is missing, what to do, and what ``--unsafe`` means.
    """
    if requested is not None and requested not in TIERS:
        raise NoSandboxError(f"There is no sandbox {requested!r}; there are {', '.join(TIERS)}.")
    found = available()
    if not unsafe:
        found["unsafe"] = found["unsafe"] or "it has to be asked for with --unsafe"
    wanted = TIERS if requested is None else (requested,)
    for tier in wanted:
        if not found[tier]:
            return tier
    raise NoSandboxError(_refusal({tier: found[tier] for tier in wanted}))


def _refusal(reasons: dict[str, str]) -> str:
    said = "\n".join(f"  {tier}: {reason}" for tier, reason in reasons.items())
    return (
        f"No sandbox is usable here, so nothing was run.\n{said}\n"
        "Install bubblewrap (on Debian and Ubuntu: sudo apt install bubblewrap) on a Linux machine "
        f"that allows user namespaces, or grade as root.\n{UNSAFE}"
    )


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
