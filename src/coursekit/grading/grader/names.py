"""Whose file is it? Each learning management system writes that into the name in its own way.

The forms below are those of the systems' own "download all submissions", as their documentation and
their exports show them; no system promises to keep them. A name that none of them explains is taken
as the student's own (``anna.ipynb``, ``anna/work.ipynb``).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

CANVAS = re.compile(
    r"^(?P<name>[^_/]+)_(?P<late>LATE_)?(?P<student>\d+)_(?P<order>\d+)_(?P<file>.+)$"
)
RESENT = re.compile(r"-(\d+)(\.[A-Za-z]+)$")
MOODLE = re.compile(
    r"^(?P<name>.+)_(?P<student>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)$"
)
BLACKBOARD = re.compile(
    r"^(?P<what>.+)_(?P<student>[^_]+)_attempt_"
    r"(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+))?$"
)
GRADESCOPE = re.compile(r"^submission_(?P<order>\d+)$")
ATTEMPT = re.compile(r"^(?:attempt|submission|versuch|try)?[-_ ]?(?P<order>\d{1,4})$", re.I)
PLAIN_ATTEMPT = re.compile(r"^(?P<student>.+?)[._ -]attempt[-_ ]?(?P<order>\d{1,4})$", re.I)
LONGEST = 100


@dataclass(frozen=True)
class Named:
    """What a file's name says: the student, and what else it knows.

    ``order`` sorts the attempts of a student where no time is known.
    """

    student: str
    name: str = ""
    order: int = 0
    submitted: datetime | None = None
    marked_late: bool = False
    system: str = "plain"


def understand(path: PurePosixPath, assignment: str) -> Named:
    """Read the student and the attempt off the path of a file inside the submissions' folder.

    Examples
    --------
    >>> understand(PurePosixPath("doejane_LATE_1234_98765_work-2.ipynb"), "01-basics").order
    2
    >>> understand(PurePosixPath("anna/01-basics/work.ipynb"), "01-basics").student
    'anna'
    """
    for part in path.parts:
        for read in (_moodle, _blackboard, _gradescope):
            if found := read(part):
                return found
    if found := _canvas(path.name):
        return found
    return _plain(path, assignment)


def _canvas(part: str) -> Named | None:
    """``lastfirst_LATE_user_submission_file-2.ipynb``; the last number counts re-submissions."""
    if not (m := CANVAS.match(part)):
        return None
    again = RESENT.search(m["file"])
    order = int(again[1]) if again else 0
    return Named(m["student"], m["name"], order, None, bool(m["late"]), "canvas")


def _moodle(part: str) -> Named | None:
    """``Full Name_participant_assignsubmission_file_``, a folder or the beginning of a file."""
    m = MOODLE.match(part)
    return Named(m["student"], m["name"], system="moodle") if m else None


def _blackboard(part: str) -> Named | None:
    """``Assignment_user_attempt_2026-01-02-10-20-30_file``."""
    if not (m := BLACKBOARD.match(part)):
        return None
    try:
        when = datetime.strptime(m["when"], "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
    return Named(m["student"], submitted=when, system="blackboard")


def _gradescope(part: str) -> Named | None:
    """``submission_123``; the student stands in ``submission_metadata.yml`` beside the folders."""
    m = GRADESCOPE.match(part)
    return Named(part, order=int(m["order"]), system="gradescope") if m else None


def _plain(path: PurePosixPath, assignment: str) -> Named:
    """``anna.ipynb``, ``anna.attempt2.ipynb``, ``anna/[assignment/][attempt-2/]work.ipynb``.

    A repository cloned from a classroom, ``assignment-anna/…``, belongs to ``anna``.
    """
    if len(path.parts) == 1:
        stem = re.sub(r"\.(ipynb|zip)$", "", path.name, flags=re.I)
        if m := PLAIN_ATTEMPT.match(stem):
            return Named(m["student"], order=int(m["order"]))
        return Named(stem)
    student = path.parts[0].removesuffix(".zip").removeprefix(f"{assignment}-")
    orders = [int(m["order"]) for part in path.parts[1:-1] if (m := ATTEMPT.match(part))]
    return Named(student, order=orders[-1] if orders else 0)


def clean(text: str) -> str:
    """An id or a name as the gradebook keeps it: one line of printable signs."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(kept.split())[:LONGEST] or "nameless"
