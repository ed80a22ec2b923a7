"""Which attempt counts, how late it is, and what that costs: computed from the gradebook, not kept.

A policy is a few numbers that are stored with the gradebook, so that every report applies the same.
"""

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

CHOICES = ("last", "best", "last-on-time")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Policy:
    """What counts.

    Attributes
    ----------
    attempts
        ``last`` (the last one handed in), ``best`` (the one that earns most), or ``last-on-time``
        (the last that is not late; the first late one where all are).
    due
        When the assignment was due, with a time zone; None where nothing is late.
    late_days
        Days that cost nothing. A day is begun, not completed: a minute late is one day.
    penalty
        Share of the points that each day after those costs, 1.0 for all of them.
    """

    attempts: str = "last"
    due: datetime | None = None
    late_days: int = 0
    penalty: float = 1.0

    def days(self, submitted: datetime | None, marked_late: bool) -> int:
        """Days late; where the LMS marks a submission late without a time, one.

        Examples
        --------
        >>> due = datetime(2026, 5, 1, 12, tzinfo=UTC)
        >>> Policy(due=due).days(due + timedelta(hours=25), False)
        2
        """
        if self.due is None or submitted is None:
            return int(marked_late)
        return max(0, math.ceil((submitted - self.due) / DAY))

    def factor(self, days: int) -> float:
        """What is left of the points after ``days`` late.

        Examples
        --------
        >>> Policy(due=datetime(2026, 5, 1), late_days=1, penalty=0.25).factor(3)
        0.5
        """
        if self.due is None:
            return 1.0
        return max(0.0, 1.0 - self.penalty * max(0, days - self.late_days))

    def to_json(self) -> dict[str, Any]:
        """As JSON can write it."""
        return asdict(self) | {"due": self.due.isoformat() if self.due else None}


def from_json(data: dict[str, Any]) -> Policy:
    """Rebuild a policy."""
    due = datetime.fromisoformat(data["due"]) if data["due"] else None
    return Policy(**{**data, "due": due})


def parse_due(text: str) -> datetime:
    """Read ``2026-05-01``, the end of that day, or ``2026-05-01 18:00+02:00``; UTC by default.

    Examples
    --------
    >>> parse_due("2026-05-01").isoformat()
    '2026-05-01T23:59:59+00:00'
    """
    due = datetime.fromisoformat(text)
    if len(text) == len("2026-05-01"):
        due = due.replace(hour=23, minute=59, second=59)
    return due if due.tzinfo else due.replace(tzinfo=UTC)


def counted(attempts: list[dict[str, Any]], policy: Policy) -> dict[str, Any] | None:
    """The attempt that counts, of rows with ``days``, ``points``, ``submitted`` and ``attempt``.

    Whatever the rule, an attempt that can be graded goes before one that cannot.
    """
    usable = [a for a in attempts if not a["problem"]] or attempts
    if not usable:
        return None
    if policy.attempts == "best":
        return max(usable, key=lambda a: (a["points"] * policy.factor(a["days"]), a["attempt"]))
    if policy.attempts == "last-on-time":
        on_time = [a for a in usable if not a["days"]]
        if not on_time:
            return min(usable, key=lambda a: a["attempt"])
        usable = on_time
    return max(usable, key=lambda a: a["attempt"])
