"""Which ways to isolate a submission there are, which are usable here, and which to use."""

from coursekit.grading.sandbox import plain
from coursekit.grading.sandbox.limits import Limits, NoSandboxError
from coursekit.grading.sandbox.session import Session

TIERS = ("bubblewrap", "container", "user", "unsafe")


def available() -> dict[str, str]:
    """Name every tier, with an empty string where it is usable here and else the reason."""
    return {**dict.fromkeys(TIERS, "not written yet"), "unsafe": ""}


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
    pool: "Pool | None" = None,
) -> Session:
    """Start a submission in a sandbox and run its cells."""
    limits = limits or Limits()
    return Session(plain.start(limits, slot), cells, limits)


class Pool:
    """A source of warm sessions (still cold)."""

    def __init__(self, tier: str, preload: tuple[str, ...] = ("numpy",)) -> None:
        self.tier, self.preload = tier, preload

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the pool's process."""
