"""What the grader says of one answer, and of one submission, as plain data."""

from dataclasses import asdict, dataclass, field
from typing import Any

from coursekit.grading.diagnose import MISSING, PASSED, UNFINISHED, WRITTEN

WRONG, PARTLY, STOPPED, NOT_RUN = "wrong", "partly right", "stopped", "not run"
STATUSES = (PASSED, PARTLY, WRONG, STOPPED, MISSING, UNFINISHED, WRITTEN, NOT_RUN)


@dataclass
class Verdict:
    """One question of one submission.

    ``says``, ``tried``, ``came``, ``wanted`` and ``hint`` may be shown to the student: where they
    hold a value, it belongs to the public inputs. ``evidence`` is for the teacher: one entry for
    every drawing of inputs, with its seed and what became of each case.
    """

    question: str
    possible: int
    points: float = 0.0
    status: str = NOT_RUN
    says: str = ""
    case: str = ""
    tried: str = ""
    came: str = ""
    wanted: str = ""
    hint: str = ""
    text: str = ""
    evidence: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Result:
    """All verdicts on one submission's code, and what happened on the way."""

    code: str
    verdicts: list[Verdict]
    events: list[str] = field(default_factory=list)
    cell_errors: list[tuple[int, str]] = field(default_factory=list)
    output: str = ""
    sandbox: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    failed: bool = False  # the grader itself could not do it: a person must look

    def to_json(self) -> dict[str, Any]:
        """As JSON can write it; :func:`from_json` reads it."""
        return asdict(self)


def from_json(data: dict[str, Any]) -> Result:
    """Rebuild a result."""
    verdicts = [Verdict(**item) for item in data["verdicts"]]
    errors = [(int(number), str(text)) for number, text in data["cell_errors"]]
    return Result(**{**data, "verdicts": verdicts, "cell_errors": errors})


def total(verdicts: list[Verdict]) -> float:
    """Points of all verdicts together."""
    return sum(v.points for v in verdicts)
