"""From the files that an LMS exports to submissions: whose, which attempt, when, and the code."""

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from coursekit.grading.grader import notebooks
from coursekit.grading.grader.folders import File, files
from coursekit.grading.grader.names import Named, clean, understand

CHECK = re.compile(r"""\bCheck\(\s*(?:assignment\s*=\s*)?["']([\w-]+)["']""")


@dataclass(frozen=True)
class Submission:
    """One notebook that somebody handed in.

    ``problem`` says why it cannot be graded; ``cells`` and ``code`` are empty then. ``attempt``
    counts from 1 in the order of handing in. ``marked_late`` is what the LMS says where it gives no
    time.
    """

    student: str
    name: str
    file: str
    attempt: int
    submitted: datetime | None
    marked_late: bool
    sha256: str
    code: str
    cells: list[str]
    problem: str = ""


def scan(
    source: Path, assignment: str, *, zone: tzinfo = UTC, mtime: bool = False, student: str = ""
) -> list[Submission]:
    """Find all submissions below ``source``, a folder or a zip.

    Parameters
    ----------
    zone
        The time zone of times that an LMS writes without one.
    mtime
        Whether a file's own time counts as the time of handing in where nothing else is known.
        An export keeps it, a copy may not.
    student
        Whose everything is, whatever the files are called; empty where the names say it.

    Returns
    -------
    list of Submission
        Sorted by student and attempt: the same list for the same files.
    """
    found = files(source)
    notes = {f.path: f.data for f in found if f.path.suffix in (".txt", ".yml")}
    whose = _gradescope_students(notes)
    read = [
        _submission(f, _named_by(f, assignment, student), whose, notes, zone, mtime)
        for f in (_unwrapped(found) if source.suffix == ".zip" else found)
        if f.path.suffix not in (".txt", ".yml")
    ]
    return _numbered(_one_each(read, assignment))


def _unwrapped(found: list[File]) -> list[File]:
    """Without the one folder that a system's zip wraps around everybody."""
    tops = {f.path.parts[0] for f in found}
    below = {f.path.parts[1] for f in found if len(f.path.parts) > 1}
    known = any(understand(f.path, "").system != "plain" for f in found)
    if len(tops) != 1 or len(below) < 2 or known:
        return found
    return [replace(f, path=PurePosixPath(*f.path.parts[1:])) for f in found]


def _named_by(file: File, assignment: str, student: str) -> Named:
    return Named(student) if student else understand(file.path, assignment)


def _submission(
    file: File,
    named: Named,
    whose: dict[str, dict],
    notes: dict[PurePosixPath, bytes],
    zone: tzinfo,
    mtime: bool,
) -> tuple[Submission, int]:
    about = whose.get(named.student, {}) if named.system == "gradescope" else {}
    when = about.get("submitted") or named.submitted or _timestamp(file.path, notes)
    if when is None and mtime:
        when = file.modified
    if when is not None and when.tzinfo is None:
        when = when.replace(tzinfo=zone)
    cells, code, problem = _code(file)
    made = Submission(
        student=clean(about.get("student", named.student)),
        name=clean(about.get("name", named.name)) if about.get("name", named.name) else "",
        file=str(file.path)[:500],
        attempt=0,
        submitted=when.astimezone(UTC) if when else None,
        marked_late=named.marked_late,
        sha256=hashlib.sha256(file.data).hexdigest(),
        code=code,
        cells=cells,
        problem=problem,
    )
    return made, named.order


def _code(file: File) -> tuple[list[str], str, str]:
    if file.problem:
        return [], "", file.problem
    try:
        cells = notebooks.cells(file.data)
    except notebooks.UnreadableError as error:
        return [], "", str(error)
    return cells, notebooks.code_hash(cells), ""


def _one_each(
    read: list[tuple[Submission, int]], assignment: str
) -> dict[str, list[tuple[Submission, int]]]:
    """By student; of several notebooks handed in together only the assignment's own."""
    by_time: dict[tuple, list[tuple[Submission, int]]] = defaultdict(list)
    for made, order in read:
        by_time[(made.student, order, made.submitted)].append((made, order))
    students: dict[str, list[tuple[Submission, int]]] = defaultdict(list)
    for (student, *_), together in by_time.items():
        own = [pair for pair in together if _names(pair[0], assignment)]
        others = [
            pair for pair in together if not (named := _named(pair[0])) or named == assignment
        ]
        students[student] += own or others or together
    return students


def _named(s: Submission) -> str:
    found = CHECK.search("\n".join(s.cells))
    return found[1] if found else ""


def _names(s: Submission, assignment: str) -> bool:
    return _named(s) == assignment


def _numbered(students: dict[str, list[tuple[Submission, int]]]) -> list[Submission]:
    """Count each student's attempts by time, else by the LMS's number, else by name."""
    made = []
    for student in sorted(students):
        early = datetime.min.replace(tzinfo=UTC)
        ordered = sorted(
            students[student], key=lambda p: (p[0].submitted or early, p[1], p[0].file)
        )
        made += [replace(s, attempt=number) for number, (s, _) in enumerate(ordered, 1)]
    return made


def _timestamp(path: PurePosixPath, notes: dict[PurePosixPath, bytes]) -> datetime | None:
    """The time in the ``timestamp.txt`` that nbgrader puts beside a notebook."""
    text = notes.get(path.parent / "timestamp.txt", b"")[:100].decode("utf-8", "replace").strip()
    stamp, _, zone = text.partition(" ")[2].partition(" ")
    day = text.partition(" ")[0]
    try:
        return datetime.fromisoformat(f"{day} {stamp}".strip()).replace(tzinfo=_zone(zone))
    except ValueError:
        return None


def _zone(name: str) -> tzinfo | None:
    try:
        return UTC if name in ("UTC", "GMT") else ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return UTC


def _gradescope_students(notes: dict[PurePosixPath, bytes]) -> dict[str, dict]:
    """Folder name to student, name and time, from Gradescope's ``submission_metadata.yml``.

    Read line by line as far as it is needed; a YAML reader could build objects.
    """
    found: dict[str, dict] = {}
    for path, data in notes.items():
        if path.name == "submission_metadata.yml":
            folder = ""
            for line in data.decode("utf-8", "replace").splitlines():
                if m := re.match(r"^(submission_\d+):\s*$", line):
                    folder = m[1]
                    found[folder] = {}
                elif folder:
                    _gradescope_line(line, found[folder])
    return found


def _gradescope_line(line: str, about: dict) -> None:
    m = re.match(r"""^[\s-]*:(name|sid|email|created_at):\s*['"]?(.*?)['"]?\s*$""", line)
    if not m or not m[2]:
        return
    if m[1] == "created_at":
        try:
            stamp = m[2].removesuffix(" Z").replace(" UTC", "+00:00")
            when = datetime.fromisoformat(stamp)
            about.setdefault("submitted", when if when.tzinfo else when.replace(tzinfo=UTC))
        except ValueError:
            return
    elif m[1] == "name":
        about.setdefault("name", m[2])
    elif m[1] == "sid":
        about["student"] = m[2]
    else:
        about.setdefault("student", m[2])
