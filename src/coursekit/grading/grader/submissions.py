"""From the files that an LMS exports to submissions: whose, which attempt, when, and the code."""

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from coursekit.grading.grader import notebooks
from coursekit.grading.grader.folders import File, files
from coursekit.grading.grader.names import Named, clean, system_of, understand

NOTES = (".txt", ".yml")
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


@dataclass(frozen=True)
class _Read:
    """What is kept of a file: a notebook's code, the text of a note."""

    path: PurePosixPath
    cells: list[str]
    code: str
    sha256: str
    problem: str
    modified: datetime | None
    note: bytes = b""


def scan(
    source: Path,
    assignment: str,
    *,
    zone: tzinfo = UTC,
    mtime: bool = False,
    student: str = "",
    skip: Path | None = None,
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
    skip
        A folder below ``source`` that is left out.

    Returns
    -------
    list of Submission
        Sorted by student and attempt: the same list for the same files.
    """
    found = sorted(map(_read, files(source, skip)), key=lambda f: str(f.path))
    found = _unwrapped(found, zipped=source.suffix == ".zip")
    notes, system = {f.path: f.note for f in found if f.note}, _system(found)
    read = []
    for f in found:
        if f.path.suffix not in NOTES:
            named = Named(student) if student else understand(f.path, assignment, system)
            read.append(_submission(f, _noted(named, f.path, notes, assignment), zone, mtime))
    return _numbered(_one_each(read, assignment))


def _system(found: list[_Read]) -> str:
    return system_of(f.path.parts[0] for f in found if f.path.suffix not in NOTES)


def _unwrapped(found: list[_Read], *, zipped: bool) -> list[_Read]:
    """Without the one folder that may be wrapped around everybody.

    In a folder it is a wrapper when what lies in it has a system's names; in a zip also when it
    holds more than one thing.
    """
    tops = {f.path.parts[0] for f in found}
    if len(tops) != 1 or _system(found) or any(len(f.path.parts) == 1 for f in found):
        return found
    inside = [replace(f, path=PurePosixPath(*f.path.parts[1:])) for f in found]
    several = len({f.path.parts[0] for f in inside}) > 1
    return inside if _system(inside) or (zipped and several) else found


def _noted(
    named: Named, path: PurePosixPath, notes: dict[PurePosixPath, bytes], assignment: str
) -> Named:
    """With what the systems' own notes say of the student and the time.

    A note counts only in the place where its system puts it: a student may hand in one too.
    """
    if named.system == "gradescope":
        listed = notes.get(PurePosixPath("submission_metadata.yml"), b"")
        return replace(named, **_gradescope_students(listed).get(named.student, {}))
    if named.system == "plain" and path.parts[1:-1] == (assignment,):  # nbgrader's folders
        return replace(named, submitted=_timestamp(path, notes))
    return named


def _submission(
    file: _Read,
    named: Named,
    zone: tzinfo,
    mtime: bool,
) -> tuple[Submission, int]:
    when = named.submitted
    if when is None and mtime:
        when = file.modified
    if when is not None and when.tzinfo is None:
        when = when.replace(tzinfo=zone)
    made = Submission(
        student=clean(named.student),
        name=clean(named.name) if named.name else "",
        file=str(file.path)[:500],
        attempt=0,
        submitted=when.astimezone(UTC) if when else None,
        marked_late=named.marked_late,
        sha256=file.sha256,
        code=file.code,
        cells=file.cells,
        problem=file.problem,
    )
    return made, named.order


def _read(file: File) -> _Read:
    digest = hashlib.sha256(file.data).hexdigest()
    cells, code, problem, note = [], "", file.problem, b""
    if file.path.suffix in NOTES:
        note = file.data
    elif not problem:
        try:
            cells = notebooks.cells(file.data)
            code = notebooks.code_hash(cells)
        except notebooks.UnreadableError as error:
            problem = str(error)
    return _Read(file.path, cells, code, digest, problem, file.modified, note)


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


def _gradescope_students(listed: bytes) -> dict[str, dict[str, Any]]:
    """Folder name to student, name and time, from Gradescope's ``submission_metadata.yml``.

    Read line by line as far as it is needed; a YAML reader could build objects. What stands deeper
    in it may be a student's own text, such as the output of an earlier autograder.
    """
    found: dict[str, dict[str, Any]] = {}
    about: dict[str, Any] = {}
    submitters: list[str] = []
    section = ""
    for line in listed.decode("utf-8", "replace").splitlines():
        if m := re.match(r"^(submission_\d+):\s*$", line):
            about, submitters, section = found.setdefault(m[1], {}), [], ""
        elif m := re.match(r"""^  :(\w+):\s*['"]?(.*?)['"]?\s*$""", line):
            section = m[1]
            if section == "created_at" and (when := _instant(m[2])):
                about.setdefault("submitted", when)
        elif section == "submitters":
            submitters.append(line)
            about |= _first_submitter(submitters)
    return found


def _first_submitter(lines: list[str]) -> dict[str, str]:
    """Name and id of the first person of a group; the ``:sid:`` is the id, else the e-mail."""
    said: dict[str, str] = {}
    for number, line in enumerate(lines):
        if number and line.startswith("  - "):
            break
        if m := re.match(r"""^  (?:- |  ):(name|sid|email):\s*['"]?(.*?)['"]?\s*$""", line):
            said.setdefault(m[1], m[2])
    student = said.get("sid") or said.get("email")
    return {k: v for k, v in (("name", said.get("name")), ("student", student)) if v}


def _instant(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text.removesuffix(" Z").replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
